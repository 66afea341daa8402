package sigv4_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/sigv4"
)

// TestDiagnose makes each mistake and expects to be told of it, without any
// secret in the answer.
func TestDiagnose(t *testing.T) {
	const long = "/a%20b//c?b=2&a=1"
	plain, temporary := signed(t, long, nil), signed(t, "/a", withToken)
	header := func(name, was, became string) sigv4.Request {
		r := signedBy(t, "/", nil, func(s *sigv4.Signer, r *http.Request) error {
			r.Header.Set(name, was)
			return s.Sign(r, "")
		})
		return set(r, name, became)
	}
	tests := []struct {
		name string
		r    sigv4.Request
		want string
	}{
		{"correct", plain, "the signature is correct"},
		{"unsigned", without(plain, "Authorization"), "the request is not signed"},
		{"bearer", set(plain, "Authorization", "Bearer eyJ"), `the Authorization header holds "Bearer"`},
		{"twice", set(presigned(t, "/", nil), "Authorization", plainAuthorization(plain)), "the request is signed twice"},
		{"query algorithm", replace(presigned(t, "/", nil), "HMAC-SHA256", "HMAC-MD5"), "the query names a signing algorithm other than"},
		{"incomplete", replace(plain, ", Signature=", ", S="), "the signature is not complete: Authorization header requires 'Signature' parameter."},
		{"bad path", retarget(plain, "/%"), "the path is badly encoded"},
		{"bad query", retarget(plain, "/?%"), "the query is badly encoded"},
		{"host", replace(plain, "SignedHeaders=host;", "SignedHeaders="), "the host header is not among the signed headers"},
		{"slow clock", signed(t, "/", at(noon.Add(-10*time.Minute))), "the request was signed at 2026-11-22T11:50:00Z, 10m0s ago"},
		{"fast clock", signed(t, "/", at(noon.Add(6*time.Minute))), "the request was signed at 2026-11-22T12:06:00Z, 6m0s ahead of the clock here"},
		{"expired", presigned(t, "/", at(noon.Add(-2*time.Minute))), "the presigned URL was made at 2026-11-22T11:58:00Z for 60 seconds, which ended 1m0s ago"},
		{"bad life", replace(presigned(t, "/", nil), "Expires=60", "Expires=x"), "the life of the presigned URL is wrong"},
		{"region", signed(t, "/", func(s *sigv4.Signer) { s.Region = "eu-west-1" }), `the request is signed for the region "eu-west-1", and this one is "us-east-1"`},
		{"service", signed(t, "/", func(s *sigv4.Signer) { s.Service = "lambda" }), `the request is signed for the service "lambda", and this one is "execute-api"`},
		{"credential", replace(plain, "/us-east-1/", "/"), "the credential \"AKIDTESTER/20261122/execute-api/aws4_request\" does not have the form"},
		{"terminator", replace(plain, "aws4_request", "aws3_request"), `the credential ends in "aws3_request"`},
		{"day", replace(plain, "/20261122/", "/20261121/"), "the credential is for the day 20261121"},
		{"key", replace(plain, testerID, "AKIDNOBODY"), "the access key AKIDNOBODY is not accepted: unknown key"},
		{"token not sent", signed(t, "/a", func(s *sigv4.Signer) { withToken(s); s.Credentials.SessionToken = "" }), "the access key ASIATESTER is temporary and the request has no session token"},
		{"path encoded once", wrong(plain, "GET\n/a%20b/c\na=1&b=2\n"), "the path was encoded once"},
		{"path as typed", wrong(plain, "GET\n/a%20b//c\na=1&b=2\n"), "the path was encoded once"},
		{"path not normalised", wrong(plain, "GET\n/a%2520b//c\na=1&b=2\n"), "the path was not normalised"},
		{"query not sorted", wrong(plain, "GET\n/a%2520b/c\nb=2&a=1\n"), "the query was not sorted"},
		{"query left out", wrong(plain, "GET\n/a%2520b/c\n\n"), "the query was left out"},
		{"path and query", wrong(plain, "GET\n/a%20b//c\nb=2&a=1\n"), "the path was encoded once; every service but S3 has it encoded twice, and the query was not sorted"},
		{"stage left out", retarget(signed(t, "/x", nil), "/prod/x"), `the path was signed without its first segment "/prod"`},
		{"slash added", retarget(signed(t, "/x", nil), "/x/"), "the path was signed without the slash at its end"},
		{"slash lost", retarget(signed(t, "/x/", nil), "/x"), "the path was signed with a slash at its end"},
		{"method", sigv4.Request{Method: "POST", Target: plain.Target, Host: plain.Host, Header: plain.Header}, "the method was signed as GET and arrived as POST"},
		{"host with port", sigv4.Request{Method: "GET", Target: plain.Target, Host: plain.Host + ":4000", Header: plain.Header}, `the host was signed as "api.example.com" and arrived as "api.example.com:4000"`},
		{"host of a proxy", set(sigv4.Request{Method: "GET", Target: plain.Target, Host: "10.0.0.1", Header: plain.Header}, "X-Forwarded-Host", "api.example.com"), `the host was signed as "api.example.com" and arrived as "10.0.0.1"`},
		{"unsigned payload", unsignedPayload(t), "the payload was signed as UNSIGNED-PAYLOAD"},
		{"body not signed", sigv4.Request{Method: "GET", Target: plain.Target, Host: plain.Host, Header: plain.Header, Body: []byte("x")}, "the request was signed without its body"},
		{"body got a line break", signedBody(t, "x", "x\n"), "the body was changed after signing: it got a line break"},
		{"body lost a line break", signedBody(t, "x\n", "x"), "the body was changed after signing: it lost the line break"},
		{"body with CR LF", signedBody(t, "x\ny", "x\r\ny"), "the body was changed after signing: its line breaks became CR LF"},
		{"header removed", without(header("X-Custom", "1", "1"), "X-Custom"), `the header "x-custom" is signed but not in the request`},
		{"content type", header("Content-Type", "application/json", "application/json; charset=utf-8"), `the header "content-type" was changed on the way: it was signed as "application/json"`},
		{"list got longer", header("X-Via", "a", "a, b"), `the header "x-via" was changed on the way: it was signed as "a"`},
		{"token unsigned in the query", presigned(t, "/", func(s *sigv4.Signer) { withToken(s); s.UnsignedQueryToken = true }), "the session token was added to the query after signing"},
		{"key of another region", rescoped(t, "eu-west-1"), `the signing key was derived for the region "eu-west-1"`},
		{"secret with a line break", signed(t, "/", func(s *sigv4.Signer) { s.Credentials.SecretAccessKey += "\n" }), "the client's secret access key has a blank or line break at its end"},
		{"no secret", signed(t, "/", func(s *sigv4.Signer) { s.Credentials.SecretAccessKey = "" }), "the client's secret access key is empty"},
		{"wrong secret", signed(t, "/", func(s *sigv4.Signer) { s.Credentials.SecretAccessKey = "guess" }), "none of the usual mistakes explains it: either the secret access key is not the one of AKIDTESTER, or"},
		{"token cut short in the answer", retarget(temporary, "/b"), "none of the usual mistakes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			verifier := gateway()
			got := verifier.Diagnose(&test.r, keys)
			if !strings.HasPrefix(got.Sentence, test.want) {
				t.Errorf("got  %s\nwant %s", got.Sentence, test.want)
			}
			all := got.Sentence + got.CanonicalRequest + got.StringToSign
			for _, secret := range []string{testerSecret, tokenSecret, testerToken, "guess"} {
				if strings.Contains(all, secret) {
					t.Errorf("the diagnosis tells %q", secret)
				}
			}
		})
	}
}

// wrong signs a request again over a canonical request that starts wrongly.
func wrong(r sigv4.Request, start string) sigv4.Request {
	o := oracle{secret: testerSecret}
	s, _ := o.state(r)
	right := o.canonical(r, s)
	rest := right[strings.Index(right, "host:"):]
	return replace(r, s.signature, o.signText(s, start+rest))
}

func signedBody(t *testing.T, was, became string) sigv4.Request {
	t.Helper()
	r := signedBy(t, "/", nil, func(s *sigv4.Signer, r *http.Request) error { return s.Sign(r, sigv4.HashPayload([]byte(was))) })
	r.Body = []byte(became)
	return r
}

// rescoped is signed with the key of a region that is not in its credential.
func rescoped(t *testing.T, region string) sigv4.Request {
	t.Helper()
	r := signed(t, "/", nil)
	o := oracle{secret: testerSecret}
	s, _ := o.state(r)
	in := s
	in.credential = strings.Replace(s.credential, "us-east-1", region, 1)
	return replace(r, s.signature, o.signWith(o.key(in), s, o.canonical(r, s)))
}
