package params

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Filter chooses parameters (API Reference, "ParameterStringFilter").
type Filter struct {
	Key    string `required:"true"`
	Option string
	Values []string
}

// DescribeInput asks for parameters without their values.
type DescribeInput struct {
	Filters          []Filter // the older form
	ParameterFilters []Filter
	MaxResults       *int
	NextToken        string
	Shared           bool
}

// DescribeOutput is the answer of DescribeParameters.
type DescribeOutput struct {
	Parameters []Metadata
	NextToken  string `json:",omitempty"`
}

// Metadata is all of a parameter but its value.
type Metadata struct {
	Name             string
	ARN              string `json:",omitempty"`
	Type             string
	KeyID            string `json:"KeyId,omitempty"`
	LastModifiedDate wire.Time
	LastModifiedUser string
	Description      string `json:",omitempty"`
	AllowedPattern   string `json:",omitempty"`
	Version          int64
	Tier             string
	Policies         []string
	DataType         string
}

func (p *Params) metadata(name string, v version) Metadata {
	return Metadata{
		Name: name, ARN: p.arn(name), Type: v.Type, KeyID: v.KeyID, LastModifiedDate: v.Modified, LastModifiedUser: v.ModifiedBy,
		Description: v.Description, AllowedPattern: v.AllowedPattern, Version: v.Number, Tier: v.Tier, Policies: []string{}, DataType: v.DataType,
	}
}

func (p *Params) describeAll(ctx context.Context, _ *wire.Call, in *DescribeInput) (*DescribeOutput, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, invalid("You can use either Filters or ParameterFilters in a single request.")
	}
	if in.Shared {
		return nil, invalid("roost does not support parameters that are shared between accounts")
	}
	filters := append(slices.Clone(in.ParameterFilters), in.Filters...)
	for _, filter := range filters {
		if err := filter.check(); err != nil {
			return nil, err
		}
	}
	out := &DescribeOutput{Parameters: []Metadata{}}
	return out, p.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err := p.search(tx, filters)
		if err != nil {
			return err
		}
		part, next, err := cut(found, in.MaxResults, 50, in.NextToken)
		for _, x := range part {
			out.Parameters = append(out.Parameters, p.metadata(x.Name, x.version))
		}
		out.NextToken = next
		return err
	})
}

func (f Filter) check() error {
	options := []string{"", "Equals", "BeginsWith"}
	switch f.Key {
	case "Name":
		options = append(options, "Contains")
	case "Path":
		options = []string{"", "Recursive", "OneLevel"}
	case "Type", "KeyId", "Tier", "DataType":
	default:
		if !strings.HasPrefix(f.Key, "tag:") {
			return wire.Errorf(400, "InvalidFilterKey", "The following filter key is not valid: %s. Valid filter keys include: [Path, Name, Type, KeyId, Tier, DataType, tag:*].", f.Key)
		}
	}
	if !slices.Contains(options, f.Option) {
		return wire.Errorf(400, "InvalidFilterOption", "The following filter option is not valid: %s. Valid options include: %v.", f.Option, options[1:])
	}
	if len(f.Values) == 0 && !strings.HasPrefix(f.Key, "tag:") {
		return wire.Errorf(400, "InvalidFilterValue", "The following filter values are missing or empty: %s.", f.Key)
	}
	return nil
}

// search reads the parameters that pass all filters, by name.
func (p *Params) search(tx *store.Tx, filters []Filter) ([]*parameter, error) {
	items, err := tx.List(kindParameter, narrowest(filters))
	if err != nil {
		return nil, err
	}
	var found []*parameter
	for _, item := range items {
		x := &parameter{}
		if err := json.Unmarshal(item.Value, x); err != nil {
			return nil, err
		}
		pass := true
		for _, filter := range filters {
			ok, err := filter.passes(tx, x)
			if err != nil {
				return nil, err
			}
			pass = pass && ok
		}
		if pass {
			found = append(found, x)
		}
	}
	return found, nil
}

// narrowest returns what all names begin with that a filter by one path lets
// pass.
func narrowest(filters []Filter) string {
	for _, f := range filters {
		if f.Key == "Path" && len(f.Values) == 1 && f.Values[0] != "/" {
			return strings.TrimSuffix(f.Values[0], "/") + "/"
		}
	}
	return ""
}

func (f Filter) passes(tx *store.Tx, x *parameter) (bool, error) {
	value := ""
	switch f.Key {
	case "Path":
		return slices.ContainsFunc(f.Values, func(path string) bool { return below(x.Name, path, f.Option == "Recursive") }), nil
	case "Label":
		all, err := versions(tx, x)
		has := slices.ContainsFunc(all, func(v version) bool {
			return slices.ContainsFunc(v.Labels, func(label string) bool { return slices.Contains(f.Values, label) })
		})
		return has, err
	case "Name":
		value = x.Name
	case "Type":
		value = x.Type
	case "KeyId":
		value = x.KeyID
	case "Tier":
		value = x.Tier
	case "DataType":
		value = x.DataType
	default:
		tag, ok := x.Tags[strings.TrimPrefix(f.Key, "tag:")]
		if !ok || len(f.Values) == 0 {
			return ok, nil
		}
		value = tag
	}
	return slices.ContainsFunc(f.Values, func(want string) bool {
		switch f.Option {
		case "BeginsWith":
			return strings.HasPrefix(value, want) || f.Key == "Name" && strings.HasPrefix(strings.TrimPrefix(value, "/"), want)
		case "Contains":
			return strings.Contains(value, want)
		}
		return value == want
	}), nil
}

// below reports whether a name is below a path: at once, or at any depth. Names
// without a slash are below the root.
func below(name, path string, recursive bool) bool {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(path, "/")+"/")
	return ok && (recursive || !strings.Contains(rest, "/"))
}
