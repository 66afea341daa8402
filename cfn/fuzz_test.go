package cfn_test

import (
	"encoding/json"
	"errors"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/seed-615d3599/roost/cfn"
)

// FuzzTemplate takes templates the whole way: whatever they are, the answer is
// a result that JSON can hold, or an Errors.
func FuzzTemplate(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			if strings.HasPrefix(path.Base(part.Name), "template.") {
				f.Add(part.Data, "value")
			}
		}
	}
	f.Fuzz(func(t *testing.T, template []byte, value string) {
		g := given{Pseudo: cfn.Pseudo{AccountID: "123456789012", Region: "us-east-1"}, Parameters: map[string]string{}, Dynamic: map[string]string{}}
		parsed, err := cfn.Parse("t", template)
		if err != nil {
			mustBeErrors(t, err)
			return
		}
		parsed.Summary()
		for _, p := range parsed.Parameters {
			g.Parameters[p.Name] = value
		}
		for _, g.Before = range []bool{false, true} {
			out, err := g.run("t", template)
			if err != nil {
				mustBeErrors(t, err)
				continue
			}
			if _, err := json.Marshal(out); err != nil {
				t.Fatalf("the result cannot be written: %v", err)
			}
		}
	})
}

func mustBeErrors(t *testing.T, err error) {
	t.Helper()
	var list cfn.Errors
	if !errors.As(err, &list) || len(list) == 0 || list[0].Text == "" {
		t.Fatalf("the error is no Errors: %T %v", err, err)
	}
}
