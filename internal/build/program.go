package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Program is a Go program of the app that runs on this machine, such as the
// one that describes it.
type Program struct {
	// Path is the executable.
	Path string
	// Cached says that nothing had to be built.
	Cached bool
}

// ProgramFunction is how Affected is asked about a program.
func ProgramFunction(folder string) Function {
	return Function{ID: folder, Kind: Go, Entry: folder, Root: ".", Out: "program"}
}

// Program builds the Go main package in a folder for this machine, whatever
// the Builder's target is.
func (b *Builder) Program(ctx context.Context, folder string) (Program, error) {
	f := ProgramFunction(folder)
	j := &job{Function: f, key: b.key(f)}
	if err := b.check(j); err != nil {
		b.forget(j.key)
		return Program{}, err
	}
	if err := os.MkdirAll(b.cfg.Cache, 0o755); err != nil {
		return Program{}, fmt.Errorf("make the build cache: %w", err)
	}
	if rec := b.upToDate(j); rec != nil {
		b.remember(j.key, rec)
		return Program{Path: b.programPath(rec.Hash), Cached: true}, nil
	}
	b.forget(j.key)
	return b.compileProgram(ctx, j)
}

func (b *Builder) compileProgram(ctx context.Context, j *job) (Program, error) {
	out, err := os.MkdirTemp(b.cfg.Cache, ".go-*")
	if err != nil {
		return Program{}, err
	}
	defer os.RemoveAll(out)
	began := time.Now()
	known := make(chan []goSources, 1)
	go func() { known <- b.goSources(ctx, []*job{j}, began) }()
	said, err := b.goCompile(ctx, []*job{j}, out)
	src := (<-known)[0]
	if err != nil {
		return Program{}, b.goError(ctx, []*job{j}, said, err)
	}
	data, err := b.readProgram(j, out)
	if err != nil {
		return Program{}, err
	}
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if err := writeFile(b.programPath(hash), data, 0o755); err != nil {
		return Program{}, err
	}
	err = b.keep(j, &record{Hash: hash, Inputs: src.inputs, Fingerprint: src.fingerprint, Headers: src.headers})
	return Program{Path: b.programPath(hash)}, err
}

func (b *Builder) programPath(hash string) string {
	return filepath.Join(b.cfg.Cache, hash+".program")
}
