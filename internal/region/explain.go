package region

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/seed-615d3599/roost/internal/region/decisions"
	"github.com/seed-615d3599/roost/internal/region/edge"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
)

// explained takes what edge and gateway tell about refusals to the records that
// "roost explain" reads.
type explained struct{ *decisions.Decisions }

// Refused takes a refusal of an API.
func (e explained) Refused(r gateway.Refusal) {
	record := decisions.Refusal{
		Time: r.Time, RequestID: r.RequestID, Status: r.Status, API: r.API, Stage: r.Stage, RouteKey: r.RouteKey,
		Method: r.Method, Path: r.Path, SourceIP: r.SourceIP, AccessKeyID: r.AccessKeyID, Caller: r.Caller,
		Reason: r.Reason, Resource: r.Resource, Trace: r.Trace, Diagnosis: diagnosis(r.Diagnosis),
	}
	if r.Trace != nil {
		record.Action = "execute-api:Invoke"
	}
	e.Decisions.Refused(record)
}

// controlPlane takes a refusal of an operation.
func (e explained) controlPlane(r edge.Refusal) {
	record := decisions.Refusal{
		Time: r.Time, RequestID: r.RequestID, Status: r.Status, Code: r.Code, Service: r.Service, Operation: r.Operation,
		Method: r.Method, Path: r.Path, SourceIP: r.SourceIP, AccessKeyID: r.AccessKeyID, Reason: r.Message,
		Action: r.Action, Resource: r.Resource, Trace: r.Trace, Diagnosis: diagnosis(r.Diagnosis),
	}
	if r.Caller != nil {
		record.Caller, record.RoleARN = r.Caller.ARN, r.Caller.RoleARN
	}
	e.Decisions.Refused(record)
}

// forStacks has decisions made by authorize, and records what it refuses to
// CloudFormation, whose calls within the process no edge sees: under the
// RequestToken that the stack's events show, or the call's id if there is none.
func (e explained) forStacks(now func() time.Time, authorize authorizer) authorizer {
	return func(ctx context.Context, call *wire.Call, targets []wire.Target) error {
		err := authorize(ctx, call, targets)
		var denied *wire.Denied
		if call.HTTP != nil || call.RequestID == "" || call.Caller == nil || !errors.As(err, &denied) {
			return err
		}
		e.Decisions.Refused(decisions.Refusal{
			Time: now().UTC(), RequestID: cmp.Or(call.Token, call.RequestID), Status: denied.Err.Status, Code: denied.Err.Code,
			Service: call.Service, Operation: call.Operation, SourceIP: "cloudformation.amazonaws.com",
			AccessKeyID: call.Caller.AccessKeyID, Caller: call.Caller.ARN, RoleARN: call.Caller.RoleARN,
			Reason: denied.Err.Message, Action: denied.Action, Resource: denied.Resource, Trace: denied.Trace,
		})
		return err
	}
}

// authorizer is what decides for a service (wire.Service.Authorize).
type authorizer func(ctx context.Context, call *wire.Call, targets []wire.Target) error

func diagnosis(d *sigv4.Diagnosis) *decisions.Diagnosis {
	if d == nil {
		return nil
	}
	return &decisions.Diagnosis{Sentence: d.Sentence, CanonicalRequest: d.CanonicalRequest, StringToSign: d.StringToSign}
}
