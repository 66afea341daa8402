package gateway

import (
	"bytes"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
)

// fail answers with an error of the gateway's own, in the form of HTTP APIs. The
// reason is for the access log and for explanations; the client does not see it.
// It returns false, for use as a last step.
func (c *call) fail(status int, reason string, more ...cors.Header) bool {
	return c.failWith(&Refusal{Status: status, Reason: reason}, more...)
}

func (c *call) failWith(r *Refusal, more ...cors.Header) bool {
	c.refusal = r
	c.errorText = http.StatusText(r.Status)
	c.res.Reset()
	c.res.ContentType = "application/json"
	c.added = append(c.added, more...)
	c.record() // before the answer: who has that may ask for the reason at once
	c.send(r.Status, []byte(`{"message":"`+c.errorText+`"}`))
	return false
}

// send writes the answer: what the integration said, in c.res, with the CORS
// headers and the request id.
func (c *call) send(status int, body []byte) {
	c.status, c.length = status, len(body)
	w := c.w
	w.Begin(status)
	if c.res.ContentType != "" {
		w.Header("Content-Type", c.res.ContentType)
	}
	replaced := c.stage != nil && c.stage.cors != nil
	for _, f := range c.res.Fields {
		if replaced && cors.Replaces(f.Name) || http1.EqualFold(f.Name, "apigw-requestid") {
			continue
		}
		w.Field(f.Name, f.Value) // decoding has checked them
	}
	for _, cookie := range c.res.Cookies {
		w.Field([]byte("Set-Cookie"), cookie)
	}
	for _, h := range c.added {
		w.Header(h.Name, h.Value)
	}
	w.Header("Apigw-Requestid", c.event.ID)
	w.Send(body)
}

// log writes the access log line, if the stage has one.
func (c *call) log() {
	if c.stage == nil || c.stage.format == nil || c.g.config.Logs == nil {
		return
	}
	c.text = c.stage.format.Append(c.text[:0], source{c}) // the added headers have been sent
	c.g.config.Logs.Log(c.stage.AccessLogGroup, c.in.time, string(c.text))
}

// tell tells whoever watches the region.
func (c *call) tell() {
	if c.g.config.Served == nil {
		return
	}
	path := c.event.Path
	if path == "" { // refused before it was decoded
		raw, _, _ := bytes.Cut(c.in.target, []byte("?"))
		path = string(raw)
	}
	served := Served{
		Time: c.in.time, RequestID: c.event.ID, API: c.event.API, Stage: c.event.Stage, RouteKey: c.event.RouteKey,
		Method: c.in.method, Path: path, Status: c.status, Took: c.g.config.Now().Sub(c.in.time),
	}
	if c.refusal != nil {
		served.Reason = c.refusal.Reason
	}
	c.g.config.Served(served)
}

// record tells the collector of refusals.
func (c *call) record() {
	if c.refusal == nil || c.g.config.Refusals == nil {
		return
	}
	r := c.refusal
	r.Time, r.RequestID, r.API = c.in.time, c.event.ID, c.event.API
	r.Stage, r.RouteKey, r.Method = c.event.Stage, c.event.RouteKey, c.in.method
	r.Path, r.SourceIP, r.AccessKeyID = c.event.Path, c.event.SourceIP, c.accessKey
	if c.caller != nil {
		r.Caller = c.caller.ARN
	}
	c.g.config.Refusals.Refused(*r)
}
