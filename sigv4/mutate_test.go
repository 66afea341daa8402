package sigv4_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/sigv4"
)

// The oracle is a second reading of the signing protocol, written for clarity
// and with other means than the package: maps, regular expressions, net/url,
// path.Clean and crypto/hmac.
type oracle struct {
	pathAsSent, omitToken bool
	secret                string
}

// stated is what a request says of its signature.
type stated struct {
	presigned                                         bool
	credential, signedHeaders, signature, date, token string
}

var authorizationForm = regexp.MustCompile(`^[ \t]*AWS4-HMAC-SHA256 (.*)$`)

func (o oracle) state(r sigv4.Request) (s stated, ok bool) {
	_, query, _ := strings.Cut(r.Target, "?")
	values := parameters(query)
	first := func(name string) string {
		for _, h := range r.Header {
			if strings.ToLower(h.Name) == name {
				return strings.Trim(h.Value, " \t\r\n")
			}
		}
		return ""
	}
	if authorization := first("authorization"); authorization != "" {
		match := authorizationForm.FindStringSubmatch(authorization)
		if match == nil || len(values["X-Amz-Algorithm"]) > 0 {
			return s, false
		}
		parts := map[string]string{}
		for part := range strings.SplitSeq(match[1], ",") {
			name, value, _ := strings.Cut(strings.Trim(part, " \t\r\n"), "=")
			parts[name] = value
		}
		return stated{false, parts["Credential"], parts["SignedHeaders"], parts["Signature"], first("x-amz-date"), first("x-amz-security-token")}, true
	}
	one := func(name string) string { return strings.Join(values[name], "|") }
	return stated{true, one("X-Amz-Credential"), one("X-Amz-SignedHeaders"), one("X-Amz-Signature"), one("X-Amz-Date"), one("X-Amz-Security-Token")},
		one("X-Amz-Algorithm") == "AWS4-HMAC-SHA256"
}

func parameters(query string) map[string][]string {
	out := map[string][]string{}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		key, err1 := url.QueryUnescape(key)
		value, err2 := url.QueryUnescape(value)
		if err := errors.Join(err1, err2); err != nil {
			key, value = "not a query", pair
		}
		out[key] = append(out[key], value)
	}
	return out
}

var reserved = regexp.MustCompile(`[^A-Za-z0-9._~-]`)

// percent encodes every byte but the unreserved; it works on Latin-1, so that
// the regular expression sees bytes.
func percent(s string) string {
	latin1 := make([]rune, len(s))
	for i := range len(s) {
		latin1[i] = rune(s[i])
	}
	return reserved.ReplaceAllStringFunc(string(latin1), func(c string) string { return fmt.Sprintf("%%%02X", []rune(c)[0]) })
}

func (o oracle) path(p string) string {
	if !o.pathAsSent {
		cleaned := path.Clean(p)
		if cleaned != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
			cleaned += "/"
		}
		p = cleaned
	}
	segments := strings.Split(p, "/")
	for i, segment := range segments {
		if o.pathAsSent {
			decoded, err := url.PathUnescape(segment)
			if err != nil {
				return "not a path: " + p
			}
			segment = decoded
		}
		segments[i] = percent(segment)
	}
	return strings.Join(segments, "/")
}

func (o oracle) canonical(r sigv4.Request, s stated) string {
	p, query, _ := strings.Cut(r.Target, "?")
	values := parameters(query)
	if s.presigned {
		delete(values, "X-Amz-Signature")
		if o.omitToken {
			delete(values, "X-Amz-Security-Token")
		}
	}
	var pairs [][2]string
	for key, list := range values {
		for _, value := range list {
			pairs = append(pairs, [2]string{percent(key), percent(value)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var joined []string
	for _, pair := range pairs {
		joined = append(joined, pair[0]+"="+pair[1])
	}
	names := strings.Split(s.signedHeaders, ";")
	slices.Sort(names)
	lines := ""
	for _, name := range names {
		var found []string
		if name == "host" {
			found = append(found, squeeze(r.Host))
		}
		for _, h := range r.Header {
			if asciiLower(h.Name) == name && name != "host" {
				found = append(found, squeeze(h.Value))
			}
		}
		if found == nil {
			lines += "missing "
		}
		lines += name + ":" + strings.Join(found, ",") + "\n"
	}
	sum := sha256.Sum256(r.Body)
	return strings.Join([]string{r.Method, o.path(p), strings.Join(joined, "&"), lines, strings.Join(names, ";"), hex.EncodeToString(sum[:])}, "\n")
}

func squeeze(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), " ")
}

func asciiLower(s string) string {
	out := []byte(s)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 32
		}
	}
	return string(out)
}

// signature computes what the signature has to be.
func (o oracle) signature(r sigv4.Request, s stated) string {
	return o.signText(s, o.canonical(r, s))
}

func (o oracle) signText(s stated, canonical string) string {
	return o.signWith(o.key(s), s, canonical)
}

func (o oracle) signWith(key string, s stated, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	_, scope, _ := strings.Cut(s.credential, "/")
	return hex.EncodeToString([]byte(mac(key, "AWS4-HMAC-SHA256\n"+s.date+"\n"+scope+"\n"+hex.EncodeToString(sum[:]))))
}

// key derives the signing key from the parts of the credential.
func (o oracle) key(s stated) string {
	key := "AWS4" + o.secret
	for _, part := range strings.Split(s.credential, "/")[1:] {
		key = mac(key, part)
	}
	return key
}

func mac(key, message string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(message))
	return string(h.Sum(nil))
}

// accepts is the oracle's answer for a request of which only the key, the scope
// and the time of the original are good.
func (o oracle) accepts(r sigv4.Request, original stated) bool {
	s, ok := o.state(r)
	return ok && s.credential == original.credential && s.date == original.date && s.token == original.token &&
		slices.Contains(strings.Split(s.signedHeaders, ";"), "host") && s.signature == o.signature(r, s)
}

// places returns a setter for every string of the request that a byte can be
// changed in.
func places(r sigv4.Request) map[string]func(change func(string) string) sigv4.Request {
	out := map[string]func(func(string) string) sigv4.Request{
		"method": func(f func(string) string) sigv4.Request { r := r; r.Method = f(r.Method); return r },
		"target": func(f func(string) string) sigv4.Request { r := r; r.Target = f(r.Target); return r },
		"host":   func(f func(string) string) sigv4.Request { r := r; r.Host = f(r.Host); return r },
		"body":   func(f func(string) string) sigv4.Request { r := r; r.Body = []byte(f(string(r.Body))); return r },
	}
	for i := range r.Header {
		header := func(change func(*sigv4.Header)) sigv4.Request {
			r := r
			r.Header = slices.Clone(r.Header)
			change(&r.Header[i])
			return r
		}
		out[fmt.Sprintf("name of header %d", i)] = func(f func(string) string) sigv4.Request {
			return header(func(h *sigv4.Header) { h.Name = f(h.Name) })
		}
		out[fmt.Sprintf("value of header %d", i)] = func(f func(string) string) sigv4.Request {
			return header(func(h *sigv4.Header) { h.Value = f(h.Value) })
		}
	}
	return out
}

// TestEveryByte changes every byte of every case of the suite, one at a time, and
// expects Verify to refuse all but those changes that the oracle accepts.
func TestEveryByte(t *testing.T) {
	changed, accepted := 0, 0
	for _, v := range vectors(t) {
		for _, kind := range []string{"header", "query"} {
			r := parseRaw(v.file(t, kind+"-signed-request.txt"))
			o := oracle{!v.Context.Normalize, v.Context.OmitToken, v.Context.Credentials.Secret}
			original, _ := o.state(r)
			if !o.accepts(r, original) {
				t.Fatalf("%s/%s: the oracle does not accept the case itself", v.name(), kind)
			}
			verifier := v.verifier()
			for place, set := range places(r) {
				length := 0
				set(func(s string) string { length = len(s); return s })
				for i := range length {
					for _, flip := range []byte{0x01, 0x20, 0x80, byte(1 + i%255)} {
						mutant := set(func(s string) string { return s[:i] + string([]byte{s[i] ^ flip}) + s[i+1:] })
						want := o.accepts(mutant, original)
						_, err := verifier.Verify(&mutant, v.key)
						changed++
						if err == nil {
							accepted++
						}
						if (err == nil) != want && !refusedEarlier(err) {
							t.Fatalf("%s/%s: %s, byte %d ^ %#x: %v, but the oracle says %v: %+q", v.name(), kind, place, i, flip, err, want, mutant)
						}
					}
				}
			}
		}
	}
	t.Logf("%d changes, %d of them harmless", changed, accepted)
	if changed < 90_000 || accepted == 0 {
		t.Error("the mutations do not reach what they should")
	}
}

// refusedEarlier reports whether a request was refused for its form before its
// signature was looked at; the oracle has no such checks.
func refusedEarlier(err error) bool {
	var e *sigv4.Error
	return errors.As(err, &e) && (e.Code == sigv4.CodeBadRequest || e.Code == sigv4.CodeMalformedQueryString)
}
