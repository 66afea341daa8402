package xmlbody_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/assets/xmlbody"
)

func TestUnmarshal(t *testing.T) {
	want := settings.Tagging{TagSet: []settings.Tag{{Key: "a", Value: "<1>"}, {Key: "b"}}}
	var got settings.Tagging
	const document = `<?xml version="1.0"?><Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><!-- two --><TagSet><Tag><Key>a</Key><Value>&lt;1&gt;</Value></Tag><Tag><Key>b</Key></Tag></TagSet></Tagging>`
	if err := xmlbody.Unmarshal([]byte(document), "Tagging", &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefused(t *testing.T) {
	for document, want := range map[string]string{
		``:                          "empty",
		`<Other/>`:                  "the document's element is Other, not Tagging",
		`<Tagging/><Tagging/>`:      "Tagging",
		`<Tagging><TagSet>`:         "unexpected EOF",
		`<Tagging><Tag/></Tagging>`: "roost does not support the element Tagging.Tag",
		`<Tagging><TagSet><Tag><Key><b/></Key></Tag></TagSet></Tagging>`: "roost does not support the element Tagging.TagSet.Tag.Key.b",
		`<!DOCTYPE a [<!ENTITY b "c">]><Tagging/>`:                       "document type",
		`<Tagging>&b;</Tagging>`:                                         "entity",
		strings.Repeat("<Tagging>", 100):                                 "roost does not support",
	} {
		err := xmlbody.Unmarshal([]byte(document), "Tagging", &settings.Tagging{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", document, err, want)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(`<LifecycleConfiguration><Rule><Filter><And><Tag><Key>a</Key></Tag></And></Filter></Rule></LifecycleConfiguration>`)
	f.Add(`<LifecycleConfiguration xmlns="x"><Rule a="b"/><!-- --></LifecycleConfiguration>`)
	f.Fuzz(func(t *testing.T, document string) {
		var lifecycle settings.Lifecycle
		if err := xmlbody.Unmarshal([]byte(document), "LifecycleConfiguration", &lifecycle); err == nil && !strings.Contains(document, "LifecycleConfiguration") {
			t.Errorf("%q passes", document)
		}
	})
}
