package cfn_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/need"
)

func mustParse(t *testing.T, template string) *cfn.Template {
	t.Helper()
	parsed, err := cfn.Parse("template.yaml", []byte(template))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// TestOriginalTutorialTemplate takes the template that the tutorial's own tools
// made the whole way.
func TestOriginalTutorialTemplate(t *testing.T) {
	data, err := os.ReadFile(need.Shared(t, "fixtures", "tutorial-sst-0.9.7", "dev-rest-api-auth-twitter-my-stack.template.json"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := cfn.Parse("my-stack.template.json", data)
	if err != nil {
		t.Fatal(err)
	}
	g := given{Pseudo: cfn.Pseudo{AccountID: "123456789012", Region: "us-east-1"}, Parameters: map[string]string{}}
	for _, p := range parsed.Parameters {
		g.Parameters[p.Name] = "left||right"
	}
	out, err := g.run("my-stack.template.json", data)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Order) != 22 {
		t.Errorf("%d resources, want 22", len(out.Order))
	}
	for _, r := range out.Resources {
		if r.Type != "AWS::Lambda::Function" {
			continue
		}
		code := r.Properties.(map[string]any)["Code"].(map[string]any)
		if code["S3Key"] != "leftright" {
			t.Errorf("S3Key is %v", code["S3Key"])
		}
	}
	if got := out.Outputs["IdentityPoolId"].Value; got != "<AuthIdentityPool12DFB5E1>" {
		t.Errorf("IdentityPoolId is %v", got)
	}
	if got := parsed.Summary().Capabilities; !slices.Equal(got, []string{cfn.CapabilityIAM}) {
		t.Errorf("capabilities %v", got)
	}
	var want, got any
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(parsed.JSON(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("written as JSON (-want +got)\n%s", diff)
	}
}

func TestSummary(t *testing.T) {
	for name, test := range map[string]struct {
		template string
		want     cfn.Summary
	}{
		"plain": {"Resources: {A: {Type: X::Y::Z}, B: {Type: X::Y::Z}}", cfn.Summary{ResourceTypes: []string{"X::Y::Z"}}},
		"IAM": {
			"AWSTemplateFormatVersion: 2010-09-09\nMetadata: {a: b}\nResources: {A: {Type: AWS::IAM::Role}, B: {Type: AWS::IAM::Policy, Properties: {PolicyName: x}}}",
			cfn.Summary{
				Version: "2010-09-09", Metadata: `{"a":"b"}`, ResourceTypes: []string{"AWS::IAM::Role", "AWS::IAM::Policy"}, Capabilities: []string{cfn.CapabilityIAM},
				CapabilitiesReason: "The following resource(s) require capabilities: [AWS::IAM::Policy, AWS::IAM::Role]",
			},
		},
		"named IAM": {
			"Resources: {A: {Type: AWS::IAM::Role, Properties: {RoleName: r}}, B: {Type: AWS::IAM::User}}",
			cfn.Summary{
				ResourceTypes: []string{"AWS::IAM::Role", "AWS::IAM::User"}, Capabilities: []string{cfn.CapabilityNamedIAM},
				CapabilitiesReason: "The following resource(s) require capabilities: [AWS::IAM::Role, AWS::IAM::User]",
			},
		},
		"transform": {
			"Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: AWS::Serverless::Function}}",
			cfn.Summary{Transforms: []string{cfn.Serverless}, ResourceTypes: []string{"AWS::Serverless::Function"}, Capabilities: []string{cfn.CapabilityAutoExpand}},
		},
	} {
		if diff := cmp.Diff(test.want, mustParse(t, test.template).Summary()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

func TestErrorsNameEveryProblemForPeopleAndMachines(t *testing.T) {
	_, err := cfn.Parse("app.yaml", []byte("Resources:\n  A: {Type: X::Y::Z, Prop: 1}\n  B: {}\n"))
	list, ok := err.(cfn.Errors)
	if !ok || len(list) != 2 {
		t.Fatalf("%T %v", err, err)
	}
	want := "Invalid template resource property 'Prop'\nTemplate format error: [/Resources/B] Every Resources object must contain a Type member."
	if got := list.Message(); got != want {
		t.Errorf("message %q", got)
	}
	if got := list.Error(); !strings.HasPrefix(got, "app.yaml:2:28: Resources.A.Prop: Invalid") {
		t.Errorf("error %q", got)
	}
}

func TestDiff(t *testing.T) {
	for name, test := range map[string]struct {
		before, after string
		want          []string
	}{
		"same":           {`{"a":1,"b":[true,"x"]}`, `{"b":["true","x"],"a":"1"}`, nil},
		"changed":        {`{"a":{"b":[{"c":1}]}}`, `{"a":{"b":[{"c":2}]}}`, []string{"a.b[0].c"}},
		"added, removed": {`{"a":1}`, `{"b":1}`, []string{"a", "b"}},
		"longer list":    {`{"a":[1]}`, `{"a":[1,2]}`, []string{"a"}},
		"another kind":   {`{"a":[1]}`, `{"a":{"b":1}}`, []string{"a"}},
		"whole":          {`1`, `2`, []string{""}},
	} {
		var paths []string
		for _, c := range cfn.Diff(decode(t, test.before), decode(t, test.after)) {
			paths = append(paths, c.Path)
		}
		if diff := cmp.Diff(test.want, paths); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	if got := cfn.Diff(cfn.Unknown{}, cfn.Unknown{}); len(got) != 1 {
		t.Errorf("two unknown values differ in %v", got)
	}
	if got := cfn.Diff(nil, map[string]any{"a": 1}); len(got) != 1 || got[0].Before != nil {
		t.Errorf("a new value differs in %v", got)
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMask(t *testing.T) {
	value := decode(t, `{"a":{"b":["s","t"]},"c":"u"}`)
	got, err := json.Marshal(cfn.Mask(value, []string{"a.b[1]", "c"}))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a":{"b":["s","****"]},"c":"****"}`; string(got) != want {
		t.Errorf("%s, want %s", got, want)
	}
	if text, _ := json.Marshal(value); !strings.Contains(string(text), `"u"`) {
		t.Error("the value itself was changed")
	}
	if got := cfn.Mask("s", []string{""}); got != "****" {
		t.Errorf("a secret as a whole is %v", got)
	}
}

func TestValuesAreMasked(t *testing.T) {
	parsed := mustParse(t, "Parameters: {A: {Type: String, NoEcho: true}, B: {Type: String}}\nResources: {R: {Type: X::Y::Z}}")
	values, err := parsed.Resolve(cfn.Given{Values: map[string]string{"A": "hunter2", "B": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	a, _ := values.Get("A")
	b, _ := values.Get("B")
	if a.Masked() != "****" || b.Masked() != "b" {
		t.Errorf("%q %q", a.Masked(), b.Masked())
	}
}

// TestOrderIsTopological draws graphs without circles and asks that each
// resource comes after all it depends on; then it closes a circle.
func TestOrderIsTopological(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		perm := rapid.Permutation(count(n)).Draw(t, "order")
		needs := make([][]int, n)
		for i := range n {
			for j := range i {
				if rapid.IntRange(0, 3).Draw(t, "edge") == 0 {
					needs[perm[i]] = append(needs[perm[i]], perm[j])
				}
			}
		}
		s, err := stackOf(needs)
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]int{}
		for i, r := range s.Resources {
			at[r.LogicalID] = i
		}
		for i, list := range needs {
			for _, j := range list {
				if at[id(i)] < at[id(j)] {
					t.Fatalf("%s comes before %s", id(i), id(j))
				}
			}
		}
		first, last := perm[0], perm[n-1]
		needs[last] = append(needs[last], first)
		needs[first] = append(needs[first], last)
		if _, err := stackOf(needs); err == nil || !strings.Contains(err.Error(), "Circular dependency between resources: [") {
			t.Fatalf("a circle: %v", err)
		}
	})
}

func count(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

func id(i int) string { return "R" + string(rune('A'+i)) }

func stackOf(needs [][]int) (*cfn.Stack, error) {
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i, list := range needs {
		b.WriteString("  " + id(i) + ": {Type: X::Y::Z, Properties: {V: [")
		for _, j := range list {
			b.WriteString("!Ref " + id(j) + ",")
		}
		b.WriteString("x]}}\n")
	}
	t, err := cfn.Parse("t", []byte(b.String()))
	if err != nil {
		return nil, err
	}
	return cfn.New(t, nil, cfn.Pseudo{})
}

func TestQuotas(t *testing.T) {
	resource := "\nResources: {R: {Type: X::Y::Z}}"
	for name, test := range map[string]struct{ template, want string }{
		"resources":  {"Resources:\n" + numbered(501, "  R%d: {Type: X::Y::Z}\n"), "Number of resources, 501, is greater than maximum allowed, 500"},
		"parameters": {"Parameters:\n" + numbered(201, "  P%d: {Type: String}\n") + resource, "Number of parameters, 201, is greater than maximum allowed, 200"},
		"outputs":    {"Outputs:\n" + numbered(201, "  P%d: {Value: x}\n") + resource, "Number of outputs, 201, is greater than maximum allowed, 200"},
		"mappings":   {"Mappings:\n" + numbered(201, "  M%d: {a: {b: c}}\n") + resource, "Number of mappings, 201, is greater than maximum allowed, 200"},
		"attributes": {"Mappings:\n  M:\n" + numbered(201, "    k%d: {b: c}\n") + resource, "Number of mapping attributes, 201, is greater than maximum allowed, 200"},
		"bytes":      {strings.Repeat("#", cfn.MaxBytes+1), "Template may not exceed 1000000 bytes in size."},
	} {
		_, err := cfn.Parse("t", []byte(test.template))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
