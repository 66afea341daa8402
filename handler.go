package roost

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
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
	Placeholder string   `json:"placeholder"` // what templates have as S3Key: "roost-build:" and 16 hex digits
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

// handler is a Handler that was found in the app's folder.
type handler struct {
	kind, entry, root  string
	lambdaHandler, out string
	runtime            string
	bundle             BundleOptions
}

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
	file, export := base[:dot], base[dot+1:]
	for _, ending := range []string{".ts", ".js", ".mjs", ".py"} {
		if n.isFile(file + ending) {
			return n.fileHandler(props, file, ending, export)
		}
	}
	n.fail(fmt.Sprintf("cannot find a handler file at %s.ts, .js, .mjs or .py", file), "create it, or correct Handler")
	return handler{}
}

func (n node) goHandler(folder string) handler {
	sources, err := filepath.Glob(n.appPath(folder) + "/*.go")
	if err != nil || len(sources) == 0 {
		n.fail("the folder "+folder+" has no Go files", "put a Go main package into it, or correct Handler")
	}
	return handler{kind: kindGo, entry: folder, lambdaHandler: "bootstrap", out: "bootstrap", runtime: defaultGoRuntime}
}

func (n node) fileHandler(props FunctionProps, file, ending, export string) handler {
	h := handler{entry: file + ending, root: path.Clean(props.SrcPath)}
	if props.SrcPath == "" {
		h.root = path.Dir(file)
	}
	bundle := Bundle{}
	if props.Bundle != nil {
		bundle = *props.Bundle
	}
	if ending == ".py" {
		h.kind, h.runtime = kindPython, defaultPythonRuntime
		if props.Bundle != nil {
			n.fail("Bundle is set for a Python function", "remove it: Python is zipped as it is")
		}
	} else {
		h.kind, h.runtime = kindNode, defaultNodeRuntime
	}
	if ending == ".py" || bundle.Disabled {
		n.checkUnbundled(props, bundle, ending)
		inZip := strings.TrimPrefix(file, h.root+"/")
		h.lambdaHandler, h.out = inZip+"."+export, inZip+ending
		return h
	}
	h.root = ""
	h.bundle = n.bundleOptions(bundle, ending)
	h.lambdaHandler = path.Base(file) + "." + export
	h.out = path.Base(file) + map[string]string{"cjs": ".js", "esm": ".mjs"}[h.bundle.Format]
	return h
}

func (n node) checkUnbundled(props FunctionProps, bundle Bundle, ending string) {
	if !bundle.Disabled {
		return
	}
	if path.Clean(props.SrcPath) == "." {
		n.fail("bundling is disabled and SrcPath is the app's folder, so that everything in it would be zipped",
			"set SrcPath to a folder that holds the function and what it needs")
	}
	if ending == ".ts" {
		n.fail("bundling is disabled for a TypeScript file, which Lambda can't run", "bundle it, or compile it and name the .js file's function")
	}
}

func (n node) bundleOptions(b Bundle, ending string) BundleOptions {
	format := or(b.Format, map[bool]string{true: "esm", false: "cjs"}[ending == ".mjs"])
	if format != "cjs" && format != "esm" {
		n.fail(fmt.Sprintf("code can't be bundled in the format %q", b.Format), `use "cjs" or "esm"`)
	}
	return BundleOptions{
		Format: format, External: b.External, Minify: b.Minify,
		SourceMap: !b.NoSourceMap, Loader: b.Loader, Define: b.Define,
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
	b := &Build{
		Kind: h.kind, Entry: h.entry, Root: h.root, Handler: h.lambdaHandler, Out: h.out,
		Runtime: or(props.Runtime, h.runtime), Architecture: or(props.Architecture, ARM64),
	}
	if h.bundle.Format != "" {
		b.Bundle = &h.bundle
	}
	checkRuntime(r.node, b)
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

// The bucket that CDK's bootstrapping makes, by its default qualifier. The
// deployer puts another one in its place where there is none.
// https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
const bootstrapQualifier = "hnb659fds"

// code returns the Code property of the function.
func (b *Build) code(s *Stack) map[string]any {
	bucket := Intrinsic("Fn::Sub", "cdk-"+bootstrapQualifier+"-assets-${AWS::AccountId}-"+s.app.config.Region)
	if account := s.app.config.Account; account != "" {
		bucket = Value("cdk-" + bootstrapQualifier + "-assets-" + account + "-" + s.app.config.Region)
	}
	return map[string]any{"S3Bucket": bucket, "S3Key": b.Placeholder + ".zip"}
}
