package roost

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Builds is the content of builds.json: what has to be built before the
// templates are complete. All paths are relative to the app's folder and have
// slashes.
type Builds struct {
	Version int      `json:"version"` // 1
	Builds  []*Build `json:"builds"`
}

// Build is one zip to make. Functions with the same code share one.
type Build struct {
	Placeholder string   `json:"placeholder"` // "roost-build:" and 16 hex digits; templates have it in S3Key
	Constructs  []string `json:"constructs"`  // paths of the functions, as in "dev-app-my-stack/Api/Lambda_GET_--private"
	Declared    string   `json:"declared"`    // file:line of the first of them in the app's program
	Kind        string   `json:"kind"`        // "go", "node" or "python"
	// Entry is what to build: the folder of a Go main package, or the source
	// file with its ending.
	Entry string `json:"entry"`
	// Root is the folder whose content becomes the root of the zip, for Python
	// and for unbundled JavaScript; empty otherwise.
	Root         string `json:"root,omitempty"`
	Handler      string `json:"handler"`      // as Lambda gets it: "bootstrap", "private.main"
	Out          string `json:"out"`          // the main file's path in the zip: "bootstrap", "private.js"
	Runtime      string `json:"runtime"`      // such as "nodejs22.x"
	Architecture string `json:"architecture"` // "arm64" or "x86_64"
	// Bundle is how JavaScript and TypeScript are bundled; nil for other kinds
	// and for unbundled code.
	Bundle *BundleOptions `json:"bundle,omitempty"`
}

// BundleOptions are a Bundle with its defaults put in.
type BundleOptions struct {
	Format    string            `json:"format"` // "cjs" or "esm"
	External  []string          `json:"external,omitempty"`
	Minify    bool              `json:"minify,omitempty"`
	SourceMap bool              `json:"sourceMap,omitempty"`
	Loader    map[string]string `json:"loader,omitempty"`
	Define    map[string]string `json:"define,omitempty"`
}

const (
	kindGo     = "go"
	kindNode   = "node"
	kindPython = "python"
)

const placeholderPrefix = "roost-build:"

// handler is a Handler that was found in the app's folder: a Build without its
// name.
type handler Build

// findHandler tells by the app's files which kind of handler is meant.
func (n node) findHandler(props FunctionProps) handler {
	if props.Handler == "" {
		n.fail("the function has no handler", `set Handler to a folder with a Go main package, or to path/file.export, as in "src/private.main"`)
		return handler{}
	}
	base := path.Join(props.SrcPath, props.Handler)
	if !fs.ValidPath(base) || base == "." {
		n.fail(fmt.Sprintf("the handler %q is not below the app's folder", props.Handler), "write a path relative to the app's folder, without ..")
		return handler{}
	}
	if n.isFolder(base) {
		return n.goHandler(base)
	}
	dot := strings.LastIndex(base, ".")
	if dot <= strings.LastIndex(base, "/") {
		n.fail(fmt.Sprintf("there is no folder %s", base),
			`make it with a Go main package in it, or name a file's function, as in "`+props.Handler+`.main"`)
		return handler{}
	}
	for _, ending := range append(scriptEndings(), pythonEnding) {
		if n.isFile(base[:dot] + ending) {
			return n.fileHandler(props, base[:dot]+ending, base[dot+1:])
		}
	}
	n.fail(fmt.Sprintf("cannot find a handler file at %s.ts, .js, .mjs or .py", base[:dot]), "create it, or correct Handler")
	return handler{}
}

// scriptEndings are those of JavaScript and TypeScript files, in the order in
// which they are tried: what is compiled comes before what it compiles to.
func scriptEndings() []string {
	return []string{".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"}
}

const pythonEnding = ".py"

func (n node) goHandler(folder string) handler {
	sources, err := fs.Glob(os.DirFS(n.appPath(folder)), "*.go")
	if err != nil || len(sources) == 0 {
		n.fail("the folder "+folder+" has no Go files", "put a Go main package into it, or correct Handler")
	}
	return handler{Kind: kindGo, Entry: folder, Handler: "bootstrap", Out: "bootstrap", Runtime: defaultGoRuntime}
}

func (n node) fileHandler(props FunctionProps, file, export string) handler {
	if path.Ext(file) == pythonEnding {
		if props.Bundle != nil {
			n.fail("Bundle is set for a Python function", "remove it: Python is zipped as it is")
		}
		h := handler{Kind: kindPython, Entry: file, Runtime: defaultPythonRuntime}
		return h.unbundled(props, export)
	}
	h := handler{Kind: kindNode, Entry: file, Runtime: defaultNodeRuntime}
	bundle := Bundle{}
	if props.Bundle != nil {
		bundle = *props.Bundle
	}
	if bundle.Disabled {
		n.checkUnbundled(props, file)
		return h.unbundled(props, export)
	}
	h.Bundle = n.bundleOptions(bundle, file)
	stem := strings.TrimSuffix(path.Base(file), path.Ext(file))
	h.Handler = stem + "." + export
	h.Out = stem + ".js"
	if h.Bundle.Format == "esm" {
		h.Out = stem + ".mjs"
	}
	return h
}

// unbundled is the handler whose zip has the files of its folder, or of SrcPath,
// as they are.
func (h handler) unbundled(props FunctionProps, export string) handler {
	h.Root = path.Clean(props.SrcPath)
	h.Out = h.Entry
	if props.SrcPath == "" {
		h.Root = path.Dir(h.Entry)
	}
	if h.Root != "." {
		h.Out = strings.TrimPrefix(h.Entry, h.Root+"/")
	}
	h.Handler = strings.TrimSuffix(h.Out, path.Ext(h.Out)) + "." + export
	return h
}

func (n node) bundleOptions(b Bundle, file string) *BundleOptions {
	format := or(b.Format, defaultFormat(file))
	if format != "cjs" && format != "esm" {
		n.fail(fmt.Sprintf("code can't be bundled in the format %q", b.Format), `use "cjs" or "esm"`)
	}
	for _, ending := range slices.Sorted(maps.Keys(b.Loader)) {
		if !strings.HasPrefix(ending, ".") || !slices.Contains(loaders(), b.Loader[ending]) {
			n.fail(fmt.Sprintf("files %q can't be bundled by the loader %q", ending, b.Loader[ending]),
				"write a file ending with its dot, and one of "+strings.Join(loaders(), ", "))
		}
	}
	return &BundleOptions{
		Format: format, External: b.External, Minify: b.Minify,
		SourceMap: !b.NoSourceMap, Loader: b.Loader, Define: b.Define,
	}
}

// loaders are esbuild's.
// https://esbuild.github.io/content-types/
func loaders() []string {
	return []string{"base64", "binary", "copy", "css", "dataurl", "empty", "file", "js", "json", "jsx", "text", "ts", "tsx"}
}

func defaultFormat(file string) string {
	switch path.Ext(file) {
	case ".mjs", ".mts":
		return "esm"
	}
	return "cjs"
}

func (n node) checkUnbundled(props FunctionProps, file string) {
	if path.Clean(props.SrcPath) == "." {
		n.fail("bundling is disabled and SrcPath is the app's folder, so that everything in it would be zipped",
			"set SrcPath to a folder that holds the function and what it needs")
	}
	switch path.Ext(file) {
	case ".js", ".mjs", ".cjs":
	default:
		n.fail("bundling is disabled for "+file+", which Node.js can't run", "bundle it, or compile it and name the .js file's function")
	}
	told := *props.Bundle
	told.Disabled = false
	if !reflect.ValueOf(told).IsZero() {
		n.fail("bundling is disabled and told how to be done", "leave out Disabled, or the rest of Bundle")
	}
}

func (n node) appPath(name string) string {
	return filepath.Join(n.stack.app.config.Dir, filepath.FromSlash(name))
}

func (n node) isFolder(name string) bool {
	info, err := os.Stat(n.appPath(name))
	return err == nil && info.IsDir()
}

func (n node) isFile(name string) bool {
	info, err := os.Stat(n.appPath(name))
	return err == nil && info.Mode().IsRegular()
}

// build returns the build of a function, shared with functions of the same code.
func (a *App) build(r *Resource, h handler, props FunctionProps) *Build {
	b := (*Build)(&h)
	b.Runtime, b.Architecture = or(props.Runtime, b.Runtime), or(props.Architecture, ARM64)
	if b.Kind != "" { // else the handler was not found, and that is told already
		checkRuntime(r.node, b)
	}
	text, err := encode(b)
	if err != nil {
		r.fail(err.Error(), "")
	}
	sum := sha256.Sum256(text)
	b.Placeholder = placeholderPrefix + hex.EncodeToString(sum[:8])
	for _, known := range a.builds {
		if known.Placeholder == b.Placeholder {
			b = known
		}
	}
	if b.Declared == "" {
		b.Declared = r.at.String()
		a.builds = append(a.builds, b)
	}
	b.Constructs = append(b.Constructs, r.stack.name+"/"+strings.Join(r.path[:len(r.path)-1], "/"))
	return b
}

// checkRuntime refuses a runtime that does not run the kind of handler.
func checkRuntime(n node, b *Build) {
	pattern, example := "", ""
	switch b.Kind {
	case kindGo:
		pattern, example = `^provided\.al2(023)?$`, defaultGoRuntime
	case kindNode:
		pattern, example = `^nodejs[0-9]+\.x$`, defaultNodeRuntime
	case kindPython:
		pattern, example = `^python3\.[0-9]+$`, defaultPythonRuntime
	}
	if !matches(pattern, b.Runtime) {
		n.fail(fmt.Sprintf("the runtime %q does not run %s", b.Runtime, b.Entry), fmt.Sprintf("use one like %q, or leave Runtime out", example))
	}
}

// AssetsBucket returns the name of the bucket that templates name for the zips of
// functions: the one that CDK's bootstrapping makes, by its default qualifier.
// An empty account gives a name with ${AWS::AccountId} in it.
// https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
func AssetsBucket(account, region string) string {
	return "cdk-hnb659fds-assets-" + or(account, "${AWS::AccountId}") + "-" + region
}

// code returns the Code property of the function.
func (b *Build) code(s *Stack) map[string]any {
	bucket := Value(AssetsBucket(s.app.config.Account, s.app.config.Region))
	if s.app.config.Account == "" {
		bucket = Intrinsic("Fn::Sub", bucket)
	}
	return map[string]any{"S3Bucket": bucket, "S3Key": b.Placeholder + ".zip"}
}
