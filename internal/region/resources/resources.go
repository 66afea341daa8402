// Package resources holds the CloudFormation resource types that the embedded
// region knows, one file for each service, and the words in which a type is
// written: its properties and how to create, update and delete one.
//
// A type makes things by calling the operations of the service that keeps
// them (Env.Call), as CloudFormation does, with the rights of whoever deploys.
// It imports no service.
//
//	func logGroup() *Type {
//		return &Type{
//			Name: "AWS::Logs::LogGroup",
//			Properties: Properties{
//				"LogGroupName":    {Kind: String, Replace: true},
//				"RetentionInDays": {Kind: Integer},
//			},
//			Attributes: []string{"Arn"},
//			Create: …, Update: …, Delete: …,
//		}
//	}
//
// Every property of a type is enforced, recorded or refused. One that the
// table does not have is refused; none is dropped.
package resources

import (
	"context"
	"sort"
	"strings"
)

// Type is one resource type.
type Type struct {
	Name       string // "AWS::Logs::LogGroup"
	Properties Properties
	Attributes []string // what Fn::GetAtt gives; a name that ends in ".*" allows anything below it

	// Create makes the resource.
	Create func(ctx context.Context, e *Env, want map[string]any) (State, error)
	// Update changes it in place; it is called only when no changed property
	// demands a replacement. A nil Update means that every change does.
	Update func(ctx context.Context, e *Env, have State, want map[string]any) (State, error)
	// Delete removes it. What is not there any more counts as removed.
	Delete func(ctx context.Context, e *Env, have State) error

	// Slow is set for a type whose functions wait for something outside the
	// state file (a function's answer, a signal, another stack). The others run
	// inside one transaction with the record of the resource, so that a crash
	// leaves both or neither. A slow Create may run again after a crash with
	// the same Token, and must then go on with what it began.
	Slow bool

	// Open is set for a type that takes properties beyond its table (custom
	// resources).
	Open bool

	// Recorded is set for a type that is kept and shown and does nothing.
	Recorded bool

	// Refused is set for a type that no template may use: the reason and the
	// remedy.
	Refused string
}

// Properties is the table of a type's properties.
type Properties map[string]Property

// Property says what a property may be and what a change of it means.
type Property struct {
	Kind     Kind
	Required bool
	Replace  bool // a change replaces the resource
	Mode     Mode
	Why      string     // with Refused: the reason and the remedy; with Recorded: what does not happen
	Members  Properties // of an Object; nil allows any member
	Items    *Property  // of a List
	Enum     []string   // the values that are taken, where not all are; Why then says why
}

// Kind is the type of a property's value.
type Kind int

// The kinds. CloudFormation takes "3" for 3 and "true" for true; so do they.
const (
	Any     Kind = iota
	String       // a string; numbers and booleans are taken as their text
	Integer      // a whole number
	Number
	Boolean
	List
	Object // named members
	Map    // string keys, string values
	JSON   // a JSON document: an object, or a string that holds one
)

// Mode says what happens to a property.
type Mode int

// The modes.
const (
	Enforced Mode = iota
	Recorded      // kept and shown, without effect
	Refused       // an error that names it
)

// State is a resource that was made.
type State struct {
	ID         string         // the physical id: what Ref gives
	Properties map[string]any // as deployed
	Attributes map[string]any // what Fn::GetAtt gives
	Data       map[string]any // what the type itself wants to remember
}

// Env is what a type's functions work with.
type Env struct {
	// Call calls an operation of a service: Call(ctx, "iam", "CreateRole", in, &out).
	Call func(ctx context.Context, service, operation string, in, out any) error

	Account   string // 12 digits
	Region    string
	StackID   string
	StackName string
	LogicalID string
	Type      string            // as the template names it: "Custom::Thing"
	Token     string            // the same for each attempt at one change
	Tags      map[string]string // of the stack, aws:cloudformation:* among them

	// CreationPolicy is the resource's attribute of that name, nil without one.
	CreationPolicy map[string]any

	// Name is the name to give a resource whose template does not: the stack's
	// name, the logical id and random characters, at most max long.
	Name func(max int) string
	// Progress has what a slow function wants to keep for an attempt after a
	// crash. Saving replaces it.
	Progress     map[string]any
	SaveProgress func(ctx context.Context, progress map[string]any) error
}

// Registry is a set of types.
type Registry struct{ types map[string]*Type }

// New returns the registry of the given types.
func New(types ...*Type) *Registry {
	r := &Registry{types: map[string]*Type{}}
	for _, t := range types {
		r.types[t.Name] = t
	}
	return r
}

// CustomResource is the type under which all of Custom::* are registered.
const CustomResource = "AWS::CloudFormation::CustomResource"

// Lookup returns a type by name.
func (r *Registry) Lookup(name string) (*Type, bool) {
	if strings.HasPrefix(name, "Custom::") {
		name = CustomResource
	}
	t, ok := r.types[name]
	return t, ok
}

// Names returns the names of all types, sorted.
func (r *Registry) Names() []string {
	names := make([]string, 0, len(r.types))
	for name := range r.types {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
