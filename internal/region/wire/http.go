package wire

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"strings"
)

// Raw is an output that an operation writes itself: a stream, or a body with
// headers of its own.
type Raw struct {
	Status int // 0 means the operation's own
	Header http.Header
	Body   io.Reader // closed after writing when it is an io.Closer; may be nil
	// Write, when not nil, takes the place of Body: it writes the body piece by
	// piece, and may flush.
	Write func(w http.ResponseWriter) error
}

// Incoming is an HTTP request of which it is known which operation it means.
type Incoming struct {
	op    *Operation
	path  map[string]string
	query url.Values
	form  url.Values
	body  []byte
	r     *http.Request
}

// Operation returns the operation's name.
func (in *Incoming) Operation() string { return in.op.Name }

// Unsigned reports whether the operation needs no signature.
func (in *Incoming) Unsigned() bool { return in.op.unsigned }

// Streams reports whether the operation reads the body itself.
func (in *Incoming) Streams() bool { return in.op.stream }

// SetBody hands over the body once it is read and its signature checked.
func (in *Incoming) SetBody(body []byte) { in.body = body }

// Resolve finds the operation that a request means. body is given for the
// query protocol only, where it is part of the answer.
func (s *Service) Resolve(r *http.Request, body []byte) (*Incoming, error) {
	in := &Incoming{r: r, body: body, query: r.URL.Query()}
	switch s.Protocol {
	case Query:
		return in, s.resolveQuery(in)
	case JSON:
		name := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), s.Target+".")
		op, ok := s.find(name)
		if !ok {
			return nil, Errorf(http.StatusBadRequest, "UnknownOperationException", "roost does not support %s of %s", name, s.Name)
		}
		in.op = op
		return in, nil
	}
	return in, s.resolveREST(in)
}

func (s *Service) resolveQuery(in *Incoming) error {
	form := in.query
	if strings.HasPrefix(in.r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		parsed, err := url.ParseQuery(string(in.body))
		if err != nil {
			return Errorf(http.StatusBadRequest, "MalformedQueryString", "the body is not a valid form")
		}
		for key, values := range parsed {
			form[key] = values
		}
	}
	in.form = form
	op, ok := s.find(form.Get("Action"))
	if !ok {
		return Errorf(http.StatusBadRequest, "InvalidAction", "roost does not support %s of %s", form.Get("Action"), s.Name)
	}
	in.op = op
	return nil
}

func (s *Service) resolveREST(in *Incoming) error {
	segments := splitPath(in.r.URL.EscapedPath())
	best := math.MinInt
	for i := range s.Operations {
		op := &s.Operations[i]
		if op.route == nil {
			continue
		}
		if path, ok := op.route.match(in.r.Method, segments, in.query); ok && op.route.rank() > best {
			best, in.op, in.path = op.route.rank(), op, path
		}
	}
	if in.op == nil {
		return Errorf(http.StatusNotFound, "UnknownOperationException", "roost does not support %s %s of %s", in.r.Method, in.r.URL.EscapedPath(), s.Name)
	}
	input := reflect.ValueOf(in.op.newInput()).Elem()
	for key := range in.query {
		if !knownQuery(input, in.op.route, key) && !strings.HasPrefix(strings.ToLower(key), "x-amz-") && key != "x-id" {
			return Errorf(http.StatusNotImplemented, "NotImplemented", "roost does not support the parameter %q of %s", key, in.op.Name)
		}
	}
	return nil
}

// Respond decodes the request, asks for permission, runs the operation and
// writes its answer. It returns what was refused or went wrong, after writing
// that to the client.
func (s *Service) Respond(ctx context.Context, w http.ResponseWriter, call *Call, in *Incoming) error {
	call.Service, call.Operation, call.HTTP = s.Name, in.op.Name, in.r
	input := in.op.newInput()
	if err := s.decode(in, input); err != nil {
		err = s.badInput(in.op, err)
		s.WriteError(w, call.RequestID, err)
		return err
	}
	out, err := s.perform(ctx, call, in.op, input)
	if err == nil {
		err = s.write(w, call, in.op, out)
		if err == nil {
			return nil
		}
	}
	s.WriteError(w, call.RequestID, err)
	return err
}

func (s *Service) decode(in *Incoming, input any) error {
	v := reflect.ValueOf(input).Elem()
	switch s.Protocol {
	case Query:
		tree, err := parseParams(in.form)
		if err != nil {
			return err
		}
		for key := range tree.children {
			if strings.HasPrefix(key, "X-Amz-") { // a presigned request
				delete(tree.children, key)
			}
		}
		return tree.into(v, "")
	case JSON:
		return decodeJSON(in.body, input)
	}
	if !in.op.stream && len(in.body) > 0 && !hasPayload(v) {
		if err := s.decodeBody(in.body, input); err != nil {
			return err
		}
	}
	return setREST(v, in.path, in.query, in.r.Header, in.body)
}

func (s *Service) decodeBody(body []byte, input any) error {
	if s.Protocol == RESTJSON {
		return decodeJSON(body, input)
	}
	if err := xml.Unmarshal(body, input); err != nil {
		return &Error{Code: "MalformedXML", Message: "The XML you provided was not well-formed or did not validate against our published schema"}
	}
	return nil
}

// write writes an operation's output in the form of the protocol.
func (s *Service) write(w http.ResponseWriter, call *Call, op *Operation, out any) error {
	status := op.status
	if status == 0 {
		status = http.StatusOK
	}
	w.Header().Set("x-amzn-RequestId", call.RequestID)
	if raw, ok := out.(*Raw); ok {
		return writeRaw(w, status, raw)
	}
	switch s.Protocol {
	case Query:
		body, err := s.queryBody(op, out, call.RequestID)
		if err != nil {
			return err
		}
		return writeBody(w, status, "text/xml", body)
	case RESTXML:
		return writeRESTXML(w, status, call.RequestID, out)
	}
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return nil
	}
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("%s: %w", op.Name, err)
	}
	contentType := "application/json"
	if s.Protocol == JSON {
		contentType = call.HTTP.Header.Get("Content-Type")
	}
	return writeBody(w, status, contentType, body)
}

func writeRESTXML(w http.ResponseWriter, status int, requestID string, out any) error {
	w.Header().Set("x-amz-request-id", requestID)
	if reflect.TypeOf(out).Elem().NumField() == 0 || status == http.StatusNoContent {
		w.WriteHeader(status)
		return nil
	}
	body, err := xml.Marshal(out)
	if err != nil {
		return err
	}
	return writeBody(w, status, "application/xml", append([]byte(xml.Header), body...))
}

func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(body) // a client that went away is no error of ours
	return nil
}

func writeRaw(w http.ResponseWriter, status int, raw *Raw) error {
	if raw.Status != 0 {
		status = raw.Status
	}
	for name, values := range raw.Header {
		w.Header()[name] = values // as it is: S3 tells the names of metadata in lower case
	}
	if closer, ok := raw.Body.(io.Closer); ok {
		defer closer.Close()
	}
	w.WriteHeader(status)
	if raw.Write != nil {
		raw.Write(w) // likewise
		return nil
	}
	if raw.Body != nil {
		io.Copy(w, raw.Body) // likewise
	}
	return nil
}
