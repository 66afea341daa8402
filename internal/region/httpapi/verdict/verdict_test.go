package verdict

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/iam"
)

func TestParse(t *testing.T) {
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}`
	cases := []struct {
		name, answer string
		simple       bool
		wrong        string
	}{
		{"yes", `{"isAuthorized":true}`, true, ""},
		{"with null context", `{"isAuthorized":true,"context":null}`, true, ""},
		{"policy", `{"principalId":"p","policyDocument":` + policy + `}`, false, ""},
		{"no JSON", `yes`, true, "right shape"},
		{"no word", `{"principalId":"p"}`, true, "isAuthorized"},
		{"a text", `{"isAuthorized":"true"}`, true, "right shape"},
		{"context a list", `{"isAuthorized":true,"context":[1]}`, true, "context"},
		{"no principal", `{"policyDocument":` + policy + `}`, false, "principalId"},
		{"no policy", `{"principalId":"p"}`, false, "policyDocument"},
		{"bad policy", `{"principalId":"p","policyDocument":{"Statement":[{"Effect":"Perhaps"}]}}`, false, "policyDocument"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v, err := Parse([]byte(c.answer), c.simple)
			if c.wrong == "" && (err != nil || v.Context != nil) || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
				t.Errorf("got %v, %v", v, err)
			}
		})
	}
	v, err := Parse([]byte(`{"principalId":"p","policyDocument":`+policy+`}`), false)
	if err != nil || !v.Decide(iam.Request{Action: "execute-api:Invoke", Resource: "arn:aws:execute-api:us-east-1:123456789012:a/s/GET/"}, "123456789012", nil) ||
		v.Decide(iam.Request{Action: "execute-api:ManageConnections", Resource: "x"}, "123456789012", nil) {
		t.Error("the policy does not decide", err)
	}
}

func TestCacheIsBoundedAndForgetsErrors(t *testing.T) {
	now := time.Unix(0, 0)
	c := NewCache(time.Minute)
	asked := 0
	ask := func(sources ...string) {
		c.Get(now, sources, func() (*Verdict, error) { asked++; return &Verdict{}, nil })
	}
	for i := range 3 * maxKept {
		ask(fmt.Sprint(i))
	}
	if len(c.answers) > maxKept {
		t.Errorf("%d answers are kept", len(c.answers))
	}
	asked = 0
	ask("x", "y")
	ask("x", "y")
	ask("xy", "")
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	for range 2 {
		if _, err := c.Get(now, []string{"bad"}, func() (*Verdict, error) { asked++; return nil, errors.New("down") }); err == nil {
			t.Error("no error")
		}
	}
	if asked != 4 {
		t.Errorf("an error was kept: asked %d times", asked)
	}
}

// An answer that was asked for before the cache was cleared, and comes after, is not kept.
func TestClearForgetsWhatIsUnderWay(t *testing.T) {
	now := time.Unix(0, 0)
	c := NewCache(time.Minute)
	asked := 0
	get := func(meanwhile func()) {
		t.Helper()
		v, err := c.Get(now, []string{"x"}, func() (*Verdict, error) { asked++; meanwhile(); return &Verdict{}, nil })
		if v == nil || err != nil {
			t.Errorf("got %v, %v", v, err)
		}
	}
	get(c.Clear)
	get(func() {})
	get(func() {})
	if asked != 2 {
		t.Errorf("asked %d times, want twice", asked)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"isAuthorized":true,"context":{"a":1}}`))
	f.Add([]byte(`{"principalId":"p","policyDocument":{"Version":"2012-10-17","Statement":[]}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if v, err := Parse(answer, true); err == nil && v.Policy != nil {
			t.Error("a simple answer has a policy")
		}
		if v, err := Parse(answer, false); err == nil && (v.Policy == nil || v.Allowed) {
			t.Error("a policy is missing, or a word counts")
		}
	})
}
