package roosttest

import (
	"context"
	"errors"
	"time"

	"github.com/seed-615d3599/roost/sigv4"
)

// sessionName is how the package calls its sessions of roles.
const sessionName = "roosttest"

// assume gets a session of a role: as the administrator, or else as Lambda.
func (r *Region) assume(ctx context.Context, arn string) (sigv4.Credentials, time.Time, error) {
	var out struct {
		Credentials struct {
			AccessKeyID, SecretAccessKey, SessionToken string
			Expiration                                 time.Time
		}
	}
	err := r.tried.Region.Call(ctx, "sts", "AssumeRole", map[string]string{"RoleArn": arn, "RoleSessionName": sessionName}, &out)
	if err == nil {
		given := out.Credentials
		key := sigv4.Credentials{AccessKeyID: given.AccessKeyID, SecretAccessKey: given.SecretAccessKey, SessionToken: given.SessionToken}
		return key, given.Expiration, nil
	}
	id, secret, token, expires, refused := r.tried.Region.RoleSession("lambda.amazonaws.com", arn, sessionName)
	if refused != nil {
		return sigv4.Credentials{}, time.Time{}, errors.Join(err, refused)
	}
	return sigv4.Credentials{AccessKeyID: id, SecretAccessKey: secret, SessionToken: token}, expires, nil
}

// roleARN asks for the ARN of a role.
func (r *Region) roleARN(name string) string {
	r.t.Helper()
	var out struct{ Role struct{ ARN string } }
	if err := r.tried.Region.Call(r.t.Context(), "iam", "GetRole", map[string]string{"RoleName": name}, &out); err != nil {
		r.t.Fatalf("roosttest: look at the role %s: %v", name, err)
	}
	return out.Role.ARN
}
