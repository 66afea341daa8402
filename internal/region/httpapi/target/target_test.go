package target

import (
	"net/url"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/httpapi/route"
)

func TestFunction(t *testing.T) {
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
	for _, uri := range []string{arn, "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/" + arn + "/invocations"} {
		if got, err := Function(uri); got != arn || err != nil {
			t.Errorf("%s: %s %v", uri, got, err)
		}
	}
	if got, err := Function(arn + ":live"); got != arn+":live" || err != nil {
		t.Error(got, err)
	}
	for _, uri := range []string{"", "f", "arn:aws:sqs:us-east-1:123456789012:queue", "https://example.com"} {
		if _, err := Function(uri); err == nil {
			t.Errorf("%q was taken", uri)
		}
	}
}

func TestExpand(t *testing.T) {
	got, err := Expand("${stageVariables.a}/x-${stageVariables.b}", map[string]string{"a": "1", "b": "2"})
	if got != "1/x-2" || err != nil {
		t.Error(got, err)
	}
	for _, uri := range []string{"${stageVariables.none}", "${stageVariables.a"} {
		if _, err := Expand(uri, map[string]string{"a": "1"}); err == nil {
			t.Errorf("%s was taken", uri)
		}
	}
}

func TestURL(t *testing.T) {
	u, err := ParseURL("https://example.com/base/{id}/{proxy+}?k=v")
	if err != nil {
		t.Fatal(err)
	}
	got := u.Fill([]route.Param{{Name: "id", Value: "a b/?#"}, {Name: "proxy", Value: "../c/./d"}})
	if want := "https://example.com/base/a%20b/%3F%23/%2E%2E/c/%2E/d?k=v"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, uri := range []string{"ftp://x", "/path", "https://", "https://x/{a"} {
		if _, err := ParseURL(uri); err == nil {
			t.Errorf("%s was taken", uri)
		}
	}
}

// FuzzFill puts any value into a URL: it must stay on the server and below the path.
func FuzzFill(f *testing.F) {
	f.Add("../../x")
	f.Add("@evil.test/")
	u, err := ParseURL("https://example.com/base/{p}")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		parsed, err := url.Parse(u.Fill([]route.Param{{Name: "p", Value: value}}))
		if err != nil {
			return
		}
		if parsed.Host != "example.com" || !strings.HasPrefix(parsed.EscapedPath(), "/base/") || parsed.RawQuery != "" || strings.Contains(parsed.EscapedPath(), "/../") {
			t.Errorf("%q leads to %s", value, parsed)
		}
	})
}
