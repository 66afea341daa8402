package lambda

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Lambda's quotas for an account.
const (
	accountConcurrency = 1000
	unreservedAtLeast  = 100
	totalCodeSize      = 80_530_636_800
)

func (l *Lambda) putConcurrency(ctx context.Context, _ *wire.Call, in *putConcurrencyInput) (*concurrencyShape, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	n := *in.ReservedConcurrentExecutions
	if n < 0 {
		return nil, failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at 'reservedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 0", n))
	}
	err = l.config.DB.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		functions, err := store.All[*function](tx, kindFunction, "")
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
			return invalid(fmt.Sprintf("Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [%d].", unreservedAtLeast))
		}
		return l.change(ctx, name, func(f *function) error { f.Reserved = &n; return nil })
	})
	return &concurrencyShape{ReservedConcurrentExecutions: &n}, err
}

func (l *Lambda) getConcurrency(ctx context.Context, _ *wire.Call, in *nameRef) (*concurrencyShape, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	return &concurrencyShape{ReservedConcurrentExecutions: f.Reserved}, nil
}

func (l *Lambda) deleteConcurrency(ctx context.Context, _ *wire.Call, in *nameRef) (*empty, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	return &empty{}, l.change(ctx, name, func(f *function) error { f.Reserved = nil; return nil })
}

// Provisioned concurrency is kept as a setting: environments on this machine
// start fast, and a pool keeps those that are used.

func (l *Lambda) putProvisioned(ctx context.Context, _ *wire.Call, in *putProvisionedInput) (*provisionedOutput, error) {
	name, qualifier, err := l.resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if qualifier == "" || qualifier == latest {
		return nil, invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
	}
	if in.ProvisionedConcurrentExecutions < 1 {
		return nil, failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1", in.ProvisionedConcurrentExecutions))
	}
	state := provisionedState{Requested: in.ProvisionedConcurrentExecutions, Modified: l.now()}
	err = l.change(ctx, name, func(f *function) error {
		if _, ok := f.find(qualifier); !ok {
			return l.noFunction(name, qualifier)
		}
		if f.Provisioned == nil {
			f.Provisioned = map[string]provisionedState{}
		}
		f.Provisioned[qualifier] = state
		return nil
	})
	out := state.describe()
	out.AvailableProvisionedConcurrentExecutions, out.AllocatedProvisionedConcurrentExecutions, out.Status = 0, 0, "IN_PROGRESS"
	return out, err
}

func (s provisionedState) describe() *provisionedOutput {
	return &provisionedOutput{RequestedProvisionedConcurrentExecutions: s.Requested, AvailableProvisionedConcurrentExecutions: s.Requested,
		AllocatedProvisionedConcurrentExecutions: s.Requested, Status: "READY", LastModified: s.Modified}
}

func (l *Lambda) getProvisioned(ctx context.Context, _ *wire.Call, in *ref) (*provisionedOutput, error) {
	f, _, qualifier, err := l.lookup(ctx, in)
	if err != nil {
		return nil, err
	}
	state, ok := f.Provisioned[qualifier]
	if !ok {
		return nil, failed(404, "ProvisionedConcurrencyConfigNotFoundException", "No Provisioned Concurrency Config found for this function")
	}
	return state.describe(), nil
}

func (l *Lambda) deleteProvisioned(ctx context.Context, _ *wire.Call, in *ref) (*empty, error) {
	name, qualifier, err := l.resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return &empty{}, l.change(ctx, name, func(f *function) error { delete(f.Provisioned, qualifier); return nil })
}

func (l *Lambda) listProvisioned(ctx context.Context, _ *wire.Call, in *listByFunctionInput) (*listProvisionedOutput, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []provisionedOutput
	for _, qualifier := range slices.Sorted(maps.Keys(f.Provisioned)) {
		item := f.Provisioned[qualifier].describe()
		item.FunctionArn = l.arn(name, qualifier)
		all = append(all, *item)
	}
	out := &listProvisionedOutput{}
	out.ProvisionedConcurrencyConfigs, out.NextMarker = paginate(all, in.page, func(p provisionedOutput) string { return p.FunctionArn })
	return out, nil
}

func (l *Lambda) accountSettings(ctx context.Context, _ *wire.Call, _ *empty) (*accountSettings, error) {
	out := &accountSettings{AccountLimit: accountLimit{TotalCodeSize: totalCodeSize, CodeSizeUnzipped: 262_144_000, CodeSizeZipped: 52_428_800,
		ConcurrentExecutions: accountConcurrency, UnreservedConcurrentExecutions: accountConcurrency}}
	err := l.config.DB.View(ctx, func(tx *store.Tx) error {
		functions, err := store.All[*function](tx, kindFunction, "")
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
func (l *Lambda) modified() wire.Time {
	return wire.Time{Time: l.config.Now().Truncate(time.Millisecond)}
}

func sizeOf(b []byte) string { return strconv.Itoa(len(b)) }
