package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// lookup answers what properties refer to, from what is made already.
func (r *run) lookup(ctx context.Context) cfn.Lookup {
	return cfn.Lookup{
		Ref: func(id string) (any, error) {
			one, err := r.made(id)
			if err != nil {
				return nil, err
			}
			return one.State.ID, nil
		},
		GetAtt: func(id, attribute string) (any, error) {
			one, err := r.made(id)
			if err != nil {
				return nil, err
			}
			return Attribute(one, attribute)
		},
		ImportValue: func(name string) (any, error) {
			r.mu.Lock()
			r.imported[name] = true
			r.mu.Unlock()
			return r.e.ImportValue(ctx, name)
		},
		AvailabilityZones: Zones,
		Dynamic:           func(d cfn.DynamicReference) (string, error) { return r.e.Dynamic(ctx, r.caller, d) },
	}
}

func (r *run) made(id string) (*records.Resource, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.have[id]
	if one == nil || !one.Exists {
		return nil, fmt.Errorf("the resource %s is not there", id)
	}
	return one, nil
}

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

// Validation gives an error of a template the form of the API.
func Validation(err error) error {
	if _, ok := err.(*wire.Error); ok {
		return err
	}
	return Invalid("%v", err)
}

// envOf is what a type's functions work with.
func (r *run) envOf(one *records.Resource, kind string) *resources.Env {
	return &resources.Env{
		Call: func(ctx context.Context, service, operation string, in, out any) error {
			return r.e.Call(ctx, r.caller, service, operation, in, out)
		},
		Account: r.e.config.Account, Region: r.e.config.Region,
		StackID: r.st.ID, StackName: r.st.Name, LogicalID: one.LogicalID, Type: kind, Token: one.Token,
		Tags:     systemTags(r.st, one.LogicalID),
		Name:     func(max int) string { return physicalName(r.st.Name, one.LogicalID, one.Token, max) },
		Progress: one.Progress,
		SaveProgress: func(ctx context.Context, progress map[string]any) error {
			return r.e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
				one.Progress = progress
				return one.Put(tx)
			})
		},
	}
}

func systemTags(st *records.Stack, logicalID string) map[string]string {
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
