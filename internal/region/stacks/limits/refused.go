package limits

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Unsupported is the error for what CloudFormation has and the region does not;
// instead says what to do.
func Unsupported(what, instead string) error {
	return wire.Errorf(http.StatusNotImplemented, "NotImplemented", "roost does not support %s: %s", what, instead)
}

// whatever is the input of an operation that is refused whatever it is given.
type whatever struct{}

// UnmarshalText implements encoding.TextUnmarshaler, for the query protocol.
func (*whatever) UnmarshalText([]byte) error { return nil }

// UnmarshalJSON implements json.Unmarshaler, for calls within the process.
func (*whatever) UnmarshalJSON([]byte) error { return nil }

// Operations are those that are refused whatever they are given.
func Operations() []wire.Operation {
	refused := map[string]string{
		"CancelUpdateStack":        "let the update end; it rolls back by itself if it fails",
		"RollbackStack":            "update the stack again, or delete it",
		"SetStackPolicy":           "stack policies are not enforced",
		"GetStackPolicy":           "stack policies are not enforced",
		"DetectStackDrift":         "nothing changes resources behind a stack's back here",
		"DetectStackResourceDrift": "nothing changes resources behind a stack's back here",
		"CreateStackSet":           "there is one account and one region",
		"CreateGeneratedTemplate":  "write the template instead",
		"EstimateTemplateCost":     "it costs nothing here",
		"RegisterType":             "the types are built in",
		"ActivateType":             "the types are built in",
		"CreateStackRefactor":      "let the stacks make their resources anew",
	}
	var operations []wire.Operation
	for _, name := range slices.Sorted(maps.Keys(refused)) {
		operations = append(operations, wire.Op(name, func(context.Context, *wire.Call, *whatever) (*struct{}, error) {
			return nil, Unsupported(name, refused[name])
		}))
	}
	return operations
}
