package twitter

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// requestTokenLife is how long a sign-in may take, from the request token to
// the access token.
const requestTokenLife = 15 * time.Minute

// maxGuesses is how many wrong verifiers end a request token: a PIN has seven
// digits only.
const maxGuesses = 5

// requestToken is what RFC 5849 calls temporary credentials (section 2.1).
type requestToken struct {
	Secret      string
	ConsumerKey string
	Callback    string // a URL, or oob
	Issued      time.Time
	UserKey     string // who has authorized it, once somebody has
	Verifier    string
	Guesses     int
}

// accessToken is what RFC 5849 calls token credentials (section 2.3).
type accessToken struct {
	Secret      string
	ConsumerKey string
	UserKey     string
}

// requestToken answers /oauth/request_token.
func (p *Provider) requestToken(w http.ResponseWriter, r *http.Request) error {
	signed, err := p.verify(r, nil)
	if err != nil {
		return err
	}
	if signed.token != "" {
		return badAuthenticationData("a request for a request token carries no oauth_token")
	}
	callback := signed.oauth["oauth_callback"]
	if callback == "" {
		return parameterMissing("oauth_callback")
	}
	if !validCallback(callback) {
		return callbackNotApproved("oauth_callback must be oob or an absolute URL without a fragment, and not a script")
	}
	issued := requestToken{ConsumerKey: signed.consumerKey, Callback: callback, Issued: p.config.Now().UTC()}
	token, err := p.issueRequestToken(r.Context(), issued)
	if err != nil {
		return err
	}
	return writeForm(w, "oauth_token", token.name, "oauth_token_secret", token.secret, "oauth_callback_confirmed", "true")
}

// issued is a token's public name and its secret.
type issued struct{ name, secret string }

func (p *Provider) issueRequestToken(ctx context.Context, token requestToken) (issued, error) {
	texts, err := p.randomTexts(27, 32)
	if err != nil {
		return issued{}, err
	}
	name := texts[0]
	token.Secret = texts[1]
	err = p.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if err := p.sweep(tx); err != nil {
			return err
		}
		return tx.Put(kindRequest, name, token)
	})
	return issued{name, token.Secret}, err
}

// sweep removes expired request tokens, at most once a minute, so that
// abandoned sign-ins do not pile up.
func (p *Provider) sweep(tx *store.Tx) error {
	now := p.config.Now()
	p.mu.Lock()
	due := now.Sub(p.swept) >= time.Minute || now.Before(p.swept)
	if due {
		p.swept = now
	}
	p.mu.Unlock()
	if !due {
		return nil
	}
	items, err := tx.List(kindRequest, "")
	if err != nil {
		return err
	}
	for _, item := range items {
		if _, err := p.liveRequestToken(tx, item.Key); errors.As(err, new(*apiError)) {
			err = tx.Delete(kindRequest, item.Key)
			if err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
	}
	return nil
}

// liveRequestToken reads a request token that has not expired.
func (p *Provider) liveRequestToken(tx *store.Tx, name string) (requestToken, error) {
	var token requestToken
	ok, err := tx.Get(kindRequest, name, &token)
	switch {
	case err != nil:
		return requestToken{}, err
	case !ok:
		return requestToken{}, invalidToken("this request token was not issued here, or was used, or was cancelled")
	case p.config.Now().Sub(token.Issued) > requestTokenLife:
		return requestToken{}, invalidToken("this request token is older than " + requestTokenLife.String())
	}
	return token, nil
}

// requestSecret returns the secret of a request token, for verify.
func (p *Provider) requestSecret(r *http.Request, consumerKey, name string) (string, error) {
	var token requestToken
	err := p.config.Store.View(r.Context(), func(tx *store.Tx) (err error) {
		token, err = p.liveRequestToken(tx, name)
		return err
	})
	if err == nil && token.ConsumerKey != consumerKey {
		err = invalidToken("this request token was issued to another app")
	}
	return token.Secret, err
}

// accessSecret returns the secret of an access token, for verify.
func (p *Provider) accessSecret(r *http.Request, consumerKey, name string) (string, error) {
	if name == "" {
		return "", badAuthenticationData("oauth_token is missing: the request speaks for nobody")
	}
	var token accessToken
	err := p.config.Store.View(r.Context(), func(tx *store.Tx) error {
		ok, err := tx.Get(kindAccess, name, &token)
		if !ok {
			return orInvalid(err, "this access token was not issued here, or was revoked")
		}
		return err
	})
	if err == nil && token.ConsumerKey != consumerKey {
		err = invalidToken("this access token was issued to another app")
	}
	return token.Secret, err
}

// accessToken answers /oauth/access_token: it exchanges a request token and
// its verifier, once, for an access token.
func (p *Provider) accessToken(w http.ResponseWriter, r *http.Request) error {
	signed, err := p.verify(r, p.requestSecret)
	if err != nil {
		return err
	}
	texts, err := p.randomTexts(40, 45)
	if err != nil {
		return err
	}
	var who user
	var token issued
	var refusal error // the transaction is kept, as it counts the guess
	err = p.config.Store.Update(r.Context(), func(_ context.Context, tx *store.Tx) error {
		request, err := p.liveRequestToken(tx, signed.token)
		if err != nil {
			return err
		}
		if refusal = checkVerifier(&request, signed.oauth["oauth_verifier"]); refusal != nil {
			return keepGuess(tx, signed.token, request)
		}
		if err := tx.Delete(kindRequest, signed.token); err != nil {
			return err
		}
		if _, err := tx.Get(kindUser, request.UserKey, &who); err != nil {
			return err
		}
		token, err = grant(tx, request, who, issued{texts[0], texts[1]})
		return err
	})
	if err = errors.Join(err, refusal); err != nil {
		return err
	}
	return writeForm(w, "oauth_token", token.name, "oauth_token_secret", token.secret,
		"user_id", strconv.FormatInt(who.ID, 10), "screen_name", who.ScreenName)
}

// checkVerifier compares the verifier, and counts a wrong one.
func checkVerifier(request *requestToken, verifier string) error {
	if request.Verifier == "" {
		return invalidVerifier("nobody has authorized this request token yet")
	}
	if subtle.ConstantTimeCompare([]byte(verifier), []byte(request.Verifier)) != 1 {
		request.Guesses++
		return invalidVerifier("the verifier (the PIN) is wrong")
	}
	return nil
}

func keepGuess(tx *store.Tx, name string, request requestToken) error {
	if request.Guesses >= maxGuesses {
		return tx.Delete(kindRequest, name)
	}
	return tx.Put(kindRequest, name, request)
}

// grant returns the access token of a user for an app: the one that exists,
// as on Twitter, or a new one made of the given texts.
func grant(tx *store.Tx, request requestToken, who user, fresh issued) (issued, error) {
	key := grantKey(request.ConsumerKey, who)
	var name string
	if _, err := tx.Get(kindGrant, key, &name); err != nil {
		return issued{}, err
	}
	var existing accessToken
	if ok, err := tx.Get(kindAccess, name, &existing); ok || err != nil {
		return issued{name, existing.Secret}, err
	}
	name = strconv.FormatInt(who.ID, 10) + "-" + fresh.name
	if err := tx.Put(kindGrant, key, name); err != nil {
		return issued{}, err
	}
	created := accessToken{Secret: fresh.secret, ConsumerKey: request.ConsumerKey, UserKey: request.UserKey}
	return issued{name, fresh.secret}, tx.Put(kindAccess, name, created)
}

func grantKey(consumerKey string, who user) string {
	return url.PathEscape(consumerKey) + "/" + strconv.FormatInt(who.ID, 10)
}

// invalidateToken answers /1.1/oauth/invalidate_token, which revokes the
// access token that the request is signed with.
func (p *Provider) invalidateToken(w http.ResponseWriter, r *http.Request) error {
	signed, err := p.verify(r, p.accessSecret)
	if err != nil {
		return err
	}
	err = p.config.Store.Update(r.Context(), func(_ context.Context, tx *store.Tx) error {
		return tx.Delete(kindAccess, signed.token)
	})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]string{"access_token": signed.token})
	return nil
}

// validCallback reports whether a browser may be sent to a callback.
func validCallback(callback string) bool {
	if callback == "oob" {
		return true
	}
	u, err := url.Parse(callback)
	if err != nil || !u.IsAbs() || u.Fragment != "" {
		return false
	}
	switch u.Scheme {
	case "javascript", "data", "vbscript", "file", "about", "blob":
		return false
	case "http", "https":
		return u.Host != ""
	}
	return true // an app's own scheme
}

// writeForm writes names and values as form-encoded text, which Twitter serves
// as text/html.
func writeForm(w http.ResponseWriter, namesAndValues ...string) error {
	var pairs []string
	for i := 0; i < len(namesAndValues); i += 2 {
		pairs = append(pairs, namesAndValues[i]+"="+percentEncode(namesAndValues[i+1]))
	}
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, strings.Join(pairs, "&"))
	return nil
}

// randomTexts returns texts of letters and digits with the given lengths.
func (p *Provider) randomTexts(lengths ...int) ([]string, error) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	texts := make([]string, len(lengths))
	for i, length := range lengths {
		var out strings.Builder
		for range length {
			n, err := p.randomBelow(len(letters))
			if err != nil {
				return nil, err
			}
			out.WriteByte(letters[n])
		}
		texts[i] = out.String()
	}
	return texts, nil
}

// randomBelow returns a number from 0 to limit-1, each equally likely. The
// limit is at most 256.
func (p *Provider) randomBelow(limit int) (int, error) {
	var one [1]byte
	for {
		if _, err := io.ReadFull(p.config.Rand, one[:]); err != nil {
			return 0, err
		}
		if n := int(one[0]); n < 256-256%limit {
			return n % limit, nil
		}
	}
}
