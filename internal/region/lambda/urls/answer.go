package urls

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// integration is the content type of a streamed response that begins with a
// JSON prelude and eight zero bytes.
const integration = "application/vnd.awslambda.http-integration-response"

// response is what a function may return: an object with a status.
type response struct {
	StatusCode int            `json:"statusCode"`
	Headers    map[string]any `json:"headers"`
	Cookies    []string       `json:"cookies"`
	Body       string         `json:"body"`
	Base64     bool           `json:"isBase64Encoded"`
}

// answer invokes the function and writes what it returned.
func (c *call) answer(event []byte) {
	var stream *streamed
	var sink func(string, []byte) error
	if c.config.Mode == "RESPONSE_STREAM" {
		stream = &streamed{w: c.w}
		sink = stream.part
	}
	payload, failed, err := c.h.Functions.InvokeURL(c.r.Context(), c.arn, c.reqID, event, sink)
	switch {
	case stream != nil && stream.begun:
		stream.end()
	case err != nil && wire.Code(err) == "TooManyRequestsException":
		c.fail(http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
	case err != nil || failed:
		c.broken()
	default:
		c.buffered(payload)
	}
}

// broken is the answer where the function failed.
func (c *call) broken() {
	c.w.Header().Set("Content-Type", "text/plain;charset=utf-8")
	c.w.WriteHeader(http.StatusBadGateway)
	_, _ = c.w.Write([]byte("Internal Server Error"))
}

// buffered writes a whole response. Without a statusCode the value itself is
// the body (Lambda Developer Guide, "Response payload format").
func (c *call) buffered(payload []byte) {
	var out response
	shaped := json.Unmarshal(payload, &out) == nil && out.StatusCode != 0
	if !shaped {
		c.write(http.StatusOK, plain(payload))
		return
	}
	content := []byte(out.Body)
	if out.Base64 {
		decoded, err := base64.StdEncoding.DecodeString(out.Body)
		if err != nil {
			c.broken()
			return
		}
		content = decoded
	}
	if out.StatusCode < 100 || out.StatusCode > 599 {
		c.broken()
		return
	}
	out.apply(c.w.Header())
	c.write(out.StatusCode, content)
}

// plain is a JSON value as a body: strings without quotes, the rest compact.
func plain(payload []byte) []byte {
	var text string
	if json.Unmarshal(payload, &text) == nil {
		return []byte(text)
	}
	var compact bytes.Buffer
	if json.Compact(&compact, payload) != nil {
		return payload
	}
	return compact.Bytes()
}

func (out *response) apply(header http.Header) {
	for name, value := range out.Headers {
		if validName(name) {
			header.Set(name, headerValue(value))
		}
	}
	for _, cookie := range out.Cookies {
		header.Add("Set-Cookie", headerValue(cookie))
	}
}

// validName keeps headers out that belong to the connection.
func validName(name string) bool {
	switch strings.ToLower(name) {
	case "", "connection", "content-length", "transfer-encoding", "keep-alive", "upgrade", "te", "trailer":
		return false
	}
	return !strings.ContainsAny(name, " \r\n:")
}

func headerValue(value any) string {
	text, ok := value.(string)
	if !ok {
		text = fmt.Sprint(value)
	}
	return strings.NewReplacer("\r", "", "\n", "").Replace(text)
}

func (c *call) write(status int, content []byte) {
	header := c.w.Header()
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	header.Set("Content-Length", strconv.Itoa(len(content)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(content)
}

// streamed writes the parts of a streamed response as they come.
type streamed struct {
	w       http.ResponseWriter
	prelude []byte
	begun   bool
	body    bool // the prelude is over
}

// maxPrelude bounds the prelude in bytes.
const maxPrelude = 1 << 20

func (s *streamed) part(contentType string, part []byte) error {
	if !s.begun {
		s.begun = true
		if contentType != integration {
			s.begin(response{StatusCode: http.StatusOK, Headers: map[string]any{"Content-Type": contentType}})
		}
	}
	if !s.body {
		s.prelude = append(s.prelude, part...)
		at := bytes.Index(s.prelude, make([]byte, 8))
		if at < 0 {
			if len(s.prelude) > maxPrelude {
				return fmt.Errorf("the prelude is longer than %d bytes", maxPrelude)
			}
			return nil
		}
		out := response{StatusCode: http.StatusOK}
		if err := json.Unmarshal(s.prelude[:at], &out); err != nil {
			out = response{StatusCode: http.StatusBadGateway}
		}
		part = s.prelude[at+8:]
		s.begin(out)
	}
	if _, err := s.w.Write(part); err != nil {
		return err
	}
	return http.NewResponseController(s.w).Flush()
}

func (s *streamed) begin(out response) {
	s.body = true
	out.apply(s.w.Header())
	if s.w.Header().Get("Content-Type") == "" {
		s.w.Header().Set("Content-Type", "application/octet-stream")
	}
	if out.StatusCode < 100 || out.StatusCode > 599 {
		out.StatusCode = http.StatusOK
	}
	s.w.WriteHeader(out.StatusCode)
}

// end writes a response whose prelude never ended.
func (s *streamed) end() {
	if !s.body {
		s.begin(response{StatusCode: http.StatusBadGateway})
	}
}
