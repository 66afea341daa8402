package cfn_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/seed-615d3599/roost/cfn"
)

var update = flag.Bool("update", false, "write what comes out into testdata")

// given is what a golden case may say besides its template.
type given struct {
	Parameters  map[string]string
	UsePrevious []string
	Previous    map[string]string
	SSM         map[string]string
	Pseudo      cfn.Pseudo
	Ref         map[string]any    // by logical id; else "<id>"
	GetAtt      map[string]any    // by "id.Attribute"; else "<id.Attribute>"
	Exports     map[string]string // by name
	Dynamic     map[string]string // by text; absent for showing them as written
	Before      bool              // nothing exists yet
}

// TestGolden runs the cases of testdata/*.txtar. A case "name" is the files
// name/template.yaml (or .json), name/given.json if it needs one, and
// name/want: the resolved template, or the errors.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for _, f := range archive.Files {
		parts[f.Name] = f.Data
	}
	var written []txtar.File
	for _, f := range archive.Files {
		dir, base := path.Split(f.Name)
		if base != "want" {
			written = append(written, f)
		}
		if !strings.HasPrefix(base, "template.") {
			continue
		}
		t.Run(path.Clean(dir), func(t *testing.T) {
			got := process(t, base, f.Data, parts[dir+"given.json"])
			if diff := cmp.Diff(string(parts[dir+"want"]), got); diff != "" && !*update {
				t.Errorf("(-want +got)\n%s", diff)
			}
			written = append(written, txtar.File{Name: dir + "want", Data: []byte(got)})
		})
	}
	if *update {
		archive.Files = written
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// process takes a template the whole way and returns what a golden file holds.
func process(t *testing.T, name string, template, givenJSON []byte) string {
	g := given{Pseudo: cfn.Pseudo{AccountID: "123456789012", Region: "us-east-1", StackName: "app", StackID: "arn:aws:cloudformation:us-east-1:123456789012:stack/app/1"}}
	if len(givenJSON) > 0 {
		if err := json.Unmarshal(givenJSON, &g); err != nil {
			t.Fatal(err)
		}
	}
	out, err := g.run(name, template)
	if err != nil {
		var list cfn.Errors
		if !errors.As(err, &list) {
			t.Errorf("the error is a %T and no cfn.Errors: %v", err, err)
		}
		return err.Error() + "\n"
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type resolved struct {
	Conditions map[string]bool `json:",omitempty"`
	Order      []string
	Resources  map[string]resolvedResource
	Outputs    map[string]resolvedOutput `json:",omitempty"`
}

type resolvedResource struct {
	Type                string
	DependsOn           []string `json:",omitempty"`
	DeletionPolicy      string   `json:",omitempty"`
	UpdateReplacePolicy string   `json:",omitempty"`
	Properties          any
	Secrets             []string `json:",omitempty"`
	Metadata            any      `json:",omitempty"`
	CreationPolicy      any      `json:",omitempty"`
	UpdatePolicy        any      `json:",omitempty"`
}

type resolvedOutput struct {
	Value       any
	Description string   `json:",omitempty"`
	Export      string   `json:",omitempty"`
	Secrets     []string `json:",omitempty"`
}

func (g given) run(name string, template []byte) (*resolved, error) {
	t, err := cfn.Parse(name, template)
	if err != nil {
		return nil, err
	}
	values, err := t.Resolve(cfn.Given{Values: g.Parameters, UsePrevious: g.UsePrevious, Previous: g.Previous, SSM: g.ssm})
	if err != nil {
		return nil, err
	}
	if t, err = t.Expand(values, g.Pseudo); err != nil {
		return nil, err
	}
	s, err := cfn.New(t, values, g.Pseudo)
	if err != nil {
		return nil, err
	}
	return g.evaluate(s)
}

func (g given) evaluate(s *cfn.Stack) (*resolved, error) {
	out := &resolved{Conditions: s.Conditions(), Resources: map[string]resolvedResource{}, Outputs: map[string]resolvedOutput{}}
	lookup := g.lookup()
	for _, r := range s.Resources {
		out.Order = append(out.Order, r.LogicalID)
		properties, err := s.Properties(r, lookup)
		if err != nil {
			return nil, err
		}
		one := resolvedResource{
			Type: r.Type, DependsOn: s.DependsOn(r.LogicalID), Properties: properties.Value, Secrets: properties.Secrets,
			DeletionPolicy: r.DeletionPolicy, UpdateReplacePolicy: r.UpdateReplacePolicy,
		}
		for node, to := range map[*cfn.Node]*any{r.Metadata: &one.Metadata, r.CreationPolicy: &one.CreationPolicy, r.UpdatePolicy: &one.UpdatePolicy} {
			if node == nil {
				continue
			}
			result, err := s.Attribute(node, lookup)
			if err != nil {
				return nil, err
			}
			*to = result.Value
		}
		out.Resources[r.LogicalID] = one
	}
	for _, o := range s.Outputs {
		value, export, err := s.Output(o, lookup)
		if err != nil {
			return nil, err
		}
		out.Outputs[o.Name] = resolvedOutput{Value: value.Value, Description: o.Description, Export: export, Secrets: value.Secrets}
	}
	return out, nil
}

func (g given) ssm(name string) (string, bool, error) {
	value, ok := g.SSM[name]
	return value, ok, nil
}

func (g given) lookup() cfn.Lookup {
	l := cfn.Lookup{
		ImportValue: func(name string) (any, error) {
			if value, ok := g.Exports[name]; ok {
				return value, nil
			}
			return nil, fmt.Errorf("No export named %s found.", name)
		},
		AvailabilityZones: func(region string) ([]string, error) { return []string{region + "a", region + "b"}, nil },
	}
	if g.Dynamic != nil {
		l.Dynamic = func(d cfn.DynamicReference) (string, error) {
			if value, ok := g.Dynamic[d.Text]; ok {
				return value, nil
			}
			return "", fmt.Errorf("nothing is stored as %+v", d)
		}
	}
	if g.Before {
		return l
	}
	l.Ref = func(id string) (any, error) { return orElse(g.Ref[id], "<"+id+">"), nil }
	l.GetAtt = func(id, attribute string) (any, error) {
		return orElse(g.GetAtt[id+"."+attribute], "<"+id+"."+attribute+">"), nil
	}
	return l
}

func orElse(value, other any) any {
	if value == nil {
		return other
	}
	return value
}
