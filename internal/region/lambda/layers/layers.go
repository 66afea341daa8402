// Package layers keeps Lambda layers: their versions and their code.
//
//	l := &layers.Layers{Documents: docs, Archives: layers.Archives{Code: store, Objects: s3}}
//	operations := l.Operations()
//	version, err := l.ByARN(ctx, layerVersionARN)
package layers

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/internal/region/lambda/code"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Layers is the layers' part of the service.
type Layers struct {
	*model.Documents
	Archives
	Location func(sha256 string) string // where an archive is served; empty: nowhere
}

var layerName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9-_]{1,140}$`) })

func (l *Layers) layerARN(name string) string {
	return "arn:aws:lambda:" + l.Region + ":" + l.Account + ":layer:" + name
}

func layerKey(name string, version int64) string { return fmt.Sprintf("%s/%012d", name, version) }

// plainLayer takes a layer's name or ARN.
func (l *Layers) plainLayer(given string) (string, error) {
	name := strings.TrimPrefix(given, l.layerARN(""))
	if !layerName().MatchString(name) {
		return "", model.Failed(400, "ValidationException", "1 validation error detected: Value '"+given+"' at 'layerName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+")
	}
	return name, nil
}

func (l *Layers) publishLayer(ctx context.Context, call *wire.Call, in *publishLayerInput) (*layerVersionOutput, error) {
	name, err := l.plainLayer(in.LayerName)
	if err != nil {
		return nil, err
	}
	archive, err := l.Fetch(ctx, call.Caller, Source(in.Content))
	if err != nil {
		return nil, err
	}
	layer := &model.LayerVersion{Name: name, Description: in.Description, Created: l.NowText(), License: in.LicenseInfo,
		Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures, CodeSHA: archive.SHA256, CodeSize: archive.Size, Version: 1}
	err = l.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		var next int64
		if _, err := tx.Get("lambda-layer-next", name, &next); err != nil {
			return err
		}
		layer.Version = next + 1
		if err := tx.Put("lambda-layer-next", name, layer.Version); err != nil {
			return err
		}
		return tx.Put(model.KindLayer, layerKey(name, layer.Version), layer)
	})
	return l.describeLayer(layer, true), err
}

func (l *Layers) describeLayer(v *model.LayerVersion, whole bool) *layerVersionOutput {
	out := &layerVersionOutput{LayerVersionArn: l.layerARN(v.Name) + ":" + strconv.FormatInt(v.Version, 10), Description: v.Description,
		CreatedDate: v.Created, Version: v.Version, CompatibleRuntimes: v.Runtimes, LicenseInfo: v.License, CompatibleArchitectures: v.Architectures}
	if whole {
		out.LayerArn = l.layerARN(v.Name)
		out.Content = &layerContentOutput{Location: l.Location(v.CodeSHA), CodeSha256: code.Archive{SHA256: v.CodeSHA}.Base64(), CodeSize: v.CodeSize}
	}
	return out
}

func (l *Layers) readLayer(ctx context.Context, name string, version int64) (*model.LayerVersion, error) {
	layer := &model.LayerVersion{}
	err := l.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Get(model.KindLayer, layerKey(name, version), layer)
		if err == nil && !found {
			err = model.NotFound("Layer version " + l.layerARN(name) + ":" + strconv.FormatInt(version, 10) + " does not exist.")
		}
		return err
	})
	return layer, err
}

// ByARN returns the layer version that a function names.
func (l *Layers) ByARN(ctx context.Context, arn string) (*model.LayerVersion, error) {
	rest, ok := strings.CutPrefix(arn, l.layerARN(""))
	name, number, more := strings.Cut(rest, ":")
	version, err := strconv.ParseInt(number, 10, 64)
	if !ok || !more || err != nil {
		return nil, model.Invalid("Layer version " + arn + " does not exist here: only layers of this region and account do; publish it with publish-layer-version")
	}
	layer, err := l.readLayer(ctx, name, version)
	if wire.Code(err) == "ResourceNotFoundException" {
		return nil, model.Invalid("Layer version " + arn + " does not exist.")
	}
	return layer, err
}

func (l *Layers) getLayer(ctx context.Context, _ *wire.Call, in *layerVersionRef) (*layerVersionOutput, error) {
	name, err := l.plainLayer(in.LayerName)
	if err != nil {
		return nil, err
	}
	layer, err := l.readLayer(ctx, name, in.VersionNumber)
	if err != nil {
		return nil, err
	}
	return l.describeLayer(layer, true), nil
}

func (l *Layers) getLayerByARN(ctx context.Context, _ *wire.Call, in *layerByARNInput) (*layerVersionOutput, error) {
	layer, err := l.ByARN(ctx, in.Arn)
	if err != nil {
		return nil, err
	}
	return l.describeLayer(layer, true), nil
}

func (l *Layers) deleteLayer(ctx context.Context, _ *wire.Call, in *layerVersionRef) (*model.Empty, error) {
	name, err := l.plainLayer(in.LayerName)
	if err != nil {
		return nil, err
	}
	return &model.Empty{}, l.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		return tx.Delete(model.KindLayer, layerKey(name, in.VersionNumber))
	})
}

// matching lists layer versions that suit a runtime and architecture.
func (l *Layers) matching(ctx context.Context, prefix string, in *listLayersInput) ([]*model.LayerVersion, error) {
	var all []*model.LayerVersion
	err := l.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.All[*model.LayerVersion](tx, model.KindLayer, prefix)
		return err
	})
	return slices.DeleteFunc(all, func(v *model.LayerVersion) bool {
		return in.CompatibleRuntime != "" && !slices.Contains(v.Runtimes, in.CompatibleRuntime) ||
			in.CompatibleArchitecture != "" && !slices.Contains(v.Architectures, in.CompatibleArchitecture)
	}), err
}

func (l *Layers) listLayerVersions(ctx context.Context, _ *wire.Call, in *listLayersInput) (*listLayerVersionsOutput, error) {
	name, err := l.plainLayer(in.LayerName)
	if err != nil {
		return nil, err
	}
	all, err := l.matching(ctx, name+"/", in)
	if err != nil {
		return nil, err
	}
	var items []layerVersionOutput
	for _, v := range all {
		items = append(items, *l.describeLayer(v, false))
	}
	out := &listLayerVersionsOutput{}
	// The newest comes first.
	out.LayerVersions, out.NextMarker = model.Paginate(items, in.Page, func(v layerVersionOutput) string { return fmt.Sprintf("%012d", 1<<40-v.Version) })
	return out, nil
}

func (l *Layers) listLayers(ctx context.Context, _ *wire.Call, in *listLayersInput) (*listLayersOutput, error) {
	all, err := l.matching(ctx, "", in)
	if err != nil {
		return nil, err
	}
	var items []layerItem
	for _, v := range all { // ascending: the last of a name is its newest
		item := layerItem{LayerName: v.Name, LayerArn: l.layerARN(v.Name), LatestMatchingVersion: *l.describeLayer(v, false)}
		if n := len(items); n > 0 && items[n-1].LayerName == v.Name {
			items[n-1] = item
		} else {
			items = append(items, item)
		}
	}
	out := &listLayersOutput{}
	out.Layers, out.NextMarker = model.Paginate(items, in.Page, func(i layerItem) string { return i.LayerName })
	return out, nil
}

// Operations is the layers' part of the table of operations.
func (l *Layers) Operations() []wire.Operation {
	const (
		base     = "/2018-10-31/layers"
		versions = base + "/{LayerName}/versions"
	)
	arn := func(name string) string { return l.layerARN(strings.TrimPrefix(name, l.layerARN(""))) }
	onVersion := wire.On(func(_ *wire.Call, in *layerVersionRef) string {
		return arn(in.LayerName) + ":" + strconv.FormatInt(in.VersionNumber, 10)
	})
	return []wire.Operation{
		wire.Op("PublishLayerVersion", l.publishLayer, wire.HTTP("POST "+versions, 201), onResource(func(in *publishLayerInput) string { return arn(in.LayerName) })),
		wire.Op("GetLayerVersion", l.getLayer, wire.HTTP("GET "+versions+"/{VersionNumber}", 200), onVersion),
		wire.Op("GetLayerVersionByArn", l.getLayerByARN, wire.HTTP("GET "+base+"?find=LayerVersion", 200), wire.Action("lambda:GetLayerVersion"), onResource(func(in *layerByARNInput) string { return in.Arn })),
		wire.Op("DeleteLayerVersion", l.deleteLayer, wire.HTTP("DELETE "+versions+"/{VersionNumber}", 204), onVersion),
		wire.Op("ListLayers", l.listLayers, wire.HTTP("GET "+base, 200)),
		wire.Op("ListLayerVersions", l.listLayerVersions, wire.HTTP("GET "+versions, 200)),
	}
}

func onResource[T any](arn func(*T) string) wire.Option {
	return wire.On(func(_ *wire.Call, in *T) string { return arn(in) })
}
