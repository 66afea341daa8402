package sigv4

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// claim is what a request says of its own signature, before any of it is
// believed.
type claim struct {
	presigned     bool
	credential    string // AKID/date/region/service/aws4_request
	signedHeaders string // sorted
	signature     string
	date          string // as sent
	token         string
	expires       string // X-Amz-Expires of a presigned request
	contentSHA256 string // X-Amz-Content-Sha256, in the header or the presigned query

	// Set by later steps from those above.
	time        time.Time
	accessKeyID string
	scope
	terminator string
}

// Scope is what a request claims to be signed for. It is not verified.
type Scope struct {
	// AccessKeyID is the first part of the credential.
	AccessKeyID string
	// Date is the day, as YYYYMMDD.
	Date string
	// Region is such as "eu-west-1".
	Region string
	// Service is the signing name, such as "execute-api".
	Service string
}

// PeekScope returns the credential scope that a request claims, so that a server
// with several services can tell which is meant. It reports false if there is
// none. Nothing in it is to be believed before Verify has accepted the request.
func PeekScope(r *Request) (Scope, bool) {
	var c claim
	if header, ok := r.first("authorization"); ok {
		_, parameters, _ := strings.Cut(strings.TrimSpace(header), " ")
		c.readParameters(parameters)
	} else {
		_, query := r.pathAndQuery()
		c.readQuery(query)
	}
	if !c.split() {
		return Scope{}, false
	}
	return Scope{AccessKeyID: c.accessKeyID, Date: c.scope.date, Region: c.region, Service: c.service}, true
}

// readClaim finds the signature and makes the checks that need nothing but the
// request. The numbers are those of the order in which AWS makes them, as the
// table of errors in the verifier's test has them.
func (v *Verifier) readClaim(r *Request, c *claim) *Error {
	path, query := r.pathAndQuery()
	if !strings.HasPrefix(path, "/") || !wellFormed(path) || !v.S3 && !v.PathAsSent && aboveRoot(path) { // 1
		return v.errPath()
	}
	if !wellFormed(query) { // 4
		return v.errQuery(query)
	}
	header, inHeader := r.first("authorization")
	algorithm := c.readQuery(query)
	switch {
	case inHeader && algorithm != "": // 5
		return v.errSignedTwice()
	case inHeader:
		*c = claim{}
		if err := v.readAuthorization(r, c, header); err != nil { // 6
			return err
		}
	case algorithm != Algorithm: // 7a
		return v.errUnsigned()
	default:
		c.presigned = true
		if token, ok := r.first("x-amz-security-token"); ok && c.token == "" {
			c.token = trim(token)
		}
		// An unsigned hash is not the signer's, who then left the body open.
		if hash, ok := r.first("x-amz-content-sha256"); ok && lists(c.signedHeaders, "x-amz-content-sha256") {
			c.contentSHA256 = trim(hash)
		}
	}
	c.sortSignedHeaders()
	if c.credential == "" || c.signature == "" || c.signedHeaders == "" || c.date == "" { // 6d, 7d
		return v.errMissing(c)
	}
	if !lists(c.signedHeaders, "host") && !lists(c.signedHeaders, ":authority") { // 8
		return v.errHostUnsigned()
	}
	return v.readDate(r, c) // 9
}

// readAuthorization reads the Authorization header and the headers beside it.
func (v *Verifier) readAuthorization(r *Request, c *claim, header string) *Error {
	header = trim(header)
	algorithm, parameters, _ := strings.Cut(header, " ")
	if algorithm != Algorithm { // 6a
		return v.errAlgorithm(algorithm)
	}
	if bad := c.readParameters(parameters); bad != "" { // 6b
		return v.errPair(bad, header)
	}
	c.readHeaders(r)
	return nil
}

// readParameters reads the parameters of an Authorization header, the last of
// each name (6c), and returns the first that is not name=value.
func (c *claim) readParameters(parameters string) (bad string) {
	for parameters != "" {
		var parameter string
		parameter, parameters, _ = strings.Cut(parameters, ",")
		parameter = trim(parameter)
		if parameter == "" {
			continue
		}
		name, value, ok := strings.Cut(parameter, "=")
		if !ok {
			return parameter
		}
		switch name {
		case "Credential":
			c.credential = value
		case "SignedHeaders":
			c.signedHeaders = value
		case "Signature":
			c.signature = value
		}
	}
	return ""
}

// readHeaders reads the headers that belong to a signature: the first of each
// name, and Date only without X-Amz-Date (6e).
func (c *claim) readHeaders(r *Request) {
	amzDate, dated := r.first("x-amz-date")
	if !dated {
		amzDate, _ = r.first("date")
	}
	c.date = trim(amzDate)
	token, _ := r.first("x-amz-security-token")
	c.token = trim(token)
	hash, _ := r.first("x-amz-content-sha256")
	c.contentSHA256 = trim(hash)
}

// readQuery reads the parameters of a presigned request, the first of each name
// (7c), and returns X-Amz-Algorithm.
func (c *claim) readQuery(query string) (algorithm string) {
	if !strings.Contains(query, "X-Amz-") && !strings.Contains(query, "%") {
		return ""
	}
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		var slot *string
		switch unescape(key) {
		case "X-Amz-Algorithm":
			slot = &algorithm
		case "X-Amz-Credential":
			slot = &c.credential
		case "X-Amz-Date":
			slot = &c.date
		case "X-Amz-Expires":
			slot = &c.expires
		case "X-Amz-SignedHeaders":
			slot = &c.signedHeaders
		case "X-Amz-Signature":
			slot = &c.signature
		case "X-Amz-Security-Token":
			slot = &c.token
		case "X-Amz-Content-Sha256":
			slot = &c.contentSHA256
		}
		if slot != nil && *slot == "" {
			*slot = unescape(value)
		}
	}
	return algorithm
}

// readDate reads the time of the signature: ISO 8601 basic format, or in the
// Date header also those of RFC 9110 and, for botocore sends that, RFC 5322.
func (v *Verifier) readDate(r *Request, c *claim) *Error {
	var err error
	if c.time, err = parseDate(c.date); err == nil {
		return nil
	}
	if !c.presigned && !r.has("x-amz-date") {
		for _, layout := range []string{http.TimeFormat, time.RFC1123Z} {
			if c.time, err = time.Parse(layout, c.date); err == nil {
				c.time = c.time.UTC()
				return nil
			}
		}
	}
	return v.errDate(c)
}

func parseDate(s string) (time.Time, error) {
	// time.Parse would also take fractions of a second.
	if len(s) != len(isoBasic) {
		s = ""
	}
	return time.Parse(isoBasic, s)
}

// split takes the credential apart: key id, date, region, service, terminator.
// It reports false unless there are exactly five parts.
func (c *claim) split() bool {
	if strings.Count(c.credential, "/") != 4 {
		return false
	}
	rest := c.credential
	c.accessKeyID, rest, _ = strings.Cut(rest, "/")
	c.scope.date, rest, _ = strings.Cut(rest, "/")
	c.region, rest, _ = strings.Cut(rest, "/")
	c.service, c.terminator, _ = strings.Cut(rest, "/")
	return true
}

// sortSignedHeaders puts the list in order, for AWS does so before it computes.
func (c *claim) sortSignedHeaders() {
	previous := ""
	for rest := c.signedHeaders; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, ";")
		if name < previous {
			names := strings.Split(c.signedHeaders, ";")
			slices.Sort(names)
			c.signedHeaders = strings.Join(names, ";")
			return
		}
		previous = name
	}
}

// lists reports whether a list of signed headers has a name.
func lists(signedHeaders, name string) bool {
	for signedHeaders != "" {
		var other string
		other, signedHeaders, _ = strings.Cut(signedHeaders, ";")
		if other == name {
			return true
		}
	}
	return false
}

// trim removes the blanks around a header value.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }

// unescape decodes percent escapes and plus signs of a query.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	out := make([]byte, 0, len(s))
	for s != "" {
		c, width := decode(s, true)
		out, s = append(out, c), s[width:]
	}
	return string(out)
}
