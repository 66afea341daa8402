package callers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Lambda's quotas for an account.
const (
	accountConcurrency = 1000
	unreservedAtLeast  = 100
	totalCodeSize      = 80_530_636_800
)

func (l *Callers) putConcurrency(ctx context.Context, _ *wire.Call, in *putConcurrencyInput) (*model.Concurrency, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	n := *in.ReservedConcurrentExecutions
	if n < 0 {
		return nil, model.Failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 0", n))
	}
	err = l.DB.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		functions, err := store.All[*model.Function](tx, model.KindFunction, "")
		if err != nil {
			return err
		}
		left := accountConcurrency - n
		for _, f := range functions {
			if f.Reserved != nil && f.Name != name {
				left -= *f.Reserved
			}
		}
		if n > 0 && left < unreservedAtLeast {
			return model.Invalid(fmt.Sprintf("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", unreservedAtLeast))
		}
		return l.Change(ctx, name, func(f *model.Function) error { f.Reserved = &n; return nil })
	})
	return &model.Concurrency{ReservedConcurrentExecutions: &n}, err
}

func (l *Callers) getConcurrency(ctx context.Context, _ *wire.Call, in *model.NameRef) (*model.Concurrency, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	return &model.Concurrency{ReservedConcurrentExecutions: f.Reserved}, nil
}

func (l *Callers) deleteConcurrency(ctx context.Context, _ *wire.Call, in *model.NameRef) (*model.Empty, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	return &model.Empty{}, l.Change(ctx, name, func(f *model.Function) error { f.Reserved = nil; return nil })
}

// Provisioned concurrency is kept as a setting: environments on this machine
// start fast, and a pool keeps those that are used.

func (l *Callers) putProvisioned(ctx context.Context, _ *wire.Call, in *putProvisionedInput) (*provisionedOutput, error) {
	name, qualifier, err := l.Resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if qualifier == "" || qualifier == model.Latest {
		return nil, model.Invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	if in.ProvisionedConcurrentExecutions < 1 {
		return nil, model.Failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1", in.ProvisionedConcurrentExecutions))
	}
	state := model.ProvisionedState{Requested: in.ProvisionedConcurrentExecutions, Modified: l.NowText()}
	err = l.Change(ctx, name, func(f *model.Function) error {
		if _, ok := f.Find(qualifier); !ok {
			return l.NoFunction(name, qualifier)
		}
		if f.Provisioned == nil {
			f.Provisioned = map[string]model.ProvisionedState{}
		}
		f.Provisioned[qualifier] = state
		return nil
	})
	out := describeProvisioned(state)
	out.AvailableProvisionedConcurrentExecutions, out.AllocatedProvisionedConcurrentExecutions, out.Status = 0, 0, "IN_PROGRESS"
	return out, err
}

func describeProvisioned(s model.ProvisionedState) *provisionedOutput {
	return &provisionedOutput{RequestedProvisionedConcurrentExecutions: s.Requested, AvailableProvisionedConcurrentExecutions: s.Requested,
		AllocatedProvisionedConcurrentExecutions: s.Requested, Status: "READY", LastModified: s.Modified}
}

func (l *Callers) getProvisioned(ctx context.Context, _ *wire.Call, in *model.Ref) (*provisionedOutput, error) {
	f, _, qualifier, err := l.Lookup(ctx, in)
	if err != nil {
		return nil, err
	}
	state, ok := f.Provisioned[qualifier]
	if !ok {
		return nil, model.Failed(404, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")
	}
	return describeProvisioned(state), nil
}

func (l *Callers) deleteProvisioned(ctx context.Context, _ *wire.Call, in *model.Ref) (*model.Empty, error) {
	name, qualifier, err := l.Resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return &model.Empty{}, l.Change(ctx, name, func(f *model.Function) error { delete(f.Provisioned, qualifier); return nil })
}

func (l *Callers) listProvisioned(ctx context.Context, _ *wire.Call, in *model.ListInput) (*listProvisionedOutput, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []provisionedOutput
	for _, qualifier := range slices.Sorted(maps.Keys(f.Provisioned)) {
		item := describeProvisioned(f.Provisioned[qualifier])
		item.FunctionArn = l.ARN(name, qualifier)
		all = append(all, *item)
	}
	out := &listProvisionedOutput{}
	out.ProvisionedConcurrencyConfigs, out.NextMarker = model.Paginate(all, in.Page, func(p provisionedOutput) string { return p.FunctionArn })
	return out, nil
}

func (l *Callers) accountSettings(ctx context.Context, _ *wire.Call, _ *model.Empty) (*accountSettings, error) {
	out := &accountSettings{AccountLimit: accountLimit{TotalCodeSize: totalCodeSize, CodeSizeUnzipped: 262_144_000, CodeSizeZipped: 52_428_800,
		ConcurrentExecutions: accountConcurrency, UnreservedConcurrentExecutions: accountConcurrency}}
	err := l.DB.View(ctx, func(tx *store.Tx) error {
		functions, err := store.All[*model.Function](tx, model.KindFunction, "")
		for _, f := range functions {
			out.AccountUsage.FunctionCount++
			out.AccountUsage.TotalCodeSize += f.Latest.CodeSize
			for _, v := range f.Versions {
				out.AccountUsage.TotalCodeSize += v.CodeSize
			}
			if f.Reserved != nil {
				out.AccountLimit.UnreservedConcurrentExecutions -= *f.Reserved
			}
		}
		return err
	})
	return out, err
}

// modified is the LastModified of things that show it as a number.
func (l *Callers) modified() wire.Time {
	return wire.Time{Time: l.Now().Truncate(time.Millisecond)}
}
