package region

import (
	"github.com/seed-615d3599/roost/internal/region/decisions"
	"github.com/seed-615d3599/roost/internal/region/edge"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
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
		Reason: r.Reason, Resource: r.Resource, Trace: r.Trace,
	}
	record.Diagnosis = diagnosis(r.Diagnosis)
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
		Action: r.Action, Resource: r.Resource, Trace: r.Trace,
	}
	if r.Caller != nil {
		record.Caller, record.RoleARN = r.Caller.ARN, r.Caller.RoleARN
	}
	record.Diagnosis = diagnosis(r.Diagnosis)
	e.Decisions.Refused(record)
}

func diagnosis(d *sigv4.Diagnosis) *decisions.Diagnosis {
	if d == nil {
		return nil
	}
	return &decisions.Diagnosis{Sentence: d.Sentence, CanonicalRequest: d.CanonicalRequest, StringToSign: d.StringToSign}
}
