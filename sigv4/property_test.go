package sigv4_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/sigv4"
	"pgregory.net/rapid"
)

// drawRequest draws a request with what gives signers trouble: escapes in either
// case, dots, doubled slashes, plus signs, equal keys, empty values, blanks.
func drawRequest(t *rapid.T) sigv4.Request {
	piece := rapid.SampledFrom([]string{"a", "B", "0", "-", "~", ".", "..", "/", "//", "%2F", "%2f", "%41", "%20", "%25", "+", "@", "=", ":", "é", "\xff", " ", "*"})
	pieces := func(label string, max int) string {
		return strings.Join(rapid.SliceOfN(piece, 0, max).Draw(t, label), "")
	}
	r := sigv4.Request{
		Method: rapid.SampledFrom([]string{"GET", "POST", "M-SEARCH"}).Draw(t, "method"),
		Target: "/" + pieces("path", 8),
		Host:   rapid.SampledFrom([]string{"example.com", "127.0.0.1:4000"}).Draw(t, "host"),
		Body:   []byte(pieces("body", 4)),
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "parameters") {
		r.Target += string("?&&&"[i]) + pieces("key", 2) + rapid.SampledFrom([]string{"=", ""}).Draw(t, "equals") + pieces("value", 2)
	}
	for range rapid.IntRange(0, 4).Draw(t, "headers") {
		name := rapid.SampledFrom([]string{"X-A", "x-a", "X-B", "Content-Type"}).Draw(t, "name")
		r.Header = append(r.Header, sigv4.Header{Name: name, Value: rapid.StringMatching(`[ \t]{0,2}[a-c",]{0,3}[ \t]{0,3}[a-c]{0,2}[ \t]{0,2}`).Draw(t, "value")})
	}
	r.Header = append(r.Header, sigv4.Header{Name: "X-Amz-Date", Value: "20261122T120000Z"})
	return r
}

// signAsOracle signs a request with the oracle's arithmetic.
func signAsOracle(r sigv4.Request, o oracle) sigv4.Request {
	names := map[string]bool{"host": true}
	for _, h := range r.Header {
		names[asciiLower(h.Name)] = true
	}
	s := stated{credential: testerID + "/20261122/us-east-1/execute-api/aws4_request", date: "20261122T120000Z"}
	for _, name := range []string{"content-type", "host", "x-a", "x-amz-date", "x-b"} {
		if names[name] {
			s.signedHeaders += ";" + name
		}
	}
	s.signedHeaders = s.signedHeaders[1:]
	return set(r, "Authorization", "AWS4-HMAC-SHA256 Credential="+s.credential+", SignedHeaders="+s.signedHeaders+", Signature="+o.signature(r, s))
}

// TestOracleAgrees draws requests, has the oracle sign them, changes, inserts or
// removes a byte somewhere, and expects Verify to answer as the oracle does.
func TestOracleAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := oracle{secret: testerSecret, pathAsSent: rapid.Bool().Draw(t, "path as sent")}
		verifier := gateway()
		verifier.PathAsSent = o.pathAsSent
		r := signAsOracle(drawRequest(t), o)
		original, _ := o.state(r)
		if _, err := verifier.Verify(&r, keys); err != nil && !refusedEarlier(err) {
			t.Fatalf("refuses what the oracle signed: %v: %s", err, verifier.Diagnose(&r, keys).Sentence)
		} else if err != nil {
			return
		}
		all := places(r)
		names := []string{"method", "target", "host", "body", "name of header 0", "value of header 0"}
		change := all[rapid.SampledFrom(names).Draw(t, "place")]
		kind, b := rapid.IntRange(0, 2).Draw(t, "kind"), rapid.Byte().Draw(t, "byte")
		mutant := change(func(s string) string {
			i := rapid.IntRange(0, len(s)).Draw(t, "at")
			switch {
			case kind == 0 || i == len(s):
				return s[:i] + string([]byte{b}) + s[i:]
			case kind == 1:
				return s[:i] + s[i+1:]
			default:
				return s[:i] + string([]byte{b}) + s[i+1:]
			}
		})
		_, err := verifier.Verify(&mutant, keys)
		if want := o.accepts(mutant, original); (err == nil) != want && !refusedEarlier(err) {
			t.Fatalf("%v, but the oracle says %v", err, want)
		}
	})
}

// TestHMAC compares the package's HMAC, through a whole signature, with
// crypto/hmac for secrets of every length around the block size.
func TestHMAC(t *testing.T) {
	for length := range 200 {
		secret := strings.Repeat("s", length)
		r := signAsOracle(sigv4.Request{Method: "GET", Target: "/", Host: "h", Header: []sigv4.Header{{Name: "X-Amz-Date", Value: "20261122T120000Z"}}}, oracle{secret: secret})
		verifier := gateway()
		if _, err := verifier.Verify(&r, func(string, string) (string, error) { return secret, nil }); err != nil {
			t.Errorf("secret of %d bytes: %v", length, err)
		}
	}
}

// FuzzVerify feeds requests of any form. None may panic, none may be accepted
// that the oracle refuses, and none may be diagnosed as correct that is refused.
func FuzzVerify(f *testing.F) {
	for _, r := range []sigv4.Request{signed(f, "/a%20b//c?b=2&a=1", nil), signed(f, "/", withToken), presigned(f, "/x?y", nil)} {
		text := r.Method + " " + r.Target + " HTTP/1.1\nHost:" + r.Host
		for _, h := range r.Header {
			text += "\n" + h.Name + ":" + h.Value
		}
		f.Add(text+"\n\nbody", false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, s3 bool) {
		if head, _, _ := strings.Cut(text, "\n\n"); strings.Contains(head, "\n\r") || strings.HasPrefix(head, "\n") || strings.Contains(head, "\n ") || strings.Contains(head, "\n\t") {
			t.Skip("not a head that an HTTP server would let through")
		}
		r := parseRaw(text)
		verifier := gateway()
		verifier.S3 = s3
		sig, err := verifier.Verify(&r, keys)
		diagnosis := verifier.Diagnose(&r, keys)
		if (diagnosis.Sentence == "the signature is correct") != (err == nil) {
			t.Errorf("%v, but the diagnosis is %q", err, diagnosis.Sentence)
		}
		if _, ok := sigv4.PeekScope(&r); err == nil && !ok {
			t.Error("accepted without a scope")
		}
		if err != nil || s3 {
			return
		}
		o := oracle{secret: testerSecret}
		if sig.AccessKeyID == tokenID {
			o.secret = tokenSecret
		}
		s, ok := o.state(r)
		if !ok || s.signature != o.signature(r, s) {
			t.Errorf("accepted, but the oracle refuses %+q", r)
		}
	})
}

// TestCredentialsPrint expects no secret, whatever the verb.
func TestCredentialsPrint(t *testing.T) {
	c := sigv4.Credentials{AccessKeyID: "AKID", SecretAccessKey: "s3cret", SessionToken: "t0ken"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, value := range []any{c, &c, sigv4.Signer{Credentials: c}} {
			if printed := fmt.Sprintf(verb, value); !strings.Contains(printed, "AKID") || strings.Contains(printed, "s3cret") || strings.Contains(printed, "t0ken") {
				t.Errorf("%s prints %s", verb, printed)
			}
		}
	}
}

// TestDateHeader signs the Date header in place of X-Amz-Date, in its three forms.
func TestDateHeader(t *testing.T) {
	for _, date := range []string{"20261122T120000Z", "Sun, 22 Nov 2026 12:00:00 GMT", "Sun, 22 Nov 2026 12:00:00 -0000", "Sun, 22 Nov 2026 13:00:00 +0100"} {
		r := sigv4.Request{Method: "GET", Target: "/", Host: "h", Header: []sigv4.Header{{Name: "Date", Value: date}}}
		o := oracle{secret: testerSecret}
		s := stated{credential: testerID + "/20261122/us-east-1/execute-api/aws4_request", date: "20261122T120000Z", signedHeaders: "date;host"}
		r = set(r, "Authorization", "AWS4-HMAC-SHA256 Credential="+s.credential+", SignedHeaders="+s.signedHeaders+", Signature="+o.signature(r, s))
		verifier := gateway()
		if sig, err := verifier.Verify(&r, keys); err != nil || !sig.Time.Equal(noon) || sig.Time.Location() != time.UTC {
			t.Errorf("%s: %v, %v", date, sig.Time, err)
		}
	}
}
