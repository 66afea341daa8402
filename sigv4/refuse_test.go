package sigv4_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/sigv4"
)

// noon is the time of the requests below, and tester the key that signs them.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	testerID     = "AKIDTESTER"
	testerSecret = "tester's secret"
	tokenID      = "ASIATESTER"
	tokenSecret  = "another secret"
	testerToken  = "the session token of ASIATESTER"
)

// keys is a key store with a key, a temporary key, and one that has expired.
func keys(id, token string) (string, error) {
	switch {
	case id == testerID && token == "":
		return testerSecret, nil
	case id == tokenID && token == testerToken:
		return tokenSecret, nil
	case token == "expired":
		return "", errExpiredKey
	}
	return "", errUnknownKey
}

var errExpiredKey = errors.New("expired key")

func gateway() sigv4.Verifier {
	return sigv4.Verifier{Service: "execute-api", Regions: []string{"us-east-1"}, Now: func() time.Time { return noon }}
}

func tester() sigv4.Signer {
	return sigv4.Signer{Credentials: sigv4.Credentials{AccessKeyID: testerID, SecretAccessKey: testerSecret},
		Service: "execute-api", Region: "us-east-1", Now: func() time.Time { return noon }}
}

// signed returns a GET of a path, signed by a signer that change has altered.
func signed(t testing.TB, path string, change func(*sigv4.Signer)) sigv4.Request {
	t.Helper()
	return signedBy(t, path, change, func(s *sigv4.Signer, r *http.Request) error { return s.Sign(r, "") })
}

// presigned is the same with the signature in the query, for a minute.
func presigned(t testing.TB, path string, change func(*sigv4.Signer)) sigv4.Request {
	t.Helper()
	return signedBy(t, path, change, func(s *sigv4.Signer, r *http.Request) error {
		u, err := s.Presign(r, "", time.Minute)
		r.URL = u
		return err
	})
}

func signedBy(t testing.TB, path string, change func(*sigv4.Signer), sign func(*sigv4.Signer, *http.Request) error) sigv4.Request {
	t.Helper()
	r, err := http.NewRequest("GET", "http://api.example.com"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := tester()
	if change != nil {
		change(&s)
	}
	if err := sign(&s, r); err != nil {
		t.Fatal(err)
	}
	return sigv4.FromHTTP(r)
}

func withToken(s *sigv4.Signer) {
	s.Credentials = sigv4.Credentials{AccessKeyID: tokenID, SecretAccessKey: tokenSecret, SessionToken: testerToken}
}

func at(now time.Time) func(*sigv4.Signer) {
	return func(s *sigv4.Signer) { s.Now = func() time.Time { return now } }
}

// replace changes the first occurrence of old in the Authorization header, or in
// the target of a presigned request.
func replace(r sigv4.Request, old, new string) sigv4.Request {
	if authorization := plainAuthorization(r); authorization != "" {
		return set(r, "Authorization", strings.Replace(authorization, old, new, 1))
	}
	r.Target = strings.Replace(r.Target, old, new, 1)
	return r
}

func set(r sigv4.Request, name, value string) sigv4.Request {
	r.Header = append(without(r, name).Header, sigv4.Header{Name: name, Value: value})
	return r
}

func without(r sigv4.Request, name string) sigv4.Request {
	var kept []sigv4.Header
	for _, h := range r.Header {
		if h.Name != name {
			kept = append(kept, h)
		}
	}
	r.Header = kept
	return r
}

func retarget(r sigv4.Request, target string) sigv4.Request {
	r.Target = target
	return r
}

func plainAuthorization(r sigv4.Request) string {
	for _, h := range r.Header {
		if h.Name == "Authorization" {
			return h.Value
		}
	}
	return ""
}

func signatureOf(r sigv4.Request) string {
	_, signature, _ := strings.Cut(plainAuthorization(r), "Signature=")
	return signature
}

// unsignedPayload is a request whose signer has left the body open, as for S3.
func unsignedPayload(t *testing.T) sigv4.Request {
	t.Helper()
	return signedBy(t, "/private", nil, func(s *sigv4.Signer, r *http.Request) error {
		r.Header.Set("X-Amz-Content-Sha256", sigv4.PayloadUnsigned)
		return s.Sign(r, sigv4.PayloadUnsigned)
	})
}

const mismatch = "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// TestRefusals is the order of AWS's checks with its texts, and the ways in which
// somebody may try to get round them. The numbers are those of the flow chart
// "AWS Auth Error Ordering" that the author of scratchstack recorded from AWS;
// "ok" means that AWS accepts.
func TestRefusals(t *testing.T) {
	plain, query := signed(t, "/private", nil), presigned(t, "/private", nil)
	temporary := signed(t, "/private", withToken)
	tests := []struct {
		name string
		r    sigv4.Request
		want string
	}{
		{"signed", plain, "ok"},
		{"presigned", query, "ok"},
		{"with a session token", temporary, "ok"},
		{"presigned with a session token", presigned(t, "/private", withToken), "ok"},
		{"1 bad escape in the path", retarget(plain, "/private%4"), "BadRequest"},
		{"1 absolute form", retarget(plain, "http://api.example.com/private"), "BadRequest"},
		{"1 no path", retarget(plain, "*"), "BadRequest"},
		{"1 above the root", retarget(plain, "/../private"), "BadRequest"},
		{"4 bad escape in the query", retarget(plain, "/private?a=%zz"), "MalformedQueryString: Illegal hex character in escape % pattern: %zz"},
		{"4 cut escape in the query", retarget(plain, "/private?a=%4"), "MalformedQueryString: Incomplete trailing escape % sequence"},
		{"5 unsigned", without(plain, "Authorization"), "MissingAuthenticationToken: Request is missing Authentication Token"},
		{"5 signed in header and query", set(query, "Authorization", plainAuthorization(plain)), "SignatureDoesNotMatch"},
		{"5 bearer token beside a presigned query", set(query, "Authorization", "Bearer x"), "SignatureDoesNotMatch"},
		{"6a a bearer token", set(plain, "Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."), "IncompleteSignature: Unsupported AWS 'algorithm': 'Bearer'."},
		{"6a asymmetric", replace(plain, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "IncompleteSignature: Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'."},
		{"6a lower case", replace(plain, "AWS4-HMAC-SHA256", "aws4-hmac-sha256"), "IncompleteSignature: Unsupported AWS 'algorithm': 'aws4-hmac-sha256'."},
		{"6b no equals sign", set(plain, "Authorization", "AWS4-HMAC-SHA256 Credential"), "IncompleteSignature: 'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: 'AWS4-HMAC-SHA256 Credential'."},
		{"6c the last of two signatures counts", replace(plain, "Signature=", "Signature=0, Signature="), "ok"},
		{"6c and not the first", set(plain, "Authorization", plainAuthorization(plain)+", Signature=0"), mismatch},
		{"6d nothing there", set(without(plain, "X-Amz-Date"), "Authorization", "AWS4-HMAC-SHA256"), "IncompleteSignature: Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256"},
		{"6d no date", without(plain, "X-Amz-Date"), "IncompleteSignature: Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256"},
		{"7a another algorithm", replace(query, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), "MissingAuthenticationToken: Request is missing Authentication Token"},
		{"7d nothing there", retarget(query, "/private?X-Amz-Algorithm=AWS4-HMAC-SHA256"), "IncompleteSignature: AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"8 host is not signed", replace(plain, "SignedHeaders=host;", "SignedHeaders="), "SignatureDoesNotMatch: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"8 upper case is another name", replace(plain, "SignedHeaders=host;", "SignedHeaders=Host;"), "SignatureDoesNotMatch: 'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"9 no such date", set(plain, "X-Amz-Date", "20261322T120000Z"), "IncompleteSignature: Date must be in ISO-8601 'basic format'. Got '20261322T120000Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"9 fractions of a second", set(plain, "X-Amz-Date", "20261122T120000.5Z"), "IncompleteSignature: Date must be in ISO-8601 'basic format'. Got '20261122T120000.5Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"10 five minutes old", signed(t, "/private", at(noon.Add(-5*time.Minute))), "ok"},
		{"10 a second older", signed(t, "/private", at(noon.Add(-5*time.Minute-time.Second))), "SignatureDoesNotMatch: Signature expired: 20261122T115459Z is now earlier than 20261122T115500Z (20261122T120000Z - 5 min.)"},
		{"10 replayed with a new date", set(signed(t, "/private", at(noon.Add(-time.Hour))), "X-Amz-Date", "20261122T120000Z"), mismatch},
		{"10 presigned, in its last second", presigned(t, "/private", at(noon.Add(-time.Minute))), "ok"},
		{"10 presigned, expired by a second", presigned(t, "/private", at(noon.Add(-61*time.Second))), "SignatureDoesNotMatch: Signature expired: 20261122T115859Z is now earlier than 20261122T115900Z (20261122T120000Z - 1 min.)"},
		{"10 presigned, life made longer", replace(presigned(t, "/private", at(noon.Add(-61*time.Second))), "X-Amz-Expires=60", "X-Amz-Expires=600"), mismatch},
		{"10 presigned for more than a week", replace(query, "X-Amz-Expires=60", "X-Amz-Expires=604801"), "IncompleteSignature: X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"},
		{"10 presigned for ever", replace(query, "X-Amz-Expires=60", "X-Amz-Expires=-1"), "IncompleteSignature: X-Amz-Expires should be a number"},
		{"10 presigned for no time", replace(query, "X-Amz-Expires=60", "X-Amz-Expires=0"), "IncompleteSignature: X-Amz-Expires must be at least 1 second"},
		{"11 five minutes ahead", signed(t, "/private", at(noon.Add(5*time.Minute))), "ok"},
		{"11 six minutes ahead", signed(t, "/private", at(noon.Add(6*time.Minute))), "SignatureDoesNotMatch: Signature not yet current: 20261122T120600Z is still later than 20261122T120500Z (20261122T120000Z + 5 min.)"},
		{"12 four parts", replace(plain, "/us-east-1/", "/"), "IncompleteSignature: Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDTESTER/20261122/execute-api/aws4_request'"},
		{"12 six parts", replace(plain, "/us-east-1/", "/us-east-1/x/"), "IncompleteSignature: Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDTESTER/20261122/us-east-1/x/execute-api/aws4_request'"},
		{"13 signed for another region", signed(t, "/private", func(s *sigv4.Signer) { s.Region = "eu-west-1" }), "SignatureDoesNotMatch: Credential should be scoped to a valid region, not 'eu-west-1'."},
		{"13 signed for another service", signed(t, "/private", func(s *sigv4.Signer) { s.Service = "lambda" }), "SignatureDoesNotMatch: Credential should be scoped to correct service: 'execute-api'."},
		{"13 re-scoped to this service", replace(signed(t, "/private", func(s *sigv4.Signer) { s.Service = "lambda" }), "/lambda/", "/execute-api/"), mismatch},
		{"13 all wrong", replace(plain, "20261122/us-east-1/execute-api/aws4_request", "20261121/x/y/z"), "SignatureDoesNotMatch: Credential should be scoped to a valid region, not 'x'. Credential should be scoped to correct service: 'execute-api'. Credential should be scoped with a valid terminator: 'aws4_request', not 'z'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != '20261122', from '20261122T120000Z'."},
		{"14 token of one key with another", set(plain, "X-Amz-Security-Token", testerToken), "unknown key"},
		{"14 temporary key without its token", without(temporary, "X-Amz-Security-Token"), "unknown key"},
		{"14 token expired", set(temporary, "X-Amz-Security-Token", "expired"), "expired key"},
		{"15 key id that is a prefix", replace(plain, "Credential=AKIDTESTER/", "Credential=AKIDTEST/"), "unknown key"},
		{"15 key id with more", replace(plain, "Credential=AKIDTESTER/", "Credential=AKIDTESTER2/"), "unknown key"},
		{"15 key id with NUL", replace(plain, "Credential=AKIDTESTER/", "Credential=AKIDTESTER\x00/"), "unknown key"},
		{"15 no key id", replace(plain, "Credential=AKIDTESTER/", "Credential=/"), "unknown key"},
		{"16 wrong secret", signed(t, "/private", func(s *sigv4.Signer) { s.Credentials.SecretAccessKey = "guessed" }), mismatch},
		{"16 signature in upper case", replace(plain, signatureOf(plain), strings.ToUpper(signatureOf(plain))), mismatch},
		{"16 signature cut", replace(plain, signatureOf(plain), signatureOf(plain)[:63]), mismatch},
		{"16 signature with more", replace(plain, signatureOf(plain), signatureOf(plain)+"0"), mismatch},
		{"16 signature of zeros", replace(plain, signatureOf(plain), strings.Repeat("0", 64)), mismatch},
		{"16 second signature in the query", retarget(query, query.Target+"&X-Amz-Signature="+signatureOf(plain)), mismatch},
		{"16 for another path", retarget(plain, "/other"), mismatch},
		{"16 doubled slash at its start, which the signature does not tell from one", retarget(plain, "//private"), "ok"},
		{"16 dot segments, likewise", retarget(plain, "/public/../private"), "ok"},
		{"16 an encoded letter", retarget(plain, "/%70rivate"), mismatch},
		{"16 encoded dot segments are no dot segments", retarget(plain, "/public/%2e%2e/private"), mismatch},
		{"16 slash at the end", retarget(plain, "/private/"), mismatch},
		{"16 backslash", retarget(plain, `/public\..\private`), mismatch},
		{"16 added query", retarget(plain, "/private?admin=1"), mismatch},
		{"16 fragment", retarget(plain, "/private#x"), mismatch},
		{"16 another method", sigv4.Request{Method: "DELETE", Target: plain.Target, Host: plain.Host, Header: plain.Header}, mismatch},
		{"16 method in lower case", sigv4.Request{Method: "get", Target: plain.Target, Host: plain.Host, Header: plain.Header}, mismatch},
		{"16 method override is but a header", set(plain, "X-HTTP-Method-Override", "DELETE"), "ok"},
		{"16 for another host", sigv4.Request{Method: "GET", Target: plain.Target, Host: "other.example.com", Header: plain.Header}, mismatch},
		{"16 with a Host line that is not the host", set(plain, "Host", "other.example.com"), "ok"},
		{"16 with a body", sigv4.Request{Method: "GET", Target: plain.Target, Host: plain.Host, Header: plain.Header, Body: []byte("x")}, mismatch},
		{"16 another date first", sigv4.Request{Method: "GET", Target: plain.Target, Host: plain.Host, Header: append([]sigv4.Header{{Name: "x-amz-date", Value: "20261122T120001Z"}}, plain.Header...)}, mismatch},
		{"16 another date last", sigv4.Request{Method: "GET", Target: plain.Target, Host: plain.Host, Header: append(plain.Header[:len(plain.Header):len(plain.Header)], sigv4.Header{Name: "x-amz-date", Value: "20261122T120001Z"})}, mismatch},
		{"16 two Authorization headers, the first wrong", sigv4.Request{Method: "GET", Target: plain.Target, Host: plain.Host, Header: append([]sigv4.Header{{Name: "authorization", Value: strings.Replace(plainAuthorization(plain), "Signature=", "Signature=0", 1)}}, plain.Header...)}, mismatch},
		{"16 list of signed headers longer than the request", replace(plain, "SignedHeaders=host;", "SignedHeaders=host;"+strings.Repeat("host;", 5000)), mismatch},
		{"16 signed header is missing", replace(plain, "SignedHeaders=host;", "SignedHeaders=accept;host;"), mismatch},
		{"16 unsigned payload, which only S3 takes", unsignedPayload(t), mismatch},
		{"16 token unsigned in the query", presigned(t, "/private", func(s *sigv4.Signer) { withToken(s); s.UnsignedQueryToken = true }), mismatch},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			verifier, got := gateway(), "ok"
			if _, err := verifier.Verify(&test.r, keys); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
