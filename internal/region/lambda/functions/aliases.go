package functions

import (
	"context"
	"maps"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (l *Functions) describeAlias(function, name string, a model.Alias) *aliasConfiguration {
	out := &aliasConfiguration{AliasArn: l.ARN(function, name), Name: name, FunctionVersion: a.Version, Description: a.Description, RevisionID: a.Revision}
	if len(a.Weights) > 0 {
		out.RoutingConfig = &routingConfig{AdditionalVersionWeights: a.Weights}
	}
	return out
}

func (l *Functions) createAlias(ctx context.Context, _ *wire.Call, in *createAliasInput) (*aliasConfiguration, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	if !model.ValidQualifier(in.Name) || model.IsNumber(in.Name) {
		return nil, model.Failed(400, "ValidationException", "1 validation error detected: Value '"+in.Name+"' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	}
	var out *aliasConfiguration
	err = l.Change(ctx, name, func(f *model.Function) error {
		if _, there := f.Aliases[in.Name]; there {
			return model.Conflict("Alias already exists: " + l.ARN(name, in.Name))
		}
		a := model.Alias{Version: in.FunctionVersion, Description: in.Description, Revision: model.NewID()}
		if err := l.aim(f, &a, in.RoutingConfig); err != nil {
			return err
		}
		if f.Aliases == nil {
			f.Aliases = map[string]model.Alias{}
		}
		f.Aliases[in.Name] = a
		out = l.describeAlias(name, in.Name, a)
		return nil
	})
	return out, err
}

// aim checks the versions that an alias leads to and sets its weights.
func (l *Functions) aim(f *model.Function, a *model.Alias, routing *routingConfig) error {
	if _, ok := f.Find(a.Version); !ok || f.Aliases[a.Version].Version != "" {
		return model.NotFound("Function not found: " + l.ARN(f.Name, a.Version))
	}
	if routing == nil {
		return nil
	}
	if len(routing.AdditionalVersionWeights) > 1 {
		return model.Invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for v, weight := range routing.AdditionalVersionWeights {
		if _, ok := f.Find(v); !ok || v == model.Latest || a.Version == model.Latest {
			return model.Invalid("an alias with weights must lead to published versions, and " + f.Name + " has no version " + v)
		}
		if weight < 0 || weight > 1 {
			return model.Invalid("the weight of version " + v + " must be between 0 and 1")
		}
	}
	a.Weights = routing.AdditionalVersionWeights
	return nil
}

func (l *Functions) getAlias(ctx context.Context, _ *wire.Call, in *aliasRef) (*aliasConfiguration, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	a, ok := f.Aliases[in.Name]
	if !ok {
		return nil, l.noAlias(name, in.Name)
	}
	return l.describeAlias(name, in.Name, a), nil
}

func (l *Functions) noAlias(function, name string) error {
	return model.NotFound("Cannot find alias arn: " + l.ARN(function, name))
}

func (l *Functions) updateAlias(ctx context.Context, _ *wire.Call, in *updateAliasInput) (*aliasConfiguration, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var out *aliasConfiguration
	err = l.Change(ctx, name, func(f *model.Function) error {
		a, ok := f.Aliases[in.Name]
		if !ok {
			return l.noAlias(name, in.Name)
		}
		if in.RevisionID != "" && in.RevisionID != a.Revision {
			return model.Stale()
		}
		a.Version = model.OrElse(in.FunctionVersion, a.Version)
		if in.Description != nil {
			a.Description = *in.Description
		}
		if err := l.aim(f, &a, in.RoutingConfig); err != nil {
			return err
		}
		a.Revision = model.NewID()
		f.Aliases[in.Name] = a
		out = l.describeAlias(name, in.Name, a)
		return nil
	})
	return out, err
}

func (l *Functions) deleteAlias(ctx context.Context, _ *wire.Call, in *aliasRef) (*model.Empty, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	return &model.Empty{}, l.Change(ctx, name, func(f *model.Function) error {
		delete(f.Aliases, in.Name)
		f.Forget(in.Name)
		return nil
	})
}

func (l *Functions) listAliases(ctx context.Context, _ *wire.Call, in *listAliasesInput) (*listAliasesOutput, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []aliasConfiguration
	for _, aliasName := range slices.Sorted(maps.Keys(f.Aliases)) {
		if a := f.Aliases[aliasName]; in.FunctionVersion == "" || in.FunctionVersion == a.Version {
			all = append(all, *l.describeAlias(name, aliasName, a))
		}
	}
	out := &listAliasesOutput{}
	out.Aliases, out.NextMarker = model.Paginate(all, in.Page, func(a aliasConfiguration) string { return a.Name })
	return out, nil
}
