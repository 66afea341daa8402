package roost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
)

// Error is one mistake in an app's description.
type Error struct {
	Construct string // the construct's path, as in "my-stack/Api"
	Place     string // file:line in the app's program, relative to the app's folder where below it
	Message   string // what is wrong
	Remedy    string // what to write instead
}

// Error returns place, construct, message and remedy on two lines.
func (e *Error) Error() string {
	text := e.Construct + ": " + e.Message
	if e.Place != "" {
		text = e.Place + ": " + text
	}
	if e.Remedy != "" {
		text += "\n  " + e.Remedy
	}
	return text
}

// failure is an Error with its order in the program.
type failure struct {
	err  *Error
	file string
	line int
}

// place is where in the app's program something was said.
type place struct {
	file string
	line int
}

func (p place) String() string {
	if p.file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.file, p.line)
}

// here returns the nearest caller outside this package.
func (a *App) here() place {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		frame, more := frames.Next()
		if frame.Function != "" && !strings.HasPrefix(frame.Function, packagePath+".") {
			return place{a.relative(frame.File), frame.Line}
		}
		if !more {
			return place{}
		}
	}
}

const packagePath = "github.com/seed-615d3599/roost"

// relative returns a file as it is called from the app's folder, where it lies
// below it.
func (a *App) relative(file string) string {
	if !filepath.IsAbs(file) {
		return a.trimmed(file)
	}
	dir, err := filepath.Abs(a.config.Dir)
	if err != nil {
		return file
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil && !within(dir, file) {
		dir = real
	}
	if !within(dir, file) {
		return file
	}
	rel, err := filepath.Rel(dir, file)
	if err != nil {
		return file
	}
	return filepath.ToSlash(rel)
}

// trimmed finds the file of a program that was compiled with -trimpath, which
// leaves the module's path in the place of the folder's.
func (a *App) trimmed(file string) string {
	for rest, found := file, true; found; _, rest, found = strings.Cut(rest, "/") {
		if _, err := os.Stat(filepath.Join(a.config.Dir, filepath.FromSlash(rest))); err == nil {
			return rest
		}
	}
	return file
}

func within(dir, file string) bool {
	return strings.HasPrefix(file, dir+string(filepath.Separator))
}

// fail notes a mistake. The program goes on, so that all mistakes are told at
// once.
func (a *App) fail(construct string, at place, message, remedy string) {
	a.failures = append(a.failures, failure{
		err:  &Error{Construct: construct, Place: at.String(), Message: message, Remedy: remedy},
		file: at.file,
		line: at.line,
	})
}

func (a *App) errors() error {
	sort.SliceStable(a.failures, func(i, j int) bool {
		x, y := a.failures[i], a.failures[j]
		if x.file != y.file {
			return x.file < y.file
		}
		return x.line < y.line
	})
	var all []error
	for _, f := range a.failures {
		all = append(all, f.err)
	}
	return errors.Join(all...)
}
