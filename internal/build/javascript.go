package build

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evanw/esbuild/pkg/api"
)

// requireForESM lets bundled CommonJS packages load Node's own modules.
const requireForESM = `import { createRequire as roostRequire } from "node:module"; const require = roostRequire(import.meta.url);`

// zipNode zips code that is not bundled, node_modules included.
func (b *Builder) zipNode(j *job) error {
	began := time.Now()
	entries, err := readTree(b.abs(j.Root), hidden)
	if err != nil {
		return fmt.Errorf("read %s: %w", j.Root, err)
	}
	hash, err := b.writeZip(entries)
	if err != nil {
		return err
	}
	in := inputs{Folders: []folder{{Path: b.abs(j.Root), Modules: true}}}
	return b.keep(j, &record{Hash: hash, Inputs: in, Fingerprint: in.fingerprintSince(began)})
}

// buildNode bundles an entry with all it imports into one file, with a source
// map beside it.
func (b *Builder) buildNode(j *job) error {
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
		name, err := filepath.Rel(options.Outdir, file.Path)
		if err != nil {
			return err
		}
		entries = append(entries, entry{name: filepath.ToSlash(name), data: file.Contents})
	}
	hash, err := b.writeZip(entries)
	if err != nil {
		return err
	}
	in, err := b.scriptInputs(result.Metafile)
	if err != nil {
		return err
	}
	return b.keep(j, &record{Hash: hash, Inputs: in, Fingerprint: in.fingerprintSince(began), Warnings: b.scriptProblems(result.Warnings)})
}

func (b *Builder) esbuildOptions(j *job) api.BuildOptions {
	options := api.BuildOptions{
		AbsWorkingDir: b.cfg.App,
		EntryPointsAdvanced: []api.EntryPoint{{
			InputPath: b.abs(j.Entry), OutputPath: strings.TrimSuffix(j.Out, path.Ext(j.Out))}},
		// The outputs are never written there; the source map's names are
		// relative to it.
		Outdir:   filepath.Dir(b.abs(j.Entry)),
		Bundle:   true,
		Platform: api.PlatformNode,
		Format:   api.FormatCommonJS,
		Engines:  []api.Engine{{Name: api.EngineNode, Version: nodeVersion(j.Runtime)}},
		External: j.Bundle.External,
		Loader:   loaders(j.Bundle.Loader),
		Define:   j.Bundle.Define,
		Metafile: true,
		LogLevel: api.LogLevelSilent,
		Write:    false, AllowOverwrite: true,
		MinifyWhitespace: j.Bundle.Minify, MinifyIdentifiers: j.Bundle.Minify, MinifySyntax: j.Bundle.Minify,
	}
	if b.cfg.Debug {
		options.MinifyWhitespace, options.MinifyIdentifiers, options.MinifySyntax = false, false, false
	}
	if j.Bundle.SourceMap || b.cfg.Debug {
		options.Sourcemap = api.SourceMapLinked
		if b.cfg.Absolute {
			options.SourceRoot = (&url.URL{Scheme: "file", Path: filepath.ToSlash(options.Outdir) + "/"}).String()
		}
	}
	if j.Bundle.Format == "esm" {
		options.Format = api.FormatESModule
		options.Banner = map[string]string{"js": requireForESM}
	}
	if ext := path.Ext(j.Out); ext != ".js" {
		options.OutExtension = map[string]string{".js": ext}
	}
	return options
}

// loaders adds to a function's own loaders that of native modules.
func loaders(own map[string]string) map[string]api.Loader {
	all := map[string]api.Loader{".node": api.LoaderCopy}
	for ext, name := range own {
		all[ext] = loader(name)
	}
	return all
}

// loader returns esbuild's loader of that name, https://esbuild.github.io/content-types.
func loader(name string) api.Loader {
	switch name {
	case "base64":
		return api.LoaderBase64
	case "binary":
		return api.LoaderBinary
	case "copy":
		return api.LoaderCopy
	case "css":
		return api.LoaderCSS
	case "dataurl":
		return api.LoaderDataURL
	case "empty":
		return api.LoaderEmpty
	case "file":
		return api.LoaderFile
	case "js":
		return api.LoaderJS
	case "json":
		return api.LoaderJSON
	case "jsx":
		return api.LoaderJSX
	case "text":
		return api.LoaderText
	case "ts":
		return api.LoaderTS
	case "tsx":
		return api.LoaderTSX
	}
	return api.LoaderNone
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

// scriptInputs returns what a bundle was made from.
func (b *Builder) scriptInputs(meta string) (inputs, error) {
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
		if !slices.Contains(output.Exports, j.export()) && !exportsAll(result.OutputFiles) {
			return &Error{Entry: j.Entry,
				Problems: []Problem{{File: j.Entry, Text: fmt.Sprintf("it exports no %s, only %s", j.export(), strings.Join(output.Exports, ", "))}},
				Remedy:   fmt.Sprintf("export a function %s, or correct the handler in the app", j.export())}
		}
	}
	return nil
}

var starExport = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^export \* from`) })

// exportsAll reports whether a file hands on another's exports.
func exportsAll(files []api.OutputFile) bool {
	return slices.ContainsFunc(files, func(f api.OutputFile) bool { return starExport().Match(f.Contents) })
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

var unresolved = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^Could not resolve "([^"]+)"`) })

func (b *Builder) scriptError(j *job, messages []api.Message) error {
	e := &Error{Entry: j.Entry, Problems: b.scriptProblems(messages),
		Remedy: "correct it and save: the build starts again by itself under \"roost start\""}
	for _, m := range messages {
		if found := unresolved().FindStringSubmatch(m.Text); found != nil {
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
