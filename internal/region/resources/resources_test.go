package resources_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// thing is a type with a property of each kind.
func thing() *resources.Type {
	return &resources.Type{
		Name:   "AWS::Test::Thing",
		Update: resources.Keep,
		Properties: resources.Properties{
			"Text":    {Kind: resources.String, Required: true},
			"Choice":  {Kind: resources.String, Enum: []string{"a", "b"}},
			"Never":   {Kind: resources.Boolean, Enum: []string{"false"}, Why: "it is never on here"},
			"Count":   {Kind: resources.Integer},
			"Rate":    {Kind: resources.Number},
			"Flag":    {Kind: resources.Boolean},
			"Names":   resources.Strings(),
			"Parts":   resources.Objects(resources.Properties{"Size": {Kind: resources.Integer, Replace: true}, "Old": resources.Record("it is old")}),
			"Inner":   resources.Members(resources.Properties{"Fixed": {Kind: resources.String, Replace: true}, "Free": {Kind: resources.String}}),
			"Labels":  {Kind: resources.Map},
			"Policy":  {Kind: resources.JSON},
			"Refused": resources.Refuse("use Text"),
			"Noted":   resources.Record("it has no effect"),
			"Tags":    resources.KeyValues(),
		},
	}
}

func parse(t *testing.T, text string) map[string]any {
	t.Helper()
	props := map[string]any{}
	if err := json.Unmarshal([]byte(text), &props); err != nil {
		t.Fatal(err)
	}
	return props
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		props string
		want  []string
	}{
		{`{"Text": "x", "Choice": "b", "Never": "false", "Count": "3", "Rate": "0.5", "Flag": "true", "Labels": {"a": "1"}, "Policy": "{}"}`, nil},
		{`{}`, []string{"Text: this property is required"}},
		{`{"Text": "x", "Choice": "c"}`, []string{"Choice: expected one of a, b"}},
		{`{"Text": "x", "Never": true}`, []string{"Never: expected false: it is never on here"}},
		{`{"Text": "x", "Count": "three"}`, []string{"Count: expected a whole number"}},
		{`{"Text": "x", "Rate": "fast"}`, []string{"Rate: expected a number"}},
		{`{"Text": "x", "Flag": "yes"}`, []string{"Flag: expected true or false"}},
		{`{"Text": ["x"]}`, []string{"Text: expected a string"}},
		{`{"Text": "x", "Names": "a"}`, []string{"Names: expected a list"}},
		{`{"Text": "x", "Policy": "{"}`, []string{"Policy: expected a JSON document"}},
		{`{"Text": "x", "Parts": [{"Size": 1}, {"Sise": 2}]}`, []string{"Parts[1].Sise: roost does not support this property"}},
		{`{"Text": "x", "Refused": {}, "Other": 1}`, []string{"Other: roost does not support this property", "Refused: roost refuses this property: use Text"}},
		{`{"Text": "x", "Tags": [{"Value": "v"}]}`, []string{"Tags[0].Key: this property is required"}},
	} {
		var got []string
		for _, problem := range thing().Check(parse(t, c.props)) {
			got = append(got, problem.String())
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.props, diff)
		}
	}
}

func TestRefusedType(t *testing.T) {
	kind := resources.RefusedType("AWS::Test::Never", "use another")
	got := kind.Check(map[string]any{"A": 1, "B": 2})
	if len(got) != 1 || got[0].String() != "roost refuses this type: use another" {
		t.Errorf("got %v", got)
	}
}

func TestReplaces(t *testing.T) {
	for path, want := range map[string]bool{
		"Text": false, "Inner.Fixed": true, "Inner.Free": false, "Parts[1].Size": true, "Parts[1].Old": false, "Labels.a": false,
	} {
		if got := thing().Replaces(path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	still := thing()
	still.Update = nil
	if !still.Replaces("Text") {
		t.Error("without an update every change replaces")
	}
}

// TestDelta: what is gone from a template is told as empty, what stays is not told.
func TestDelta(t *testing.T) {
	have := parse(t, `{"Text": "x", "Count": 3, "Flag": true, "Names": ["a"], "Labels": {"a": "b"}, "Rate": 1.5}`)
	want := parse(t, `{"Text": "y", "Count": 3.0}`)
	got := thing().Properties.Delta(have, want, "Text", "Count", "Flag", "Names", "Labels")
	expected := map[string]any{"Text": "y", "Flag": false, "Names": []any{}, "Labels": map[string]any{}}
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestTagChanges(t *testing.T) {
	have := parse(t, `{"Tags": [{"Key": "kept", "Value": "1"}, {"Key": "changed", "Value": "1"}, {"Key": "gone", "Value": "1"}]}`)
	want := parse(t, `{"Tags": {"kept": "1", "changed": "2", "new": ""}}`)
	set, unset := resources.TagChanges(have["Tags"], want["Tags"])
	if diff := cmp.Diff(map[string]string{"changed": "2", "new": ""}, set); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"gone"}, unset); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestStackTags(t *testing.T) {
	e := &resources.Env{Tags: map[string]string{"aws:cloudformation:stack-name": "s", "team": "stack"}}
	got := e.WithStackTags(parse(t, `{"Tags": [{"Key": "team", "Value": "own"}]}`)["Tags"])
	if diff := cmp.Diff(map[string]string{"aws:cloudformation:stack-name": "s", "team": "own"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if e.Tags["team"] != "stack" {
		t.Error("the stack's own tags were changed")
	}
}

func TestGone(t *testing.T) {
	for code, gone := range map[string]bool{
		"NoSuchEntity": true, "NoSuchBucket": true, "ResourceNotFoundException": true, "ParameterNotFound": true, "NotFoundException": true,
		"AccessDenied": false, "DeleteConflict": false, "": false,
	} {
		if err := resources.Gone(wire.Errorf(400, code, "x")); (err == nil) != gone {
			t.Errorf("%s: %v", code, err)
		}
	}
	if resources.Gone(nil) != nil {
		t.Error("no error became one")
	}
}

// TestRandom: ids are the same for one change, and others for another.
func TestRandom(t *testing.T) {
	a := &resources.Env{StackID: "s", LogicalID: "l", Token: "1"}
	b := &resources.Env{StackID: "s", LogicalID: "l", Token: "2"}
	if again := a.Random(9); again != a.Random(9) || len(again) != 9 || a.Random(9) == b.Random(9) || a.UUID() == b.UUID() {
		t.Errorf("%s %s, %s %s", a.Random(9), b.Random(9), a.UUID(), b.UUID())
	}
	if id := a.RecordedPoolID(a.Random(9)); !resources.IsRecordedPool(id) || resources.IsRecordedPool("us-east-1_AbCdEfGhI") {
		t.Errorf("%s", id)
	}
}
