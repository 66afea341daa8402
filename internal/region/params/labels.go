package params

import (
	"context"
	"regexp"
	"slices"
	"sort"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// LabelInput names labels of a version; of the latest if no version is given.
type LabelInput struct {
	Name             string `required:"true"`
	ParameterVersion *int64
	Labels           []string `required:"true"`
}

// LabelOutput is the answer of LabelParameterVersion.
type LabelOutput struct {
	InvalidLabels    []string
	ParameterVersion int64
}

// UnlabelOutput is the answer of UnlabelParameterVersion.
type UnlabelOutput struct {
	RemovedLabels []string
	InvalidLabels []string
}

// meant finds the parameter with all its versions, and the one among them that
// the input means.
func (p *Params) meant(tx *store.Tx, in *LabelInput) (x *parameter, all []version, target *version, err error) {
	if x, _, err = p.resolve(tx, in.Name); err != nil {
		return nil, nil, nil, err
	}
	if all, err = versions(tx, x); err != nil {
		return nil, nil, nil, err
	}
	if in.ParameterVersion == nil {
		return x, all, &all[len(all)-1], nil
	}
	for i := range all {
		if all[i].Number == *in.ParameterVersion {
			return x, all, &all[i], nil
		}
	}
	return nil, nil, nil, wire.Errorf(400, "ParameterVersionNotFound", "Systems Manager could not find version %d of %s. Verify the version and try again.", *in.ParameterVersion, in.Name)
}

// validLabel applies the rules of LabelParameterVersion (API Reference).
func validLabel(label string) bool {
	lower := strings.ToLower(label)
	valid, err := regexp.MatchString(`^[a-zA-Z_.-][a-zA-Z0-9_.-]{0,99}$`, label)
	return err == nil && valid && !strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm")
}

func (p *Params) label(ctx context.Context, _ *wire.Call, in *LabelInput) (*LabelOutput, error) {
	out := &LabelOutput{InvalidLabels: []string{}}
	return out, p.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, all, target, err := p.meant(tx, in)
		if err != nil {
			return err
		}
		out.ParameterVersion = target.Number
		valid := in.Labels[:0:0]
		for _, label := range in.Labels {
			if validLabel(label) {
				valid = append(valid, label)
			} else {
				out.InvalidLabels = append(out.InvalidLabels, label)
			}
		}
		return move(tx, x, all, target, valid)
	})
}

// move attaches labels to one version, taking them from the others.
func move(tx *store.Tx, x *parameter, all []version, target *version, labels []string) error {
	for i := range all {
		v := &all[i]
		kept := slices.DeleteFunc(slices.Clone(v.Labels), func(label string) bool { return slices.Contains(labels, label) })
		if v == target {
			kept = append(kept, labels...)
			sort.Strings(kept)
			kept = slices.Compact(kept)
		}
		if len(kept) > maxLabels {
			return wire.Errorf(400, "ParameterVersionLabelLimitExceeded", "A parameter version can have maximum %d labels.Move one or more labels to another version and try again.", maxLabels)
		}
		if slices.Equal(kept, v.Labels) {
			continue
		}
		v.Labels = kept
		if err := x.put(tx, *v); err != nil {
			return err
		}
	}
	return nil
}

func (p *Params) unlabel(ctx context.Context, _ *wire.Call, in *LabelInput) (*UnlabelOutput, error) {
	out := &UnlabelOutput{RemovedLabels: []string{}, InvalidLabels: []string{}}
	return out, p.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, _, target, err := p.meant(tx, in)
		if err != nil {
			return err
		}
		for _, label := range in.Labels {
			if slices.Contains(target.Labels, label) {
				out.RemovedLabels = append(out.RemovedLabels, label)
			} else {
				out.InvalidLabels = append(out.InvalidLabels, label)
			}
		}
		target.Labels = slices.DeleteFunc(target.Labels, func(label string) bool { return slices.Contains(in.Labels, label) })
		return x.put(tx, *target)
	})
}

// ResourceInput names a parameter as a tagged resource.
type ResourceInput struct {
	ResourceType string `required:"true"`
	ResourceID   string `json:"ResourceId" required:"true"`
}

// AddTagsInput adds tags to a parameter.
type AddTagsInput struct {
	ResourceInput
	Tags []Tag `required:"true"`
}

// RemoveTagsInput removes tags from a parameter.
type RemoveTagsInput struct {
	ResourceInput
	TagKeys []string `required:"true"`
}

// TagsOutput is the answer of ListTagsForResource.
type TagsOutput struct{ TagList []Tag }

// tagged reads the parameter whose tags are meant.
func (p *Params) tagged(tx *store.Tx, in ResourceInput) (*parameter, error) {
	if in.ResourceType != "Parameter" {
		return nil, wire.Errorf(400, "InvalidResourceType", "roost has no resources of the type %s: use Parameter", in.ResourceType)
	}
	x, _, err := p.resolve(tx, in.ResourceID)
	if wire.Code(err) == "ParameterNotFound" {
		return nil, wire.Errorf(400, "InvalidResourceId", "The resource ID %s isn't valid. Verify that you entered the correct ID and try again.", in.ResourceID)
	}
	return x, err
}

func checkTags(tags []Tag) error {
	for _, tag := range tags {
		if strings.HasPrefix(strings.ToLower(tag.Key), "aws:") && !strings.HasPrefix(tag.Key, "aws:cloudformation:") {
			return invalid("Tag keys that begin with aws: are reserved: %s", tag.Key)
		}
		if len([]rune(tag.Key)) > 128 || len([]rune(tag.Value)) > 256 {
			return invalid("The tag %.128s is too long: a key has up to 128 characters, a value 256", tag.Key)
		}
	}
	if len(tags) > maxTags {
		return wire.Errorf(400, "TooManyTagsError", "A resource can have up to %d tags", maxTags)
	}
	return nil
}

func (p *Params) addTags(ctx context.Context, _ *wire.Call, in *AddTagsInput) (*Empty, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return &Empty{}, p.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, err := p.tagged(tx, in.ResourceInput)
		if err != nil {
			return err
		}
		if x.Tags == nil {
			x.Tags = map[string]string{}
		}
		for _, tag := range in.Tags {
			x.Tags[tag.Key] = tag.Value
		}
		if len(x.Tags) > maxTags {
			return wire.Errorf(400, "TooManyTagsError", "A resource can have up to %d tags", maxTags)
		}
		return tx.Put(kindParameter, x.Name, x)
	})
}

func (p *Params) removeTags(ctx context.Context, _ *wire.Call, in *RemoveTagsInput) (*Empty, error) {
	return &Empty{}, p.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, err := p.tagged(tx, in.ResourceInput)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			delete(x.Tags, key)
		}
		return tx.Put(kindParameter, x.Name, x)
	})
}

func (p *Params) listTags(ctx context.Context, _ *wire.Call, in *ResourceInput) (*TagsOutput, error) {
	out := &TagsOutput{TagList: []Tag{}}
	return out, p.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := p.tagged(tx, *in)
		if err != nil {
			return err
		}
		for key, value := range x.Tags {
			out.TagList = append(out.TagList, Tag{Key: key, Value: value})
		}
		slices.SortFunc(out.TagList, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
		return nil
	})
}
