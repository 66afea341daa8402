// Package urls serves Lambda function URLs: it makes a request into an event of
// payload format 2.0, has the function invoked, and writes its answer, buffered
// or as a stream. It answers CORS preflights and decides who may call.
//
//	handler := &urls.Handler{Functions: lambda, Access: access, Region: "us-east-1"}
//	http.Handle("/", handler.For(id))
package urls

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
)

// maxBody is the largest request body in bytes.
const maxBody = 6 << 20

// Functions is Lambda as function URLs see it.
type Functions interface {
	// FunctionURL returns what a URL leads to. ok is false for one that does not
	// exist.
	FunctionURL(id string) (functionARN string, config model.FunctionURL, ok bool)
	// MayCallURL decides by the function's resource policy whether everybody may
	// call a URL without authorization.
	MayCallURL(functionARN string) error
	// Policy returns the function's resource policy, a JSON document; empty if it
	// has none.
	Policy(functionARN string) string
	// InvokeURL invokes the function. Parts of a streamed response go to stream.
	InvokeURL(ctx context.Context, functionARN, requestID string, event []byte, stream func(contentType string, part []byte) error) (response []byte, failed bool, err error)
}

// Access knows callers by their signatures, for URLs with AWS_IAM.
type Access interface {
	Key(ctx context.Context, accessKeyID, sessionToken string) (secret string, caller *wire.Caller, err error)
	// DecideWith decides by the caller's own policies and by that of the
	// resource, a JSON document or empty.
	DecideWith(caller *wire.Caller, action, resource, policy string, conditions iam.Context) iam.Decision
}

// Handler serves every function URL of a region.
type Handler struct {
	Functions Functions
	Access    Access // nil: URLs with AWS_IAM are refused
	Region    string
	Now       func() time.Time // nil: time.Now
}

// For returns the handler of one URL, by its id.
func (h *Handler) For(id string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, id) })
}

func (h *Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// call is one request on its way.
type call struct {
	h      *Handler
	w      http.ResponseWriter
	r      *http.Request
	id     string // of the URL
	arn    string // of the function
	config model.FunctionURL
	reqID  string
	body   []byte
	caller *wire.Caller // nil: anonymous
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, id string) {
	c := &call{h: h, w: w, r: r, id: id, reqID: uuid.NewString()}
	w.Header().Set("x-amzn-RequestId", c.reqID)
	var ok bool
	if c.arn, c.config, ok = h.Functions.FunctionURL(id); !ok {
		c.forbidden()
		return
	}
	if c.preflight() {
		return
	}
	var err error
	if c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		c.fail(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "Request must be smaller than 6291456 bytes for the InvokeFunction operation")
		return
	}
	c.cors()
	if !c.authorized() {
		return
	}
	event, err := json.Marshal(c.event())
	if err != nil {
		c.fail(http.StatusInternalServerError, "ServiceException", "Internal Server Error")
		return
	}
	c.answer(event)
}

// fail writes an error in the form of Lambda's front door.
func (c *call) fail(status int, kind, message string) {
	c.w.Header().Set("x-amzn-ErrorType", kind)
	writeJSON(c.w, status, map[string]string{"Message": message})
}

// forbidden is the answer to everybody who may not call, and for URLs that do
// not exist.
func (c *call) forbidden() {
	c.fail(http.StatusForbidden, "AccessDeniedException", "Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html")
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no error of ours
}

// authorized decides whether the caller may invoke the URL, and answers where
// not.
func (c *call) authorized() bool {
	if c.config.AuthType == "NONE" {
		if c.h.Functions.MayCallURL(c.arn) != nil {
			c.forbidden()
			return false
		}
		return true
	}
	if c.h.Access == nil {
		c.forbidden()
		return false
	}
	request := sigv4.FromHTTP(c.r)
	request.Body = c.body
	verifier := sigv4.Verifier{Service: "lambda", Regions: []string{c.h.Region}, Now: c.h.now}
	_, err := verifier.Verify(&request, func(id, token string) (string, error) {
		secret, caller, err := c.h.Access.Key(c.r.Context(), id, token)
		c.caller = caller
		return secret, err
	})
	var refused *sigv4.Error
	switch {
	case errors.As(err, &refused) && refused.Code == sigv4.CodeMissingAuthenticationToken:
		c.forbidden()
	case errors.As(err, &refused):
		c.fail(http.StatusForbidden, refused.Code+"Exception", refused.Message)
	case err != nil:
		c.fail(http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid.")
	case !c.mayCall():
		c.forbidden()
	default:
		return true
	}
	return false
}

// mayCall asks the caller's own policies and the function's: within an account
// one of them is enough, and none may deny.
func (c *call) mayCall() bool {
	const action = "lambda:InvokeFunctionUrl"
	return c.h.Access.DecideWith(c.caller, action, c.arn, c.h.Functions.Policy(c.arn), c.conditions()).Outcome == iam.Allowed
}

// conditions are the condition keys of the request.
func (c *call) conditions() iam.Context {
	source := c.source()
	keys := iam.Context{
		{Name: "lambda:FunctionUrlAuthType", Value: "AWS_IAM"},
		{Name: "aws:SourceIp", Value: source},
		{Name: "aws:SecureTransport", Value: strconv.FormatBool(wire.Secure(c.r.TLS != nil, source))},
	}
	if agent := c.r.UserAgent(); agent != "" {
		keys = append(keys, iam.Key{Name: "aws:UserAgent", Value: agent})
	}
	return keys
}

// source is the address that the request comes from.
func (c *call) source() string {
	source, _, err := net.SplitHostPort(c.r.RemoteAddr)
	if err != nil {
		return c.r.RemoteAddr
	}
	return source
}
