// Package scaffold writes new apps, and the construct package that apps outside
// this repository compile against.
//
//	err := scaffold.New("my-app", "node") // a whole app, ready for "roost start"
//	changed, err := scaffold.SDK("my-app") // .roost/sdk as this program has it
//
// The construct package is not published, so the program carries its source and
// writes it to .roost/sdk of the app, to which the app's go.mod has a replace
// directive. That folder belongs into the app's repository: with it a clone
// builds without roost.
package scaffold

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/seed-615d3599/roost/examples"
)

//go:embed templates
var templates embed.FS

// What a new app requires, with the lines of its go.sum. They are those of this
// module, so that a module cache that built this program has them.
const (
	goVersion     = "1.26.0"
	lambdaVersion = "v1.55.1"
	lambdaSums    = "github.com/aws/aws-lambda-go v1.55.1 h1:We2cCp4BwqqH/JW+bEEo1FhgG71rslvjfi4y7KmlrR0=\n" +
		"github.com/aws/aws-lambda-go v1.55.1/go.mod h1:V+NzkHNR6vBC8C1PDloqSLE+7jYWFiPvJJFiCiTm8nE=\n"
)

// DefaultTemplate is the template that New uses for the name "".
const DefaultTemplate = "go"

// Templates returns the names of the templates that New knows.
func Templates() []string { return []string{"go", "node", "typescript"} }

// kinds says for each template which example it is and what its README calls
// the file to edit.
func kinds() map[string]kind {
	return map[string]kind{
		"go":         {example: "rest-api-auth-twitter", private: "src/private/main.go", language: "Go", needs: "Go 1.26"},
		"node":       {example: "rest-api-auth-twitter-node", private: "src/private.js", language: "JavaScript", needs: "Go 1.26 and Node.js"},
		"typescript": {example: "rest-api-auth-twitter-typescript", private: "src/private.ts", language: "TypeScript", needs: "Go 1.26 and Node.js"},
	}
}

type kind struct{ example, private, language, needs string }

// app is what the file templates are filled with.
type app struct {
	Name, Template, Private, Language, Needs string
	Lambda, LambdaSums, Go                   string
}

// New writes the tutorial's app in the language of a template into dir, which is
// made where it is missing and has to be empty. The app's name is the folder's.
func New(dir, templateName string) error {
	if templateName == "" {
		templateName = DefaultTemplate
	}
	k, known := kinds()[templateName]
	if !known {
		return fmt.Errorf("there is no template %q: use %s", templateName, strings.Join(Templates(), ", "))
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	name := filepath.Base(dir)
	if !regexp.MustCompile(`^[A-Za-z0-9-]{1,60}$`).MatchString(name) {
		return fmt.Errorf("%q can't be the name of an app: name the folder with letters, digits and hyphens, 60 at most", name)
	}
	if err := checkEmpty(dir); err != nil {
		return err
	}
	files, err := newFiles(k, app{
		Name: name, Template: templateName, Private: k.private, Language: k.language, Needs: k.needs, Go: goVersion,
	})
	if err != nil {
		return err
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if err := writeFile(filepath.Join(dir, file), files[file]); err != nil {
			return err
		}
	}
	_, err = SDK(dir)
	return err
}

func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("%s is not empty (it has %s): name a folder that is new or empty", dir, entries[0].Name())
	}
	return nil
}

// newFiles returns the files of an app by path, with slashes.
func newFiles(k kind, a app) (map[string][]byte, error) {
	files, err := exampleFiles(k.example)
	if err != nil {
		return nil, err
	}
	settings, err := json.MarshalIndent(struct {
		Name   string `json:"name"`
		Stage  string `json:"stage"`
		Region string `json:"region"`
	}{a.Name, "dev", "us-east-1"}, "", "  ")
	if err != nil {
		return nil, err
	}
	files["roost.json"] = append(settings, '\n')
	if a.Template == "go" {
		a.Lambda, a.LambdaSums = lambdaVersion, lambdaSums
	}
	parsed, err := template.ParseFS(templates, "templates/*.tmpl")
	if err != nil {
		return nil, err
	}
	for _, t := range parsed.Templates() {
		var text bytes.Buffer
		if err := t.Execute(&text, a); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(t.Name(), ".tmpl")
		if name == "gitignore" {
			name = ".gitignore"
		}
		if text.Len() > 0 { // an app without modules has no go.sum
			files[name] = text.Bytes()
		}
	}
	return files, nil
}

func exampleFiles(example string) (map[string][]byte, error) {
	files := map[string][]byte{}
	source := examples.Files()
	err := fs.WalkDir(source, example, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files[strings.TrimPrefix(path, example+"/")], err = source.ReadFile(path)
		return err
	})
	return files, err
}

func writeFile(file string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	mode := fs.FileMode(0o644)
	if filepath.Base(file) == ".env" {
		mode = 0o600
	}
	return os.WriteFile(file, data, mode)
}
