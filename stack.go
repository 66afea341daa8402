package roost

import (
	"fmt"
	"strings"
)

// Stack is one CloudFormation stack.
type Stack struct {
	app        *App
	id, name   string
	at         place
	props      StackProps
	used       map[string]place  // ids of the constructs directly below the stack
	logicalIDs map[string]string // logical id → path of the resource
	resources  []*Resource
	outputs    []*output
	exports    []*output
	parameters map[string]*parameter // filled while rendering
	dependsOn  []*Stack
}

// Name returns the stack's name, <stage>-<app>-<id>.
func (s *Stack) Name() string { return s.name }

// Account returns the account that the stack is deployed to: the number where
// it is known, else AWS::AccountId.
func (s *Stack) Account() Value {
	if s.app.config.Account != "" {
		return Value(s.app.config.Account)
	}
	return pseudo("AccountId")
}

// Region returns the region that the stack is deployed to.
func (s *Stack) Region() Value { return Value(s.app.config.Region) }

// Partition returns AWS::Partition, with which ARNs begin: arn:<partition>:….
func (s *Stack) Partition() Value { return pseudo("Partition") }

// URLSuffix returns AWS::URLSuffix, the domain of the region's services.
func (s *Stack) URLSuffix() Value { return pseudo("URLSuffix") }

// ARN returns arn:<partition>:<service>:<region>:<account>:<resource>.
func (s *Stack) ARN(service string, resource Value) Value {
	return "arn:" + s.Partition() + ":" + Value(service) + ":" + s.Region() + ":" + s.Account() + ":" + resource
}

// DependsOn makes the stack wait for others when deployed. A value of one stack
// that is used in another does so by itself.
func (s *Stack) DependsOn(others ...*Stack) {
	for _, other := range others {
		if other == s {
			s.app.fail(s.id, s.app.here(), "a stack can't depend on itself", "name another stack")
			continue
		}
		s.waitFor(other)
	}
}

func (s *Stack) waitFor(other *Stack) {
	for _, known := range s.dependsOn {
		if known == other {
			return
		}
	}
	s.dependsOn = append(s.dependsOn, other)
}

// OutputProps are the optional properties of an output.
type OutputProps struct {
	Description string
	ExportName  Value // makes the value available to Fn::ImportValue in other stacks
}

type output struct {
	name  string
	at    place
	value Value
	props OutputProps
}

// Output adds an output to the stack, which is shown when the stack is deployed.
// name has letters and digits only. At most one OutputProps may be given.
func (s *Stack) Output(name string, value Value, props ...OutputProps) {
	at := s.app.here()
	o := &output{name: name, at: at, value: value}
	if len(props) > 0 {
		o.props = props[0]
	}
	if len(props) > 1 {
		s.app.fail(s.id+"/"+name, at, "an output takes one OutputProps", "put all properties into one")
	}
	if !matches(`^[A-Za-z0-9]{1,255}$`, name) {
		s.app.fail(s.id+"/"+name, at, fmt.Sprintf("%q can't be the name of an output", name), "use letters and digits only")
		return
	}
	if value == "" {
		s.app.fail(s.id+"/"+name, at, "the output has no value", "pass a value that is not empty")
	}
	for _, other := range s.outputs {
		if other.name == name {
			s.app.fail(s.id+"/"+name, at, "there is an output of that name already, at "+other.at.String(), "give this one another name")
			return
		}
	}
	s.outputs = append(s.outputs, o)
}

// node is a construct: what the constructs of this package have in common.
type node struct {
	stack *Stack
	path  []string // below the stack
	at    place
}

// String returns the construct's path as errors show it.
func (n node) String() string {
	return n.stack.id + "/" + strings.Join(n.path, "/")
}

// construct adds a construct directly below the stack.
func (s *Stack) construct(id string) node {
	at := s.app.here()
	n := node{stack: s, path: []string{constructID(id)}, at: at}
	switch first, taken := s.used[id]; {
	case alphanumeric(id) == "":
		n.fail(fmt.Sprintf("%q can't be the id of a construct", id), "use at least one letter or digit")
	case taken:
		n.fail("there is a construct of that id already, at "+first.String(), "give this one another id")
	default:
		s.used[id] = at
	}
	return n
}

// child returns a construct below this one, said at the same place.
func (n node) child(path ...string) node {
	full := append([]string(nil), n.path...)
	for _, p := range path {
		full = append(full, constructID(p))
	}
	return node{stack: n.stack, path: full, at: n.at}
}

func (n node) fail(message, remedy string) {
	n.stack.app.fail(n.String(), n.at, message, remedy)
}

// failHere is fail for what a method was given after the construct was made.
func (n node) failHere(message, remedy string) {
	n.stack.app.fail(n.String(), n.stack.app.here(), message, remedy)
}
