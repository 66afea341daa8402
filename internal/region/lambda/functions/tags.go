package functions

import (
	"context"
	"maps"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// tagged finds the function that a tag operation means, by its ARN.
func (l *Functions) tagged(resource string) (string, error) {
	name, qualifier, ok := l.Parse(resource)
	if !ok || qualifier != "" {
		return "", model.Invalid("tags are kept for functions: " + resource + " is not the ARN of a function of this region")
	}
	return name, nil
}

func (l *Functions) tagResource(ctx context.Context, _ *wire.Call, in *tagInput) (*model.Empty, error) {
	name, err := l.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	return &model.Empty{}, l.Change(ctx, name, func(f *model.Function) error {
		if f.Tags == nil {
			f.Tags = map[string]string{}
		}
		maps.Copy(f.Tags, in.Tags)
		if len(f.Tags) > 50 {
			return model.Invalid("Number of tags exceeds resource tag limit.")
		}
		return nil
	})
}

func (l *Functions) untagResource(ctx context.Context, _ *wire.Call, in *untagInput) (*model.Empty, error) {
	name, err := l.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	return &model.Empty{}, l.Change(ctx, name, func(f *model.Function) error {
		for _, key := range in.TagKeys {
			delete(f.Tags, key)
		}
		return nil
	})
}

func (l *Functions) listTags(ctx context.Context, _ *wire.Call, in *listTagsInput) (*tagsOutput, error) {
	name, err := l.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	if f.Tags == nil {
		f.Tags = map[string]string{}
	}
	return &tagsOutput{Tags: f.Tags}, nil
}
