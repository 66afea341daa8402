package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Hidden is the member of State.Data by which a type says that its attributes
// are secret.
const Hidden = "NoEcho"

// Attribute is what Fn::GetAtt gives of a resource that is there; it is a
// cfn.Secret where the type says so.
func Attribute(one *records.Resource, name string) (any, error) {
	value, ok := attributeOf(one.State.Attributes, name)
	switch {
	case !ok && one.Recorded:
		return one.State.ID + "." + name, nil // a record has no attributes of its own
	case !ok && strings.HasPrefix(one.Type, "Custom::"), !ok && one.Type == resources.CustomResource:
		return nil, fmt.Errorf("CustomResource attribute error: Vendor response doesn't contain %s attribute in object %s", name, one.State.ID)
	case !ok:
		return nil, fmt.Errorf("Requested attribute %s does not exist in schema for %s", name, one.Type)
	}
	if hidden, _ := one.State.Data[Hidden].(bool); hidden {
		return cfn.Secret{Value: value}, nil
	}
	return value, nil
}

// attributeOf finds an attribute by its name, or by its way through objects.
func attributeOf(attributes map[string]any, name string) (any, bool) {
	if value, ok := attributes[name]; ok {
		return value, true
	}
	head, rest, nested := strings.Cut(name, ".")
	inner, ok := attributes[head].(map[string]any)
	if !nested || !ok {
		return nil, false
	}
	return attributeOf(inner, rest)
}

// Zones is what Fn::GetAZs gives of a region.
func Zones(region string) ([]string, error) {
	return []string{region + "a", region + "b", region + "c"}, nil
}

// TextOf is how a value reads as a string; ok is false for what has no text.
func TextOf(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// Message is what an event or an answer says of an error.
func Message(err error) string {
	switch e := err.(type) {
	case cfn.Errors:
		return e.Message()
	case *wire.Error:
		return e.Message
	}
	return err.Error()
}

// HandlerCode translates a service's error to CloudFormation's codes for
// resource handlers ("Handler error codes" of the CLI's user guide).
func HandlerCode(e *wire.Error) string {
	switch {
	case strings.Contains(e.Code, "AccessDenied"):
		return "AccessDenied"
	case resources.Exists(e):
		return "AlreadyExists"
	case e.Status == 404, strings.Contains(e.Code, "NotFound"), strings.Contains(e.Code, "NoSuch"):
		return "NotFound"
	case strings.Contains(e.Code, "Limit"), strings.Contains(e.Code, "TooMany"):
		return "ServiceLimitExceeded"
	case e.Status >= 500:
		return "ServiceInternalError"
	}
	return "InvalidRequest"
}

// Validation gives an error of a template the form of the API.
func Validation(err error) error {
	if _, ok := err.(*wire.Error); ok {
		return err
	}
	return Invalid("%v", err)
}

// Metadata evaluates a resource's Metadata to JSON, "" if it has none.
func Metadata(plan *cfn.Stack, declared *cfn.Resource, lookup cfn.Lookup) (string, error) {
	if declared.Metadata == nil {
		return "", nil
	}
	result, err := plan.Attribute(declared.Metadata, lookup)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(cfn.Mask(result.Value, result.Secrets))
	return string(data), err
}

// tagsOf returns the property under which a type has its tags.
func tagsOf(kind *resources.Type) (name string, property resources.Property, ok bool) {
	for _, name := range []string{"Tags", "IdentityPoolTags"} {
		if property, ok := kind.Properties[name]; ok {
			return name, property, true
		}
	}
	return "", property, false
}

// ResourceTags are the tags that CloudFormation itself gives a resource, and the
// stack's.
func ResourceTags(st *records.Stack, logicalID string) map[string]string {
	tags := map[string]string{
		"aws:cloudformation:stack-name": st.Name,
		"aws:cloudformation:stack-id":   st.ID,
		"aws:cloudformation:logical-id": logicalID,
	}
	for key, value := range st.Tags {
		tags[key] = value
	}
	return tags
}

// WithStackTags adds the stack's tags to the properties of a resource that can
// have tags. Its own win.
func WithStackTags(kind *resources.Type, props map[string]any, tags map[string]string) map[string]any {
	name, property, ok := tagsOf(kind)
	if !ok || len(tags) == 0 {
		return props
	}
	props = maps.Clone(props)
	if property.Kind != resources.List {
		merged := map[string]any{}
		for key, value := range tags {
			merged[key] = value
		}
		own, _ := props[name].(map[string]any)
		maps.Copy(merged, own)
		props[name] = merged
		return props
	}
	list, _ := props[name].([]any)
	list = slices.Clone(list)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if !hasTag(list, key) {
			list = append(list, map[string]any{"Key": key, "Value": tags[key]})
		}
	}
	props[name] = list
	return props
}

func hasTag(list []any, key string) bool {
	return slices.ContainsFunc(list, func(item any) bool {
		tag, _ := item.(map[string]any)
		return tag["Key"] == key
	})
}
