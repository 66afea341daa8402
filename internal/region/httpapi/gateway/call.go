package gateway

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
	"github.com/seed-615d3599/roost/internal/region/httpapi/event"
	"github.com/seed-615d3599/roost/internal/region/httpapi/jwt"
	"github.com/seed-615d3599/roost/internal/region/httpapi/limit"
	"github.com/seed-615d3599/roost/internal/region/httpapi/route"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// incoming is a request, whichever server read it.
type incoming struct {
	method string
	target []byte
	host   []byte
	fields []http1.Field
	minor  int
	remote string // ip:port
	tls    bool
	time   time.Time
	body   interface {
		ReadBody(limit int64) ([]byte, error)
	}
}

// responder writes the answer. http1.Response is one.
type responder interface {
	Begin(status int)
	Header(name, value string) error
	Field(name, value []byte) error
	Send(body []byte) error
}

// call is one request on its way through the gateway. Calls are used again.
type call struct {
	g     *Gateway
	w     responder
	in    incoming
	event event.Request
	enc   event.Encoder
	res   event.Response

	api     *api
	stage   *stage
	route   *compiledRoute
	path    string // decoded, without stage and mapping: what routes match
	query   []byte
	mapping string // of the custom domain that was called
	params  []route.Param
	own     [8]event.Own // header fields that the gateway adds
	text    []byte       // what their values point to
	random  [256]byte
	used    int // of random
	origin  string
	added   []cors.Header // CORS headers for the answer

	body     []byte
	bodyRead bool
	limits   limit.Again

	caller    *wire.Caller
	accessKey string
	claims    *jwt.Token
	refusal   *Refusal // what failed, when the gateway itself answers

	// For access logs.
	status, length     int
	errorText          string
	authorizerError    string
	integrationStatus  int // Lambda's or the proxied server's; 0 before it has answered
	functionStatus     int // the function's own
	integrationError   string
	integrationID      string
	integrationID2     string
	integrationLatency time.Duration
}

func (g *Gateway) newCall() *call {
	if c, ok := g.calls.Get().(*call); ok {
		return c
	}
	c := &call{g: g}
	c.used = len(c.random)
	return c
}

// release empties a call, but for its buffers and what is left of the randomness.
func (g *Gateway) release(c *call) {
	random, used := c.random, c.used
	*c = call{g: g, enc: c.enc, res: c.res, params: c.params[:0], text: c.text[:0], added: c.added[:0], limits: c.limits}
	c.random, c.used = random, used
	g.calls.Put(c)
}

// bytes returns n random bytes.
func (c *call) bytes(n int) []byte {
	if c.used+n > len(c.random) {
		c.g.fill(c.random[:])
		c.used = 0
	}
	c.used += n
	return c.random[c.used-n : c.used]
}

// fill reads randomness for one goroutine at a time, as not every reader is for more.
func (g *Gateway) fill(b []byte) {
	g.randomness.Lock()
	defer g.randomness.Unlock()
	if _, err := io.ReadFull(g.config.Rand, b); err != nil {
		clear(b) // for identifiers only: one without randomness does no harm
	}
}

// identify gives the request its id, in the form of HTTP APIs: 11 bytes in base64.
func (c *call) identify() {
	var id [16]byte
	base64.StdEncoding.Encode(id[:], c.bytes(11))
	c.event.ID = string(id[:])
}

// traceID appends a new X-Ray trace id: 1-TIME-24 hexadecimal digits.
func (c *call) traceID(dst []byte) []byte {
	now := uint32(c.in.time.Unix())
	dst = append(dst, "Root=1-"...)
	dst = hex.AppendEncode(dst, []byte{byte(now >> 24), byte(now >> 16), byte(now >> 8), byte(now)})
	dst = append(dst, '-')
	return hex.AppendEncode(dst, c.bytes(12))
}

// field returns the first header field of that name.
func (c *call) field(name string) ([]byte, bool) {
	for i := range c.in.fields {
		if http1.EqualFold(c.in.fields[i].Name, name) {
			return c.in.fields[i].Value, true
		}
	}
	return nil, false
}

// readBody reads the body once. It reports false after answering what is wrong with it.
func (c *call) readBody() bool {
	if c.bodyRead {
		return true
	}
	c.bodyRead = true
	var err error
	if c.body, err = c.in.body.ReadBody(MaxBody); err != nil {
		c.failBody(err)
		return false
	}
	c.event.Body = c.body
	if len(c.body) > 0 {
		c.setHeader("content-length", strconv.AppendInt(nil, int64(len(c.body)), 10))
	}
	return true
}

// setHeader changes the value of a header of the event that is there.
func (c *call) setHeader(lower string, value []byte) {
	for i := range c.event.Headers {
		if string(c.event.Headers[i].Name) == lower {
			c.event.Headers[i].Value = value
		}
	}
}

// sourceIP is the address without the port.
func sourceIP(remote string) string {
	if i := strings.LastIndexByte(remote, ':'); i >= 0 {
		remote = remote[:i]
	}
	return strings.Trim(remote, "[]")
}

// conditions are the condition keys of the request (IAM User Guide, "AWS global
// condition context keys").
func (c *call) conditions() iam.Context {
	agent, _ := c.field("User-Agent")
	return iam.Context{
		{Name: "aws:SourceIp", Value: c.event.SourceIP},
		{Name: "aws:UserAgent", Value: string(agent)},
		{Name: "aws:SecureTransport", Value: strconv.FormatBool(wire.Secure(c.in.tls, c.event.SourceIP))},
		{Name: "aws:CurrentTime", Value: c.in.time.UTC().Format(time.RFC3339)},
		{Name: "aws:EpochTime", Value: strconv.FormatInt(c.in.time.Unix(), 10)},
		{Name: "aws:RequestedRegion", Value: c.g.config.Region},
	}
}

// within returns a context that ends after d, for a wait for that function.
func (c *call) within(d time.Duration, functionARN string) *limit.Limit {
	if held := c.g.config.Held; held != nil {
		return c.limits.Within(d, func() bool { return held(functionARN) })
	}
	return c.limits.Within(d, nil)
}
