package wire_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

type tag struct {
	Key   string `required:"true"`
	Value string
}

type Named struct {
	Colour *string `json:"Hue,omitempty"`
}

type putInput struct {
	Named
	Name   string `required:"true" uri:"Name"`
	Path   *string
	Count  int    `query:"count"`
	Mode   string `header:"X-Mode"`
	Tags   []tag
	Labels map[string]string
	On     *bool
}

type putOutput struct {
	Echo    putInput
	At      wire.Time
	Nothing *string `json:",omitempty"`
}

func service(protocol wire.Protocol) *wire.Service {
	put := func(_ context.Context, c *wire.Call, in *putInput) (*putOutput, error) {
		if in.Name == "missing" {
			return nil, wire.Errorf(404, "NoSuchEntity", "The thing with name %s cannot be found.", in.Name)
		}
		return &putOutput{Echo: *in, At: wire.Time{Time: time.Unix(1700000000, 5e8).UTC()}}, nil
	}
	return &wire.Service{
		Name: "things", Protocol: protocol, Target: "Things", Namespace: "https://things.example/doc/",
		Operations: []wire.Operation{
			wire.Op("Put", put,
				wire.HTTP("POST /v1/things/{Name}", 201),
				wire.On(func(c *wire.Call, in *putInput) string { return "arn:aws:things:::thing/" + in.Name })),
		},
		Authorize: func(_ context.Context, _ *wire.Call, targets []wire.Target) error {
			if targets[0].Action != "things:Put" || !strings.HasPrefix(targets[0].Resource, "arn:aws:things:::thing/") {
				return wire.Errorf(500, "Test", "asked for %v", targets)
			}
			if strings.HasSuffix(targets[0].Resource, "/secret") {
				return wire.Errorf(403, "AccessDenied", "not you")
			}
			return nil
		},
	}
}

func send(t *testing.T, s *wire.Service, r *http.Request, body string) (int, string, http.Header) {
	t.Helper()
	w := httptest.NewRecorder()
	in, err := s.Resolve(r, []byte(body))
	if err != nil {
		s.WriteError(w, "id-1", err)
		return w.Code, w.Body.String(), w.Header()
	}
	in.SetBody([]byte(body))
	s.Respond(t.Context(), w, &wire.Call{RequestID: "id-1"}, in)
	return w.Code, w.Body.String(), w.Header()
}

func query(t *testing.T, form string) (int, string) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	code, body, _ := send(t, service(wire.Query), r, form)
	return code, body
}

func TestQuery(t *testing.T) {
	const head = `<PutResponse xmlns="https://things.example/doc/"><PutResult><Echo><Name>n</Name>`
	tests := []struct {
		name, form string
		code       int
		want       string
	}{
		{"scalars", "Action=Put&Version=1&Name=n&Path=%2Fa%26b&Count=3&On=true", 201,
			head + `<Path>/a&amp;b</Path><Count>3</Count><Mode></Mode><Tags></Tags><Labels></Labels><On>true</On></Echo><At>2023-11-14T22:13:20.500Z</At></PutResult>`},
		{"list out of order", "Action=Put&Name=n&Tags.member.10.Key=z&Tags.member.2.Key=a&Tags.member.2.Value=v", 201,
			`<Tags><member><Key>a</Key><Value>v</Value></member><member><Key>z</Key>`},
		{"map", "Action=Put&Name=n&Labels.entry.1.key=k&Labels.entry.1.value=v", 201,
			`<Labels><entry><key>k</key><value>v</value></entry></Labels>`},
		{"embedded member", "Action=Put&Name=n&Hue=blue", 201, `<Echo><Hue>blue</Hue><Name>n</Name>`},
		{"unknown member", "Action=Put&Name=n&Colour=red", 400, `roost does not support the member &#34;Colour&#34;`},
		{"unknown nested member", "Action=Put&Name=n&Tags.member.1.Colour=red", 400, `Tags.member.1.Colour`},
		{"required", "Action=Put", 400, `<Code>ValidationError</Code><Message>Put: the member Name is missing`},
		{"required inside", "Action=Put&Name=n&Tags.member.1.Value=v", 400, `the member Tags.1.Key is missing`},
		{"not a number", "Action=Put&Name=n&Count=x", 400, `the member Count is not a whole number`},
		{"unknown operation", "Action=Fly", 400, `<Code>InvalidAction</Code>`},
		{"refused", "Action=Put&Name=secret", 403, `<Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message>`},
		{"error", "Action=Put&Name=missing", 404, `<Code>NoSuchEntity</Code>`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, body := query(t, test.form)
			if code != test.code || !strings.Contains(body, test.want) {
				t.Errorf("%d %s\nwant %d with %s", code, body, test.code, test.want)
			}
		})
	}
}

func TestJSON(t *testing.T) {
	tests := []struct {
		name, target, body string
		code               int
		want               string
	}{
		{"all", "Things.Put", `{"Name":"n","Tags":[{"Key":"k"}],"Labels":{"a":"b"}}`, 201, `"At":1700000000.5`},
		{"unknown member", "Things.Put", `{"Name":"n","Colour":1}`, 400, `roost does not support the member \"Colour\"`},
		{"wrong type", "Things.Put", `{"Name":1}`, 400, `cannot be a JSON number`},
		{"not JSON", "Things.Put", `{`, 400, `"__type":"SerializationException"`},
		{"two values", "Things.Put", `{"Name":"n"}{}`, 400, `more than one JSON value`},
		{"unknown operation", "Things.Fly", `{}`, 400, `"__type":"UnknownOperationException"`},
		{"error", "Things.Put", `{"Name":"missing"}`, 404, `"message":"The thing with name missing cannot be found."`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/", nil)
			r.Header.Set("X-Amz-Target", test.target)
			code, body, _ := send(t, service(wire.JSON), r, test.body)
			if code != test.code || !strings.Contains(body, test.want) {
				t.Errorf("%d %s\nwant %d with %s", code, body, test.code, test.want)
			}
		})
	}
}

func TestRESTJSON(t *testing.T) {
	tests := []struct {
		name, method, target, body string
		code                       int
		want                       string
	}{
		{"all parts", "POST", "/v1/things/a%2Fb?count=4", `{"Path":"p"}`, 201, `{"Echo":{"Name":"a/b","Path":"p","Count":4,"Mode":"fast"`},
		{"the path wins over the body", "POST", "/v1/things/n", `{"Name":"secret"}`, 201, `"Name":"n"`},
		{"the body cannot name another", "POST", "/v1/things/secret", `{"Name":"n"}`, 403, `"message":"not you"`},
		{"unknown query", "POST", "/v1/things/n?colour=red", ``, 501, `colour`},
		{"no such path", "GET", "/v1/things/n", ``, 404, `roost does not support GET /v1/things/n`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(test.method, test.target, nil)
			r.Header.Set("X-Mode", "fast")
			code, body, _ := send(t, service(wire.RESTJSON), r, test.body)
			if code != test.code || !strings.Contains(body, test.want) {
				t.Errorf("%d %s\nwant %d with %s", code, body, test.code, test.want)
			}
		})
	}
}

func TestCallWithinTheProcess(t *testing.T) {
	s := service(wire.RESTJSON)
	var out putOutput
	if err := s.Call(t.Context(), wire.Call{}, "Put", map[string]any{"Name": "n", "Count": 2}, &out); err != nil {
		t.Fatal(err)
	}
	want := putOutput{Echo: putInput{Name: "n", Count: 2}, At: wire.Time{Time: time.Unix(1700000000, 5e8).UTC()}}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	err := s.Call(t.Context(), wire.Call{}, "Put", map[string]any{"Name": "n", "Colour": 2}, nil)
	if err == nil || !strings.Contains(err.Error(), "Colour") {
		t.Errorf("an unknown member passed: %v", err)
	}
	if code := wire.Code(s.Call(t.Context(), wire.Call{}, "Put", map[string]any{"Name": "secret"}, nil)); code != "AccessDenied" {
		t.Errorf("code %q, want AccessDenied", code)
	}
	s.Authorize = nil
	if code := wire.Code(s.Call(t.Context(), wire.Call{}, "Put", map[string]any{"Name": "n"}, nil)); code != "AccessDenied" {
		t.Errorf("without anybody who decides: code %q, want AccessDenied", code)
	}
}

func FuzzQuery(f *testing.F) {
	f.Add("Action=Put&Name=n&Tags.member.1.Key=a&Labels.entry.1.key=b")
	f.Add("Action=Put&Tags..=&Tags.member=")
	f.Fuzz(func(t *testing.T, form string) {
		if _, err := url.ParseQuery(form); err != nil {
			return
		}
		if code, body := query(t, form); code == 0 || body == "" {
			t.Errorf("no answer to %q", form)
		}
	})
}

// TestAFullDiskIsNamed tells a client that the disk is full, with a status at
// which it does not ask again at once.
func TestSecureIsOverTLSOrFromThisMachine(t *testing.T) {
	for ip, secure := range map[string]bool{"127.0.0.1": true, "127.8.0.1": true, "::1": true, "::ffff:127.0.0.1": true,
		"192.0.2.7": false, "2001:db8::1": false, "": false, "localhost": false} {
		if got := wire.Secure(false, ip); got != secure || !wire.Secure(true, ip) {
			t.Errorf("%s: %v", ip, got)
		}
	}
}

func TestAFullDiskIsNamed(t *testing.T) {
	for _, protocol := range []wire.Protocol{wire.JSON, wire.Query, wire.RESTXML, wire.RESTJSON} {
		w := httptest.NewRecorder()
		(&wire.Service{Protocol: protocol}).WriteError(w, "id", fmt.Errorf("put: %w", syscall.ENOSPC))
		if w.Code != http.StatusInsufficientStorage || !strings.Contains(w.Body.String(), "the disk of the region is full") {
			t.Errorf("%v: %d %s", protocol, w.Code, w.Body)
		}
	}
}
