package lambda_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/google/go-cmp/cmp"
)

// An event stream over HTTP, as an SDK reads it: from a function that streams,
// from one that does not, and from one that fails.
func TestInvokeWithResponseStream(t *testing.T) {
	r := start(t)
	guest := stormGuests(t)[2]
	r.must("CreateFunction", object{"FunctionName": "streams", "Runtime": guest.runtime, "Handler": guest.handler, "Role": role, "Timeout": 9, "Code": object{"ZipFile": zipped(t, map[string]string{"index.js": `
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.write('Hello, ')
  stream.end('world!')
})`})}}, nil)
	r.python("answers", "def handler(e, c):\n    return e['a']")
	for _, test := range []struct {
		name, function, payload, kinds, body, end string
	}{
		{"a stream", "streams", `{}`, "PayloadChunk InvokeComplete", "Hello, world!", `{}`},
		{"an answer", "answers", `{"a":1}`, "PayloadChunk InvokeComplete", "1", `{}`},
		{"an error", "answers", `{}`, "InvokeComplete", "", `KeyError`},
	} {
		t.Run(test.name, func(t *testing.T) {
			response, err := http.Post(r.endpoint+"/2021-11-15/functions/"+test.function+"/response-streaming-invocations", "application/json", strings.NewReader(test.payload))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			if got := response.Header.Get("Content-Type"); got != "application/vnd.amazon.eventstream" {
				t.Errorf("content type %q", got)
			}
			kinds, body, end := events(t, response)
			if got := strings.Join(kinds, " "); got != test.kinds || body != test.body || !strings.Contains(end, test.end) {
				t.Error(cmp.Diff([]string{test.kinds, test.body, test.end}, []string{got, body, end}))
			}
		})
	}
}

// events reads an event stream to its end: the kinds of events, chunks of one
// kind after another counted once, the chunks joined, and the last event.
func events(t *testing.T, response *http.Response) (kinds []string, body, end string) {
	t.Helper()
	decoder := eventstream.NewDecoder()
	for end == "" {
		message, err := decoder.Decode(response.Body, nil)
		if err != nil {
			t.Fatal(err)
		}
		kind := message.Headers.Get(":event-type").String()
		if len(kinds) == 0 || kinds[len(kinds)-1] != kind {
			kinds = append(kinds, kind)
		}
		if kind == "InvokeComplete" {
			end = string(message.Payload)
		} else {
			body += string(message.Payload)
		}
	}
	return kinds, body, end
}
