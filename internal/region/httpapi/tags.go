package httpapi

import (
	"context"
	"maps"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type resourceRef struct {
	ResourceArn string `json:"resourceArn" uri:"resource-arn" required:"true"`
}

type tagInput struct {
	resourceRef
	Tags map[string]string `json:"tags"`
}

type untagInput struct {
	resourceRef
	TagKeys []string `json:"tagKeys" query:"tagKeys" required:"true"`
}

type tagsOut struct {
	Tags map[string]string `json:"tags"`
}

// tagged reads the tags of the resource that an ARN names and, if f changes
// them, stores it.
func (h *HTTPAPI) tagged(tx *store.Tx, arn string, f func(map[string]string) bool) error {
	path, ok := strings.CutPrefix(arn, "arn:aws:apigateway:"+h.config.Region+"::/")
	if !ok {
		return badRequest("Invalid resource ARN %s", arn)
	}
	parts := strings.Split(path, "/")
	switch {
	case len(parts) == 2 && parts[0] == "apis":
		return tag(tx, kindAPI, parts[1], func(a *apiDoc) *map[string]string { return &a.Tags }, f)
	case len(parts) == 4 && parts[0] == "apis" && parts[2] == "stages":
		return tag(tx, kindStage, parts[1]+"/"+parts[3], func(s *stageDoc) *map[string]string { return &s.Tags }, f)
	case len(parts) == 2 && parts[0] == "domainnames":
		return tag(tx, kindDomain, parts[1], func(d *domainDoc) *map[string]string { return &d.Tags }, f)
	}
	return badRequest("%s is no resource with tags", arn)
}

func tag[T any](tx *store.Tx, kind, key string, of func(*T) *map[string]string, f func(map[string]string) bool) error {
	doc, err := get[T](tx, kind, key, "resource", key)
	if err != nil {
		return err
	}
	tags := map[string]string{}
	maps.Copy(tags, *of(doc))
	if !f(tags) {
		return nil
	}
	if len(tags) > 50 {
		return badRequest("a resource has at most 50 tags")
	}
	*of(doc) = tags
	return tx.Put(kind, key, doc)
}

func (h *HTTPAPI) tagResource(ctx context.Context, _ *wire.Call, in *tagInput) (*none, error) {
	return &none{}, h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		return h.tagged(tx, in.ResourceArn, func(tags map[string]string) bool {
			maps.Copy(tags, in.Tags)
			return true
		})
	})
}

func (h *HTTPAPI) untagResource(ctx context.Context, _ *wire.Call, in *untagInput) (*none, error) {
	return nil, h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		return h.tagged(tx, in.ResourceArn, func(tags map[string]string) bool {
			for _, key := range in.TagKeys {
				delete(tags, key)
			}
			return true
		})
	})
}

func (h *HTTPAPI) getTags(ctx context.Context, _ *wire.Call, in *resourceRef) (*tagsOut, error) {
	out := &tagsOut{}
	return out, h.config.DB.View(ctx, func(tx *store.Tx) error {
		return h.tagged(tx, in.ResourceArn, func(tags map[string]string) bool {
			out.Tags = tags
			return false
		})
	})
}
