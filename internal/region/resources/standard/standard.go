// Package standard is the set of CloudFormation's resource types that the
// embedded region has, from the rooms beside it.
//
//	stacks.New(stacks.Config{Types: standard.Registry(), …})
package standard

import (
	"slices"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/resources/access"
	"github.com/seed-615d3599/roost/internal/region/resources/httpapi"
	"github.com/seed-615d3599/roost/internal/region/resources/identity"
	"github.com/seed-615d3599/roost/internal/region/resources/lambda"
	"github.com/seed-615d3599/roost/internal/region/resources/logs"
	"github.com/seed-615d3599/roost/internal/region/resources/storage"
)

// Types returns all types, each made anew.
func Types() []*resources.Type {
	return slices.Concat(access.Types(), httpapi.Types(), identity.Types(), lambda.Types(), logs.Types(), storage.Types(), refused())
}

// refused are CloudFormation's own types that would change what CloudFormation
// itself does. None can be kept as a record: a template would then not mean
// what it says.
func refused() []*resources.Type {
	const (
		macro    = "macros are not run here; deploy the template as the macro leaves it (GetTemplate with TemplateStage Processed)"
		registry = "the types are built in; use those, or a custom resource"
		hook     = "hooks are not asked here; keep it out of this stage by a condition"
	)
	var types []*resources.Type
	for name, why := range map[string]string{
		"Macro": macro, "StackSet": "there is one account and one region; deploy the stack itself",
		"HookDefaultVersion": hook, "HookTypeConfig": hook, "HookVersion": hook, "GuardHook": hook, "LambdaHook": hook,
		"ModuleDefaultVersion": registry, "ModuleVersion": registry, "Publisher": registry, "PublicTypeVersion": registry,
		"ResourceDefaultVersion": registry, "ResourceVersion": registry, "TypeActivation": registry,
	} {
		types = append(types, resources.RefusedType("AWS::CloudFormation::"+name, why))
	}
	return types
}

// Registry returns the registry of all types and of further ones.
func Registry(further ...*resources.Type) *resources.Registry {
	return resources.New(append(Types(), further...)...)
}
