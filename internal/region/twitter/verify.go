package twitter

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// window is how far a request's timestamp may be from the clock either way.
const window = 5 * time.Minute

// signedRequest is a request whose signature holds.
type signedRequest struct {
	consumerKey string
	token       string
	oauth       map[string]string // the oauth_ parameters
}

// secretOf returns the secret of a token that was issued to a consumer, or an
// error that refuses it.
type secretOf func(r *http.Request, consumerKey, token string) (string, error)

// verify checks a request by RFC 5849, section 3.2: that it is signed with a
// known consumer's secret and the secret of its token, that its timestamp is
// near and its nonce new. A nil secretOf means that the request has no token.
func (p *Provider) verify(r *http.Request, tokenSecret secretOf) (*signedRequest, error) {
	params, oauth, err := collect(r)
	if err != nil {
		return nil, err
	}
	timestamp, err := p.checkProtocol(oauth)
	if err != nil {
		return nil, err
	}
	signed := &signedRequest{consumerKey: oauth["oauth_consumer_key"], token: oauth["oauth_token"], oauth: oauth}
	_, consumerSecrets := p.config.Consumers(signed.consumerKey)
	if len(consumerSecrets) == 0 {
		return nil, couldNotAuthenticate("no deployed identity pool has the consumer key %q", signed.consumerKey)
	}
	secret := ""
	if tokenSecret != nil {
		if secret, err = tokenSecret(r, signed.consumerKey, signed.token); err != nil {
			return nil, err
		}
	}
	base := baseString(r.Method, baseStringURI(r), params)
	if !signatureHolds(oauth["oauth_signature"], base, consumerSecrets, secret) {
		return nil, couldNotAuthenticate("the signature differs; the signature base string here is %s", base)
	}
	oldest := p.config.Now().Add(-window)
	switch err := p.nonces.use(timestamp, oldest, signed.consumerKey, signed.token, oauth["oauth_nonce"]); {
	case errors.Is(err, errNoncesFull):
		return nil, overCapacity(err.Error())
	case err != nil:
		return nil, couldNotAuthenticate("%v", err)
	}
	return signed, nil
}

// signatureHolds compares in constant time, with each secret of the consumer.
func signatureHolds(signature, base string, consumerSecrets []string, tokenSecret string) bool {
	holds := 0
	for _, consumerSecret := range consumerSecrets {
		expected := hmacSHA1(base, consumerSecret, tokenSecret)
		holds |= subtle.ConstantTimeCompare([]byte(signature), []byte(expected))
	}
	return holds == 1
}

// checkProtocol checks version, method, nonce and timestamp, which it returns
// in Unix seconds.
func (p *Provider) checkProtocol(oauth map[string]string) (int64, error) {
	// "1.0A" is what the npm package oauth has in its example for Twitter.
	if version, ok := oauth["oauth_version"]; ok && version != "1.0" && version != "1.0A" {
		return 0, couldNotAuthenticate("oauth_version is %q and must be 1.0", version)
	}
	if method := oauth["oauth_signature_method"]; method != "HMAC-SHA1" {
		return 0, couldNotAuthenticate("oauth_signature_method is %q and must be HMAC-SHA1", method)
	}
	if nonce := oauth["oauth_nonce"]; nonce == "" || len(nonce) > 512 {
		return 0, couldNotAuthenticate("oauth_nonce is empty or over 512 bytes")
	}
	timestamp, err := strconv.ParseInt(oauth["oauth_timestamp"], 10, 64)
	if err != nil || timestamp <= 0 {
		return 0, couldNotAuthenticate("oauth_timestamp %q is not a positive number of seconds", oauth["oauth_timestamp"])
	}
	now := p.config.Now()
	if timestamp < now.Add(-window).Unix() || timestamp > now.Add(window).Unix() {
		return 0, timestampOutOfBounds(fmt.Sprintf("oauth_timestamp is %d, the clock here says %d, and they may differ by %s", timestamp, now.Unix(), window))
	}
	return timestamp, nil
}

// collect returns the parameters that are signed (RFC 5849, section 3.4.1.3.1)
// and among them those of the protocol, the signature included.
func collect(r *http.Request) (signed []param, oauth map[string]string, err error) {
	sources, err := sources(r)
	if err != nil {
		return nil, nil, err
	}
	oauth = make(map[string]string)
	in := -1 // the one source that may hold the protocol's parameters
	for i, params := range sources {
		for _, p := range params {
			if strings.HasPrefix(p.name, "oauth_") {
				if _, twice := oauth[p.name]; twice || in >= 0 && in != i {
					return nil, nil, badAuthenticationData("%s is given twice, or the oauth_ parameters are in two places", p.name)
				}
				in = i
				oauth[p.name] = p.value
			}
			if p.name != "oauth_signature" {
				signed = append(signed, p)
			}
		}
	}
	for _, name := range []string{"oauth_consumer_key", "oauth_signature_method", "oauth_signature", "oauth_timestamp", "oauth_nonce"} {
		if oauth[name] == "" {
			return nil, nil, badAuthenticationData("%s is missing: the request is not signed by OAuth 1.0a", name)
		}
	}
	return signed, oauth, nil
}

// sources reads the three places that hold parameters: the Authorization
// header, a form-encoded body and the query.
func sources(r *http.Request) ([3][]param, error) {
	var all [3][]param
	var err error
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return all, badAuthenticationData("there are %d Authorization headers", len(headers))
	}
	if len(headers) == 1 {
		if all[0], err = parseAuthorization(headers[0]); err != nil {
			return all, badAuthenticationData("%v", err)
		}
	}
	if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType == "application/x-www-form-urlencoded" {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return all, err
		}
		if all[1], err = parseForm(string(body)); err != nil {
			return all, badAuthenticationData("%v", err)
		}
	}
	if all[2], err = parseForm(r.URL.RawQuery); err != nil {
		return all, badAuthenticationData("%v", err)
	}
	return all, nil
}
