package vars

import (
	"strings"
	"testing"
)

// values is a Source of a test.
type values map[string]string

func (v values) Value(root Root, name string) (string, bool) {
	s, ok := v[string(root)+"."+name]
	return s, ok
}

func TestTemplates(t *testing.T) {
	from := values{"request.header.a": "H", "request.path.": "/p", "request.path.id": "7", "context.requestId": "R", "stageVariables.s": "S", "request.body.a.b[1]": "B"}
	roots := []Root{Header, Query, Body, Path, Context, StageVariable}
	cases := []struct {
		text, want string
		ok         bool
	}{
		{"static", "static", true},
		{"$request.header.A", "H", true},
		{"$request.header.b", "", false},
		{"$request.path", "/p", true},
		{"$request.path.id", "7", true},
		{"$request.body.a.b[1]", "B", true},
		{"${request.path.id}", "7", true},
		{"x-${request.path.id}-${context.requestId}", "x-7-R", true},
		{"$stageVariables.s", "S", true},
	}
	for _, c := range cases {
		tmpl, err := ParseTemplate(c.text, roots...)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, ok := tmpl.Value(from); got != c.want || ok != c.ok {
			t.Errorf("%s: %q %v, want %q %v", c.text, got, ok, c.want, c.ok)
		}
	}
	for _, text := range []string{"$request.cookie.a", "$context.nothing", "${request.path", "$request.header.", "$request.body..a", "$request.body.a[x]", "$response.body.a", "$context"} {
		if _, err := ParseTemplate(text, roots...); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestFormat(t *testing.T) {
	from := values{"context.requestId": "R=", "context.status": "200", "context.authorizer.claims.sub": "me",
		"context.error.message": "Forbidden", "context.error.messageString": "Forbidden", "context.identity.userAgent": "a\"b\nc\\"}
	cases := map[string]string{
		`$context.requestId $context.status`:                  `R= 200`,
		`{"id":"$context.requestId","n":$context.status}`:     `{"id":"R=","n":200}`,
		`$context.authorizer.claims.sub.`:                     `me.`,
		`[$context.stage] $context.nothing.at.all`:            `[-] -`,
		`$context.error.message $context.error.messageString`: `Forbidden "Forbidden"`,
		`"$context.identity.userAgent"`:                       `"a\"b\u000ac\\"`,
		`cost: $5 $context`:                                   `cost: $5 $context`,
		`$context.status$context.status`:                      `200200`,
	}
	for text, want := range cases {
		if got := string(ParseFormat(text).Append(nil, from)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestMappings(t *testing.T) {
	changes, err := ParseRequest(map[string]string{
		"append:header.X-One": "1", "remove:querystring.Q": "''", "overwrite:path": "/${request.path.id}", "append:header.gone": ""})
	if err != nil || len(changes) != 3 {
		t.Fatalf("%v %v", changes, err)
	}
	if c := changes[0]; c.Verb != Append || c.Place != AtHeader || c.Name != "x-one" {
		t.Errorf("got %v", c)
	}
	if c := changes[2]; c.Verb != Remove || c.Place != AtQuery || c.Name != "Q" || c.Value != nil {
		t.Errorf("got %v", c)
	}
	if _, err := ParseResponse(map[string]string{"overwrite:statuscode": "403", "append:header.a": "$response.body.x"}); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"add:header.a", "append:header.", "append:header.Authorization", "append:header.x-amz-a",
		"append:header.Access-Control-Max-Age", "append:path", "overwrite:statuscode", "append:cookie.a", "header.a"} {
		if _, err := ParseRequest(map[string]string{key: "x"}); err == nil {
			t.Errorf("%s was taken", key)
		}
	}
	for _, key := range []string{"append:statuscode", "overwrite:querystring.a"} {
		if _, err := ParseResponse(map[string]string{key: "x"}); err == nil {
			t.Errorf("%s was taken", key)
		}
	}
}

func TestFromBody(t *testing.T) {
	body := []byte(`{"a":{"b":[1,{"c":"x\"y"}]},"n":null}`)
	cases := map[string]string{"a.b[1].c": `x"y`, "a.b[0]": "1", "a.b": `[1,{"c":"x\"y"}]`, "n": "null"}
	for path, want := range cases {
		if got, ok := FromBody(body, path); got != want || !ok {
			t.Errorf("%s: %q %v", path, got, ok)
		}
	}
	for _, path := range []string{"b", "a.b[9]", "a.b.c", "a[0]"} {
		if got, ok := FromBody(body, path); ok {
			t.Errorf("%s: %q", path, got)
		}
	}
	if _, ok := FromBody([]byte(strings.Repeat(" ", bodyLimit)+"{}"), "a"); ok {
		t.Error("a body over the limit was read")
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("a${request.path.id}b", "$context.status")
	f.Fuzz(func(t *testing.T, text, format string) {
		if tmpl, err := ParseTemplate(text, Header, Query, Body, Path, Context); err == nil {
			tmpl.Value(values{})
		}
		line := ParseFormat(format).Append(nil, values{})
		if strings.Contains(format, "$context.") && strings.HasPrefix(format, "$context.s") && !strings.HasPrefix(string(line), Absent) {
			t.Errorf("%q became %q", format, line)
		}
	})
}
