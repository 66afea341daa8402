// Package cfn reads and evaluates CloudFormation templates: what they say, in
// which order their resources are made, what each property comes to, and what
// differs between two of them. It knows no resource type and creates nothing.
//
// The way of a template:
//
//	t, err := cfn.Parse("template.yaml", data)              // syntax and sections
//	v, err := t.Resolve(cfn.Given{Values: given})           // parameters
//	t, err = t.Expand(v, pseudo)                            // transforms, if it declares any
//	s, err := cfn.New(t, v, pseudo)                         // conditions, rules, references, order
//	for _, r := range s.Resources {                         // each after those it depends on
//		result, err := s.Properties(r, lookup)          // plain Go values
//	}
//
// Everything that can be known before a resource exists is an error of Parse,
// Resolve, Expand or New. Their errors are [Errors]: all problems found, each
// with file, line, column and path, worded as CloudFormation words it.
//
// What CloudFormation has and this package does not is refused by name and
// never dropped: macros, AWS::Include, unknown sections and attributes.
package cfn

import (
	"slices"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// Node is one value of a template with its position.
type Node = tree.Node

// Error is one problem of a template with its position.
type Error = tree.Error

// Errors is every problem found at once.
type Errors = tree.Errors

// Quotas of a template ("AWS CloudFormation quotas").
const (
	MaxBytes       = tree.MaxBytes // of a template in S3; one in a request has 51,200
	MaxBodyBytes   = 51_200        // of a template in a request
	MaxResources   = 500
	MaxParameters  = 200
	MaxOutputs     = 200
	MaxMappings    = 200
	MaxMappingKeys = 200
	MaxNameLength  = 255
	MaxValueBytes  = 4096 // of a parameter
	MaxDescription = 1024
)

// Transforms that Expand knows.
const (
	LanguageExtensions = "AWS::LanguageExtensions"
	Serverless         = "AWS::Serverless-2016-10-31"
)

// Template is a template's sections. After Parse one that declares transforms
// has its Parameters, Mappings and Rules only; Expand returns the whole.
type Template struct {
	Name        string // as given to Parse; stands in positions
	Description string
	Transforms  []string // declared and not yet expanded
	Parameters  []*Parameter
	Rules       []*Rule
	Resources   []*Resource
	Outputs     []*Output
	Metadata    *Node // nil if there is none
	Root        *Node // the whole document

	mappings   map[string]*Node
	conditions []tree.Member
	expanded   []string // the transforms that Expand has done
}

// Resource is one entry of the Resources section. Its nodes are nil where the
// template does not have the attribute.
type Resource struct {
	LogicalID           string
	Type                string
	Properties          *Node
	DependsOn           []string
	Condition           string
	DeletionPolicy      string // "", Delete, Retain, RetainExceptOnCreate or Snapshot
	UpdateReplacePolicy string // "", Delete, Retain or Snapshot
	CreationPolicy      *Node
	UpdatePolicy        *Node
	Metadata            *Node
	Node                *Node // the whole entry, for positions
}

// Output is one entry of the Outputs section.
type Output struct {
	Name        string
	Description string
	Condition   string
	Value       *Node
	ExportName  *Node // nil if it is not exported
	Node        *Node
}

// Parse reads a template in JSON or YAML. The name stands in the positions of
// errors and is never opened. The error is an Errors.
func Parse(name string, data []byte) (*Template, error) {
	root, err := tree.Parse(name, data)
	if err != nil {
		return nil, err
	}
	return decode(root, nil)
}

// decode reads the sections of a document; done are the transforms that have
// been expanded in it.
func decode(root *Node, done []string) (*Template, error) {
	t := &Template{Name: root.Pos.File, Root: root, expanded: done}
	d := &decoder{t: t, Problems: tree.Problems{Root: root}}
	d.head()
	if len(t.Transforms) == 0 {
		d.body()
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return t, nil
}

// Resource returns the resource of a logical id, or nil.
func (t *Template) Resource(logicalID string) *Resource {
	for _, r := range t.Resources {
		if r.LogicalID == logicalID {
			return r
		}
	}
	return nil
}

// Parameter returns the parameter of a name, or nil.
func (t *Template) Parameter(name string) *Parameter {
	for _, p := range t.Parameters {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// extended reports whether the functions of AWS::LanguageExtensions may be used.
func (t *Template) extended() bool {
	return slices.Contains(t.expanded, LanguageExtensions) || slices.Contains(t.Transforms, LanguageExtensions)
}
