package twitter

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// The functions of this file are the steps of RFC 5849, section 3.4, by its
// names and in its order.

// baseString returns the signature base string (section 3.4.1.1).
func baseString(method, baseURI string, params []param) string {
	return percentEncode(strings.ToUpper(method)) + "&" + percentEncode(baseURI) + "&" + percentEncode(normalize(params))
}

// baseStringURI returns the base string URI of a request as the client saw it
// (section 3.4.1.2): scheme and host in lower case, without the scheme's
// default port, and the path as it came over the wire.
func baseStringURI(r *http.Request) string {
	scheme, defaultPort := "http", ":80"
	if r.TLS != nil {
		scheme, defaultPort = "https", ":443"
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	return scheme + "://" + strings.TrimSuffix(strings.ToLower(r.Host), defaultPort) + path
}

// normalize returns the normalized parameters (section 3.4.1.3.2): encoded,
// then sorted by name and value. Every occurrence of a name counts.
func normalize(params []param) string {
	encoded := make([]param, len(params))
	for i, p := range params {
		encoded[i] = param{percentEncode(p.name), percentEncode(p.value)}
	}
	slices.SortFunc(encoded, func(a, b param) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	var out strings.Builder
	for i, p := range encoded {
		if i > 0 {
			out.WriteByte('&')
		}
		out.WriteString(p.name)
		out.WriteByte('=')
		out.WriteString(p.value)
	}
	return out.String()
}

// hmacSHA1 returns the signature of a base string (section 3.4.2). The token
// secret is empty where there is no token yet.
func hmacSHA1(base, consumerSecret, tokenSecret string) string {
	mac := hmac.New(sha1.New, []byte(percentEncode(consumerSecret)+"&"+percentEncode(tokenSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percentEncode encodes all bytes but the unreserved ones (section 3.6).
func percentEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			out.WriteByte(c)
		default:
			out.WriteByte('%')
			out.WriteByte(digits[c>>4])
			out.WriteByte(digits[c&15])
		}
	}
	return out.String()
}
