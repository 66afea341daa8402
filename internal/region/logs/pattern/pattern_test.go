package pattern

import (
	"strings"
	"testing"
)

// The patterns and most of the events are those of the CloudWatch Logs User
// Guide, "Filter pattern syntax".
func TestMatch(t *testing.T) {
	const event = `{"eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
		"objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "cluster.name": "c", "IsPoS": true}`
	const access = `127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534`
	tests := []struct {
		pattern, message string
		want             bool
	}{
		{"", "anything", true},
		{"ERROR", "[ERROR 400] BAD REQUEST", true},
		{"ERROR", "error", false},
		{"ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", true},
		{"ERROR ARGUMENTS", "[ERROR 400] BAD REQUEST", false},
		{"?ERROR ?ARGUMENTS", "[ERROR 400] BAD REQUEST", true},
		{"?WARN ?ARGUMENTS", "[ERROR 400] BAD REQUEST", false},
		{`"INTERNAL SERVER ERROR"`, "[ERROR 500] INTERNAL SERVER ERROR", true},
		{"ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", false},
		{"ERROR -ARGUMENTS", "[ERROR 400] BAD REQUEST", true},
		{"%AUTHORIZED%", "[ERROR 401] UNAUTHORIZED REQUEST", true},
		{`%4\d\d%`, "[ERROR 500] INTERNAL", false},
		{`{ $.eventType = "UpdateTrail" }`, event, true},
		{`{ $.eventType = "Update*" }`, event, true},
		{`{ $.sourceIPAddress != 123.123.* }`, event, true},
		{`{ $.sourceIPAddress = %111\.111% }`, event, true},
		{`{ $.arrayKey[0] = "value" }`, event, true},
		{`{ $.arrayKey[*] = "another value" }`, event, true},
		{`{ $.objectList[1].id = 2 }`, event, true},
		{`{ $.objectList[1].id > 2 }`, event, false},
		{`{ $.objectList[*].id >= 2 }`, event, true},
		{`{ $.SomeObject IS NULL }`, event, true},
		{`{ $.SomeOtherObject NOT EXISTS }`, event, true},
		{`{ $.eventType NOT EXISTS }`, event, false},
		{`{ $.IsPoS IS TRUE }`, event, true},
		{`{ $.['cluster.name'] = "c" }`, event, true},
		{`{ ($.eventType = "x" || $.IsPoS IS TRUE) && $.arrayKey[0] = "value" }`, event, true},
		{`{ $.eventType = "x" || $.IsPoS IS TRUE && $.arrayKey[0] = "x" }`, event, false},
		{`{ $.eventType = "x" }`, "no JSON", false},
		{`[ip, user, username, timestamp, request, status_code, bytes]`, access, true},
		{`[ip, user, username, timestamp, request, status_code = 4*, bytes]`, access, true},
		{`[ip, user, username, timestamp, request, status_code = 5*, bytes]`, access, false},
		{`[ip, ..., bytes > 1000]`, access, true},
		{`[..., request = *.html*, status_code = 4*, bytes]`, access, true},
		{`[..., status_code = 401 || status_code = 404, bytes]`, access, true},
		{`[..., status_code >= 400 && status_code < 404, bytes]`, access, false},
		{`[one, two]`, access, false},
	}
	for _, test := range tests {
		p, err := Parse(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if got := p.Match(test.message + "\n"); got != test.want {
			t.Errorf("%s on %.60s: got %v", test.pattern, test.message, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		`"open`:                        "closing double quote",
		`%open`:                        "closing %",
		`%(%`:                          "regular expression",
		`a/b`:                          "double quotes",
		`{ $.a }`:                      "a comparison is missing",
		`{ $.a = }`:                    "a value is missing",
		`{ a = 1 }`:                    "begins with $",
		`{ $.a > x }`:                  "needs a number",
		`{ ($.a = 1 }`:                 "closing parenthesis",
		`{ $.a = 1 } x`:                "unexpected",
		`[a, ..., b, ...]`:             "more than one ellipsis",
		`[a`:                           "closing ]",
		strings.Repeat("x", 2000):      "longer than",
		"{" + strings.Repeat("(", 500): "nested too deep",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want %s", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a ?b -c", `{ $.a[0].b = "x*" && ($.c IS NULL || $.d >= 4) }`, `[a, b = 4*, ...]`, `%x%`} {
		f.Add(seed, `{"a": [{"b": "xy"}], "d": 5}`)
	}
	f.Fuzz(func(t *testing.T, pattern, message string) {
		if p, err := Parse(pattern); err == nil {
			p.Match(message)
		}
	})
}
