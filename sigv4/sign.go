package sigv4

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials are an access key. They print without their secrets.
type Credentials struct {
	// AccessKeyID is the public name of the key.
	AccessKeyID string
	// SecretAccessKey is its secret.
	SecretAccessKey string
	// SessionToken comes with temporary credentials, else it is "".
	SessionToken string
}

// Format writes the access key id and nothing else, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) {
	io.WriteString(f, "credentials of "+c.AccessKeyID)
}

// Signer signs requests for one service in one region.
type Signer struct {
	// Credentials sign.
	Credentials Credentials
	// Service is the signing name, such as "execute-api".
	Service string
	// Region is such as "eu-west-1".
	Region string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// S3 signs by S3's rules: PathAsSent, and the payload hash in a header.
	S3 bool
	// PathAsSent leaves the path as it is: no normalising, one encoding.
	PathAsSent bool
	// UnsignedQueryToken has Presign add the session token after signing, as
	// AWS IoT Core wants it.
	UnsignedQueryToken bool
}

// Sign signs a request in its headers: it sets X-Amz-Date, Authorization, with a
// session token X-Amz-Security-Token, and for S3 X-Amz-Content-Sha256. All
// headers are signed but those that change on the way.
//
// payloadHash is the body's SHA-256 in lower-case hex, or for S3 one of the
// Payload markers. If it is "", the body is read through r.GetBody, which
// http.NewRequest sets for bodies in memory.
func (s *Signer) Sign(r *http.Request, payloadHash string) error {
	payloadHash, err := requestHash(r, payloadHash)
	if err != nil {
		return err
	}
	c := s.claim()
	r.Header.Del("Authorization")
	r.Header.Set("X-Amz-Date", c.time.Format(isoBasic))
	if s.Credentials.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", s.Credentials.SessionToken)
	}
	if s.S3 {
		r.Header.Set("X-Amz-Content-Sha256", payloadHash)
	}
	request := FromHTTP(r)
	c.signedHeaders = headersToSign(&request)
	r.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s, SignedHeaders=%s, Signature=%s",
		Algorithm, c.credential, c.signedHeaders, s.compute(&request, c, payloadHash)))
	return nil
}

// Presign returns the request's URL with a signature in its query that is good
// for expires, from a second to seven days. The host and the headers that r has
// are signed and must be sent as they are; r is not changed. payloadHash is as
// for Sign, but for S3 an empty one stands for PayloadUnsigned.
func (s *Signer) Presign(r *http.Request, payloadHash string, expires time.Duration) (*url.URL, error) {
	if expires < time.Second || expires > maxExpires {
		return nil, fmt.Errorf("a presigned URL can be good for 1 second to 7 days, not for %v", expires)
	}
	if s.S3 && payloadHash == "" {
		payloadHash = PayloadUnsigned
	}
	payloadHash, err := requestHash(r, payloadHash)
	if err != nil {
		return nil, err
	}
	c := s.claim()
	c.presigned = true
	signed := *r.URL
	request := FromHTTP(r)
	c.signedHeaders = headersToSign(&request)
	add := func(name, value string) {
		pair := name + "=" + string(appendEncodedAll(nil, value))
		signed.RawQuery = strings.TrimPrefix(signed.RawQuery+"&"+pair, "&")
	}
	add("X-Amz-Algorithm", Algorithm)
	add("X-Amz-Credential", c.credential)
	add("X-Amz-Date", c.time.Format(isoBasic))
	add("X-Amz-SignedHeaders", c.signedHeaders)
	add("X-Amz-Expires", strconv.FormatInt(int64(expires/time.Second), 10))
	if s.S3 && payloadHash != PayloadUnsigned {
		add("X-Amz-Content-Sha256", payloadHash)
	}
	token := s.Credentials.SessionToken
	if token != "" && !s.UnsignedQueryToken {
		add("X-Amz-Security-Token", token)
	}
	request.Target = signed.RequestURI()
	sum := s.compute(&request, c, payloadHash)
	if token != "" && s.UnsignedQueryToken {
		add("X-Amz-Security-Token", token)
	}
	add("X-Amz-Signature", string(sum[:]))
	return &signed, nil
}

// claim is the signature to be, without its headers.
func (s *Signer) claim() *claim {
	v := Verifier{Now: s.Now}
	c := &claim{accessKeyID: s.Credentials.AccessKeyID, time: v.now()}
	c.scope = scope{date: c.time.Format("20060102"), region: s.Region, service: s.Service}
	c.credential = string(c.scope.append([]byte(c.accessKeyID + "/")))
	return c
}

func (s *Signer) compute(r *Request, c *claim, payloadHash string) signature {
	v := Verifier{S3: s.S3, PathAsSent: s.PathAsSent}
	f := v.form(c, payloadHash)
	sum, _ := computeSignature(r, c, &f, signingKey(s.Credentials.SecretAccessKey, c.scope))
	return sum
}

// requestHash returns the given hash, or computes it.
func requestHash(r *http.Request, given string) (string, error) {
	switch {
	case given != "":
		return given, nil
	case r.Body == nil || r.Body == http.NoBody:
		return emptyHash, nil
	case r.GetBody == nil:
		return "", errors.New("the body can be read only once: pass its hash to sign it")
	}
	body, err := r.GetBody()
	if err != nil {
		return "", fmt.Errorf("reading the body to sign it: %w", err)
	}
	defer body.Close()
	_, hash, err := ReadBody(body, 1<<62)
	return hash, err
}

// headersToSign lists the headers of a request that can be signed: all but
// those that the transport or a proxy writes anew.
func headersToSign(r *Request) string {
	names := []string{"host"}
	for _, h := range r.Header {
		name := strings.ToLower(h.Name)
		switch name {
		case "authorization", "connection", "expect", "host", "te", "trailer", "transfer-encoding",
			"upgrade", "user-agent", "accept-encoding", "x-amzn-trace-id", "x-forwarded-for", "x-forwarded-proto":
		default:
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ";")
}

func appendEncodedAll(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		dst = appendEncoded(dst, s[i], false)
	}
	return dst
}
