package engine

import (
	"context"
	"fmt"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// lookup answers what properties refer to, from what is made already.
func (r *run) lookup(ctx context.Context) cfn.Lookup {
	return cfn.Lookup{
		Ref: func(id string) (any, error) {
			one, err := r.made(id)
			if err != nil {
				return nil, err
			}
			return one.State.ID, nil
		},
		GetAtt: func(id, attribute string) (any, error) {
			one, err := r.made(id)
			if err != nil {
				return nil, err
			}
			return plan.Attribute(one, attribute)
		},
		ImportValue: func(name string) (any, error) {
			r.mu.Lock()
			r.imported[name] = true
			r.mu.Unlock()
			return r.e.ImportValue(ctx, name)
		},
		AvailabilityZones: plan.Zones,
		Dynamic:           func(d cfn.DynamicReference) (string, error) { return r.e.Dynamic(ctx, r.caller, d) },
	}
}

func (r *run) made(id string) (*records.Resource, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.have[id]
	if one == nil || !one.Exists {
		return nil, fmt.Errorf("the resource %s is not there", id)
	}
	return one, nil
}

// envOf is what a type's functions work with.
func (r *run) envOf(one *records.Resource, kind string) *resources.Env {
	return &resources.Env{
		Call: func(ctx context.Context, service, operation string, in, out any) error {
			return r.e.Call(ctx, wire.Call{Caller: r.caller, Token: one.Token, Service: service}, operation, in, out)
		},
		Account: r.e.config.Account, Region: r.e.config.Region,
		StackID: r.st.ID, StackName: r.st.Name, LogicalID: one.LogicalID, Type: kind, Token: one.Token,
		Tags:     plan.ResourceTags(r.st, one.LogicalID),
		Name:     func(max int) string { return plan.PhysicalName(r.st.Name, one.LogicalID, one.Token, max) },
		Progress: one.Progress,
		SaveProgress: func(ctx context.Context, progress map[string]any) error {
			return r.e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
				one.Progress = progress
				return one.Put(tx)
			})
		},
	}
}
