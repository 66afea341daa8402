package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The largest manifest that is read, in bytes.
const maxManifest = 64 << 20

// Types of artifacts and metadata in manifests.
const (
	typeStack         = "aws:cloudformation:stack"
	typeAssetManifest = "cdk:asset-manifest"
	typeAssembly      = "cdk:cloud-assembly"
	typeTree          = "cdk:tree"
	typeFeatureFlags  = "cdk:feature-flag-report"
	typeNone          = "none"

	metadataAsset     = "aws:cdk:asset"
	metadataLogicalID = "aws:cdk:logicalId"
	metadataSecret    = "roost:secret"
)

type manifestFile struct {
	Version   string                   `json:"version"`
	Artifacts map[string]*artifactFile `json:"artifacts"`
	Missing   []struct {
		Key      string `json:"key"`
		Provider string `json:"provider"`
	} `json:"missing"`
}

type artifactFile struct {
	Type         string                     `json:"type"`
	Environment  string                     `json:"environment"`
	Properties   propertiesFile             `json:"properties"`
	Dependencies []string                   `json:"dependencies"`
	Metadata     map[string][]metadataEntry `json:"metadata"`
}

// propertiesFile has the properties of all types of artifacts.
type propertiesFile struct {
	TemplateFile          string            `json:"templateFile"`
	StackName             string            `json:"stackName"`
	Parameters            map[string]string `json:"parameters"`
	Tags                  map[string]string `json:"tags"`
	TerminationProtection bool              `json:"terminationProtection"`
	NotificationARNs      []string          `json:"notificationArns"`
	File                  string            `json:"file"`          // of an asset manifest
	DirectoryName         string            `json:"directoryName"` // of a nested assembly
}

type metadataEntry struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// Read reads the assembly in a folder. Its errors say which file and which part
// of it is meant. Assets that are container images, and context that is missing,
// are errors.
func Read(dir string) (*Assembly, error) {
	r := &reader{root: filepath.Clean(dir), byID: map[string]*Stack{}, dirs: map[string]bool{}}
	version, err := r.read(r.root, "")
	if err != nil {
		return nil, err
	}
	stacks, err := r.inOrder()
	if err != nil {
		return nil, err
	}
	return &Assembly{Dir: r.root, Version: version, Stacks: stacks}, nil
}

// reader gathers the stacks of an assembly and of those nested in it.
type reader struct {
	root string
	byID map[string]*Stack
	dirs map[string]bool // the folders that were read
}

func (r *reader) read(dir, prefix string) (version string, err error) {
	if r.dirs[dir] {
		return "", fmt.Errorf("%s is nested in itself, or twice", dir)
	}
	r.dirs[dir] = true
	file := filepath.Join(dir, "manifest.json")
	var m manifestFile
	if err := readJSON(file, &m); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s is not a cloud assembly: it has no manifest.json; synthesize it first (roost build, cdk synth)", dir)
		}
		return "", err
	}
	if len(m.Missing) > 0 {
		return "", fmt.Errorf("%s: the assembly lacks context (%s): synthesize it with credentials for its account", file, m.Missing[0].Key)
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		if err := r.artifact(dir, prefix, id, &m); err != nil {
			return "", fmt.Errorf("%s: artifact %s: %w", file, id, err)
		}
	}
	r.connect(prefix, &m)
	return m.Version, nil
}

func (r *reader) artifact(dir, prefix, id string, m *manifestFile) error {
	a := m.Artifacts[id]
	if a == nil {
		return errors.New("it is null")
	}
	switch a.Type {
	case typeStack:
		s, err := r.stack(dir, id, a)
		if err != nil {
			return err
		}
		s.ID = prefix + id
		r.byID[s.ID] = s
		return r.assets(dir, s, a, m)
	case typeAssembly:
		nested, err := r.inside(dir, a.Properties.DirectoryName)
		if err != nil {
			return err
		}
		_, err = r.read(nested, prefix+id+"/")
		return err
	case typeAssetManifest, typeTree, typeFeatureFlags, typeNone:
		return nil
	}
	return fmt.Errorf("artifacts of type %q are not supported", a.Type)
}

func (r *reader) stack(dir, id string, a *artifactFile) (*Stack, error) {
	p := a.Properties
	s := &Stack{
		Name: p.StackName, Parameters: p.Parameters, Tags: p.Tags,
		TerminationProtection: p.TerminationProtection, NotificationARNs: p.NotificationARNs,
	}
	if s.Name == "" {
		s.Name = id
	}
	var err error
	if s.Account, s.Region, err = parseEnvironment(a.Environment); err != nil {
		return nil, err
	}
	if s.TemplateFile, err = r.inside(dir, p.TemplateFile); err != nil {
		return nil, err
	}
	if _, err := os.Stat(s.TemplateFile); err != nil {
		return nil, fmt.Errorf("its template is missing: %w", err)
	}
	if len(s.Tags) == 0 {
		s.Tags = tagsOf(a, id)
	}
	s.Secrets, err = secretsOf(a)
	return s, err
}

// tagsOf reads tags from metadata, where CDK version 1 has them.
func tagsOf(a *artifactFile, id string) map[string]string {
	tags := map[string]string{}
	for _, entry := range a.Metadata["/"+id] {
		var list []struct{ Key, Value string }
		if entry.Type != "aws:cdk:stack-tags" || json.Unmarshal(entry.Data, &list) != nil {
			continue
		}
		for _, tag := range list {
			tags[tag.Key] = tag.Value
		}
	}
	return tags
}

func secretsOf(a *artifactFile) ([]Secret, error) {
	var secrets []Secret
	for _, path := range slices.Sorted(maps.Keys(a.Metadata)) {
		var s Secret
		for _, entry := range a.Metadata[path] {
			var target *string
			switch entry.Type {
			case metadataLogicalID:
				target = &s.Parameter
			case metadataSecret:
				target = &s.Variable
			default:
				continue
			}
			if err := json.Unmarshal(entry.Data, target); err != nil {
				return nil, fmt.Errorf("the metadata of %s: %w", path, err)
			}
		}
		if s.Variable == "" {
			continue
		}
		if s.Parameter == "" {
			return nil, fmt.Errorf("the metadata of %s names a secret without a logical id", path)
		}
		secrets = append(secrets, s)
	}
	return secrets, nil
}

// parseEnvironment reads aws://<account>/<region>.
func parseEnvironment(s string) (account, region string, err error) {
	rest, ok := strings.CutPrefix(s, "aws://")
	account, region, found := strings.Cut(rest, "/")
	if !ok || !found || strings.Contains(region, "/") {
		return "", "", fmt.Errorf("its environment %q is not of the form aws://account/region", s)
	}
	if account == "unknown-account" {
		account = ""
	}
	if region == "unknown-region" {
		region = ""
	}
	return account, region, nil
}

// inside returns the path of a file that a manifest in dir names. It has to lie
// within the outermost assembly: nested ones share assets with their parents.
func (r *reader) inside(dir, name string) (string, error) {
	if name == "" {
		return "", errors.New("it names no file")
	}
	file := filepath.Join(dir, filepath.FromSlash(name))
	rel, err := filepath.Rel(r.root, file)
	if filepath.IsAbs(name) || err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", fmt.Errorf("it names %s, which is outside the assembly: synthesize without --no-staging", name)
	}
	return file, nil
}

func readJSON(file string, v any) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	if info.Size() > maxManifest {
		return fmt.Errorf("%s is larger than %d MiB", file, maxManifest>>20)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s is not what a cloud assembly has there: %w", file, err)
	}
	return nil
}
