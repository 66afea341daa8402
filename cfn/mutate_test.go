package cfn_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// TestWrongTypesAreErrors puts something of another type in one or two places
// of the golden templates. Whatever it is, the answer is a result or an
// Errors; the bytes of a fuzzer seldom get that deep.
func TestWrongTypesAreErrors(t *testing.T) {
	templates := goldenTemplates(t)
	rapid.Check(t, func(t *rapid.T) {
		root := rapid.SampledFrom(templates).Draw(t, "template").Clone()
		for range rapid.IntRange(1, 2).Draw(t, "changes") {
			var nodes []*tree.Node
			collect(root, &nodes)
			*rapid.SampledFrom(nodes).Draw(t, "node") = *replacement(t)
		}
		text := root.AppendJSON(nil)
		g := given{Pseudo: cfn.Pseudo{Region: "us-east-1"}, Before: true, SSM: map[string]string{"/version": "21"}}
		_, err := g.run("t.json", text)
		if _, ok := err.(cfn.Errors); err != nil && !ok {
			t.Fatalf("%s: the error is no Errors: %T %v", text, err, err)
		}
	})
}

func goldenTemplates(t *testing.T) []*tree.Node {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var list []*tree.Node
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range archive.Files {
			if !strings.HasPrefix(path.Base(part.Name), "template.") {
				continue
			}
			if root, err := tree.Parse(part.Name, part.Data); err == nil {
				list = append(list, root)
			}
		}
	}
	return list
}

// collect lists the nodes below the root.
func collect(n *tree.Node, list *[]*tree.Node) {
	for _, item := range n.Items {
		*list = append(*list, item)
		collect(item, list)
	}
	for _, m := range n.Members {
		*list = append(*list, m.Value)
		collect(m.Value, list)
	}
	if len(*list) == 0 {
		*list = append(*list, tree.Str(n.Pos, ""))
	}
}

func replacement(t *rapid.T) *tree.Node {
	text := rapid.SampledFrom([]string{
		`""`, `"x"`, `"A"`, `1`, `-1.5e3`, `true`, `[]`, `{}`, `["x"]`, `[[]]`, `[{}]`, `{"a": "b"}`, `{"Ref": "A"}`, `{"Ref": "P"}`,
		`{"Ref": "AWS::NoValue"}`, `{"Ref": "AWS::NotificationARNs"}`, `{"Fn::If": ["C", "a", "b"]}`, `{"Fn::GetAtt": ["A", "Arn"]}`,
		`{"Fn::Sub": "${A}"}`, `{"Fn::Join": ["", []]}`, `{"Fn::Split": [",", "a"]}`, `{"Fn::Nope": 1}`, `{"Condition": "C"}`, `{"Fn::ForEach::X": ["I", ["a"], {"k${I}": "v"}]}`,
	}).Draw(t, "replacement")
	root, err := tree.Parse("r", []byte(`{"v":`+text+`}`))
	if err != nil {
		t.Fatal(err)
	}
	return root.Get("v")
}
