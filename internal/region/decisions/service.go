package decisions

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Service returns the operations by which the command line asks a running
// region. The service is the region's own, not one of AWS: its name is "roost",
// its protocol JSON with the target "Roost".
func (d *Decisions) Service() *wire.Service {
	return &wire.Service{
		Name: "roost", Protocol: wire.JSON, Target: "Roost",
		Operations: []wire.Operation{
			wire.Op("Explain", d.explain),
			wire.Op("ListRefusals", d.listRefusals),
			wire.Op("ListUses", d.listUses),
		},
	}
}

// ExplainInput names a request, or none for the last that was refused.
type ExplainInput struct{ RequestID string }

// ExplainOutput is the record of a refusal, and what would have let the request
// pass.
type ExplainOutput struct {
	Refusal Refusal
	Remedy  string
}

func (d *Decisions) explain(ctx context.Context, _ *wire.Call, in *ExplainInput) (*ExplainOutput, error) {
	r, err := d.Find(ctx, in.RequestID)
	if errors.Is(err, ErrUnknown) && in.RequestID == "" {
		return nil, wire.Errorf(http.StatusBadRequest, "ResourceNotFoundException", "no request has been refused yet")
	}
	if errors.Is(err, ErrUnknown) {
		return nil, wire.Errorf(http.StatusBadRequest, "ResourceNotFoundException", "there is no record of a refused request %s: the region keeps the last %d", in.RequestID, d.config.MaxRefusals)
	}
	if err != nil {
		return nil, err
	}
	return &ExplainOutput{Refusal: *r, Remedy: Remedy(r)}, nil
}

// ListRefusalsInput says how many records are wanted; 0 means 20.
type ListRefusalsInput struct{ MaxResults int }

// ListRefusalsOutput has the newest records, latest first.
type ListRefusalsOutput struct{ Refusals []Refusal }

func (d *Decisions) listRefusals(ctx context.Context, _ *wire.Call, in *ListRefusalsInput) (*ListRefusalsOutput, error) {
	if in.MaxResults < 0 || in.MaxResults > 1000 {
		return nil, wire.Errorf(http.StatusBadRequest, "ValidationException", "MaxResults is between 1 and 1000")
	}
	if in.MaxResults == 0 {
		in.MaxResults = 20
	}
	list, err := d.List(ctx, in.MaxResults)
	return &ListRefusalsOutput{Refusals: list}, err
}

// ListUsesInput asks for what a principal was seen to do.
type ListUsesInput struct {
	Principal string     // ARN; "" for all
	Since     *time.Time // nil for ever
}

// ListUsesOutput has the uses, ordered by principal, action and resource.
type ListUsesOutput struct{ Uses []Use }

func (d *Decisions) listUses(ctx context.Context, _ *wire.Call, in *ListUsesInput) (*ListUsesOutput, error) {
	var since time.Time
	if in.Since != nil {
		since = *in.Since
	}
	uses, err := d.Uses(ctx, in.Principal, since)
	return &ListUsesOutput{Uses: uses}, err
}
