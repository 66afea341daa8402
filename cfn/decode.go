package cfn

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

var alphanumeric = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`) })

// decoder reads sections and collects what is wrong with them.
type decoder struct {
	t        *Template
	patterns int // the size of all patterns of parameters
	tree.Problems
}

// head reads what no transform changes.
func (d *decoder) head() {
	root := d.t.Root
	d.sections(root)
	if v := root.Get("AWSTemplateFormatVersion"); v != nil && (!v.Scalar() || v.Text != "2010-09-09") {
		d.Add(v, "Template format error: unsupported value for AWSTemplateFormatVersion.")
	}
	if v := root.Get("Description"); v != nil {
		switch {
		case !v.IsString():
			d.Add(v, "Template format error: every Description member must be a string.")
		case len(v.Text) > MaxDescription:
			d.Add(v, "Template format error: 'Description' length is greater than %d.", MaxDescription)
		default:
			d.t.Description = v.Text
		}
	}
	d.transforms(root.Get("Transform"))
	d.t.Metadata = root.Get("Metadata")
	d.parameters(root.Get("Parameters"))
	d.mappings(root.Get("Mappings"))
	d.rules(root.Get("Rules"))
}

// body reads what a transform may make.
func (d *decoder) body() {
	root := d.t.Root
	d.conditions(root.Get("Conditions"))
	d.resources(root.Get("Resources"))
	d.outputs(root.Get("Outputs"))
}

func (d *decoder) sections(root *Node) {
	known := []string{
		"AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules",
		"Mappings", "Conditions", "Transform", "Resources", "Outputs",
	}
	if d.declares(Serverless) {
		known = append(known, "Globals")
	}
	if list := d.strangers(root, known); len(list) > 0 {
		d.Add(root.Get(list[0]), "Invalid template property or properties [%s]", strings.Join(list, ", "))
	}
}

// strangers returns the keys of an object that are not among those known.
func (d *decoder) strangers(n *Node, known []string) []string {
	var list []string
	for _, m := range n.Members {
		if !slices.Contains(known, m.Key) {
			list = append(list, m.Key)
		}
	}
	return list
}

func (d *decoder) declares(transform string) bool {
	n := d.t.Root.Get("Transform")
	if n.IsString() {
		return n.Text == transform
	}
	return n != nil && slices.ContainsFunc(n.Items, func(i *Node) bool { return i.Text == transform })
}

func (d *decoder) transforms(n *Node) {
	if n == nil {
		return
	}
	list := []*Node{n}
	if n.Kind == tree.List {
		list = n.Items
	}
	for _, item := range list {
		name := item
		if item.Kind == tree.Map {
			name = item.Get("Name")
		}
		switch {
		case !name.IsString():
			d.Add(item, "Template format error: every Transform member must be a string or an object with a Name.")
		case name.Text != LanguageExtensions && name.Text != Serverless:
			d.Add(item, "No transform named %s found. Known are %s and %s; macros and AWS::Include are not supported.", name.Text, LanguageExtensions, Serverless)
		case !slices.Contains(d.t.Transforms, name.Text):
			d.t.Transforms = append(d.t.Transforms, name.Text)
		}
	}
}

// object returns the members of a section, or none after saying what is wrong.
func (d *decoder) object(section string, n *Node, limit int) []tree.Member {
	switch {
	case n == nil:
		return nil
	case n.Kind != tree.Map:
		d.Add(n, "Template format error: %s must be an object.", section)
		return nil
	case len(n.Members) > limit:
		d.Add(n, "Template format error: Number of %s, %d, is greater than maximum allowed, %d", strings.ToLower(section), len(n.Members), limit)
		return nil
	}
	return n.Members
}

const noMacros = "Template error: Fn::Transform is not supported: macros and AWS::Include cannot be used"

// name refuses logical ids that are not alphanumeric; thing is as AWS has it.
func (d *decoder) name(thing string, m tree.Member) bool {
	switch {
	case alphanumeric().MatchString(m.Key):
		return true
	case strings.HasPrefix(m.Key, "Fn::ForEach::"):
		d.Add(m.Value, "Template error: %s needs the transform %s", m.Key, LanguageExtensions)
	case m.Key == "Fn::Transform":
		d.Add(m.Value, noMacros)
	default:
		d.Add(m.Value, "Template format error: %s name %s is non alphanumeric.", thing, m.Key)
	}
	return false
}

func (d *decoder) mappings(n *Node) {
	d.t.mappings = map[string]*Node{}
	for _, m := range d.object("Mappings", n, MaxMappings) {
		d.name("Mappings", m)
		if m.Value.Kind != tree.Map {
			d.Add(m.Value, "Template format error: Every Mappings member %s must be a map", m.Key)
			continue
		}
		if len(m.Value.Members) > MaxMappingKeys {
			d.Add(m.Value, "Template format error: Number of mapping attributes, %d, is greater than maximum allowed, %d", len(m.Value.Members), MaxMappingKeys)
		}
		for _, key := range m.Value.Members {
			d.mappingKey(key)
		}
		d.t.mappings[m.Key] = m.Value
	}
}

func (d *decoder) mappingKey(key tree.Member) {
	if key.Value.Kind != tree.Map {
		d.Add(key.Value, "Template format error: Every Mappings member %s must be a map", key.Key)
		return
	}
	for _, attribute := range key.Value.Members {
		if !plainMapping(attribute.Value) {
			d.Add(attribute.Value, "Template format error: Every Mappings attribute must be a String or a List.")
		}
	}
}

func plainMapping(n *Node) bool {
	if n.Kind == tree.List {
		return !slices.ContainsFunc(n.Items, func(i *Node) bool { return !i.Scalar() })
	}
	return n.Scalar()
}

func (d *decoder) conditions(n *Node) {
	for _, m := range d.object("Conditions", n, MaxResources) {
		if !alphanumeric().MatchString(m.Key) {
			d.Add(m.Value, "Template format error: Conditions name %s is non alphanumeric.", m.Key)
		}
		if !eval.IsCondition(m.Value) {
			d.Add(m.Value, "Template format error: Conditions can only be boolean operations on parameters and other conditions")
			continue
		}
		d.t.conditions = append(d.t.conditions, m)
	}
}

func (d *decoder) resources(n *Node) {
	if n == nil || n.Kind == tree.Map && len(n.Members) == 0 {
		d.Add(n, "Template format error: At least one Resources member must be defined.")
		return
	}
	for _, m := range d.object("Resources", n, MaxResources) {
		if !d.name("Resource", m) {
			continue
		}
		if m.Value.Kind != tree.Map {
			d.Add(m.Value, "Template format error: [/Resources/%s] resource definition is malformed", m.Key)
			continue
		}
		d.t.Resources = append(d.t.Resources, d.resource(m))
	}
}

func (d *decoder) resource(m tree.Member) *Resource {
	r := &Resource{LogicalID: m.Key, Node: m.Value}
	for _, a := range m.Value.Members {
		d.attribute(r, a)
	}
	if t := m.Value.Get("Type"); t == nil || t.IsString() && t.Text == "" {
		d.Add(m.Value, "Template format error: [/Resources/%s] Every Resources object must contain a Type member.", m.Key)
	}
	return r
}

func (d *decoder) attribute(r *Resource, a tree.Member) {
	switch a.Key {
	case "Type":
		r.Type = d.text(a)
	case "Condition":
		r.Condition = d.text(a)
	case "DeletionPolicy":
		r.DeletionPolicy = d.policy(a, "Delete", "Retain", "RetainExceptOnCreate", "Snapshot")
	case "UpdateReplacePolicy":
		r.UpdateReplacePolicy = d.policy(a, "Delete", "Retain", "Snapshot")
	case "DependsOn":
		r.DependsOn = d.dependsOn(a)
	case "Properties":
		r.Properties = d.objectAttribute(a)
	case "CreationPolicy":
		r.CreationPolicy = d.objectAttribute(a)
	case "UpdatePolicy":
		r.UpdatePolicy = d.objectAttribute(a)
	case "Metadata":
		r.Metadata = d.objectAttribute(a)
	default:
		d.Add(a.Value, "Invalid template resource property '%s'", a.Key)
	}
}

func (d *decoder) text(a tree.Member) string {
	if !a.Value.IsString() {
		d.Add(a.Value, "Template format error: Every %s member must be a string.", a.Key)
		return ""
	}
	return a.Value.Text
}

func (d *decoder) policy(a tree.Member, allowed ...string) string {
	switch {
	case a.Value.IsString() && slices.Contains(allowed, a.Value.Text):
		return a.Value.Text
	case a.Value.IsString():
		d.Add(a.Value, "Template error: %s must be one of [%s], and is %s", a.Key, strings.Join(allowed, ", "), a.Value.Text)
	default:
		d.Add(a.Value, "Template format error: Every %s member must be a string.", a.Key)
	}
	return ""
}

func (d *decoder) dependsOn(a tree.Member) []string {
	list := []*Node{a.Value}
	if a.Value.Kind == tree.List {
		list = a.Value.Items
	}
	var ids []string
	for _, item := range list {
		if !item.IsString() {
			d.Add(item, "Template format error: DependsOn must be a string or list of strings.")
			continue
		}
		if !slices.Contains(ids, item.Text) {
			ids = append(ids, item.Text)
		}
	}
	return ids
}

func (d *decoder) objectAttribute(a tree.Member) *Node {
	if a.Value.Kind != tree.Map {
		d.Add(a.Value, "Template format error: the %s of a resource must be an object.", a.Key)
		return nil
	}
	return a.Value
}

func (d *decoder) outputs(n *Node) {
	for _, m := range d.object("Outputs", n, MaxOutputs) {
		if !d.name("Output", m) {
			continue
		}
		if m.Value.Kind != tree.Map || m.Value.Get("Value") == nil {
			d.Add(m.Value, "Template format error: Every Outputs member must contain a Value object")
			continue
		}
		d.t.Outputs = append(d.t.Outputs, d.output(m))
	}
}

func (d *decoder) output(m tree.Member) *Output {
	o := &Output{Name: m.Key, Node: m.Value, Value: m.Value.Get("Value")}
	for _, a := range m.Value.Members {
		switch a.Key {
		case "Value":
		case "Description":
			o.Description = d.text(a)
		case "Condition":
			o.Condition = d.text(a)
		case "Export":
			if len(a.Value.Members) != 1 || a.Value.Get("Name") == nil {
				d.Add(a.Value, exportMalformed, m.Key)
				continue
			}
			o.ExportName = a.Value.Get("Name")
		default:
			d.Add(a.Value, "Template format error: Output %s is malformed: invalid property '%s'", m.Key, a.Key)
		}
	}
	if plainList(o.Value) {
		d.Add(o.Value, outputNotString)
	}
	return o
}

const (
	exportMalformed = "Template format error: Output %s is malformed. The Name field of every Export member must be specified and consist only of alphanumeric characters, colons, or hyphens."
	outputNotString = "Template format error: The Value field of every Outputs member must evaluate to a String."
)

// plainList reports whether a node is a list or an object that no function makes.
func plainList(n *Node) bool {
	if n.Kind == tree.Map {
		_, _, is := eval.Function(n)
		return !is
	}
	return n.Kind == tree.List
}
