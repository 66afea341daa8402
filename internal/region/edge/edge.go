// Package edge is the region's one door: it tells which service or API a
// request means, who signed it, and what came of it.
//
//	e := edge.New(edge.Config{Region: "us-east-1", Account: …, Services: services, Access: access, APIs: gateway})
//	listener = edge.Sniff(listener, authority.TLS()) // plain and TLS on one port
//	http.Serve(listener, e)
//
// Which service is meant comes from the credential scope, X-Amz-Target, the
// Action parameter or the path, as the SDKs send them. The order of checks is
// AWS's: the signature first, then the caller's permission, then the request.
package edge

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
	"github.com/seed-615d3599/roost/sigv4/s3body"
)

// Access says whose a credential is.
type Access interface {
	Key(ctx context.Context, accessKeyID, sessionToken string) (secret string, caller *wire.Caller, err error)
}

// APIs serves the requests whose Host means an API or a custom domain.
type APIs interface {
	http.Handler
	LookupHost(host string) (apiID string, ok bool)
}

// Config is what New needs.
type Config struct {
	Account  string
	Region   string
	Services []*wire.Service
	Access   Access
	APIs     APIs                    // may be nil
	Paths    map[string]http.Handler // served without a signature: "/.well-known/…"
	Refused  func(Refusal)           // told of every refused call; may be nil
	Now      func() time.Time
	Rand     io.Reader
}

// Refusal is a call of an operation that was turned down. Nothing in it is
// secret.
type Refusal struct {
	Time        time.Time
	RequestID   string
	Service     string
	Operation   string
	Method      string
	Path        string
	SourceIP    string
	AccessKeyID string
	Caller      *wire.Caller // nil if it is not known
	Status      int
	Code        string
	Message     string
	Diagnosis   *sigv4.Diagnosis // of a signature that does not match

	// Of a refusal by policies: what was asked for, and how it was decided.
	Action, Resource string
	Trace            *iam.Trace
}

// Edge is the door. Make it with New.
type Edge struct {
	config    Config
	byName    map[string]*wire.Service
	diagnoses chan struct{} // bounds how many run at once: they are dear
}

// New returns the door.
func New(config Config) *Edge {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	e := &Edge{config: config, byName: map[string]*wire.Service{}, diagnoses: make(chan struct{}, 1)}
	for _, service := range config.Services {
		e.byName[service.Name] = service
	}
	return e
}

// maxBody bounds what is read of a body that an operation does not stream. The
// largest are Lambda's zip files of 50 MB in base 64.
const maxBody = 70 << 20

// ServeHTTP serves one request.
func (e *Edge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e.config.APIs != nil {
		if _, ok := e.config.APIs.LookupHost(r.Host); ok {
			e.config.APIs.ServeHTTP(w, r)
			return
		}
	}
	if handler, ok := e.config.Paths[r.URL.Path]; ok {
		handler.ServeHTTP(w, r)
		return
	}
	if e.preflight(w, r) {
		return
	}
	id, err := uuid.NewRandomFromReader(e.config.Rand)
	if err != nil {
		http.Error(w, "no randomness", http.StatusInternalServerError)
		return
	}
	c := &conversation{e: e, w: w, r: r, call: &wire.Call{
		Region: e.config.Region, Account: e.config.Account, RequestID: id.String(),
		UserAgent: r.UserAgent(), SourceIP: sourceIP(r),
	}}
	c.serve()
}

func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// conversation is one request on its way.
type conversation struct {
	e       *Edge
	w       http.ResponseWriter
	r       *http.Request
	call    *wire.Call
	service *wire.Service
	body    []byte
	read    bool          // the body is in body
	signed  sigv4.Request // as received
	claim   sigv4.Scope
	unknown bool // authentication failed
}

func (c *conversation) serve() {
	c.signed = sigv4.FromHTTP(c.r)
	if scope, ok := sigv4.PeekScope(&c.signed); ok {
		c.claim = scope
	}
	service, err := c.e.meant(c)
	if err != nil {
		c.refuse(err)
		return
	}
	c.service = service
	if fromPages(service) {
		allowPages(c.w.Header(), service)
	}
	in, err := c.resolve()
	if err != nil {
		c.refuse(err)
		return
	}
	c.call.Operation = in.Operation()
	ctx, body := c.r.Context(), c.r.Body
	if !in.Unsigned() {
		if err := c.authenticate(ctx, in.Streams()); err != nil {
			c.refuse(err)
			return
		}
	}
	// The server must find its own body again: it decides by it whether a client
	// that waits for "100 Continue" is still going to send.
	defer func(body io.ReadCloser) { c.r.Body = body }(body)
	in.SetBody(c.body)
	if err := service.Respond(ctx, c.w, c.call, in); err != nil {
		c.note(err, nil)
	}
}

// resolve finds the operation and reads the body, but for one that the
// operation reads itself.
func (c *conversation) resolve() (*wire.Incoming, error) {
	if c.service.Protocol == wire.RESTXML {
		if signatureV2(c.r) {
			return nil, wire.Errorf(http.StatusBadRequest, "InvalidRequest", "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
		}
		pathStyle(c.r)
	}
	if c.service.Protocol == wire.Query {
		if err := c.readBody(); err != nil {
			return nil, err
		}
	}
	in, err := c.service.Resolve(c.r, c.body)
	if err != nil {
		return nil, err
	}
	if c.service.Protocol != wire.Query && !in.Streams() {
		if err := c.readBody(); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func (c *conversation) readBody() error {
	if c.read {
		return nil // to find out which service is meant
	}
	body, hash, err := sigv4.ReadBody(c.r.Body, maxBody)
	if errors.Is(err, sigv4.ErrBodyTooLarge) {
		return wire.Errorf(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "the body has more than %d bytes", maxBody)
	}
	if err != nil {
		return wire.Errorf(http.StatusBadRequest, "IncompleteBody", "the body ended before its end")
	}
	c.body, c.read, c.signed.Body, c.signed.PayloadHash = body, true, body, hash
	return nil
}

// authenticate checks the signature and finds out who the caller is.
func (c *conversation) authenticate(ctx context.Context, streams bool) error {
	verifier := c.e.verifier(c.service)
	request := c.signed
	if verifier.S3 {
		request.PayloadHash = "" // S3 takes it from the header
	}
	signature, err := verifier.Verify(&request, func(id, token string) (string, error) {
		secret, caller, err := c.e.config.Access.Key(ctx, id, token)
		c.call.Caller = caller
		return secret, err
	})
	if err != nil {
		c.call.Caller = nil
		c.unknown = true
		return err
	}
	if !verifier.S3 {
		return nil
	}
	checked := s3body.New(&signature, c.r.Body)
	if streams {
		c.r.Body = payload{checked, c.r.Body}
		return nil
	}
	// The body was read already, so that it can be checked at once.
	_, err = io.Copy(io.Discard, s3body.New(&signature, bytes.NewReader(c.body)))
	return err
}

// payload is a body that is checked while it is read. What came after its end
// is in Trailer.
type payload struct {
	*s3body.Body
	io.Closer
}

// globalRegion is what IAM, STS and S3's global endpoint are signed for.
const globalRegion = "us-east-1"

func (e *Edge) verifier(service *wire.Service) sigv4.Verifier {
	v := sigv4.Verifier{Service: service.Name, Regions: []string{e.config.Region}, Now: e.config.Now, S3: service.Name == "s3"}
	if service.Name == "iam" || service.Name == "sts" || service.Name == "s3" {
		v.Regions = append(v.Regions, globalRegion)
	}
	return v
}

// refuse answers with an error, and has it explained.
func (c *conversation) refuse(err error) {
	protocol := c.service
	if protocol == nil {
		protocol = &wire.Service{Protocol: c.protocol()}
	}
	var signature *sigv4.Error
	if errors.As(err, &signature) {
		err = &wire.Error{Status: wireStatus(protocol, signature.Status), Code: wireCode(protocol, signature.Code), Message: signature.Message}
	} else if e := (*wire.Error)(nil); errors.As(err, &e) {
		renamed := *e
		renamed.Code, renamed.Status = wireCode(protocol, e.Code), wireStatus(protocol, e.Status)
		err = &renamed
	}
	c.note(err, signature) // before the answer: who has that may ask for the reason at once
	protocol.WriteError(c.w, c.call.RequestID, err)
}

// wireCode is the name by which a protocol knows an error of authentication
// (IAM API Reference, "Common errors", and the same page of each service).
func wireCode(service *wire.Service, code string) string {
	switch {
	case service.Protocol == wire.RESTXML && code == "InvalidClientTokenId":
		return "InvalidAccessKeyId"
	case service.Protocol == wire.RESTXML || service.Protocol == wire.Query:
		return code
	}
	switch code {
	case "SignatureDoesNotMatch":
		return "InvalidSignatureException"
	case "InvalidClientTokenId":
		return "UnrecognizedClientException"
	case "ExpiredToken", "IncompleteSignature", "MissingAuthenticationToken":
		return code + "Exception"
	}
	return code
}

// wireStatus is the HTTP status of an error of authentication: the JSON
// protocol answers everything that is the client's fault with 400.
func wireStatus(service *wire.Service, status int) int {
	if service.Protocol == wire.JSON && status == http.StatusForbidden {
		return http.StatusBadRequest
	}
	return status
}

// note tells whoever explains refusals.
func (c *conversation) note(err error, signature *sigv4.Error) {
	var e *wire.Error
	var denied *wire.Denied
	errors.As(err, &denied)
	if c.e.config.Refused == nil || !errors.As(err, &e) || e.Status != http.StatusForbidden && !c.unknown && denied == nil {
		return
	}
	refusal := Refusal{
		Time: c.e.config.Now().UTC(), RequestID: c.call.RequestID, Service: c.call.Service, Operation: c.call.Operation,
		Method: c.r.Method, Path: c.r.URL.EscapedPath(), SourceIP: c.call.SourceIP,
		AccessKeyID: c.claim.AccessKeyID, Caller: c.call.Caller, Status: e.Status, Code: e.Code, Message: e.Message,
	}
	if c.service != nil {
		refusal.Service = c.service.Name
	}
	if denied != nil {
		refusal.Action, refusal.Resource, refusal.Trace = denied.Action, denied.Resource, denied.Trace
	}
	if signature != nil && signature.Code == sigv4.CodeSignatureDoesNotMatch {
		refusal.Diagnosis = c.diagnose()
	}
	c.e.config.Refused(refusal)
}

// diagnose finds out what is wrong with a signature, unless another diagnosis
// is under way: bad signatures must not be a cheap way to burn time.
func (c *conversation) diagnose() *sigv4.Diagnosis {
	select {
	case c.e.diagnoses <- struct{}{}:
		defer func() { <-c.e.diagnoses }()
	default:
		return nil
	}
	verifier := c.e.verifier(c.service)
	found := verifier.Diagnose(&c.signed, func(id, token string) (string, error) {
		secret, _, err := c.e.config.Access.Key(c.r.Context(), id, token)
		return secret, err
	})
	return &found
}

// signatureV2 tells whether a request is signed as S3 allowed it before SigV4,
// which older SDKs still do for presigned URLs.
func signatureV2(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS ") || strings.Contains(r.URL.RawQuery, "AWSAccessKeyId=")
}

// pathStyle moves a bucket from the host into the path.
func pathStyle(r *http.Request) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	bucket, found := strings.CutSuffix(host, ".localhost")
	for _, mark := range []string{".s3.", ".s3-"} {
		if !found {
			bucket, _, found = strings.Cut(host, mark)
		}
	}
	if !found || bucket == "" || bucket == "s3" {
		return
	}
	moved := *r.URL
	moved.Path = "/" + bucket + moved.Path
	if moved.RawPath != "" {
		moved.RawPath = "/" + url.PathEscape(bucket) + moved.RawPath
	}
	r.URL = &moved
}
