package roost

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Version of CDK's cloud-assembly schema that is written. Readers accept older
// versions than their own.
const assemblyVersion = "36.0.0"

// Most resources in a template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
const maxResources = 500

// template is a CloudFormation template.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
type template struct {
	Description string                  `json:",omitempty"`
	Parameters  map[string]*parameter   `json:",omitempty"`
	Resources   map[string]any          `json:",omitempty"`
	Outputs     map[string]outputInFile `json:",omitempty"`
}

type resourceInFile struct {
	Type                string
	Properties          any            `json:",omitempty"`
	DependsOn           []string       `json:",omitempty"`
	UpdateReplacePolicy string         `json:",omitempty"`
	DeletionPolicy      string         `json:",omitempty"`
	Metadata            map[string]any `json:",omitempty"`
}

type outputInFile struct {
	Description string `json:",omitempty"`
	Value       any
	Export      map[string]any `json:",omitempty"`
}

type manifest struct {
	Version   string              `json:"version"`
	Artifacts map[string]artifact `json:"artifacts"`
}

type artifact struct {
	Type         string                     `json:"type"`
	Environment  string                     `json:"environment"`
	Properties   map[string]any             `json:"properties"`
	Dependencies []string                   `json:"dependencies,omitempty"`
	Metadata     map[string][]metadataEntry `json:"metadata"`
	DisplayName  string                     `json:"displayName"`
}

type metadataEntry struct {
	Type string `json:"type"`
	Data string `json:"data"`
}

// rendered is the content of the output folder by file name.
type rendered map[string][]byte

// render turns the app into files, or into all errors that it has.
func (a *App) render() (rendered, error) {
	if len(a.stacks) == 0 {
		a.fail(a.config.Name, place{}, "the app has no stack", `add one with app.Stack("my-stack")`)
	}
	templates := make([]*template, len(a.stacks))
	for i, s := range a.stacks {
		templates[i] = s.render()
	}
	// Exports are known only when all stacks that might import are rendered.
	for i, s := range a.stacks {
		for _, o := range s.exports {
			s.renderOutput(templates[i], o)
		}
	}
	a.checkCycles()
	if err := a.errors(); err != nil {
		return nil, err
	}
	return a.files(templates)
}

func (a *App) files(templates []*template) (rendered, error) {
	files := rendered{}
	m := manifest{Version: assemblyVersion, Artifacts: map[string]artifact{}}
	for i, s := range a.stacks {
		text, err := indented(templates[i])
		if err != nil {
			return nil, err
		}
		files[s.templateFile()] = text
		m.Artifacts[s.name] = s.artifact()
	}
	builds := a.builds
	if builds == nil {
		builds = []*Build{}
	}
	for name, content := range map[string]any{
		"manifest.json": m,
		"cdk.out":       map[string]string{"version": assemblyVersion},
		"builds.json":   Builds{Version: 1, Builds: builds},
	} {
		text, err := indented(content)
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	return files, nil
}

func indented(v any) ([]byte, error) {
	text, err := encode(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", " "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// smallerStack says how a stack becomes smaller. A route with a function of its
// own takes seven resources, one that shares a function takes two.
const smallerStack = `let routes share a function, as in f := stack.Function("F", roost.FunctionProps{Handler: "src/f"}) ` +
	`and "GET /a": {Function: f}, or move an API to a stack of its own`

func (s *Stack) templateFile() string { return s.name + ".template.json" }

func (s *Stack) render() *template {
	t := &template{Description: s.props.Description, Resources: map[string]any{}, Outputs: map[string]outputInFile{}}
	if len(s.resources) == 0 {
		s.app.fail(s.id, s.at, "the stack has no resources, which CloudFormation refuses", "add one, or remove the stack")
	}
	if len(s.resources) > maxResources {
		s.app.fail(s.id, s.at, fmt.Sprintf("the stack has %d resources, and CloudFormation takes %d", len(s.resources), maxResources),
			smallerStack)
	}
	for _, r := range s.resources {
		t.Resources[r.logicalID] = r.render()
	}
	for _, o := range s.outputs {
		s.renderOutput(t, o)
	}
	t.Parameters = s.parameters
	return t
}

func (s *Stack) renderOutput(t *template, o *output) {
	value, err := s.resolve(o.value)
	if err != nil {
		s.app.fail(s.id+"/"+o.name, o.at, err.Error(), "")
	}
	out := outputInFile{Description: o.props.Description, Value: value}
	if o.props.ExportName != "" {
		name, err := s.resolve(o.props.ExportName)
		if err != nil {
			s.app.fail(s.id+"/"+o.name, o.at, err.Error(), "")
		}
		out.Export = map[string]any{"Name": name}
	}
	t.Outputs[o.name] = out
	t.Parameters = s.parameters
}

func (r *Resource) render() resourceInFile {
	properties, err := r.stack.resolve(r.properties)
	if err != nil {
		r.fail(err.Error(), "")
	}
	out := resourceInFile{
		Type: r.kind, Properties: properties,
		UpdateReplacePolicy: r.deletionPolicy, DeletionPolicy: r.deletionPolicy,
		Metadata: map[string]any{"aws:cdk:path": r.cdkPath()},
	}
	if r.deletionPolicy == "RetainExceptOnCreate" {
		out.UpdateReplacePolicy = "Retain" // which has no such value
	}
	for _, d := range r.dependsOn {
		if d == nil {
			continue
		}
		if d.stack != r.stack {
			r.fail("it depends on "+d.String()+", which is in another stack", "use Stack.DependsOn")
			continue
		}
		out.DependsOn = append(out.DependsOn, d.logicalID)
	}
	if r.build != nil {
		out.Metadata["aws:asset:path"] = "asset." + r.build.Placeholder + ".zip"
		out.Metadata["aws:asset:property"] = "Code"
	}
	return out
}

func (s *Stack) artifact() artifact {
	account := or(s.app.config.Account, "unknown-account")
	properties := map[string]any{"templateFile": s.templateFile()}
	if s.props.TerminationProtection {
		properties["terminationProtection"] = true
	}
	if len(s.props.Tags) > 0 {
		properties["tags"] = s.props.Tags
	}
	out := artifact{
		Type:        "aws:cloudformation:stack",
		Environment: "aws://" + account + "/" + s.app.config.Region,
		Properties:  properties,
		Metadata:    map[string][]metadataEntry{},
		DisplayName: s.name,
	}
	for _, d := range s.dependsOn {
		out.Dependencies = append(out.Dependencies, d.name)
	}
	slices.Sort(out.Dependencies)
	for _, r := range s.resources {
		out.Metadata["/"+r.cdkPath()] = []metadataEntry{{"aws:cdk:logicalId", r.logicalID}}
	}
	for _, o := range append(slices.Clone(s.outputs), s.exports...) {
		out.Metadata["/"+s.name+"/"+o.name] = []metadataEntry{{"aws:cdk:logicalId", o.name}}
	}
	for _, id := range slices.Sorted(maps.Keys(s.parameters)) {
		out.Metadata["/"+s.name+"/"+id] = []metadataEntry{{"aws:cdk:logicalId", id}, {"roost:secret", s.parameters[id].variable}}
	}
	return out
}

// checkCycles reports stacks that wait for each other.
func (a *App) checkCycles() {
	state := map[*Stack]int{} // 1 on the way, 2 done
	var visit func(s *Stack, path []string)
	visit = func(s *Stack, path []string) {
		path = append(path, s.id)
		if state[s] == 1 {
			a.fail(s.id, s.at, "stacks depend on each other: "+strings.Join(path, " → "), "move what both use into a stack of its own")
		}
		if state[s] != 0 {
			return
		}
		state[s] = 1
		for _, d := range s.dependsOn {
			visit(d, path)
		}
		state[s] = 2
	}
	for _, s := range a.stacks {
		visit(s, nil)
	}
}

// write puts the files into the folder and removes templates of stacks that are
// no longer there. A file that is right already is not touched.
func (files rendered) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	old, err := fs.Glob(os.DirFS(dir), "*.template.json")
	if err != nil {
		return err
	}
	for _, name := range old {
		if _, kept := files[name]; !kept {
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := filepath.Join(dir, name)
		if same, err := os.ReadFile(file); err == nil && bytes.Equal(same, files[name]) {
			continue
		}
		if err := os.WriteFile(file, files[name], 0o644); err != nil {
			return fmt.Errorf("%s can't be written: %w", file, err)
		}
	}
	return nil
}
