package sealed_test

import (
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/internal/region/sealed"
)

func box(t interface{ Fatal(...any) }, key, purpose string) *sealed.Box {
	b, err := sealed.New([]byte(key), purpose, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOnlyTheSameKeyPurposeAndContextOpen(t *testing.T) {
	key := strings.Repeat("k", 32)
	rapid.Check(t, func(t *rapid.T) {
		value, context := rapid.String().Draw(t, "value"), rapid.String().Draw(t, "context")
		text, err := box(t, key, "one").Seal(value, context)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := box(t, key, "one").Open(text, context); err != nil || got != value {
			t.Fatalf("%q, %v", got, err)
		}
		raw, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		raw[rapid.IntRange(0, len(raw)-1).Draw(t, "byte")] ^= 1
		for name, open := range map[string]func() (string, error){
			"changed": func() (string, error) {
				return box(t, key, "one").Open(base64.StdEncoding.EncodeToString(raw), context)
			},
			"key":     func() (string, error) { return box(t, key+"k", "one").Open(text, context) },
			"purpose": func() (string, error) { return box(t, key, "two").Open(text, context) },
			"context": func() (string, error) { return box(t, key, "one").Open(text, context+"x") },
		} {
			if _, err := open(); err == nil {
				t.Errorf("another %s opens it", name)
			}
		}
	})
}

func TestShortKeyIsRefused(t *testing.T) {
	if _, err := sealed.New([]byte("short"), "one", rand.Reader); err == nil {
		t.Error("a key of five bytes passes")
	}
}
