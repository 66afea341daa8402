package scaffold

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/seed-615d3599/roost"
)

// sdkDir is where an app has the construct package.
const sdkDir = ".roost/sdk"

const sdkModule = "module github.com/seed-615d3599/roost\n\ngo " + goVersion + "\n"

// usesSDK finds the replace directive that leads to sdkDir, alone or in a block.
const usesSDK = `(?m)^\s*(replace\s+)?github\.com/seed-615d3599/roost\s+=>\s+\./\.roost/sdk\s*(//.*)?$`

// SDK writes the construct package into .roost/sdk of the app in dir, where the
// app's go.mod has a replace directive that leads there and the folder differs
// from what this program carries. It tells whether anything was written. For an
// app without such a directive, such as the examples of this repository, it does
// nothing.
func SDK(dir string) (changed bool, err error) {
	module, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !regexp.MustCompile(usesSDK).Match(module) {
		return false, nil
	}
	files, err := roost.Source()
	if err != nil {
		return false, err
	}
	files["go.mod"] = []byte(sdkModule)
	return sync(filepath.Join(dir, filepath.FromSlash(sdkDir)), files)
}

// sync makes the folder hold exactly the files, and touches none that is right.
func sync(dir string, files map[string][]byte) (changed bool, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	for _, entry := range entries {
		if files[entry.Name()] != nil {
			continue
		}
		changed = true
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			return changed, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(dir, name)
		if same, err := os.ReadFile(file); err == nil && bytes.Equal(same, files[name]) {
			continue
		}
		changed = true
		if err := os.WriteFile(file, files[name], 0o644); err != nil {
			return changed, err
		}
	}
	return changed, nil
}
