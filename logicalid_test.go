package roost

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
)

func TestLogicalID(t *testing.T) {
	for _, test := range []struct{ path, want string }{
		{"ApiEndpoint", "ApiEndpoint"},
		{"My-Table/Default", "MyTable"},
		{"Api/Api/Resource", "ApiCD79AAA0"},
		{"Exports/Output{\"Ref\":\"Bucket83908E77\"}", "ExportsOutputRefBucket83908E7781C90AC0"},
		{strings.Repeat("a", 300) + "/b", strings.Repeat("a", 240)},
	} {
		got := logicalID(strings.Split(test.path, "/"))
		if test.want != got && got[:len(got)-8] != test.want {
			t.Errorf("logicalID(%s) = %s, want %s", test.path, got, test.want)
		}
	}
}

// TestLogicalIDsOfCDK takes every path that CDK noted with its logical id.
func TestLogicalIDsOfCDK(t *testing.T) {
	data, err := os.ReadFile(need.Shared(t, "fixtures", "tutorial-sst-0.9.7", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Artifacts map[string]struct {
			Metadata map[string][]struct {
				Type string
				Data any
			}
		}
	}
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	count := 0
	for id, artifact := range m.Artifacts {
		for path, entries := range artifact.Metadata {
			for _, entry := range entries {
				if entry.Type != "aws:cdk:logicalId" {
					continue
				}
				count++
				below := strings.Split(strings.TrimPrefix(path, "/"+id+"/"), "/")
				if got := logicalID(below); got != entry.Data {
					t.Errorf("logicalID(%s) = %s, want %s", path, got, entry.Data)
				}
			}
		}
	}
	if count < 25 {
		t.Errorf("only %d logical ids were compared", count)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a", string(pseudo("Region")), "${roost:", "${roost:{}}", "${roost:{}", "a" + string(Secret("A")) + "b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts, err := parse(s)
		if err != nil {
			return
		}
		for _, p := range parts {
			if p.ref == nil && strings.Contains(p.text, markerStart) {
				t.Errorf("a marker of %q was left in %q", s, p.text)
			}
		}
		if !strings.Contains(s, markerStart) && len(parts) > 1 {
			t.Errorf("%q without markers has %d parts", s, len(parts))
		}
	})
}
