package lambda

import (
	"context"
	"maps"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (l *Lambda) describeAlias(function, name string, a alias) *aliasConfiguration {
	out := &aliasConfiguration{AliasArn: l.arn(function, name), Name: name, FunctionVersion: a.Version, Description: a.Description, RevisionID: a.Revision}
	if len(a.Weights) > 0 {
		out.RoutingConfig = &routingConfig{AdditionalVersionWeights: a.Weights}
	}
	return out
}

func (l *Lambda) createAlias(ctx context.Context, _ *wire.Call, in *createAliasInput) (*aliasConfiguration, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	if !aliasPattern.MatchString(in.Name) || digits.MatchString(in.Name) {
		return nil, failed(400, "ValidationException", "1 validation error detected: Value '"+in.Name+"' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	}
	var out *aliasConfiguration
	err = l.change(ctx, name, func(f *function) error {
		if _, there := f.Aliases[in.Name]; there {
			return conflict("Alias already exists: " + l.arn(name, in.Name))
		}
		a := alias{Version: in.FunctionVersion, Description: in.Description, Revision: newID()}
		if err := l.aim(f, &a, in.RoutingConfig); err != nil {
			return err
		}
		if f.Aliases == nil {
			f.Aliases = map[string]alias{}
		}
		f.Aliases[in.Name] = a
		out = l.describeAlias(name, in.Name, a)
		return nil
	})
	return out, err
}

// aim checks the versions that an alias leads to and sets its weights.
func (l *Lambda) aim(f *function, a *alias, routing *routingConfig) error {
	if _, ok := f.find(a.Version); !ok || f.Aliases[a.Version].Version != "" {
		return notFound("Function not found: " + l.arn(f.Name, a.Version))
	}
	if routing == nil {
		return nil
	}
	if len(routing.AdditionalVersionWeights) > 1 {
		return invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	for v, weight := range routing.AdditionalVersionWeights {
		if _, ok := f.find(v); !ok || v == latest || a.Version == latest {
			return invalid("an alias with weights must lead to published versions, and " + f.Name + " has no version " + v)
		}
		if weight < 0 || weight > 1 {
			return invalid("the weight of version " + v + " must be between 0 and 1")
		}
	}
	a.Weights = routing.AdditionalVersionWeights
	return nil
}

func (l *Lambda) getAlias(ctx context.Context, _ *wire.Call, in *aliasRef) (*aliasConfiguration, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	a, ok := f.Aliases[in.Name]
	if !ok {
		return nil, l.noAlias(name, in.Name)
	}
	return l.describeAlias(name, in.Name, a), nil
}

func (l *Lambda) noAlias(function, name string) error {
	return notFound("Cannot find alias arn: " + l.arn(function, name))
}

func (l *Lambda) updateAlias(ctx context.Context, _ *wire.Call, in *updateAliasInput) (*aliasConfiguration, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	var out *aliasConfiguration
	err = l.change(ctx, name, func(f *function) error {
		a, ok := f.Aliases[in.Name]
		if !ok {
			return l.noAlias(name, in.Name)
		}
		if in.RevisionID != "" && in.RevisionID != a.Revision {
			return stale()
		}
		a.Version = orElse(in.FunctionVersion, a.Version)
		if in.Description != nil {
			a.Description = *in.Description
		}
		if err := l.aim(f, &a, in.RoutingConfig); err != nil {
			return err
		}
		a.Revision = newID()
		f.Aliases[in.Name] = a
		out = l.describeAlias(name, in.Name, a)
		return nil
	})
	return out, err
}

func (l *Lambda) deleteAlias(ctx context.Context, _ *wire.Call, in *aliasRef) (*empty, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	return &empty{}, l.change(ctx, name, func(f *function) error {
		delete(f.Aliases, in.Name)
		delete(f.Policies, in.Name)
		delete(f.Provisioned, in.Name)
		return nil
	})
}

func (l *Lambda) listAliases(ctx context.Context, _ *wire.Call, in *listAliasesInput) (*listAliasesOutput, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
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
	out.Aliases, out.NextMarker = paginate(all, in.page, func(a aliasConfiguration) string { return a.Name })
	return out, nil
}
