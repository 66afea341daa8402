package roost

import (
	"embed"
	"io/fs"
	"strings"
)

// source holds the Go files of this package, tests included. It is never
// written to.
//
//go:embed *.go
var source embed.FS

// Source returns the Go files of this package, by name, tests left out. The
// roost command writes them beside apps outside this repository, so that those
// apps compile although no module proxy has the package.
func Source() (map[string][]byte, error) {
	return readSource(source)
}

func readSource(files fs.FS) (map[string][]byte, error) {
	names, err := fs.Glob(files, "*.go")
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if out[name], err = fs.ReadFile(files, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}
