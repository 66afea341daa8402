package attack

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

const forbidden = `{"message":"Forbidden"}`

// TestAPI attacks the routes of an API. None of it gets inside but what is
// marked so, to show that the attack's frame is sound.
func TestAPI(t *testing.T) {
	g := newTarget(t)
	bob := func(change func(*raw)) string {
		r := g.signed("GET", "/private", signing{as: g.bob})
		change(&r)
		return r.String()
	}
	alice := func(path string) string { return g.signed("GET", path, signing{as: g.alice}).String() }
	plain := func(line string, headers ...string) string {
		return line + " HTTP/1.1\r\n" + strings.Join(append(headers, "Host: "+g.api, "Connection: close"), "\r\n") + "\r\n\r\n"
	}
	with := func(s signing) string { return g.signed("GET", "/private", s).String() }
	bobSession, aliceSession := g.session(g.bob), g.session(g.alice)
	swapped := bobSession
	swapped.SessionToken = aliceSession.SessionToken
	prefix := g.bob
	prefix.AccessKeyID = prefix.AccessKeyID[:19]
	longer := g.bob
	longer.AccessKeyID += "A"
	small := g.bob
	small.AccessKeyID = strings.ToLower(small.AccessKeyID)
	noToken := bobSession
	noToken.SessionToken = ""
	presigned := g.signed("GET", "/private", signing{as: g.bob, presign: time.Minute})

	for _, attack := range []struct {
		name   string
		wire   string
		status int
		inside string // what the backend gets, "" for nothing
	}{
		// That it works at all.
		{"bob at his route", with(signing{as: g.bob}), 200, "GET /private"},
		{"bob with a session", with(signing{as: bobSession}), 200, "GET /private"},
		{"bob, presigned", presigned.String(), 200, "GET /private"},
		{"alice at hers", alice("/public"), 200, "GET /public"},
		{"the open route", plain("GET /open"), 200, "GET /open"},

		// Without a right signature.
		{"unsigned", plain("GET /private"), 403, ""},
		{"basic authentication", plain("GET /private", "Authorization: Basic cm9vdDpyb290"), 403, ""},
		{"a bearer token", plain("GET /private", "Authorization: Bearer x.y.z"), 403, ""},
		{"an empty authorization", plain("GET /private", "Authorization: "), 403, ""},
		{"an empty signature", bob(func(r *raw) {
			r.set("Authorization", r.get("Authorization")[:strings.Index(r.get("Authorization"), "Signature=")+10])
		}), 403, ""},
		{"a signature in capitals", bob(func(r *raw) {
			before, signature, _ := strings.Cut(r.get("Authorization"), "Signature=")
			r.set("Authorization", before+"Signature="+strings.ToUpper(signature))
		}), 403, ""},
		{"a signature's prefix", bob(func(r *raw) { r.set("Authorization", r.get("Authorization")[:len(r.get("Authorization"))-1]) }), 403, ""},
		{"another algorithm", bob(func(r *raw) { r.replace("Authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1") }), 403, ""},
		{"no algorithm", bob(func(r *raw) { r.replace("Authorization", "AWS4-HMAC-SHA256 ", "none ") }), 403, ""},
		{"the algorithm in small letters", bob(func(r *raw) { r.replace("Authorization", "AWS4-HMAC-SHA256", "aws4-hmac-sha256") }), 403, ""},
		{"two authorizations", bob(func(r *raw) { r.header = append(r.header, "Authorization: "+r.get("Authorization")) }), 200, "GET /private"}, // the first counts, and is good
		{"a bad authorization before the good one", bob(func(r *raw) {
			r.header = append([]string{"Authorization: AWS4-HMAC-SHA256 Credential=x"}, r.header...)
		}), 403, ""},
		{"header and query authentication", presignedWithHeader(g, presigned), 403, ""},
		{"a second signature in the query", strings.Replace(presigned.String(), "X-Amz-Signature=", "X-Amz-Signature=0&X-Amz-Signature=", 1), 403, ""},

		// A good signature for something else.
		{"replayed for another method", bob(func(r *raw) { r.method = "DELETE" }), 403, ""},
		{"replayed for another path", bob(func(r *raw) { r.target = "/admin/x" }), 403, ""},
		{"replayed for another host", bob(func(r *raw) { r.set("Host", g.apiID+".localhost") }), 403, ""},
		{"replayed with a query", bob(func(r *raw) { r.target += "?admin=1" }), 403, ""},
		{"replayed with a body", bob(func(r *raw) { r.body = "x"; r.header = append(r.header, "Content-Length: 1") }), 403, ""},
		{"another date", bob(func(r *raw) { r.set("X-Amz-Date", g.clock().Add(time.Second).UTC().Format("20060102T150405Z")) }), 403, ""},
		{"scoped to another region", with(signing{as: g.bob, region: "eu-west-1"}), 403, ""},
		{"scoped to no region", with(signing{as: g.bob, region: "aws-global"}), 403, ""},
		{"scoped to another service", with(signing{as: g.bob, service: "lambda"}), 403, ""},
		{"re-scoped by hand", bob(func(r *raw) { r.replace("Authorization", "/us-east-1/", "/eu-west-1/") }), 403, ""},
		{"another terminator", bob(func(r *raw) { r.replace("Authorization", "aws4_request", "aws5_request") }), 403, ""},
		{"the host left unsigned", bob(func(r *raw) { r.replace("Authorization", "SignedHeaders=host;", "SignedHeaders=") }), 403, ""},
		{"an unsigned payload", bob(func(r *raw) { r.set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }), 200, "GET /private"}, // the header is not signed and says nothing here: the empty body is what was signed
		{"an unsigned payload with a body", g.changed("POST", func(r *raw) {
			r.set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
			r.body = "other"
		}), 403, ""},
		{"another body of the same length", g.changed("POST", func(r *raw) { r.body = "other" }), 403, ""},
		{"the same request, its signature once more", bob(func(*raw) {}), 200, "GET /private"}, // AWS does not remember signatures either

		// Too early, too late.
		{"expired by a second", with(signing{as: g.bob, ahead: -5*time.Minute - 2*time.Second}), 403, ""},
		{"nearly expired", with(signing{as: g.bob, ahead: -4*time.Minute - 50*time.Second}), 200, "GET /private"},
		{"future by six minutes", with(signing{as: g.bob, ahead: 6 * time.Minute}), 403, ""},
		{"of another day", with(signing{as: g.bob, ahead: -24 * time.Hour}), 403, ""},
		{"presigned and expired by a second", with(signing{as: g.bob, presign: time.Minute, ahead: -62 * time.Second}), 403, ""},
		{"presigned for longer by hand", strings.Replace(with(signing{as: g.bob, presign: time.Minute, ahead: -62 * time.Second}), "X-Amz-Expires=60", "X-Amz-Expires=600", 1), 403, ""},
		{"presigned for more than a week", strings.Replace(presigned.String(), "X-Amz-Expires=60", "X-Amz-Expires=604801", 1), 403, ""},
		{"presigned for minus one", strings.Replace(presigned.String(), "X-Amz-Expires=60", "X-Amz-Expires=-1", 1), 403, ""},
		{"presigned without an end", strings.Replace(presigned.String(), "X-Amz-Expires=60&", "", 1), 403, ""},

		// Keys and tokens that do not belong together.
		{"a token of another key", with(signing{as: swapped}), 403, ""},
		{"a session's key without its token", with(signing{as: noToken}), 403, ""},
		{"a user's key with a token", with(signing{as: withToken(g, bobSession.SessionToken)}), 403, ""},
		{"a token that is not signed", unsignedToken(g, bobSession), 403, ""},
		{"a key's prefix", with(signing{as: prefix}), 403, ""},
		{"a key and more", with(signing{as: longer}), 403, ""},
		{"a key in small letters", with(signing{as: small}), 403, ""},
		{"a key with a blank", bob(func(r *raw) { r.replace("Authorization", "Credential=", "Credential= ") }), 403, ""},
		{"another's secret", bob(func(r *raw) { r.replace("Authorization", g.bob.AccessKeyID, g.alice.AccessKeyID) }), 403, ""},

		// Alice, who may GET /public only, by ways around the path.
		{"alice at bob's route", alice("/private"), 403, ""},
		{"two slashes", alice("//private"), 404, ""},
		{"an encoded letter", alice("/%70rivate"), 403, ""},
		{"a dot segment", alice("/public/../private"), 404, ""},
		{"an encoded dot segment", alice("/public/%2e%2e/private"), 404, ""},
		{"a dot", alice("/./private"), 404, ""},
		{"an encoded slash", alice("/public%2f..%2fprivate"), 404, ""},
		{"a trailing slash", alice("/private/"), 404, ""},
		{"a parameter of the path", alice("/private;/public"), 404, ""},
		{"other letters", alice("/PRIVATE"), 404, ""},
		{"an encoded question mark", alice("/private%3f/public"), 403, ""},
		{"an encoded NUL", alice("/private%00"), 404, ""},
		{"invalid UTF-8", alice("/private%ff"), 404, ""},
		{"the whole URL as target", strings.Replace(alice("/public"), "GET /public", "GET http://"+g.api+"/private", 1), 403, ""},
		{"another authority as target", strings.Replace(alice("/public"), "GET /public", "GET http://elsewhere/public", 1), 403, ""},
		{"a fragment", strings.Replace(alice("/public"), "GET /public", "GET /public#/private", 1), 400, ""},
		{"a named stage", alice("/$default/private"), 404, ""},

		// Ways around the method and the route.
		{"a method to override", strings.Replace(alice("/public"), "Host:", "X-HTTP-Method-Override: DELETE\r\nHost:", 1), 200, "GET /public"},
		{"a path to override", strings.Replace(alice("/public"), "Host:", "X-Original-URL: /private\r\nX-Rewrite-URL: /private\r\nHost:", 1), 200, "GET /public"},
		{"a method in small letters", strings.Replace(plain("get /private"), "get", "get", 1), 404, ""},
		{"HEAD for GET", plain("HEAD /private"), 404, ""},
		{"a forwarded host", plain("GET /private", "X-Forwarded-Host: trusted", "X-Forwarded-For: 127.0.0.1", "X-Amzn-Remapped-Authorization: x"), 403, ""},

		// Headers and parameters twice, in other places and in other letters.
		{"a second host", bob(func(r *raw) { r.header = append(r.header, "Host: elsewhere") }), 400, ""},
		{"a second date", bob(func(r *raw) { r.header = append(r.header, "X-Amz-Date: "+r.get("X-Amz-Date")) }), 403, ""},
		{"another date beside it", bob(func(r *raw) { r.header = append(r.header, "Date: Mon, 02 Jan 2006 15:04:05 GMT") }), 200, "GET /private"}, // X-Amz-Date counts
		{"a date with an underscore", bob(func(r *raw) { r.header = append(r.header, "X_Amz_Date: 20060102T150405Z") }), 200, "GET /private"},     // is another header
		{"a date in another form", bob(func(r *raw) { r.set("X-Amz-Date", g.clock().UTC().Format(time.RFC3339)) }), 403, ""},
		{"a blank behind a header's name", bob(func(r *raw) { r.header = append(r.header, "Authorization : x") }), 400, ""},
		{"blanks around values", bob(func(r *raw) { r.set("X-Amz-Date", "  "+r.get("X-Amz-Date")+" \t") }), 200, "GET /private"}, // are not signed
		{"header names in capitals", bob(func(r *raw) { r.header = upperNames(r.header) }), 200, "GET /private"},
		{"signed headers in capitals", bob(func(r *raw) { r.replace("Authorization", "SignedHeaders=host;", "SignedHeaders=HOST;") }), 403, ""},
		{"a signed header named twice", bob(func(r *raw) { r.replace("Authorization", "SignedHeaders=host;", "SignedHeaders=host;host;") }), 403, ""},
		{"a signed header that is not there", bob(func(r *raw) { r.replace("Authorization", "SignedHeaders=host;", "SignedHeaders=host;via;") }), 403, ""},
		{"another's credential first", bob(func(r *raw) {
			r.replace("Authorization", "Credential=", "Credential="+g.alice.AccessKeyID+"/x, Credential=")
		}), 200, "GET /private"}, // the last counts, and is good
		{"another's credential last", bob(func(r *raw) {
			credential, _, _ := strings.Cut(r.get("Authorization")[len("AWS4-HMAC-SHA256 "):], ",")
			r.set("Authorization", r.get("Authorization")+", "+strings.Replace(credential, g.bob.AccessKeyID, g.alice.AccessKeyID, 1))
		}), 403, ""},
		{"another session's token in the query", g.signed("GET", "/private?X-Amz-Security-Token="+url.QueryEscape(aliceSession.SessionToken), signing{as: bobSession}).String(), 200, "GET /private"},                                                                           // there it is a parameter like any other
		{"another session's token in the header of a presigned request", strings.Replace(g.signed("GET", "/private", signing{as: bobSession, presign: time.Minute}).String(), "Host:", "X-Amz-Security-Token: "+aliceSession.SessionToken+"\r\nHost:", 1), 200, "GET /private"}, // bob's, of the query, counts
		{"a token twice", strings.Replace(with(signing{as: bobSession}), "Host:", "X-Amz-Security-Token: "+aliceSession.SessionToken+"\r\nHost:", 1), 403, ""},
		{"presigned with two lives", strings.Replace(presigned.String(), "X-Amz-Expires=60", "X-Amz-Expires=60&X-Amz-Expires=600", 1), 403, ""},
		{"presigned with two credentials", strings.Replace(presigned.String(), "X-Amz-Credential="+g.bob.AccessKeyID, "X-Amz-Credential="+g.alice.AccessKeyID+"&X-Amz-Credential="+g.bob.AccessKeyID, 1), 403, ""},
		{"presigned in small letters", strings.Replace(presigned.String(), "X-Amz-Signature=", "x-amz-signature=", 1), 403, ""},
		{"presigned with a query", strings.Replace(presigned.String(), "X-Amz-Signature=", "admin=1&X-Amz-Signature=", 1), 403, ""},
		{"presigned for another method", strings.Replace(presigned.String(), "GET ", "DELETE ", 1), 403, ""},
		{"presigned with a body", strings.Replace(presigned.String(), "Connection: close\r\n\r\n", "Connection: close\r\nContent-Length: 1\r\n\r\nx", 1), 403, ""},
		{"a body in chunks that is not the signed one", g.changed("POST", func(r *raw) {
			r.set("Content-Length", "")
			r.header = append(r.header, "Transfer-Encoding: chunked")
			r.body = "5\r\nother\r\n0\r\n\r\n"
		}), 403, ""},
		{"a streaming payload, which only S3 takes", g.changed("POST", func(r *raw) { r.set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") }), 403, ""},
		{"the path's parts by way of a greedy route", bob(func(r *raw) { r.target = "/admin/x/../../private" }), 403, ""}, // the signature holds for it, bob's policy does not

		// Other ways to write a path.
		{"encoded twice", alice("/%2570rivate"), 404, ""},
		{"an encoded backslash", alice("/public%5c..%5cprivate"), 404, ""},
		{"an encoded line end", alice("/public%0d%0aX-Role:%20admin"), 404, ""},
		{"overlong UTF-8", alice("/%c1%b0rivate"), 404, ""},
		{"wide letters", alice("/%ef%bd%90rivate"), 404, ""},
		{"a blank at the end", alice("/private%20"), 404, ""},
		{"a question mark and nothing", alice("/private?"), 403, ""},
		{"a servlet's parameter", alice("/public/..;/private"), 404, ""},
		{"up from a greedy route", alice("/admin/%2e%2e/private"), 403, ""},
		{"a method in the query", alice("/public?_method=DELETE&httpMethod=DELETE"), 200, "GET /public"},
		{"TRACE", plain("TRACE /private"), 404, ""},
		{"OPTIONS", plain("OPTIONS /private", "Origin: https://x", "Access-Control-Request-Method: GET"), 404, ""},
		{"the identity of somebody else in headers", strings.Replace(alice("/private"), "Host:", "X-Amzn-Oidc-Identity: bob\r\nX-Amz-User-Arn: arn:aws:iam::123456789012:user/bob\r\nX-Forwarded-User: bob\r\nHost:", 1), 403, ""},
	} {
		t.Run(attack.name, func(t *testing.T) {
			g.t = t
			g.seen()
			got := g.talk(g.api, attack.wire)
			if len(got) != 1 || got[0].status != attack.status {
				t.Errorf("the answer is %v, want %d", got, attack.status)
			} else if attack.status == 403 && got[0].body != forbidden {
				t.Errorf("the answer tells more than AWS's: %s", got[0].body)
			}
			if inside := strings.Join(g.seen(), ", "); inside != attack.inside {
				t.Errorf("inside got %q, want %q", inside, attack.inside)
			}
		})
	}
}

// presignedWithHeader signs in both ways.
func presignedWithHeader(g *target, presigned raw) string {
	header := g.signed("GET", "/private", signing{as: g.bob})
	presigned.header = header.header
	return presigned.String()
}

// upperNames writes the names of header lines in capitals.
func upperNames(lines []string) []string {
	upper := make([]string, len(lines))
	for i, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		upper[i] = strings.ToUpper(name) + ":" + value
	}
	return upper
}

// withToken is bob's own key with a session's token.
func withToken(g *target, token string) (c credentials) {
	c = g.bob
	c.SessionToken = token
	return c
}

// unsignedToken sends the token of a session without having signed it.
func unsignedToken(g *target, session credentials) string {
	token := session.SessionToken
	session.SessionToken = ""
	r := g.signed("GET", "/private", signing{as: session})
	r.set("X-Amz-Security-Token", token+"x")
	return r.String()
}

// changed is a request of bob's with a body, changed after it is signed.
func (g *target) changed(method string, change func(*raw)) string {
	r := g.signed(method, "/private", signing{as: g.bob, body: "hello"})
	change(&r)
	return r.String()
}

// TestSmuggling sends what two servers could read differently: the first
// request is refused or answered, and the second, hidden one is never served.
func TestSmuggling(t *testing.T) {
	g := newTarget(t)
	hidden := "GET /open HTTP/1.1\r\nHost: " + g.api + "\r\n\r\n"
	head := func(lines ...string) string {
		return "POST /nowhere HTTP/1.1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
	host := "Host: " + g.api
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden)
	for name, wire := range map[string]string{
		"length and chunks":           head(host, "Content-Length: 4", "Transfer-Encoding: chunked") + "0\r\n\r\n" + hidden,
		"two lengths":                 head(host, "Content-Length: 0", fmt.Sprintf("Content-Length: %d", len(hidden))) + hidden,
		"a list of lengths":           head(host, fmt.Sprintf("Content-Length: 0, %d", len(hidden))) + hidden,
		"a signed length":             head(host, "Content-Length: +0") + hidden,
		"a length in hexadecimal":     head(host, "Content-Length: 0x0") + hidden,
		"a negative length":           head(host, "Content-Length: -1") + hidden,
		"a length with a blank name":  head(host, "Content-Length : 0") + hidden,
		"an unknown encoding":         head(host, "Transfer-Encoding: xchunked") + hidden,
		"two encodings":               head(host, "Transfer-Encoding: chunked", "Transfer-Encoding: identity") + "0\r\n\r\n" + hidden,
		"an encoding behind a tab":    head(host, "Transfer-Encoding:\tgzip, chunked") + "0\r\n\r\n" + hidden,
		"a folded header":             head(host, "X-A: 1\r\n Transfer-Encoding: chunked") + hidden,
		"a bare line feed":            "GET /nowhere HTTP/1.1\n" + host + "\nContent-Length: 0\n\n" + hidden,
		"a bare carriage return":      head(host, "X-A: 1\rContent-Length: 5") + hidden,
		"a NUL in a header":           head(host, "X-A: 1\x002") + hidden,
		"a NUL in a name":             head(host, "X\x00A: 1") + hidden,
		"two hosts":                   head(host, "Host: elsewhere") + hidden,
		"no host":                     head("X-A: 1") + hidden,
		"a host with a path":          head("Host: "+g.api+"/x") + hidden,
		"a chunk's wrong length":      head(host, "Transfer-Encoding: chunked") + "zz\r\n\r\n" + hidden,
		"a chunk's huge length":       head(host, "Transfer-Encoding: chunked") + "fffffffffffffffff\r\n\r\n" + hidden,
		"a chunk's length and a sign": head(host, "Transfer-Encoding: chunked") + "+0\r\n\r\n" + hidden,
		"hidden in a body":            head(host, fmt.Sprintf("Content-Length: %d", len(hidden))) + hidden,
		"hidden in a chunk":           head(host, "Transfer-Encoding: chunked") + chunked,
		"HTTP/0.9":                    "GET /open\r\n\r\n",
		"HTTP/2.0":                    "GET /open HTTP/2.0\r\n" + host + "\r\n\r\n",
		"a blank in the target":       "GET /open /x HTTP/1.1\r\n" + host + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			g.seen()
			got := g.talk(g.api, wire)
			if inside := g.seen(); len(inside) > 0 {
				t.Errorf("inside got %v after the answers %v", inside, got)
			}
		})
	}
}
