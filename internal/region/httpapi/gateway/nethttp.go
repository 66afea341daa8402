package gateway

import (
	"errors"
	"io"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/http1"
)

// ServeHTTP answers a request that a net/http server read, by its Host; one that
// means no API gets 403. Header fields come in no particular order of names, which
// no part of an answer depends on.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, _ := g.LookupHost(r.Host)
	in := incoming{
		method: r.Method, target: []byte(r.RequestURI), host: []byte(r.Host), minor: r.ProtoMinor,
		remote: r.RemoteAddr, tls: r.TLS != nil, time: g.config.Now(), body: netBody{r.Body},
	}
	in.fields = append(in.fields, http1.Field{Name: []byte("Host"), Value: in.host})
	for name, values := range r.Header {
		for _, v := range values {
			in.fields = append(in.fields, http1.Field{Name: []byte(name), Value: []byte(v)})
		}
	}
	g.serve(id, &netResponder{w: w}, in)
}

// netBody reads a net/http body with a bound.
type netBody struct{ io.Reader }

func (b netBody) ReadBody(limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(b.Reader, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, &http1.Error{Status: http.StatusRequestEntityTooLarge, Reason: "the body is too large"}
	}
	return body, nil
}

// netResponder writes through a ResponseWriter.
type netResponder struct {
	w      http.ResponseWriter
	status int
}

func (n *netResponder) Begin(status int) { n.status = status }

func (n *netResponder) Header(name, value string) error {
	if !http1.ValidField(name, value) || http1.IsFraming(name) {
		return errors.New("the header does not belong into an answer")
	}
	n.w.Header().Add(name, value)
	return nil
}

func (n *netResponder) Field(name, value []byte) error {
	return n.Header(string(name), string(value))
}

func (n *netResponder) Send(body []byte) error {
	if _, ok := n.w.Header()["Content-Type"]; !ok {
		n.w.Header()["Content-Type"] = nil // nothing is to be guessed
	}
	n.w.WriteHeader(n.status)
	if n.status == http.StatusNoContent || n.status == http.StatusNotModified {
		return nil
	}
	_, err := n.w.Write(body)
	return err
}
