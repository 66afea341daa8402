package tokens

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/store"
)

func newKeeper(t testing.TB) *Keeper {
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &Keeper{Store: db, Region: "us-east-1"}
}

func TestTokensAreReadBackUntilTheyExpire(t *testing.T) {
	k := newKeeper(t)
	now := time.Unix(1_800_000_000, 0)
	k.Now = func() time.Time { return now }
	want := Token{IdentityID: "us-east-1:1", PoolID: "us-east-1:2", PoolARN: "arn", AMR: []string{"unauthenticated"}, PrincipalTags: map[string]string{"a": "b"}}
	text, err := k.Sign(t.Context(), want, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute - time.Second)
	got, err := k.Verify(t.Context(), text)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v, (-want +got):\n%s", err, diff)
	}
	now = now.Add(time.Second)
	if _, err := k.Verify(t.Context(), text); err == nil || err.Error() != "Token expired: 1800000060 >= 1800000060" {
		t.Errorf("at its end: %v", err)
	}
}

// Any byte of a token that changes makes it another one.
func TestEveryByteOfATokenCounts(t *testing.T) {
	k := newKeeper(t)
	text, err := k.Sign(t.Context(), Token{IdentityID: "us-east-1:1", PoolID: "us-east-1:2"}, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(text) {
		if i == len(text)-1 || text[i+1] == '.' {
			continue // the last character of a part has bits that say nothing
		}
		changed := []byte(text)
		if changed[i]++; changed[i] == 'z'+1 || changed[i] == '.'+1 {
			changed[i] = 'A'
		}
		if _, err := k.Verify(t.Context(), string(changed)); err == nil {
			t.Fatalf("with another byte %d the token is still taken: %s", i, changed)
		}
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("a.b.c")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	k := newKeeper(f)
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := k.Verify(t.Context(), text); err == nil {
			t.Fatal("an invented token was taken")
		}
	})
}
