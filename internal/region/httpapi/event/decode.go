package event

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/seed-615d3599/roost/internal/region/http1"
)

// Response is what a function's answer means in HTTP. Its slices may point
// into the answer.
type Response struct {
	Status  int
	Fields  []http1.Field // in order; names as the function spelled them
	Cookies [][]byte      // one Set-Cookie field each
	Body    []byte
	// ContentType is set when the function named no content type and the gateway does.
	ContentType string
}

// Reset empties r for the next answer and keeps its buffers.
func (r *Response) Reset() {
	*r = Response{Fields: r.Fields[:0], Cookies: r.Cookies[:0]}
}

// DecodeV2 reads the answer of payload format 2.0 into r: an object with a
// statusCode, or any other JSON, which is then the body of a 200. The error says
// what is wrong with an answer to which the client gets 500.
func DecodeV2(answer []byte, r *Response) error {
	r.Reset()
	s := scanner{data: answer}
	if s.space() != '{' {
		return infer(&s, r)
	}
	o := object{r: r, v2: true}
	if err := o.read(&s); err != nil {
		return err
	}
	if !o.status {
		return infer(&scanner{data: answer}, r)
	}
	return o.finish()
}

// DecodeV1 reads the answer of payload format 1.0 into r, which must be an
// object with a statusCode.
func DecodeV1(answer []byte, r *Response) error {
	r.Reset()
	s := scanner{data: answer}
	if s.space() != '{' {
		return errors.New("the function's answer is not an object with a statusCode")
	}
	o := object{r: r}
	if err := o.read(&s); err != nil {
		return err
	}
	if !o.status {
		return errors.New("the function's answer has no statusCode")
	}
	return o.finish()
}

// infer makes the whole answer the body; a string is unquoted.
func infer(s *scanner, r *Response) error {
	r.Reset()
	quoted := s.space() == '"'
	start := s.at
	body, err := s.value(0)
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return fmt.Errorf("the function's answer cannot be used: %w", err)
	}
	if quoted {
		again := scanner{data: s.data, at: start}
		body, _ = again.str()
	}
	r.Status, r.Body, r.ContentType = 200, body, "application/json"
	return nil
}

// object collects the members of an answer with a statusCode.
type object struct {
	r       *Response
	v2      bool
	status  bool
	base64  bool
	single  []http1.Field // headers; they have the place of r.Fields
	multi   []http1.Field // multiValueHeaders, of format 1.0
	problem error         // in the shape of a member, which counts only if there is a statusCode
}

func (o *object) read(s *scanner) error {
	err := s.object(0, func(key []byte) error { return o.member(s, key) })
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return fmt.Errorf("the function's answer cannot be used: %w", err)
	}
	return nil
}

// member reads one member. Its syntax is checked before its shape, because an
// object without statusCode may have members of any shape.
func (o *object) member(s *scanner, key []byte) error {
	s.space()
	start := s.at
	raw, err := s.value(1)
	if err != nil {
		return err
	}
	null := string(raw) == "null"
	v := &scanner{data: s.data[:s.at], at: start}
	switch string(key) {
	case "statusCode":
		o.status = !null
		if !null {
			o.r.Status, err = v.integer()
		}
	case "headers":
		if !null {
			o.single, err = readHeaders(v, o.r.Fields[:0])
		}
	case "multiValueHeaders":
		if !null && !o.v2 {
			o.multi, err = readMultiHeaders(v)
		}
	case "cookies":
		if !null && o.v2 {
			o.r.Cookies, err = readStrings(v, o.r.Cookies)
		}
	case "body":
		if !null {
			o.r.Body, err = v.str()
		}
	case "isBase64Encoded":
		o.base64 = string(raw) == "true"
		if !o.base64 && !null && string(raw) != "false" {
			err = errors.New("it is neither true nor false")
		}
	}
	if err != nil && o.problem == nil {
		o.problem = fmt.Errorf("%s of the function's answer cannot be used: %w", key, shape(err))
	}
	return nil
}

// shape words the error of a member whose JSON is fine but of the wrong type.
func shape(err error) error {
	if err == errJSON {
		return errors.New("it is not of the right type")
	}
	return err
}

func readHeaders(s *scanner, fields []http1.Field) ([]http1.Field, error) {
	err := s.object(1, func(key []byte) error {
		value, ok, err := scalar(s)
		if ok {
			fields = append(fields, http1.Field{Name: key, Value: value})
		}
		return err
	})
	return fields, err
}

// scalar reads a header's value: a string, or a number or boolean as it is
// written. Null is no value.
func scalar(s *scanner) (value []byte, ok bool, err error) {
	switch s.space() {
	case '"':
		value, err = s.str()
		return value, err == nil, err
	case '{', '[':
		return nil, false, errJSON
	}
	value, err = s.value(1)
	return value, err == nil && string(value) != "null", err
}

func readMultiHeaders(s *scanner) ([]http1.Field, error) {
	var fields []http1.Field
	err := s.object(1, func(key []byte) error {
		return s.array(2, func() error {
			value, ok, err := scalar(s)
			if ok {
				fields = append(fields, http1.Field{Name: key, Value: value})
			}
			return err
		})
	})
	return fields, err
}

func readStrings(s *scanner, list [][]byte) ([][]byte, error) {
	err := s.array(1, func() error {
		v, err := s.str()
		list = append(list, v)
		return err
	})
	return list, err
}

// finish puts the members together.
func (o *object) finish() error {
	r := o.r
	switch {
	case o.problem != nil:
		return o.problem
	case r.Status < 200 || r.Status > 599:
		return fmt.Errorf("statusCode of the function's answer is %d, which is no final status", r.Status)
	}
	r.Fields = o.single[:0] // each is read before its place is taken
	if len(o.multi) > 0 {
		r.Fields = nil
	}
	typed := false
	add := func(f http1.Field) error {
		if http1.IsFraming(string(f.Name)) {
			return nil
		}
		if !http1.ValidField(f.Name, f.Value) {
			return fmt.Errorf("the header %q of the function's answer has a name or value that HTTP does not allow", f.Name)
		}
		typed = typed || equalFold(f.Name, "content-type")
		r.Fields = append(r.Fields, f)
		return nil
	}
	for _, f := range o.multi {
		if err := add(f); err != nil {
			return err
		}
	}
	for _, f := range o.single {
		if o.repeats(f) {
			continue
		}
		if err := add(f); err != nil {
			return err
		}
	}
	for _, c := range r.Cookies {
		if !http1.ValidField([]byte("set-cookie"), c) {
			return errors.New("a cookie of the function's answer has a character that HTTP does not allow")
		}
	}
	if !typed && (r.Status != 204 && r.Status != 304 || len(r.Body) > 0) {
		r.ContentType = defaultContentType
	}
	if o.base64 {
		return r.decodeBody()
	}
	return nil
}

// repeats reports whether multiValueHeaders has the same value too: both are
// merged, and a pair that both have goes out once (recorded of REST APIs).
func (o *object) repeats(f http1.Field) bool {
	for _, m := range o.multi {
		if http1.EqualFold(m.Name, string(f.Name)) && bytes.Equal(m.Value, f.Value) {
			return true
		}
	}
	return false
}

func (r *Response) decodeBody() error {
	decoded, err := base64.RawStdEncoding.AppendDecode(nil, bytes.TrimRight(r.Body, "="))
	if err != nil {
		return errors.New("body of the function's answer is not base64, though isBase64Encoded is true")
	}
	r.Body = decoded
	return nil
}
