package lambda

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
)

// ranDir is the folder with an empty file for each function that has run: when
// it last had its first call of a region's run is the file's time.
const ranDir = "ran"

// Warm starts an environment of a function before its first call.
func (l *Lambda) Warm(ctx context.Context, functionARN string) error {
	name, qualifier, ok := l.Parse(functionARN)
	e := l.snapshot.Load().functions[name]
	if !ok || e == nil || e.pick(qualifier) == nil {
		return model.NotFound("Function not found: " + functionARN)
	}
	pool, err := e.pick(qualifier).open(ctx)
	if err != nil {
		return err
	}
	pool.Warm()
	return nil
}

// WarmSoon starts an environment of a function before its first call: at once, or by
// beside where the program of its runtime must be looked for first, which takes as
// long as that program's start. It is a help only: what can't be started is started,
// or told, at its first call.
func (l *Lambda) WarmSoon(ctx context.Context, name string, beside func(func())) {
	e := l.snapshot.Load().functions[name]
	if e == nil {
		return
	}
	warm := func() { _ = l.Warm(ctx, l.ARN(name, "")) }
	if t := e.pick(""); t != nil && l.runtimes.Known(t.version.Runtime) {
		warm()
		return
	}
	beside(warm)
}

// WarmLast is WarmSoon for the functions, at most so many, that earlier runs of the
// region called last.
func (l *Lambda) WarmLast(ctx context.Context, most int, beside func(func())) {
	entries, err := os.ReadDir(filepath.Join(l.config.Dir, ranDir))
	if err != nil {
		return // nothing has run
	}
	var infos []os.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			infos = append(infos, info)
		}
	}
	slices.SortFunc(infos, func(a, b os.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	functions := l.snapshot.Load().functions
	for _, info := range infos {
		if functions[info.Name()] == nil {
			_ = os.Remove(filepath.Join(l.config.Dir, ranDir, info.Name())) // it was deleted
			continue
		}
		if most--; most < 0 {
			return
		}
		name := info.Name()
		l.lastRan.CompareAndSwap(nil, &name) // the first of them, until another one is called
		l.WarmSoon(ctx, name, beside)
	}
}

// Likely is the name of the function that a fork of this region is likely to call:
// the last one that was called for the first time, in this run, in a fork or, where
// WarmLast starts functions, in an earlier run; else the only one that there is, else
// "".
func (l *Lambda) Likely() string {
	functions := l.snapshot.Load().functions
	if last := l.lastRan.Load(); last != nil && functions[*last] != nil {
		return *last
	}
	if len(functions) == 1 {
		for name := range functions {
			return name
		}
	}
	return ""
}

// ran notes that a version of a function is called for the first time in this run.
// Without the note it is not warm at the next start; a fork has none.
func (l *Lambda) ran(name string) {
	l.lastRan.Store(&name)
	if l.config.Original != nil {
		return
	}
	dir := filepath.Join(l.config.Dir, ranDir)
	if os.MkdirAll(dir, 0o700) == nil {
		_ = os.WriteFile(filepath.Join(dir, name), nil, 0o600)
	}
}
