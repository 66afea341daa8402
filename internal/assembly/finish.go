package assembly

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost"
)

// What CDK's tools check before they upload to the bootstrap bucket: the version
// that first let the caller's own credentials do so, and where it is noted.
const (
	bootstrapVersion   = 6
	bootstrapParameter = "/cdk-bootstrap/hnb659fds/version"
)

// ReadBuilds returns what has to be built for the app that a program wrote to
// dir.
func ReadBuilds(dir string) (*roost.Builds, error) {
	var builds roost.Builds
	file := filepath.Join(dir, "builds.json")
	if err := readJSON(file, &builds); err != nil {
		return nil, err
	}
	if builds.Version != 1 {
		return nil, fmt.Errorf("%s is of version %d, and this roost reads version 1: update the construct package of the app", file, builds.Version)
	}
	return &builds, nil
}

// Zip is the code of a function.
type Zip struct {
	Path   string
	SHA256 string // in lower-case hexadecimal
}

// Finish makes a complete assembly in the folder out from what an app's program
// wrote to the folder synth, and returns it. zips holds what was built for each
// placeholder in builds.json. Files of earlier assemblies in out are removed;
// files that are right already are not touched.
func Finish(synth, out string, zips map[string]Zip) (*Assembly, error) {
	f := finisher{synth: synth, out: out, hashes: map[string]string{}, kept: map[string]bool{}}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	for _, placeholder := range slices.Sorted(maps.Keys(zips)) {
		if err := f.addZip(placeholder, zips[placeholder]); err != nil {
			return nil, err
		}
	}
	if err := f.addManifest(); err != nil {
		return nil, err
	}
	if err := f.removeOld(); err != nil {
		return nil, err
	}
	return Read(out)
}

// finisher knows the hashes of the zips by placeholder, and the files that make
// up the assembly.
type finisher struct {
	synth, out string
	hashes     map[string]string
	kept       map[string]bool
}

func assetFile(hash string) string { return "asset." + hash + ".zip" }

// addZip takes a zip into the assembly: by a link where the file system can, as
// zips are large and nobody writes to one again.
func (f *finisher) addZip(placeholder string, zip Zip) error {
	f.hashes[placeholder] = zip.SHA256
	name := assetFile(zip.SHA256)
	if f.linked(zip.Path, name) {
		return nil
	}
	data, err := os.ReadFile(zip.Path)
	if err != nil {
		return fmt.Errorf("the zip for %s can't be read: %w", placeholder, err)
	}
	return f.write(name, data)
}

// linked reports whether a file of the assembly is a zip of the cache, or has
// become it.
func (f *finisher) linked(path, name string) bool {
	from, err := os.Stat(path)
	if err != nil {
		return false
	}
	target := filepath.Join(f.out, name)
	if there, err := os.Stat(target); err == nil && !os.SameFile(there, from) || err != nil && os.Link(path, target) != nil {
		return false
	}
	f.kept[name] = true
	return true
}

func (f *finisher) addManifest() error {
	file := filepath.Join(f.synth, "manifest.json")
	var m struct {
		Version   string                    `json:"version"`
		Artifacts map[string]map[string]any `json:"artifacts"`
	}
	if err := readJSON(file, &m); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		artifact := m.Artifacts[id]
		if artifact["type"] != typeStack {
			return fmt.Errorf("%s: artifact %s is of type %v: only stacks are expected there", file, id, artifact["type"])
		}
		properties, err := f.addStack(id, artifact)
		if err != nil {
			return fmt.Errorf("%s: artifact %s: %w", file, id, err)
		}
		m.Artifacts[id+".assets"] = map[string]any{"type": typeAssetManifest, "properties": properties}
		dependencies, _ := artifact["dependencies"].([]any)
		artifact["dependencies"] = append(dependencies, id+".assets")
	}
	if err := f.writeJSON("manifest.json", m); err != nil {
		return err
	}
	return f.writeJSON("cdk.out", map[string]string{"version": m.Version})
}

// addStack writes a stack's template and asset manifest, and returns the
// properties of the artifact that stands for the latter.
func (f *finisher) addStack(id string, artifact map[string]any) (map[string]any, error) {
	properties, _ := artifact["properties"].(map[string]any)
	name, _ := properties["templateFile"].(string)
	if !fs.ValidPath(name) || strings.Contains(name, "/") {
		return nil, fmt.Errorf("it names %q as its template", name)
	}
	template, used, err := f.template(name)
	if err != nil {
		return nil, err
	}
	if err := f.write(name, template); err != nil {
		return nil, err
	}
	environment, _ := artifact["environment"].(string)
	account, region, err := parseEnvironment(environment)
	if err != nil {
		return nil, err
	}
	d := destination{account: account, region: region}
	files := map[string]*fileAsset{}
	for _, hash := range used {
		files[hash] = d.asset(assetFile(hash), hash+".zip")
	}
	sum := sha256.Sum256(template)
	hash := hex.EncodeToString(sum[:])
	files[hash] = d.asset(name, hash+".json")
	files[hash].DisplayName = id + " Template"
	properties["stackTemplateAssetObjectUrl"] = "s3://" + roost.AssetsBucket(account, region) + "/" + hash + ".json"
	properties["requiresBootstrapStackVersion"] = bootstrapVersion
	properties["bootstrapStackVersionSsmParameter"] = bootstrapParameter
	manifest := assetManifestFile{Version: "36.0.0", Files: files, DockerImages: map[string]json.RawMessage{}}
	if err := f.writeJSON(id+".assets.json", manifest); err != nil {
		return nil, err
	}
	return map[string]any{
		"file":                              id + ".assets.json",
		"requiresBootstrapStackVersion":     bootstrapVersion,
		"bootstrapStackVersionSsmParameter": bootstrapParameter,
	}, nil
}

// template returns a template with hashes in place of placeholders, and the
// hashes in it.
func (f *finisher) template(name string) (text []byte, used []string, err error) {
	text, err = os.ReadFile(filepath.Join(f.synth, name))
	if err != nil {
		return nil, nil, fmt.Errorf("its template is missing: %w", err)
	}
	missing := ""
	text = regexp.MustCompile(`roost-build:[0-9a-f]{16}`).ReplaceAllFunc(text, func(placeholder []byte) []byte {
		hash, built := f.hashes[string(placeholder)]
		if !built {
			missing = string(placeholder)
			return placeholder
		}
		if !slices.Contains(used, hash) {
			used = append(used, hash)
		}
		return []byte(hash)
	})
	if missing != "" {
		return nil, nil, fmt.Errorf("its template %s needs the zip of %s, which was not built", name, missing)
	}
	return text, used, nil
}

// destination is the account and region that assets go to; empty ones are the
// caller's.
type destination struct{ account, region string }

func (d destination) asset(path, key string) *fileAsset {
	account, region := d.account, d.region
	if account == "" {
		account = "current_account"
	}
	return &fileAsset{
		Source: fileSource{Path: path, Packaging: "file"},
		Destinations: map[string]fileDestination{
			account + "-" + region: {BucketName: roost.AssetsBucket(d.account, region), ObjectKey: key, Region: region},
		},
	}
}

func (f *finisher) writeJSON(name string, v any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	return f.write(name, out.Bytes())
}

// write puts a file into the assembly at once, so that no reader sees half of
// it.
func (f *finisher) write(name string, data []byte) error {
	f.kept[name] = true
	file := filepath.Join(f.out, name)
	if same, err := os.ReadFile(file); err == nil && bytes.Equal(same, data) {
		return nil
	}
	temporary, err := os.CreateTemp(f.out, ".writing-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(temporary, bytes.NewReader(data))
	err = errors.Join(err, temporary.Chmod(0o644), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s can't be written: %w", file, err), os.Remove(temporary.Name()))
	}
	return nil
}

// removeOld removes what earlier assemblies left in the folder, and nothing that
// is not part of one.
func (f *finisher) removeOld() error {
	for _, pattern := range []string{"asset.*.zip", "*.template.json", "*.assets.json", ".writing-*"} {
		files, err := fs.Glob(os.DirFS(f.out), pattern)
		if err != nil {
			return err
		}
		for _, name := range files {
			if f.kept[name] {
				continue
			}
			if err := os.Remove(filepath.Join(f.out, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
