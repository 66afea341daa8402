package lambda

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

var layerName = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,140}$`)

func (l *Lambda) layerARN(name string) string {
	return "arn:aws:lambda:" + l.config.Region + ":" + l.config.Account + ":layer:" + name
}

func layerKey(name string, version int64) string { return fmt.Sprintf("%s/%012d", name, version) }

// plainLayer takes a layer's name or ARN.
func (l *Lambda) plainLayer(given string) (string, error) {
	name := strings.TrimPrefix(given, l.layerARN(""))
	if !layerName.MatchString(name) {
		return "", failed(400, "ValidationException", "1 validation error detected: Value '"+given+"' at 'layerName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+")
	}
	return name, nil
}

func (l *Lambda) publishLayer(ctx context.Context, _ *wire.Call, in *publishLayerInput) (*layerVersionOutput, error) {
	name, err := l.plainLayer(in.LayerName)
	if err != nil {
		return nil, err
	}
	archive, err := l.fetch(ctx, in.Content)
	if err != nil {
		return nil, err
	}
	layer := &layerVersion{Name: name, Description: in.Description, Created: l.now(), License: in.LicenseInfo,
		Runtimes: in.CompatibleRuntimes, Architectures: in.CompatibleArchitectures, CodeSHA: archive.SHA256, CodeSize: archive.Size, Version: 1}
	err = l.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		var next int64
		if _, err := tx.Get("lambda-layer-next", name, &next); err != nil {
			return err
		}
		layer.Version = next + 1
		if err := tx.Put("lambda-layer-next", name, layer.Version); err != nil {
			return err
		}
		return tx.Put(kindLayer, layerKey(name, layer.Version), layer)
	})
	return l.describeLayer(layer, true), err
}

func (l *Lambda) describeLayer(v *layerVersion, whole bool) *layerVersionOutput {
	out := &layerVersionOutput{LayerVersionArn: l.layerARN(v.Name) + ":" + strconv.FormatInt(v.Version, 10), Description: v.Description,
		CreatedDate: v.Created, Version: v.Version, CompatibleRuntimes: v.Runtimes, LicenseInfo: v.License, CompatibleArchitectures: v.Architectures}
	if whole {
		out.LayerArn = l.layerARN(v.Name)
		out.Content = &layerContentOutput{CodeSha256: codeSha256(v.CodeSHA), CodeSize: v.CodeSize}
	}
	return out
}

func (l *Lambda) readLayer(ctx context.Context, name string, version int64) (*layerVersion, error) {
	layer := &layerVersion{}
	err := l.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Get(kindLayer, layerKey(name, version), layer)
		if err == nil && !found {
			err = notFound("Layer version " + l.layerARN(name) + ":" + strconv.FormatInt(version, 10) + " does not exist.")
		}
		return err
	})
	return layer, err
}

func (l *Lambda) layerByARN(ctx context.Context, arn string) (*layerVersion, error) {
	rest, ok := strings.CutPrefix(arn, l.layerARN(""))
	name, number, more := strings.Cut(rest, ":")
	version, err := strconv.ParseInt(number, 10, 64)
	if !ok || !more || err != nil {
		return nil, invalid("Layer version " + arn + " does not exist here: only layers of this region and account do; publish it with publish-layer-version")
	}
	layer, err := l.readLayer(ctx, name, version)
	if wire.Code(err) == "ResourceNotFoundException" {
		return nil, invalid("Layer version " + arn + " does not exist.")
	}
	return layer, err
}

func (l *Lambda) getLayer(ctx context.Context, _ *wire.Call, in *layerVersionRef) (*layerVersionOutput, error) {
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

func (l *Lambda) getLayerByARN(ctx context.Context, _ *wire.Call, in *layerByARNInput) (*layerVersionOutput, error) {
	layer, err := l.layerByARN(ctx, in.Arn)
	if err != nil {
		return nil, err
	}
	return l.describeLayer(layer, true), nil
}

func (l *Lambda) deleteLayer(ctx context.Context, _ *wire.Call, in *layerVersionRef) (*empty, error) {
	name, err := l.plainLayer(in.LayerName)
	if err != nil {
		return nil, err
	}
	return &empty{}, l.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		return tx.Delete(kindLayer, layerKey(name, in.VersionNumber))
	})
}

// matching lists layer versions that suit a runtime and architecture.
func (l *Lambda) matching(ctx context.Context, prefix string, in *listLayersInput) ([]*layerVersion, error) {
	var all []*layerVersion
	err := l.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		all, err = store.All[*layerVersion](tx, kindLayer, prefix)
		return err
	})
	return slices.DeleteFunc(all, func(v *layerVersion) bool {
		return in.CompatibleRuntime != "" && !slices.Contains(v.Runtimes, in.CompatibleRuntime) ||
			in.CompatibleArchitecture != "" && !slices.Contains(v.Architectures, in.CompatibleArchitecture)
	}), err
}

func (l *Lambda) listLayerVersions(ctx context.Context, _ *wire.Call, in *listLayersInput) (*listLayerVersionsOutput, error) {
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
	out.LayerVersions, out.NextMarker = paginate(items, in.page, func(v layerVersionOutput) string { return fmt.Sprintf("%012d", 1<<40-v.Version) })
	return out, nil
}

func (l *Lambda) listLayers(ctx context.Context, _ *wire.Call, in *listLayersInput) (*listLayersOutput, error) {
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
	out.Layers, out.NextMarker = paginate(items, in.page, func(i layerItem) string { return i.LayerName })
	return out, nil
}
