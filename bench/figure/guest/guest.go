// Package guest makes the functions that the programs under bench measure: Go
// programs, built and zipped as Lambda takes them.
//
//	err := guest.Build("github.com/seed-615d3599/roost/bench/functions/guest", filepath.Join(dir, "bootstrap"))
//	code, err := guest.Zipped(filepath.Join(dir, "bootstrap"))
package guest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"os/exec"
)

// Build builds a package of this module as a function for this machine.
func Build(pkg, binary string) error {
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags", "lambda.norpc", "-o", binary, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w: %s", pkg, err, output)
	}
	return nil
}

// Zipped returns a zip file with the program as its bootstrap.
func Zipped(binary string) ([]byte, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	h := &zip.FileHeader{Name: "bootstrap", Method: zip.Store}
	h.SetMode(0o755)
	w, err := z.CreateHeader(h)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(program); err != nil {
		return nil, err
	}
	err = z.Close()
	return archive.Bytes(), err
}
