package session

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

func newSealer(t testing.TB, key byte) *Sealer {
	t.Helper()
	s, err := NewSealer(bytes.Repeat([]byte{key}, 32), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seal(t testing.TB, s *Sealer, v Session) (string, string) {
	t.Helper()
	id, err := s.NewKeyID()
	if err != nil {
		t.Fatal(err)
	}
	v.KeyID = id
	token, err := s.Seal(&v)
	if err != nil {
		t.Fatal(err)
	}
	return id, token
}

func TestSealAndOpen(t *testing.T) {
	s := newSealer(t, 1)
	want := Session{RoleName: "r", PrincipalID: "AROA", Name: "n", Issued: 1, Expires: 2, Tags: map[string]string{"a": "b"}, AMR: []string{"x"}}
	id, token := seal(t, s, want)
	want.KeyID = id
	for range 2 { // sealed, and remembered
		o, err := s.Open(id, token)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, *o.Session); diff != "" || o.Secret != s.Secret(id) || len(o.Secret) != 40 {
			t.Error(diff)
		}
	}
	again, err := newSealer(t, 1).Open(id, token)
	if err != nil || again.Secret != s.Secret(id) {
		t.Errorf("with the same master key elsewhere: %v", err)
	}
	if _, err := newSealer(t, 2).Open(id, token); err == nil {
		t.Error("another master key opens it")
	}
	if !strings.HasPrefix(id, "ASIA") || len(id) != 20 {
		t.Error(id)
	}
}

func TestLongTokensAreRefused(t *testing.T) {
	s := newSealer(t, 1)
	_, token := seal(t, s, Session{Policies: []string{strings.Repeat("x", 2048)}})
	if len(token) > MaxToken {
		t.Error(len(token))
	}
	_, err := s.Seal(&Session{KeyID: "ASIA", Policies: []string{strings.Repeat("x", 3100)}})
	if wire.Code(err) != "PackedPolicyTooLarge" {
		t.Error(err)
	}
}

func TestMasterKeyHas32Bytes(t *testing.T) {
	if _, err := NewSealer(make([]byte, 16), rand.Reader); err == nil {
		t.Error("a short key is taken")
	}
}

// Only so many tokens are remembered, and one that was forgotten still opens.
func TestMemoryIsBounded(t *testing.T) {
	s := newSealer(t, 1)
	firstID, first := seal(t, s, Session{})
	for range maxOpened + 100 {
		id, token := seal(t, s, Session{})
		if _, err := s.Open(id, token); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.opened) > maxOpened {
		t.Errorf("%d tokens are remembered", len(s.opened))
	}
	if _, err := s.Open(firstID, first); err != nil {
		t.Error(err)
	}
}

// What is not a token of this master key for this key id does not open. The
// token that is given was sealed once with it.
func FuzzOpen(f *testing.F) {
	const id = "ASIAQQQQQQQQQQQQQQQQ"
	token, err := newSealer(f, 1).Seal(&Session{KeyID: id, RoleName: "r"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(id, token)
	f.Add(id[:19], token)
	f.Add(id, token[:40])
	f.Add(id, "")
	other := newSealer(f, 2)
	f.Fuzz(func(t *testing.T, id, token string) {
		if o, err := other.Open(id, token); err == nil {
			t.Errorf("%q opens as %+v", token, o.Session)
		}
	})
}
