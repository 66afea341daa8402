package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// legacyAsset is the data of an asset in the metadata of a stack.
type legacyAsset struct {
	Path                  string `json:"path"`
	ID                    string `json:"id"`
	Packaging             string `json:"packaging"`
	S3BucketParameter     string `json:"s3BucketParameter"`
	S3KeyParameter        string `json:"s3KeyParameter"`
	ArtifactHashParameter string `json:"artifactHashParameter"`
}

type assetManifestFile struct {
	Version      string                     `json:"version"`
	Files        map[string]*fileAsset      `json:"files"`
	DockerImages map[string]json.RawMessage `json:"dockerImages"`
}

type fileAsset struct {
	DisplayName  string                     `json:"displayName,omitempty"`
	Source       fileSource                 `json:"source"`
	Destinations map[string]fileDestination `json:"destinations"`
}

type fileSource struct {
	Path       string   `json:"path,omitempty"`
	Packaging  string   `json:"packaging,omitempty"`
	Executable []string `json:"executable,omitempty"`
}

type fileDestination struct {
	BucketName    string `json:"bucketName"`
	ObjectKey     string `json:"objectKey"`
	Region        string `json:"region,omitempty"`
	AssumeRoleARN string `json:"assumeRoleArn,omitempty"`
}

var errImage = errors.New("container images are not supported: use a zip")

// assets finds the assets of a stack: in its metadata, and in the asset
// manifests that it depends on.
func (r *reader) assets(dir string, s *Stack, a *artifactFile, m *manifestFile) error {
	for _, path := range slices.Sorted(maps.Keys(a.Metadata)) {
		for _, entry := range a.Metadata[path] {
			if entry.Type != metadataAsset {
				continue
			}
			if err := r.legacyAsset(dir, s, entry.Data); err != nil {
				return err
			}
		}
	}
	for _, id := range a.Dependencies {
		d := m.Artifacts[id]
		if d == nil || d.Type != typeAssetManifest {
			continue
		}
		if err := r.assetManifest(dir, s, d.Properties.File); err != nil {
			return fmt.Errorf("%s: %w", d.Properties.File, err)
		}
	}
	return nil
}

func (r *reader) legacyAsset(dir string, s *Stack, data json.RawMessage) error {
	var l legacyAsset
	if err := json.Unmarshal(data, &l); err != nil {
		return fmt.Errorf("an asset in its metadata: %w", err)
	}
	if l.Packaging == "container-image" {
		return fmt.Errorf("asset %s: %w", l.ID, errImage)
	}
	if l.S3BucketParameter == "" || l.S3KeyParameter == "" || l.ArtifactHashParameter == "" {
		return fmt.Errorf("asset %s names no parameters", l.ID)
	}
	asset := &Asset{ID: l.ID, Parameters: &AssetParameters{
		Bucket: l.S3BucketParameter, Key: l.S3KeyParameter, ArtifactHash: l.ArtifactHashParameter,
	}}
	if err := r.locate(asset, dir, l.Path, l.Packaging); err != nil {
		return err
	}
	s.Assets = append(s.Assets, asset)
	return nil
}

func (r *reader) assetManifest(dir string, s *Stack, name string) error {
	file, err := r.inside(dir, name)
	if err != nil {
		return err
	}
	var m assetManifestFile
	if err := readJSON(file, &m); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(m.DockerImages)) {
		return fmt.Errorf("asset %s: %w", id, errImage)
	}
	for _, id := range slices.Sorted(maps.Keys(m.Files)) {
		if err := r.fileAsset(filepath.Dir(file), s, id, m.Files[id]); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) fileAsset(dir string, s *Stack, id string, f *fileAsset) error {
	if f == nil {
		return fmt.Errorf("asset %s is null", id)
	}
	if len(f.Source.Executable) > 0 {
		return fmt.Errorf("asset %s is made by running a program, which is not supported: let it be staged when synthesizing", id)
	}
	if len(f.Destinations) == 0 {
		return fmt.Errorf("asset %s has no destination", id)
	}
	// Several destinations are several regions; a stack's own is the one that
	// its template names, and CDK writes one for each stack.
	names := slices.Sorted(maps.Keys(f.Destinations))
	destination := f.Destinations[names[0]]
	for _, name := range names {
		if d := f.Destinations[name]; s.Region != "" && d.Region == s.Region {
			destination = d
			break
		}
	}
	if destination.BucketName == "" || destination.ObjectKey == "" {
		return fmt.Errorf("asset %s names no bucket or no key", id)
	}
	asset := &Asset{ID: id, Bucket: destination.BucketName, Key: destination.ObjectKey}
	if err := r.locate(asset, dir, f.Source.Path, f.Source.Packaging); err != nil {
		return err
	}
	if asset.Path == s.TemplateFile {
		s.TemplateAsset = asset
		return nil
	}
	s.Assets = append(s.Assets, asset)
	return nil
}

// locate finds the asset's file or folder.
func (r *reader) locate(a *Asset, dir, name, packaging string) error {
	var err error
	if a.Path, err = r.inside(dir, name); err != nil {
		return fmt.Errorf("asset %s: %w", a.ID, err)
	}
	info, err := os.Stat(a.Path)
	if err != nil {
		return fmt.Errorf("asset %s is missing: %w", a.ID, err)
	}
	switch packaging {
	case "zip":
		a.Zip = true
	case "file", "":
	default:
		return fmt.Errorf("asset %s: packaging %q is not supported", a.ID, packaging)
	}
	if info.IsDir() != a.Zip {
		return fmt.Errorf("asset %s: packaging %q does not suit %s", a.ID, packaging, name)
	}
	return nil
}
