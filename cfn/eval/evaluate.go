// Package eval evaluates the functions of CloudFormation templates. It knows
// how each function is to be written (Shape), which names a value refers to
// (References) and what a value comes to (Scope.Evaluate), and nothing of
// sections, stacks or resource types.
//
//	scope := &eval.Scope{Root: root, Pseudo: eval.Pseudo{Region: "us-east-1"}}
//	result, err := scope.Evaluate(node, eval.Lookup{}, eval.Resources)
package eval

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// KnownAfterApply is what CloudFormation shows for a value that only the
// resource's creation will tell ("DescribeChangeSet", BeforeContext and AfterContext).
const KnownAfterApply = "{{changeSet:KNOWN_AFTER_APPLY}}"

// Unknown is the value of a property that depends on what does not exist yet.
// A function of an Unknown is Unknown.
type Unknown struct{}

// String returns KnownAfterApply.
func (Unknown) String() string { return KnownAfterApply }

// MarshalText makes an Unknown KnownAfterApply in JSON.
func (Unknown) MarshalText() ([]byte, error) { return []byte(KnownAfterApply), nil }

// Secret is an attribute that must not be shown: what is made from it is listed
// in Result.Secrets (NoEcho in the response of a custom resource).
type Secret struct{ Value any }

// Lookup is what an evaluation asks of the world outside the template. Each
// may return Unknown{}. A nil Ref or GetAtt gives Unknown; a nil ImportValue
// or AvailabilityZones refuses the function; a nil Dynamic leaves dynamic
// references as they are written, for showing.
type Lookup struct {
	// Ref returns what Ref gives of a resource.
	Ref func(logicalID string) (any, error)
	// GetAtt returns an attribute of a resource.
	GetAtt func(logicalID, attribute string) (any, error)
	// ImportValue returns the value that another stack exports under a name.
	ImportValue func(name string) (any, error)
	// AvailabilityZones lists the zones of a region.
	AvailabilityZones func(region string) ([]string, error)
	// Dynamic returns what "{{resolve:…}}" stands for.
	Dynamic func(DynamicReference) (string, error)
}

// Result is what an evaluation came to.
type Result struct {
	// Value is made of map[string]any, []any, string, json.Number, bool and
	// Unknown. Members that are AWS::NoValue are gone.
	Value any
	// Secrets are the paths, as Diff writes them, of what was made from a
	// NoEcho parameter or a secure dynamic reference.
	Secrets []string
}

// Scope is what functions are evaluated in: the names of one template and
// what they come to.
type Scope struct {
	Root       *tree.Node // the template, for the paths of errors
	Parameters map[string]Parameter
	Pseudo     Pseudo
	Mappings   map[string]*tree.Node
	Resources  map[string]bool // the logical ids
	Conditions map[string]bool // what each came to
	Extended   bool            // the functions of AWS::LanguageExtensions are known
}

// Parameter is what the parameter of a template comes to.
type Parameter struct {
	Type   string
	Value  any  // a string, or a []any of strings
	NoEcho bool // what is made from it is a secret
}

// Pseudo is what the pseudo parameters give ("Pseudo parameters reference").
type Pseudo struct {
	AccountID        string   // AWS::AccountId, 12 digits
	Region           string   // AWS::Region
	Partition        string   // AWS::Partition, "" for aws
	URLSuffix        string   // AWS::URLSuffix, "" for amazonaws.com
	StackID          string   // AWS::StackId, an ARN
	StackName        string   // AWS::StackName
	NotificationARNs []string // AWS::NotificationARNs
}

// Block says in which section a value stands; dynamic references mean
// something only in some.
type Block string

// The blocks that differ.
const (
	Plain     Block = "" // dynamic references stay as they are
	Resources Block = "Resources"
	Outputs   Block = "Outputs"
)

// Evaluate evaluates a value. The error is a tree.Errors with the position of
// the function at fault. A nil node is an empty object.
func (s *Scope) Evaluate(n *tree.Node, l Lookup, block Block) (Result, error) {
	if n == nil {
		return Result{Value: map[string]any{}}, nil
	}
	e := s.evaluator(l)
	e.block = block
	return e.result(n)
}

// Rehearse evaluates a value as far as it can be without asking anything
// outside the template: what it would ask for is Unknown.
func (s *Scope) Rehearse(n *tree.Node, block Block) (Result, error) {
	e := s.evaluator(Lookup{
		ImportValue: func(string) (any, error) { return Unknown{}, nil },
	})
	e.block, e.rehearsal = block, true
	return e.result(n)
}

func (e *evaluator) result(n *tree.Node) (Result, error) {
	value, err := e.value(n)
	if err != nil {
		p := tree.Problems{Root: e.s.Root}
		p.Join(n, err)
		return Result{}, p.Err()
	}
	if _, gone := value.(noValue); gone {
		value = map[string]any{}
	}
	return Result{Value: value, Secrets: e.secrets}, nil
}

// maxProduced bounds the bytes and members that the functions of one
// evaluation may make, so that a template cannot multiply a long value.
const maxProduced = 2 << 20

// noValue is what AWS::NoValue gives; the object or list around it drops it.
type noValue struct{}

type evaluator struct {
	s     *Scope
	l     Lookup
	block Block
	rules bool

	rehearsal bool

	path     []string // of the value at hand, for secrets
	secrets  []string
	used     int // how many secrets were read so far
	depth    int // of functions around the value at hand
	produced int
}

func (s *Scope) evaluator(l Lookup) *evaluator { return &evaluator{s: s, l: l} }

func (e *evaluator) fail(at *tree.Node, format string, args ...any) error {
	return tree.At(e.s.Root, at, format, args...)
}

// charge counts what a function made against the bound.
func (e *evaluator) charge(at *tree.Node, n int) error {
	if e.produced += n; e.produced > maxProduced {
		return e.fail(at, "Template error: the functions here make more than %d bytes", maxProduced)
	}
	return nil
}

// value evaluates any node.
func (e *evaluator) value(n *tree.Node) (any, error) {
	if name, arg, ok := Function(n); ok {
		return e.call(n, name, arg)
	}
	switch n.Kind {
	case tree.Map:
		return e.object(n)
	case tree.List:
		return e.list(n)
	case tree.Number:
		return json.Number(n.Text), nil
	case tree.Bool:
		return n.Text == "true", nil
	}
	return e.dynamic(n, n.Text)
}

func (e *evaluator) object(n *tree.Node) (any, error) {
	m := make(map[string]any, len(n.Members))
	for _, member := range n.Members {
		value, err := e.step("."+member.Key, member.Value)
		if err != nil {
			return nil, err
		}
		if _, gone := value.(noValue); !gone {
			m[member.Key] = value
		}
	}
	return m, nil
}

func (e *evaluator) list(n *tree.Node) (any, error) {
	list := make([]any, 0, len(n.Items))
	for _, item := range n.Items {
		value, err := e.step("["+strconv.Itoa(len(list))+"]", item)
		if err != nil {
			return nil, err
		}
		if _, gone := value.(noValue); !gone {
			list = append(list, value)
		}
	}
	return list, nil
}

// step evaluates a member with its name on the path.
func (e *evaluator) step(name string, n *tree.Node) (any, error) {
	e.path = append(e.path, name)
	value, err := e.value(n)
	e.path = e.path[:len(e.path)-1]
	return value, err
}

// call evaluates a function. If it read a secret, the path is marked as a
// whole: what becomes of a secret inside a function cannot be told apart.
// Fn::If only chooses, and what it chooses is marked on its own.
func (e *evaluator) call(n *tree.Node, name string, arg *tree.Node) (any, error) {
	if text := Shape(name, arg, e.s.Extended); text != "" {
		return nil, e.fail(n, "%s", text)
	}
	if name == "Fn::If" {
		return e.choose(arg)
	}
	if err := e.charge(n, 1); err != nil {
		return nil, err
	}
	before, known := e.used, len(e.secrets)
	e.depth++
	value, err := e.apply(n, name, arg)
	e.depth--
	if err != nil && e.used > before {
		return nil, e.fail(n, "Template error: %s cannot be evaluated here; a NoEcho parameter or a secure dynamic reference takes part, so the value at fault is not shown", name)
	}
	if err != nil {
		return nil, err
	}
	if !e.foreign(name, arg) {
		if value, err = e.dynamicWithin(n, value); err != nil {
			return nil, err
		}
	}
	if e.used > before {
		e.secrets = e.secrets[:known]
		e.mark()
	}
	return value, nil
}

// foreign reports whether a function gives what somebody else wrote, in which
// "{{resolve:" is only text.
func (e *evaluator) foreign(name string, arg *tree.Node) bool {
	return name == "Fn::GetAtt" || name == "Fn::ImportValue" || name == "Ref" && e.s.Resources[arg.Text]
}

// mark notes that the value at hand is a secret.
func (e *evaluator) mark() {
	path := strings.TrimPrefix(strings.Join(e.path, ""), ".")
	if n := len(e.secrets); n == 0 || e.secrets[n-1] != path {
		e.secrets = append(e.secrets, path)
	}
}

func (e *evaluator) choose(arg *tree.Node) (any, error) {
	if e.s.Conditions[arg.Items[0].Text] {
		return e.value(arg.Items[1])
	}
	return e.value(arg.Items[2])
}

func (e *evaluator) apply(n *tree.Node, name string, arg *tree.Node) (any, error) {
	switch name {
	case "Ref":
		return e.ref(n, arg.Text)
	case "Fn::GetAtt":
		return e.getAtt(n, arg)
	case "Fn::Sub":
		return e.sub(n, arg)
	case "Fn::Join":
		return e.join(n, arg)
	case "Fn::Split":
		return e.split(n, arg)
	case "Fn::Select":
		return e.selectOne(n, arg)
	case "Fn::FindInMap":
		return e.findInMap(n, arg)
	case "Fn::Base64":
		return e.base64(n, arg)
	case "Fn::Cidr":
		return e.cidr(n, arg)
	case "Fn::GetAZs":
		return e.getAZs(n, arg)
	case "Fn::ImportValue":
		return e.importValue(n, arg)
	case "Fn::Length":
		return e.length(n, arg)
	case "Fn::ToJsonString":
		return e.toJSON(n, arg)
	}
	if e.rules {
		return e.ruleValue(n, name, arg)
	}
	return nil, e.fail(n, "Template error: Encountered unsupported function: %s Supported functions are: [%s]", name, SupportedFunctions)
}

// Text is how a value reads where a string is wanted; ok is false for
// lists, objects and what is unknown.
func Text(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case int:
		return strconv.Itoa(v), true
	case int64:
		return strconv.FormatInt(v, 10), true
	}
	return "", false
}

func isUnknown(value any) bool {
	_, unknown := value.(Unknown)
	return unknown
}
