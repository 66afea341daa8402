package twitter

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// user is a person with a screen name. The numeric id never changes and is
// nobody else's.
type user struct {
	ID         int64
	ScreenName string // as it was first written
	CreatedAt  time.Time
}

// The kinds of items in the store.
const (
	kindUser    = "twitter.user"    // by screen name in lower case
	kindUserID  = "twitter.user-id" // by id; the value is the user's key
	kindRequest = "twitter.request" // request tokens
	kindAccess  = "twitter.access"  // access tokens
	kindGrant   = "twitter.grant"   // by consumer key and user id; the value is the access token
)

// validScreenName is Twitter's rule for screen names, except that it ends them
// at 15 characters. (Accounts older than that rule have longer ones.)
func validScreenName(name string) bool {
	const longest = 32
	return name != "" && len(name) <= longest && strings.IndexFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// signedInUser returns the user with a screen name, in any case, and creates
// it at its first sign-in. The id follows from the name, so that it is the same
// in every fresh state; where it is taken, the next free one is used.
func (p *Provider) signedInUser(tx *store.Tx, screenName string) (user, error) {
	var found user
	key := strings.ToLower(screenName)
	if ok, err := tx.Get(kindUser, key, &found); ok || err != nil {
		return found, err
	}
	sum := sha256.Sum256([]byte("twitter user " + key))
	const lowest, span = 1_000_000_000, 9_000_000_000
	for n := binary.BigEndian.Uint64(sum[:8]); ; n++ {
		id := lowest + int64(n%span)
		var holder string
		taken, err := tx.Get(kindUserID, strconv.FormatInt(id, 10), &holder)
		if err != nil {
			return user{}, err
		}
		if taken {
			continue
		}
		created := user{ID: id, ScreenName: screenName, CreatedAt: p.config.Now().UTC()}
		if err := tx.Put(kindUserID, strconv.FormatInt(id, 10), key); err != nil {
			return user{}, err
		}
		return created, tx.Put(kindUser, key, created)
	}
}

// userOf returns the user whom an access token speaks for.
func (p *Provider) userOf(ctx context.Context, token string) (found user, err error) {
	err = p.config.Store.View(ctx, func(tx *store.Tx) error {
		var access accessToken
		if ok, err := tx.Get(kindAccess, token, &access); !ok || err != nil {
			return orInvalid(err, "the access token was revoked meanwhile")
		}
		ok, err := tx.Get(kindUser, access.UserKey, &found)
		if !ok {
			return orInvalid(err, "the user of the access token does not exist")
		}
		return err
	})
	return found, err
}

// orInvalid returns err, or where there is none the refusal of a token.
func orInvalid(err error, reason string) error {
	if err != nil {
		return err
	}
	return invalidToken(reason)
}
