package build

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// goSources is what a Go program is made from.
type goSources struct {
	inputs      inputs
	fingerprint string
	headers     string
}

// goExt returns the extensions of files that the go command compiles without
// cgo.
func goExt() []string { return []string{".go", ".s", ".h"} }

// goSources finds the sources of each job. Listing packages costs about as
// much as a small link, so the folders of the last build are taken again when
// no import, embed or module file has changed since.
func (b *Builder) goSources(ctx context.Context, batch []*job, began time.Time) []goSources {
	found := make([]goSources, len(batch))
	for i, j := range batch {
		if last := b.lastRecord(j.key); last != nil {
			if h, err := headers(last.Inputs); err == nil && h == last.Headers {
				found[i] = goSources{last.Inputs, last.Inputs.fingerprintSince(began), h}
				continue
			}
		}
		in, err := b.listGo(ctx, j)
		if err != nil {
			// The compiler will say what is wrong; nothing is kept.
			continue
		}
		h, err := headers(in)
		if err == nil {
			found[i] = goSources{in, in.fingerprintSince(began), h}
		}
	}
	return found
}

// lastRecord returns what the last finished build wrote down, in date or not.
func (b *Builder) lastRecord(key string) *record {
	data, err := os.ReadFile(b.recordPath(key))
	if err != nil {
		return nil
	}
	rec := new(record)
	if json.Unmarshal(data, rec) != nil || rec.Headers == "" {
		return nil
	}
	return rec
}

// goPackage is what we ask of go list.
type goPackage struct {
	Dir        string
	Standard   bool
	EmbedFiles []string
	Module     *struct {
		Dir, Version string
		GoMod        string
		Replace      *struct{ Version string }
	}
}

// listGo asks the go command for the packages of a program. Only those count
// that a person edits: packages in the module cache have a version.
func (b *Builder) listGo(ctx context.Context, j *job) (inputs, error) {
	cmd := b.goCommand(ctx, j.Function, "list", "-deps", "-tags", "lambda.norpc",
		"-json=Dir,Standard,EmbedFiles,Module", "./"+j.Entry)
	out, err := cmd.Output()
	if err != nil {
		return inputs{}, err
	}
	var in inputs
	dec := json.NewDecoder(bytes.NewReader(out))
	for {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return inputs{}, fmt.Errorf("read the answer of go list: %w", err)
		}
		in.addPackage(p)
	}
	if work := findUp(b.cfg.App, "go.work"); work != "" {
		in.Files = append(in.Files, work, work+".sum")
	}
	slices.Sort(in.Files)
	in.Files = slices.Compact(in.Files)
	return in, nil
}

func (in *inputs) addPackage(p goPackage) {
	if p.Standard || p.Module == nil {
		return
	}
	if m := p.Module; m.Version != "" && (m.Replace == nil || m.Replace.Version != "") {
		return
	}
	in.Folders = append(in.Folders, folder{Path: p.Dir, Ext: goExt()})
	for _, name := range p.EmbedFiles {
		in.Files = append(in.Files, filepath.Join(p.Dir, name))
	}
	if p.Module.GoMod != "" {
		in.Files = append(in.Files, p.Module.GoMod, filepath.Join(filepath.Dir(p.Module.GoMod), "go.sum"))
	}
}

// findUp returns the nearest file of that name in the folder or above it.
func findUp(dir, name string) string {
	for {
		file := filepath.Join(dir, name)
		if _, err := os.Stat(file); err == nil {
			return file
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// headers is a hash of all that decides which packages and files belong to a
// program: imports, embeds, build constraints and the module files.
func headers(in inputs) (string, error) {
	names, err := in.names()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, name := range names {
		fmt.Fprintf(h, "%q\n", name)
		switch filepath.Ext(name) {
		case ".go":
			err = goHeader(h, name)
		case ".mod", ".sum", ".work":
			err = hashFile(h, name)
		}
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func goHeader(w io.Writer, name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range parsed.Imports {
		fmt.Fprintln(w, spec.Path.Value)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		if text := lines.Text(); strings.HasPrefix(text, "//go:embed ") || strings.HasPrefix(text, "//go:build ") {
			fmt.Fprintln(w, text)
		}
	}
	return lines.Err()
}
