package tree_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/cfn/tree"
)

func TestParseKeepsPositionsAndShapes(t *testing.T) {
	root, err := tree.Parse("t.yaml", []byte("Resources:\n  A:\n    Tags: [1, 'two', true, yes]\n    Role: !GetAtt B.Arn\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		node *tree.Node
		path string
		pos  string
		json string
	}{
		{root.Get("Resources").Get("A").Get("Tags").Items[1], "Resources.A.Tags[1]", "t.yaml:3:15", `"two"`},
		{root.Get("Resources").Get("A").Get("Role"), "Resources.A.Role", "t.yaml:4:11", `{"Fn::GetAtt":["B","Arn"]}`},
		{root.Get("Resources").Get("A").Get("Tags"), "Resources.A.Tags", "t.yaml:3:11", `[1,"two",true,"yes"]`},
		{root, "", "t.yaml:1:1", `{"Resources":{"A":{"Tags":[1,"two",true,"yes"],"Role":{"Fn::GetAtt":["B","Arn"]}}}}`},
	} {
		if got := tree.Path(root, test.node); got != test.path {
			t.Errorf("path %q, want %q", got, test.path)
		}
		if got := test.node.Pos.String(); got != test.pos {
			t.Errorf("%s is at %s, want %s", test.path, got, test.pos)
		}
		if got := string(test.node.AppendJSON(nil)); got != test.json {
			t.Errorf("%s is %s, want %s", test.path, got, test.json)
		}
	}
}

func TestJSONPositionsCountBytesAndLines(t *testing.T) {
	root, err := tree.Parse("t.json", []byte("{\n\t\"é\": 1, \"b\":\r\n [ true ,\"x\"] }"))
	if err != nil {
		t.Fatal(err)
	}
	if got := root.Get("é").Pos.String(); got != "t.json:2:8" {
		t.Errorf("é at %s", got)
	}
	if got := root.Get("b").Items[1].Pos.String(); got != "t.json:3:10" {
		t.Errorf("b[1] at %s", got)
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat(`{"a":`, tree.MaxDepth+1) + "1" + strings.Repeat("}", tree.MaxDepth+1)
	for name, text := range map[string]string{
		"deep JSON":   deep,
		"deep YAML":   "x: " + deep,
		"large":       "a: " + strings.Repeat("x", tree.MaxBytes),
		"not UTF-8":   "a: \xff",
		"only a list": "[1]",
	} {
		_, err := tree.Parse("t", []byte(text))
		var list tree.Errors
		if !errors.As(err, &list) || len(list) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	exact := strings.Repeat(`{"a":`, tree.MaxDepth) + "1" + strings.Repeat("}", tree.MaxDepth)
	if _, err := tree.Parse("t", []byte(exact)); err != nil {
		t.Errorf("%d levels: %v", tree.MaxDepth, err)
	}
}

// TestJSONAgreesWithTheStandardLibrary draws JSON documents, and compares what
// the tree says with what encoding/json says.
func TestJSONAgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := map[string]any{"v": value(t, 3)}
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{text, append([]byte("# YAML\n"), text...)} {
			root, err := tree.Parse("t", text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if diff := cmp.Diff(any(want), root.Value()); diff != "" {
				t.Fatalf("%s (-want +got)\n%s", text, diff)
			}
			again, err := tree.Parse("t", root.AppendJSON(nil))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(root.Value(), again.Value()); diff != "" {
				t.Fatalf("written and read again: %s", diff)
			}
		}
	})
}

// value draws what JSON can hold but null.
func value(t *rapid.T, depth int) any {
	kinds := 5
	if depth == 0 {
		kinds = 3
	}
	switch rapid.IntRange(1, kinds).Draw(t, "kind") {
	case 1:
		return rapid.StringOf(rapid.RuneFrom([]rune("aZ09 _-:{}[]#&*!|>'\"\\/%@`,.?~<é\u00a0😀"))).Draw(t, "string")
	case 2:
		return json.Number(rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,5})?`).Draw(t, "number"))
	case 3:
		return rapid.Bool().Draw(t, "bool")
	case 4:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = value(t, depth-1)
		}
		return list
	}
	m := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "size") {
		m[rapid.StringMatching(`[a-zA-Z:]{1,5}`).Draw(t, "key")] = value(t, depth-1)
	}
	return m
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"Resources": {"A": {"Type": "X::Y::Z", "P": [1, 2.5e3, true, "é\ud83d"]}}}`,
		"Resources:\n  A: !Sub 'x'\n  B: !GetAtt [a, b]\n  C: |\n    x\n", "a: &b c\nd: *b\n", "<<: {a: b}\n", "? [a]\n: b\n", "--- a\n...\n---\n", "{a: !!binary x, b: !<tag:x> y}", "a:\n\t- b", "%YAML 1.1\n---\na: b",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		root, err := tree.Parse("t", data)
		if err != nil {
			var list tree.Errors
			if !errors.As(err, &list) || len(list) == 0 {
				t.Fatalf("the error is no Errors: %v", err)
			}
			return
		}
		written := root.AppendJSON(nil)
		again, err := tree.Parse("t", written)
		if err != nil {
			t.Fatalf("%s is not read again: %v", written, err)
		}
		if got := again.AppendJSON(nil); string(got) != string(written) {
			t.Fatalf("%s becomes %s", written, got)
		}
	})
}

// A tab looks like blanks: who has typed it sees nothing wrong.
func TestATabIsNamed(t *testing.T) {
	const said = "is indented by a tab, and YAML takes blanks only"
	for text, want := range map[string]bool{
		"Resources:\n\tA: {}\n":          true,
		"Resources:\n  A: {}\n \tB: [\n": true,
		"Resources:\n  A: [\n":           false,
		"Resources:\n  A: @\tx\n":        false,
	} {
		_, err := tree.Parse("t.yaml", []byte(text))
		if err == nil || strings.Contains(err.Error(), said) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}
