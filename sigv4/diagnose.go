package sigv4

import (
	"fmt"
	"strings"
	"time"
)

// Diagnosis says for a person why a request was refused.
type Diagnosis struct {
	// Sentence is one sentence in plain English.
	Sentence string
	// CanonicalRequest is what the signature has to be made over, as it
	// follows from the request that arrived. A session token in it is cut
	// short. It is empty if the request did not get that far.
	CanonicalRequest string
	// StringToSign is the second step; it holds the canonical request's hash.
	StringToSign string
}

// Diagnose says what is wrong with a request that Verify refused. It goes through
// the same checks and, where the signature does not match, computes it again
// with each of the mistakes that people make, until one gives the signature that
// was sent. That takes some hundred times as long as Verify: it is for records
// of refusals, not for the way to an answer. It never tells the secret key.
func (v *Verifier) Diagnose(r *Request, key KeyFunc) Diagnosis {
	var c claim
	if err := v.readClaim(r, &c); err != nil {
		return Diagnosis{Sentence: v.explainClaim(r, &c, err)}
	}
	if _, err := v.checkTime(&c); err != nil {
		return Diagnosis{Sentence: v.explainTime(&c, err)}
	}
	if err := v.checkScope(&c); err != nil {
		return Diagnosis{Sentence: v.explainScope(&c)}
	}
	payloadHash, err := v.payloadHash(r, &c)
	if err != nil {
		return Diagnosis{Sentence: "the payload cannot be checked: " + err.Message}
	}
	f := v.form(&c, payloadHash)
	f.omitToken = v.UnsignedQueryToken
	canonical, _ := appendCanonicalRequest(nil, r, &f)
	d := Diagnosis{
		CanonicalRequest: cutToken(string(canonical), c.token),
		StringToSign:     string(stringToSign(nil, c.time, c.scope, canonical)),
	}
	secret, keyErr := key(c.accessKeyID, c.token)
	switch {
	case keyErr != nil:
		d.Sentence = explainKey(&c, keyErr)
	case v.matches(r, &c, &f, signingKey(secret, c.scope)):
		d.Sentence = "the signature is correct"
	default:
		d.Sentence = v.explainMismatch(&trial{request: *r, claim: c, form: f, secret: secret})
	}
	return d
}

// cutToken keeps the first characters of a session token, as it is part of the
// credentials.
func cutToken(canonical, token string) string {
	const shown = 8
	if len(token) <= shown {
		return canonical
	}
	canonical = strings.ReplaceAll(canonical, token, token[:shown]+"...")
	encoded := string(appendEncodedAll(nil, token))
	return strings.ReplaceAll(canonical, encoded, token[:shown]+"...")
}

func (v *Verifier) explainClaim(r *Request, c *claim, err *Error) string {
	header, inHeader := r.first("authorization")
	scheme, _, _ := strings.Cut(trim(header), " ")
	switch {
	case err.Code == CodeBadRequest || err.Code == CodeInvalidURI:
		return "the path is badly encoded or leads above the root"
	case err.Code == CodeMalformedQueryString:
		return "the query is badly encoded: a percent sign is not followed by two hexadecimal digits"
	case inHeader && strings.Contains(r.Target, "X-Amz-Algorithm="):
		return "the request is signed twice, in the Authorization header and in the query; send one of the two"
	case !inHeader && strings.Contains(r.Target, "X-Amz-Algorithm=") && err.Code == v.errUnsigned().Code:
		return "the query names a signing algorithm other than " + Algorithm
	case !inHeader && !c.presigned:
		return "the request is not signed: it has neither an Authorization header nor X-Amz-Algorithm in its query"
	case inHeader && scheme != Algorithm:
		return fmt.Sprintf("the Authorization header holds %q and no signature of the kind %s", scheme, Algorithm)
	case err.Code == v.errHostUnsigned().Code && err.Message == v.errHostUnsigned().Message:
		return "the host header is not among the signed headers (" + c.signedHeaders + "); it has to be signed"
	}
	return "the signature is not complete: " + err.Message
}

func (v *Verifier) explainTime(c *claim, err *Error) string {
	now := v.now()
	difference := now.Sub(c.time).Truncate(time.Second)
	switch {
	case c.presigned && err.Code == CodeAuthorizationQueryParametersError, err.Code == CodeIncompleteSignature:
		return "the life of the presigned URL is wrong: " + err.Message
	case difference < 0:
		return fmt.Sprintf("the request was signed at %s, %v ahead of the clock here: set the client's clock", c.time.Format(time.RFC3339), -difference)
	case c.presigned && c.expires != "":
		life, _ := v.readExpires(c.expires)
		return fmt.Sprintf("the presigned URL was made at %s for %s seconds, which ended %v ago: make a new one",
			c.time.Format(time.RFC3339), c.expires, difference-life)
	}
	return fmt.Sprintf("the request was signed at %s, %v ago: it was kept too long, or the client's clock is slow", c.time.Format(time.RFC3339), difference)
}

func (v *Verifier) explainScope(c *claim) string {
	switch {
	case c.scope.service == "" && c.scope.region == "":
		return fmt.Sprintf("the credential %q does not have the form key-id/date/region/service/%s", c.credential, terminator)
	case c.service != v.Service:
		return fmt.Sprintf("the request is signed for the service %q, and this one is %q: set the client's signing service", c.service, v.Service)
	case !v.regionMatches(c.region):
		return fmt.Sprintf("the request is signed for the region %q, and this one is %q: set the client's region", c.region, strings.Join(v.Regions, " or "))
	case c.terminator != terminator:
		return fmt.Sprintf("the credential ends in %q instead of %q", c.terminator, terminator)
	}
	return fmt.Sprintf("the credential is for the day %s, and the request was signed on %s", c.scope.date, c.time.Format("20060102"))
}

// temporaryPrefix starts the ids of access keys that STS gives out (IAM User
// Guide, "IAM identifiers").
const temporaryPrefix = "ASIA"

func explainKey(c *claim, err error) string {
	if c.token == "" && strings.HasPrefix(c.accessKeyID, temporaryPrefix) {
		return fmt.Sprintf("the access key %s is temporary and the request has no session token: send X-Amz-Security-Token", c.accessKeyID)
	}
	return fmt.Sprintf("the access key %s is not accepted: %v", c.accessKeyID, err)
}

// explainMismatch tries one mistake after the other, then pairs of those that
// come together.
func (v *Verifier) explainMismatch(t *trial) string {
	if name := t.missingHeader(); name != "" {
		return fmt.Sprintf("the header %q is signed but not in the request: it was removed on the way, or never sent", name)
	}
	shapes, others := t.shapeMistakes(v), t.otherMistakes()
	for _, m := range append(shapes[:len(shapes):len(shapes)], others...) {
		if t.explains(m) {
			return t.sentence(m)
		}
	}
	for i, first := range shapes {
		for _, second := range shapes[i+1:] {
			if first.part != second.part && t.explains(first, second) {
				return t.sentence(first, second)
			}
		}
	}
	return fmt.Sprintf("none of the usual mistakes explains it: either the secret access key is not the one of %s, or the method, path, query, body or one of the signed headers (%s) was changed after signing",
		t.claim.accessKeyID, strings.ReplaceAll(t.claim.signedHeaders, ";", ", "))
}

// sentence joins the faults, and names curl, whose signatures have them.
func (t *trial) sentence(mistakes ...mistake) string {
	var faults []string
	shape := true
	for _, m := range mistakes {
		faults = append(faults, m.fault)
		shape = shape && (m.part == "path" || m.part == "query")
	}
	out := strings.Join(faults, ", and ")
	if agent, _ := t.request.first("user-agent"); shape && strings.HasPrefix(agent, "curl/") {
		out += " (" + trim(agent) + " signs paths and queries as they are typed: use a newer curl, or write them in the canonical form)"
	}
	return out
}
