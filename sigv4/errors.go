package sigv4

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Error is a refusal. Code and Message are AWS's own. A service that uses other
// names on its wire translates the code: JSON protocols say, for instance,
// InvalidSignatureException for SignatureDoesNotMatch.
type Error struct {
	// Code is one of the Code constants.
	Code string
	// Message is AWS's text. It is empty where AWS gives none.
	Message string
	// Status is the HTTP status that goes with the code in AWS's query
	// protocol, or in S3 if the Verifier's S3 is set.
	Status int
}

// Error returns the code and the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Code
	}
	return e.Code + ": " + e.Message
}

// The codes of every service but S3 (IAM API Reference, "Common Errors").
const (
	// CodeBadRequest is given for a target that is no path, is badly encoded
	// or leads above the root. AWS answers with an empty 400.
	CodeBadRequest = "BadRequest"
	// CodeMalformedQueryString is given for a badly encoded query.
	CodeMalformedQueryString = "MalformedQueryString"
	// CodeMissingAuthenticationToken is given for a request without signature.
	CodeMissingAuthenticationToken = "MissingAuthenticationToken"
	// CodeIncompleteSignature is given for a signature that lacks a part.
	CodeIncompleteSignature = "IncompleteSignature"
	// CodeSignatureDoesNotMatch is given for a signature that is wrong, too
	// old, too new or for another scope.
	CodeSignatureDoesNotMatch = "SignatureDoesNotMatch"
)

// The codes that only S3 gives (S3 API Reference, "Error responses").
const (
	CodeAccessDenied                      = "AccessDenied"                      // unsigned or expired
	CodeAuthorizationHeaderMalformed      = "AuthorizationHeaderMalformed"      // or a wrong scope in it
	CodeAuthorizationQueryParametersError = "AuthorizationQueryParametersError" // of a presigned URL
	CodeIncompleteBody                    = "IncompleteBody"                    // fewer bytes than declared
	CodeInvalidArgument                   = "InvalidArgument"                   // a header with a wrong value
	CodeInvalidRequest                    = "InvalidRequest"                    // a header is missing
	CodeInvalidURI                        = "InvalidURI"                        // a badly encoded path
	CodeMissingContentLength              = "MissingContentLength"              // no decoded length
	CodeNotImplemented                    = "NotImplemented"                    // SigV4a
	CodeRequestTimeTooSkewed              = "RequestTimeTooSkewed"              // too old or too new
	CodeXAmzContentSHA256Mismatch         = "XAmzContentSHA256Mismatch"         // body differs from its hash
)

func refuse(status int, code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: status}
}

func (v *Verifier) errPath() *Error {
	if v.S3 {
		return refuse(400, CodeInvalidURI, "Couldn't parse the specified URI.")
	}
	return refuse(400, CodeBadRequest, "")
}

func (v *Verifier) errQuery(query string) *Error {
	if v.S3 {
		return v.errPath()
	}
	i := 0
	for ; i < len(query); i++ {
		if query[i] == '%' && !wellFormed(query[i:min(i+3, len(query))]) {
			break
		}
	}
	if i+2 >= len(query) {
		return refuse(400, CodeMalformedQueryString, "Incomplete trailing escape %% sequence")
	}
	return refuse(400, CodeMalformedQueryString, "Illegal hex character in escape %% pattern: %s", query[i:i+3])
}

func (v *Verifier) errUnsigned() *Error {
	if v.S3 {
		return refuse(403, CodeAccessDenied, "Access Denied")
	}
	return refuse(403, CodeMissingAuthenticationToken, "Request is missing Authentication Token")
}

func (v *Verifier) errSignedTwice() *Error {
	if v.S3 {
		return refuse(400, CodeInvalidArgument, "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified")
	}
	return refuse(403, CodeSignatureDoesNotMatch, "")
}

func (v *Verifier) errAlgorithm(algorithm string) *Error {
	if v.S3 {
		return refuse(400, CodeInvalidArgument, "Unsupported Authorization Type")
	}
	return refuse(400, CodeIncompleteSignature, "Unsupported AWS 'algorithm': '%s'.", algorithm)
}

// errPair says which parameter has no equals sign.
func (v *Verifier) errPair(pair, header string) *Error {
	if v.S3 {
		return refuse(400, CodeAuthorizationHeaderMalformed, "The authorization header is malformed; the authorization header requires three components: Credential, SignedHeaders, and Signature.")
	}
	return refuse(400, CodeIncompleteSignature, "'%s' not a valid key=value pair (missing equal-sign) in Authorization header: '%s'.", pair, header)
}

// errMissing lists what the signature lacks.
func (v *Verifier) errMissing(c *claim) *Error {
	if v.S3 {
		switch {
		case c.presigned:
			return refuse(400, CodeAuthorizationQueryParametersError, "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
		case c.credential == "" || c.signature == "" || c.signedHeaders == "":
			return v.errPair("", "")
		}
		return refuse(403, CodeAccessDenied, "AWS authentication requires a valid Date or x-amz-date header")
	}
	var missing []string
	need := func(value, inHeader, inQuery string) {
		switch {
		case value != "":
		case c.presigned:
			missing = append(missing, "AWS query-string parameters must include '"+inQuery+"'.")
		default:
			missing = append(missing, "Authorization header requires "+inHeader+".")
		}
	}
	need(c.credential, "'Credential' parameter", "X-Amz-Credential")
	need(c.signature, "'Signature' parameter", "X-Amz-Signature")
	need(c.signedHeaders, "'SignedHeaders' parameter", "X-Amz-SignedHeaders")
	need(c.date, "existence of either a 'X-Amz-Date' or a 'Date' header", "X-Amz-Date")
	last := "Authorization=" + Algorithm
	if c.presigned {
		last = "Re-examine the query-string parameters."
	}
	return refuse(400, CodeIncompleteSignature, "%s %s", strings.Join(missing, " "), last)
}

func (v *Verifier) errHostUnsigned() *Error {
	if v.S3 {
		return refuse(403, CodeAccessDenied, "There were headers present in the request which were not signed")
	}
	return refuse(403, CodeSignatureDoesNotMatch, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
}

func (v *Verifier) errDate(c *claim) *Error {
	if v.S3 && c.presigned {
		return refuse(400, CodeAuthorizationQueryParametersError, `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	} else if v.S3 {
		return refuse(403, CodeAccessDenied, "AWS authentication requires a valid Date or x-amz-date header")
	}
	return refuse(400, CodeIncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", c.date)
}

// errExpires refuses a life that is no number or out of range. The texts are
// S3's; no trace of another service's was found, so they share them.
func (v *Verifier) errExpires(reason string) *Error {
	if v.S3 {
		return refuse(400, CodeAuthorizationQueryParametersError, "%s", reason)
	}
	return refuse(400, CodeIncompleteSignature, "%s", reason)
}

func (v *Verifier) errTooOld(c *claim, now time.Time, window time.Duration) *Error {
	if v.S3 && c.presigned {
		return refuse(403, CodeAccessDenied, "Request has expired")
	} else if v.S3 {
		return refuse(403, CodeRequestTimeTooSkewed, "The difference between the request time and the current time is too large.")
	}
	return refuse(403, CodeSignatureDoesNotMatch, "Signature expired: %s is now earlier than %s (%s - %s.)",
		c.time.Format(isoBasic), now.Add(-window).Format(isoBasic), now.Format(isoBasic), inWords(window))
}

func (v *Verifier) errTooNew(c *claim, now time.Time, window time.Duration) *Error {
	if v.S3 && c.presigned {
		return refuse(403, CodeAccessDenied, "Request is not valid yet")
	} else if v.S3 {
		return v.errTooOld(c, now, window)
	}
	return refuse(403, CodeSignatureDoesNotMatch, "Signature not yet current: %s is still later than %s (%s + %s.)",
		c.time.Format(isoBasic), now.Add(window).Format(isoBasic), now.Format(isoBasic), inWords(window))
}

// inWords writes a duration as AWS does in these texts: "5 min".
func inWords(d time.Duration) string {
	if d%time.Minute == 0 {
		return strconv.FormatInt(int64(d/time.Minute), 10) + " min"
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + " sec"
}

func (v *Verifier) errCredential(c *claim) *Error {
	if v.S3 {
		return v.errScopeS3(c, `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`)
	}
	return refuse(400, CodeIncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", c.credential)
}

func (v *Verifier) errScopeS3(c *claim, reason string) *Error {
	if c.presigned {
		return refuse(400, CodeAuthorizationQueryParametersError, "Error parsing the X-Amz-Credential parameter; %s", reason)
	}
	return refuse(400, CodeAuthorizationHeaderMalformed, "The authorization header is malformed; %s", reason)
}

// errScope lists what is wrong with the credential scope, or returns nil.
func (v *Verifier) errScope(c *claim) *Error {
	day := c.time.Format("20060102")
	regionWrong, serviceWrong := !v.regionMatches(c.region), c.service != v.Service
	if v.S3 {
		switch {
		case regionWrong:
			return v.errScopeS3(c, fmt.Sprintf("the region '%s' is wrong; expecting '%s'", c.region, strings.Join(v.Regions, "' or '")))
		case serviceWrong:
			return v.errScopeS3(c, fmt.Sprintf("incorrect service %q. This endpoint belongs to %q.", c.service, v.Service))
		case c.terminator != terminator:
			return v.errScopeS3(c, fmt.Sprintf("incorrect terminal %q. This endpoint uses %q.", c.terminator, terminator))
		case c.scope.date != day:
			return v.errScopeS3(c, fmt.Sprintf("Invalid credential date %q. This date is not the same as X-Amz-Date: %q.", c.scope.date, day))
		}
		return nil
	}
	var wrong []string
	if regionWrong {
		wrong = append(wrong, "Credential should be scoped to a valid region, not '"+c.region+"'.")
	}
	if serviceWrong {
		wrong = append(wrong, "Credential should be scoped to correct service: '"+v.Service+"'.")
	}
	if c.terminator != terminator {
		wrong = append(wrong, "Credential should be scoped with a valid terminator: 'aws4_request', not '"+c.terminator+"'.")
	}
	if c.scope.date != day {
		wrong = append(wrong, fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", c.scope.date, day, c.time.Format(isoBasic)))
	}
	return refuse(403, CodeSignatureDoesNotMatch, "%s", strings.Join(wrong, " "))
}

func (v *Verifier) errMismatch() *Error {
	if v.S3 {
		return refuse(403, CodeSignatureDoesNotMatch, "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
	}
	return refuse(403, CodeSignatureDoesNotMatch, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
}
