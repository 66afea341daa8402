package cors

import (
	"fmt"
	"testing"
)

func TestHeaders(t *testing.T) {
	age := 5
	full := Compile(&Config{AllowOrigins: []string{"https://A.test", "http://*"}, AllowMethods: []string{"GET", "POST"},
		AllowHeaders: []string{"X-A"}, ExposeHeaders: []string{"X-B"}, AllowCredentials: true, MaxAge: &age})
	anyone := Compile(&Config{AllowOrigins: []string{"*"}})
	cases := []struct {
		name      string
		policy    *Policy
		origin    string
		preflight bool
		want      string
	}{
		{"exact, whatever the case", full, "https://a.test", false, "[{access-control-allow-origin https://a.test} {vary origin} {access-control-allow-credentials true} {access-control-expose-headers x-b}]"},
		{"preflight", full, "https://a.test", true, "[{access-control-allow-origin https://a.test} {vary origin} {access-control-allow-credentials true} {access-control-allow-methods GET,POST} {access-control-allow-headers x-a} {access-control-max-age 5}]"},
		{"any of a scheme", full, "http://b.test", false, "[{access-control-allow-origin http://b.test} {vary origin} {access-control-allow-credentials true} {access-control-expose-headers x-b}]"},
		{"another scheme", full, "https://b.test", true, "[]"},
		{"no prefix of it", full, "https://a.test.evil", false, "[]"},
		{"any", anyone, "null", true, "[{access-control-allow-origin *}]"},
	}
	for _, c := range cases {
		if got := fmt.Sprint(c.policy.Headers(c.origin, c.preflight)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if Compile(nil) != nil || !Replaces([]byte("Access-Control-Allow-Origin")) || Replaces([]byte("Accept")) {
		t.Error("what there is to replace")
	}
}
