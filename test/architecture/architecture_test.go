// Package architecture holds the house to its plan: which package may import
// which, that each opens with a comment that lets a stranger use it, and that
// nothing has mutable package state, init functions or a second os.Exit.
package architecture

import (
	"encoding/json"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
)

const module = "github.com/seed-615d3599/roost"

// rules says, for a package and all below it, what it may import besides the
// standard library and its own subpackages: packages of this module by their
// path ("/..." for all below), other modules by a prefix. The longest match
// counts. Services of the region do not know each other; public rooms know
// nobody.
var rules = map[string][]string{
	"":      {},
	"sigv4": {}, "sigv4/s3body": {"sigv4"},
	"iam": {"iam/..."},
	"cfn": {"cfn/...", "go.yaml.in/yaml/v3"},

	"internal/region/store":         {"modernc.org/sqlite"},
	"internal/region/wire":          {"iam"},
	"internal/region/wire/wiretest": {"internal/region/wire", "internal/region/store"},
	"internal/region/sealed":        {"internal/region/wire", "internal/region/store"},
	"internal/region/http1":         {},
	"internal/region/oidc":          {"github.com/go-jose/", "golang.org/x/sync/"},
	"internal/region/edge":          service("iam", "sigv4/..."),
	"internal/region/access":        service("iam"),
	"internal/region/decisions":     service("iam", "sigv4/..."),
	"internal/region/httpapi":       service("iam", "sigv4/...", "internal/region/http1", "internal/region/oidc", "github.com/go-jose/"),
	"internal/region/lambda":        service("iam", "sigv4", "internal/region/http1", "golang.org/x/sys/", "golang.org/x/sync/", "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"),
	"internal/region/identity":      service("internal/region/oidc", "github.com/dghubble/oauth1", "github.com/go-jose/", "golang.org/x/sync/"),
	"internal/region/stacks":        service("cfn/...", "internal/region/resources/..."),
	"internal/region/resources":     service("internal/region/resources/..."),
	"internal/region/assets":        service("iam", "sigv4/..."),
	"internal/region/params":        service("internal/region/sealed"),
	"internal/region/secrets":       service("iam", "internal/region/sealed"),
	"internal/region/ecr":           service("iam"),
	"internal/region/kms":           service("iam"),
	"internal/region/logs":          service(),
	"internal/region/twitter":       service(),
	"internal/region":               {"internal/region/...", "iam", "sigv4", "cfn"},

	"internal/need":     {},
	"internal/term":     {"github.com/mattn/go-isatty"},
	"internal/trial":    {"", "internal/..."},
	"internal/control":  {"sigv4", "internal/config"},
	"internal/config":   {"internal/..."},
	"internal/assembly": {"", "cfn/...", "internal/config"},
	"internal/build":    {"github.com/evanw/esbuild", "golang.org/x/"},
	"internal/signin":   {"github.com/dghubble/oauth1", "go.yaml.in/yaml/v3", "golang.org/x/net/html"},
	"internal/watch":    {"github.com/fsnotify/fsnotify"},
	"internal/deploy":   {"internal/assembly", "internal/control", "internal/term", "github.com/aws/", "go.yaml.in/yaml/v3", "golang.org/x/sync/"},
	"internal/scaffold": {"", "examples"},
	"internal/synth":    {"", "internal/..."},
	"internal/check":    {"cfn/...", "iam", "internal/assembly", "internal/region/resources/..."},
	"internal/cli":      {"", "sigv4", "iam", "cfn", "internal/...", "github.com/alecthomas/kong", "github.com/aws/", "go.yaml.in/yaml/v3", "golang.org/x/term"},
	"cmd/roost":         {"internal/cli"},
	"roosttest":         {"", "sigv4", "iam", "internal/...", "examples", "github.com/aws/"},
	"examples":          {"", "github.com/aws/aws-lambda-go"},
	"bench":             {"", "...", "github.com/", "golang.org/x/"},
	"test":              {"", "..."},
}

// service is what every service of the region may import, and more.
func service(more ...string) []string {
	return append([]string{"internal/region/store", "internal/region/wire", "github.com/google/uuid"}, more...)
}

// pkg is a package as "go list" tells it.
type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
	Standard   bool
}

func packages(t *testing.T) []pkg {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	command.Dir = need.Root(t)
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []pkg
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := decoder.Decode(&p); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// local is a package's path within the module.
func local(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}

// ruleFor finds the rule with the longest match.
func ruleFor(path string) (room string, allowed []string, ok bool) {
	for at := path; ; at = filepath.Dir(at) {
		if at == "." {
			at = ""
		}
		if allowed, ok = rules[at]; ok && (at != "" || path == "") {
			return at, allowed, true
		}
		if at == "" {
			return "", nil, false
		}
	}
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		path := local(p.ImportPath)
		room, allowed, ok := ruleFor(path)
		if !ok {
			t.Errorf("%s has no rule: say in this test what it may import", path)
			continue
		}
		for _, imported := range p.Imports {
			if !mayImport(room, allowed, imported) {
				t.Errorf("%s imports %s, which the house does not allow", path, imported)
			}
		}
	}
}

func mayImport(room string, allowed []string, imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return true // the standard library
	}
	inside := imported == module || strings.HasPrefix(imported, module+"/")
	path := local(imported)
	if inside && room != "" && (path == room || strings.HasPrefix(path, room+"/")) {
		return true
	}
	for _, entry := range allowed {
		below, all := strings.CutSuffix(entry, "...")
		switch {
		case !inside && entry != "" && strings.HasPrefix(imported, entry):
			return true
		case inside && (path == entry || all && strings.HasPrefix(path+"/", below)):
			return true
		}
	}
	return false
}

// parsed returns a package's files without tests.
func parsed(t *testing.T, p pkg) (*token.FileSet, []*ast.File) {
	t.Helper()
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return set, files
}

// leastComment is how many characters a package comment has at the least.
const leastComment = 60

func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		_, files := parsed(t, p)
		var text string
		for _, file := range files {
			if file.Doc != nil {
				text += file.Doc.Text()
			}
		}
		if strings.HasPrefix(local(p.ImportPath), "examples/") && text != "" {
			continue // programs of a dozen lines
		}
		if len(files) > 0 && len(text) < leastComment {
			t.Errorf("%s: the package comment does not let a stranger use the package", local(p.ImportPath))
		}
	}
}

func TestExportedNamesHaveSentences(t *testing.T) {
	for _, p := range packages(t) {
		path := local(p.ImportPath)
		if path != "" && path != "sigv4" && path != "iam" && path != "cfn" && path != "roosttest" {
			continue // the public rooms
		}
		set, files := parsed(t, p)
		d, err := doc.NewFromFiles(set, files, p.ImportPath)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range d.Funcs {
			if f.Doc == "" {
				t.Errorf("%s.%s has no sentence", path, f.Name)
			}
		}
		for _, typ := range d.Types {
			if typ.Doc == "" {
				t.Errorf("%s.%s has no sentence", path, typ.Name)
			}
			for _, f := range append(typ.Methods, typ.Funcs...) {
				if f.Doc == "" {
					t.Errorf("%s.%s.%s has no sentence", path, typ.Name, f.Name)
				}
			}
		}
	}
}

func TestNoInitAndOneExit(t *testing.T) {
	for _, p := range packages(t) {
		path := local(p.ImportPath)
		if strings.HasPrefix(path, "examples") || strings.HasPrefix(path, "bench") || strings.HasPrefix(path, "test") {
			continue
		}
		set, files := parsed(t, p)
		for _, file := range files {
			ast.Inspect(file, func(node ast.Node) bool {
				switch n := node.(type) {
				case *ast.FuncDecl:
					if n.Name.Name == "init" && n.Recv == nil {
						t.Errorf("%s: an init function", set.Position(n.Pos()))
					}
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "os" && n.Sel.Name == "Exit" && path != "cmd/roost" && path != "" {
						t.Errorf("%s: os.Exit outside of main", set.Position(n.Pos()))
					}
				}
				return true
			})
		}
	}
}

// TestPackageVariablesAreNotWritten holds that no function assigns to a package
// variable, or to an element or field of one.
func TestPackageVariablesAreNotWritten(t *testing.T) {
	for _, p := range packages(t) {
		set, files := parsed(t, p)
		// Only which name means what is of interest: imports may be empty.
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
		config := types.Config{Importer: nothing{}, Error: func(error) {}, FakeImportC: true}
		checked, _ := config.Check(p.ImportPath, set, files, info)
		for _, file := range files {
			ast.Inspect(file, func(node ast.Node) bool {
				for _, target := range written(node) {
					name := root(target)
					if name != nil && info.Uses[name] != nil && info.Uses[name].Parent() == checked.Scope() {
						t.Errorf("%s: the package variable %s is written to", set.Position(name.Pos()), name.Name)
					}
				}
				return true
			})
		}
	}
}

// nothing imports packages without contents.
type nothing struct{}

// Import implements types.Importer.
func (nothing) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}

// written returns what a statement writes to.
func written(node ast.Node) []ast.Expr {
	switch n := node.(type) {
	case *ast.AssignStmt:
		return n.Lhs
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") {
			return n.Args[:1]
		}
	}
	return nil
}

// root is the variable of which an expression is an element or a field.
func root(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.IndexExpr:
		return root(e.X)
	case *ast.SelectorExpr:
		return root(e.X)
	case *ast.StarExpr:
		return root(e.X)
	case *ast.ParenExpr:
		return root(e.X)
	}
	return nil
}
