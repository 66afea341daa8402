package params

import (
	"context"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Parameter is a parameter as it is answered.
type Parameter struct {
	Name             string
	Type             string
	Value            string
	Version          int64
	Selector         string `json:",omitempty"`
	LastModifiedDate wire.Time
	ARN              string
	DataType         string
}

// GetInput asks for a parameter: by name or ARN, and behind a colon a version or
// a label.
type GetInput struct {
	Name           string `required:"true"`
	WithDecryption bool
	keys           decided
}

// GetOutput is the answer of GetParameter.
type GetOutput struct{ Parameter Parameter }

func (p *Params) get(ctx context.Context, _ *wire.Call, in *GetInput) (*GetOutput, error) {
	out := &GetOutput{}
	return out, p.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		out.Parameter, err = p.answer(tx, in.Name, in.WithDecryption, in.keys)
		return err
	})
}

// read reads the parameter and the version that a reference names.
func (p *Params) read(tx *store.Tx, reference string) (*parameter, version, error) {
	x, selector, err := p.resolve(tx, reference)
	if err != nil {
		return nil, version{}, err
	}
	v, err := selected(tx, x, selector)
	return x, v, err
}

// answer answers one reference.
func (p *Params) answer(tx *store.Tx, reference string, decrypt bool, keys decided) (Parameter, error) {
	x, v, err := p.read(tx, reference)
	if err != nil {
		return Parameter{}, err
	}
	shown, err := p.show(x.Name, v, decrypt, keys)
	if _, selector := p.parse(reference); selector != "" {
		shown.Selector = ":" + selector
	}
	return shown, err
}

func (p *Params) show(name string, v version, decrypt bool, keys decided) (Parameter, error) {
	shown := Parameter{Name: name, Type: v.Type, Value: v.Value, Version: v.Number, LastModifiedDate: v.Modified, ARN: p.arn(name), DataType: v.DataType}
	if v.Type != typeSecure || !decrypt {
		return shown, nil
	}
	err := p.mayUse(keys, name, v)
	if err != nil {
		return shown, err
	}
	shown.Value, err = p.box.Open(v.Value, p.context(name, v.Number))
	return shown, err
}

// GetSeveralInput asks for up to ten parameters.
type GetSeveralInput struct {
	Names          []string `required:"true"`
	WithDecryption bool
	keys           decided
}

// GetSeveralOutput is the answer of GetParameters.
type GetSeveralOutput struct {
	Parameters        []Parameter
	InvalidParameters []string
}

func (p *Params) getSeveral(ctx context.Context, _ *wire.Call, in *GetSeveralInput) (*GetSeveralOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := &GetSeveralOutput{Parameters: []Parameter{}, InvalidParameters: []string{}}
	return out, p.config.DB.View(ctx, func(tx *store.Tx) error {
		for _, name := range in.Names {
			x, err := p.answer(tx, name, in.WithDecryption, in.keys)
			switch wire.Code(err) {
			case "ParameterNotFound", "ParameterVersionNotFound":
				out.InvalidParameters = append(out.InvalidParameters, name)
				continue
			}
			if err != nil {
				return err
			}
			out.Parameters = append(out.Parameters, x)
		}
		return nil
	})
}

// GetByPathInput asks for the parameters below a path.
type GetByPathInput struct {
	Path             string `required:"true"`
	Recursive        bool
	ParameterFilters []Filter
	WithDecryption   bool
	MaxResults       *int
	NextToken        string
	keys             decided
}

// GetByPathOutput is the answer of GetParametersByPath.
type GetByPathOutput struct {
	Parameters []Parameter
	NextToken  string `json:",omitempty"`
}

func (p *Params) getByPath(ctx context.Context, _ *wire.Call, in *GetByPathInput) (*GetByPathOutput, error) {
	out := &GetByPathOutput{Parameters: []Parameter{}}
	return out, p.config.DB.View(ctx, func(tx *store.Tx) error {
		page, next, err := p.page(tx, in)
		if err != nil {
			return err
		}
		out.NextToken = next
		for _, v := range page {
			shown, err := p.show(v.name, v.version, in.WithDecryption, in.keys)
			if err != nil {
				return err
			}
			out.Parameters = append(out.Parameters, shown)
		}
		return nil
	})
}

// page reads what GetParametersByPath answers, and the token of the next page.
func (p *Params) page(tx *store.Tx, in *GetByPathInput) (page []named, next string, err error) {
	if !strings.HasPrefix(in.Path, "/") {
		return nil, "", invalid("The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\". It can't be prefixed with \"aws\" or \"ssm\" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol \"/\". Valid example: /get/parameters2-/by1./path0_.")
	}
	for _, filter := range in.ParameterFilters {
		if filter.Key != "Type" && filter.Key != "KeyId" && filter.Key != "Label" {
			return nil, "", wire.Errorf(400, "InvalidFilterKey", "The following filter key is not valid: %s. Valid filter keys include: [Type, KeyId, Label].", filter.Key)
		}
	}
	option := "OneLevel"
	if in.Recursive {
		option = "Recursive"
	}
	filters := append(slices.Clone(in.ParameterFilters), Filter{Key: "Path", Option: option, Values: []string{in.Path}})
	found, err := p.search(tx, filters)
	if err != nil {
		return nil, "", err
	}
	part, next, err := cut(found, in.MaxResults, 10, in.NextToken)
	if err != nil {
		return nil, "", err
	}
	for _, x := range part {
		v, err := labelled(tx, x, in.ParameterFilters)
		if err != nil {
			return nil, "", err
		}
		page = append(page, named{x.Name, v})
	}
	return page, next, nil
}

// labelled returns the version that a filter by label means, else the latest.
func labelled(tx *store.Tx, x *parameter, filters []Filter) (version, error) {
	for _, filter := range filters {
		if filter.Key == "Label" {
			all, err := versions(tx, x)
			for _, v := range all {
				if slices.ContainsFunc(v.Labels, func(label string) bool { return slices.Contains(filter.Values, label) }) {
					return v, err
				}
			}
			return x.version, err
		}
	}
	return x.version, nil
}

// cut returns one page of a list, of at most limit, and the token of the next.
func cut[T any](list []T, size *int, limit int, token string) ([]T, string, error) {
	return wire.Page(list, size, limit, token, wire.Errorf(400, "InvalidNextToken", "The specified token isn't valid."))
}

// HistoryInput asks for all versions of a parameter.
type HistoryInput struct {
	Name           string `required:"true"`
	WithDecryption bool
	MaxResults     *int
	NextToken      string
	keys           decided
}

// HistoryOutput is the answer of GetParameterHistory.
type HistoryOutput struct {
	Parameters []Past
	NextToken  string `json:",omitempty"`
}

// Past is one version of a parameter.
type Past struct {
	Metadata
	Value  string
	Labels []string
}

func (p *Params) history(ctx context.Context, _ *wire.Call, in *HistoryInput) (*HistoryOutput, error) {
	out := &HistoryOutput{Parameters: []Past{}}
	return out, p.config.DB.View(ctx, func(tx *store.Tx) error {
		x, _, err := p.resolve(tx, in.Name)
		if err != nil {
			return err
		}
		all, err := versions(tx, x)
		if err != nil {
			return err
		}
		part, next, err := cut(all, in.MaxResults, 50, in.NextToken)
		if err != nil {
			return err
		}
		out.NextToken = next
		for _, v := range part {
			shown, err := p.show(x.Name, v, in.WithDecryption, in.keys)
			if err != nil {
				return err
			}
			past := Past{Metadata: p.metadata(x.Name, v), Value: shown.Value, Labels: v.Labels}
			past.ARN = ""
			if past.Labels == nil {
				past.Labels = []string{}
			}
			out.Parameters = append(out.Parameters, past)
		}
		return nil
	})
}
