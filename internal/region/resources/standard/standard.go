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
	return slices.Concat(access.Types(), httpapi.Types(), identity.Types(), lambda.Types(), logs.Types(), storage.Types())
}

// Registry returns the registry of all types and of further ones.
func Registry(further ...*resources.Type) *resources.Registry {
	return resources.New(append(Types(), further...)...)
}
