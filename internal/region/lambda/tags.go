package lambda

import (
	"context"
	"maps"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// tagged finds the function that a tag operation means, by its ARN.
func (l *Lambda) tagged(resource string) (string, error) {
	name, qualifier, ok := l.parseARN(resource)
	if !ok || qualifier != "" {
		return "", invalid("tags are kept for functions: " + resource + " is not the ARN of a function of this region")
	}
	return name, nil
}

func (l *Lambda) tagResource(ctx context.Context, _ *wire.Call, in *tagInput) (*empty, error) {
	name, err := l.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	return &empty{}, l.change(ctx, name, func(f *function) error {
		if f.Tags == nil {
			f.Tags = map[string]string{}
		}
		maps.Copy(f.Tags, in.Tags)
		if len(f.Tags) > 50 {
			return invalid("Number of tags exceeds resource tag limit.")
		}
		return nil
	})
}

func (l *Lambda) untagResource(ctx context.Context, _ *wire.Call, in *untagInput) (*empty, error) {
	name, err := l.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	return &empty{}, l.change(ctx, name, func(f *function) error {
		for _, key := range in.TagKeys {
			delete(f.Tags, key)
		}
		return nil
	})
}

func (l *Lambda) listTags(ctx context.Context, _ *wire.Call, in *listTagsInput) (*tagsOutput, error) {
	name, err := l.tagged(in.Resource)
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	if f.Tags == nil {
		f.Tags = map[string]string{}
	}
	return &tagsOutput{Tags: f.Tags}, nil
}
