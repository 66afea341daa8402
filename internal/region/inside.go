package region

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-615d3599/roost/internal/region/decisions"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// What follows is for a program that has the region in its own process, such
// as a test.

// Call calls an operation of a service as the region's administrator, without
// a request: Call(ctx, "iam", "GetRole", in, &out). in and out are as for
// wire.Service's Call.
func (r *Region) Call(ctx context.Context, service, operation string, in, out any) error {
	found, ok := r.services.named[service]
	if !ok {
		return fmt.Errorf("the region has no service %s", service)
	}
	caller, err := r.services.access.CallerFor("arn:aws:iam::" + r.Account + ":user/" + administrator)
	if err != nil {
		return err
	}
	return found.Call(ctx, wire.Call{Caller: caller}, operation, in, out)
}

// Invoke invokes a function by its name and waits for its answer.
// functionError is "" where it succeeds.
func (r *Region) Invoke(ctx context.Context, function string, payload []byte) (response []byte, functionError string, err error) {
	return r.services.lambda.Invoke(ctx, "arn:aws:lambda:"+r.Name+":"+r.Account+":function:"+function, payload)
}

// Warm starts a function, by its name, before its first call.
func (r *Region) Warm(ctx context.Context, function string) error {
	return r.services.lambda.Warm(ctx, "arn:aws:lambda:"+r.Name+":"+r.Account+":function:"+function)
}

// APIs returns the base URL of each HTTP API by its id.
func (r *Region) APIs() map[string]string { return r.services.apis.URLs() }

// Explain returns the record of a refused request. A refusal is told before it
// is answered, so that who has the answer finds the record.
func (r *Region) Explain(ctx context.Context, requestID string) (*decisions.Refusal, error) {
	return r.services.records.Find(ctx, requestID)
}

// FunctionURLs returns each function URL, with a slash at its end, by its id.
func (r *Region) FunctionURLs() map[string]string { return r.services.lambda.URLs() }

// RoleSession returns credentials of a role as the service that its trust
// policy names gets them, such as lambda.amazonaws.com. The error is that of a
// refusal.
func (r *Region) RoleSession(service, roleARN, sessionName string) (id, secret, token string, expires time.Time, err error) {
	given, err := r.services.access.ServiceCredentials(service, roleARN, sessionName)
	if err != nil {
		return "", "", "", time.Time{}, err
	}
	return given.AccessKeyID, given.SecretAccessKey, given.SessionToken, given.Expiration.Time, nil
}
