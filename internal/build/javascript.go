package build

import (
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

// requireForESM lets bundled CommonJS packages load Node's own modules.
const requireForESM = `import { createRequire as roostRequire } from "node:module"; const require = roostRequire(import.meta.url);`

// buildJavaScript bundles a handler with all it imports into one file of the
// handler's name, with a source map beside it.
func (b *Builder) buildJavaScript(j *job) error {
	began := time.Now()
	options := b.esbuildOptions(j)
	result := api.Build(options)
	if len(result.Errors) > 0 {
		return b.scriptError(j, result.Errors)
	}
	if err := b.checkExport(j, options); err != nil {
		return err
	}
	var entries []entry
	for _, file := range result.OutputFiles {
		entries = append(entries, entry{name: b.rel(file.Path), data: file.Contents})
	}
	hash, err := b.writeZip(entries)
	if err != nil {
		return err
	}
	in, err := b.scriptInputs(j, result.Metafile)
	if err != nil {
		return err
	}
	return b.keep(j, &record{Hash: hash, Inputs: in, Fingerprint: in.fingerprintSince(began), Warnings: b.scriptProblems(result.Warnings)})
}

func (b *Builder) esbuildOptions(j *job) api.BuildOptions {
	stem := strings.TrimSuffix(b.rel(j.file), filepath.Ext(j.file))
	options := api.BuildOptions{
		AbsWorkingDir:       b.cfg.App,
		EntryPointsAdvanced: []api.EntryPoint{{InputPath: j.file, OutputPath: stem}},
		Outdir:              b.cfg.App,
		Bundle:              true,
		Platform:            api.PlatformNode,
		Format:              api.FormatCommonJS,
		Engines:             []api.Engine{{Name: api.EngineNode, Version: nodeVersion(j.Runtime)}},
		External:            j.External,
		Sourcemap:           api.SourceMapLinked,
		Loader:              map[string]api.Loader{".node": api.LoaderCopy},
		Metafile:            true,
		LogLevel:            api.LogLevelSilent,
		// The outputs are named beside their sources but never written there.
		Write: false, AllowOverwrite: true,
	}
	if isESM(j) {
		options.Format = api.FormatESModule
		options.OutExtension = map[string]string{".js": ".mjs"}
		options.Banner = map[string]string{"js": requireForESM}
	}
	return options
}

func isESM(j *job) bool {
	if j.Format != "" {
		return j.Format == "esm"
	}
	ext := filepath.Ext(j.file)
	return ext == ".mjs" || ext == ".mts"
}

// nodeVersion returns the number in a runtime's name. The default is the
// oldest version that AWS still takes new functions for.
func nodeVersion(runtime string) string {
	version := strings.TrimSuffix(strings.TrimPrefix(runtime, "nodejs"), ".x")
	if version == "" || version == runtime {
		return "20"
	}
	return version
}

// metafile is the part that we read of what esbuild says about a build.
type metafile struct {
	Inputs  map[string]struct{}
	Outputs map[string]struct{ Exports []string }
}

// scriptInputs returns what a bundle was made from, and the names beside the
// handler's file that would be taken in its place.
func (b *Builder) scriptInputs(j *job, meta string) (inputs, error) {
	var m metafile
	if err := json.Unmarshal([]byte(meta), &m); err != nil {
		return inputs{}, fmt.Errorf("read esbuild's metafile: %w", err)
	}
	in := inputs{Files: []string{b.abs("package.json"), b.abs("tsconfig.json")}}
	for name := range m.Inputs {
		if !strings.HasPrefix(name, "(disabled)") && !strings.Contains(name, ":") {
			in.Files = append(in.Files, b.abs(name))
		}
	}
	stem := strings.TrimSuffix(j.file, filepath.Ext(j.file))
	for _, ext := range sources(kindJavaScript) {
		in.Files = append(in.Files, stem+ext)
	}
	slices.Sort(in.Files)
	in.Files = slices.Compact(in.Files)
	return in, nil
}

// checkExport finds a handler's file that does not export what the handler
// says. What a CommonJS file exports shows only when it runs, so only ES
// modules, which name their exports, are held to it.
func (b *Builder) checkExport(j *job, options api.BuildOptions) error {
	options.Bundle, options.External, options.Sourcemap = false, nil, api.SourceMapNone
	options.Format, options.Banner = api.FormatDefault, nil
	result := api.Build(options)
	var m metafile
	if len(result.Errors) > 0 || json.Unmarshal([]byte(result.Metafile), &m) != nil {
		return nil
	}
	for name, output := range m.Outputs {
		if len(output.Exports) == 0 || strings.HasSuffix(name, ".map") {
			continue
		}
		if !slices.Contains(output.Exports, j.export) && !exportsAll(result.OutputFiles) {
			return missing(j, fmt.Sprintf("%s exports no %s: it exports %s", b.rel(j.file), j.export, strings.Join(output.Exports, ", ")),
				fmt.Sprintf("export a function %s, or correct the handler in the app", j.export))
		}
	}
	return nil
}

var starExport = regexp.MustCompile(`(?m)^export \* from`)

// exportsAll reports whether a file hands on another's exports.
func exportsAll(files []api.OutputFile) bool {
	return slices.ContainsFunc(files, func(f api.OutputFile) bool { return starExport.Match(f.Contents) })
}

func (b *Builder) scriptProblems(messages []api.Message) []Problem {
	var problems []Problem
	for _, m := range messages {
		p := Problem{Text: m.Text}
		if l := m.Location; l != nil {
			p.File, p.Line, p.Column = b.rel(l.File), l.Line, l.Column+1
		}
		problems = append(problems, p)
	}
	return problems
}

var unresolved = regexp.MustCompile(`^Could not resolve "([^"]+)"`)

func (b *Builder) scriptError(j *job, messages []api.Message) error {
	e := &Error{Handler: j.Handler, Problems: b.scriptProblems(messages),
		Remedy: "correct it and save: the build starts again by itself under \"roost start\""}
	for _, m := range messages {
		if found := unresolved.FindStringSubmatch(m.Text); found != nil {
			e.Remedy = resolveRemedy(found[1])
			break
		}
		if strings.Contains(m.Text, `Top-level await`) {
			e.Remedy = `set the function's bundle format to "esm", or name the file .mjs`
		}
	}
	return e
}

// resolveRemedy says how an import that leads nowhere is helped.
func resolveRemedy(name string) string {
	if strings.HasPrefix(name, ".") || path.IsAbs(name) {
		return "correct the import, or make the file"
	}
	parts := strings.SplitN(name, "/", 3)
	module := parts[0]
	if strings.HasPrefix(name, "@") && len(parts) > 1 {
		module += "/" + parts[1]
	}
	return fmt.Sprintf("run \"npm install %s\" in the app's folder, or list it as external if a layer brings it", module)
}
