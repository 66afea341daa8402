package iam_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed-615d3599/roost/iam"
)

// FuzzParse: whatever is parsed without an error is JSON in UTF-8, can be
// decided by and traced, and says nothing else when it is written anew.
func FuzzParse(f *testing.F) {
	for _, c := range refusals {
		if len(c.document) < 4096 {
			f.Add([]byte(c.document))
		}
	}
	for _, c := range decisionCases {
		for _, s := range []string{c.identity, c.resource, c.trust} {
			f.Add(document(s))
		}
	}
	for _, c := range elementCases {
		f.Add(document(`'Effect': 'Deny', ` + c.statement))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, parse := range []parseFunc{iam.Parse, iam.ParseResource, iam.ParseTrust} {
			policy, err := parse(data)
			if err != nil {
				if !strings.HasPrefix(err.Error(), "MalformedPolicyDocument: ") || policy != nil {
					t.Fatalf("%v, %v", policy, err)
				}
				continue
			}
			if !json.Valid(data) || !utf8.Valid(data) {
				t.Fatalf("accepted, but is no JSON in UTF-8: %q", data)
			}
			decideByAny(t, policy)
			iam.ContextKeys(policy)
		}
	})
}

// decideByAny uses a policy in every role, with and without trace.
func decideByAny(t *testing.T, policy *iam.Policy) {
	attached := iam.Attached{Name: "p", Policy: policy}
	for _, policies := range []iam.Policies{
		{Resource: attached},
		{Identity: []iam.Attached{attached}, Boundary: attached, Session: []iam.Attached{attached}},
	} {
		request := iam.Request{Principal: bob, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Context: iam.Context{
			{Name: "aws:username", Value: "bob"}, {Name: "x:key", Values: []string{"1", "2020", "10.0.0.1"}}}}
		var trace iam.Trace
		with, without := iam.Decide(request, policies, &trace), iam.Decide(request, policies, nil)
		if with != without {
			t.Fatalf("%v with a trace, %v without", with, without)
		}
		if _, err := json.Marshal(trace); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzMatch compares the wildcards with regular expressions.
func FuzzMatch(f *testing.F) {
	f.Add("ababab", "*ab*ac")
	f.Add("arn:aws:s3:::b/k", "arn:*:?/*")
	f.Add("ä", "?")
	f.Add("aXbXc", "a*X*?c")
	f.Fuzz(func(t *testing.T, text, pattern string) {
		if !utf8.ValidString(text) || !utf8.ValidString(pattern) || len(pattern) > 200 {
			return
		}
		expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`(?s)^(?:` + expression + `)$`).MatchString(text)
		if got := iam.Match(text, pattern); got != want {
			t.Fatalf("Match(%q, %q) is %v, the regular expression says %v", text, pattern, got, want)
		}
	})
}

// FuzzEscapeResource: an escaped resource matches itself, and nothing that
// differs from it.
func FuzzEscapeResource(f *testing.F) {
	f.Add("b/a*b?${aws:username}$*", "b/axb")
	f.Fuzz(func(t *testing.T, resource, other string) {
		if !utf8.ValidString(resource + other) {
			return
		}
		resource, other = "arn:aws:s3:::"+resource, "arn:aws:s3:::"+other
		least := iam.Least([]iam.Use{{Action: "s3:GetObject", Resource: resource}})
		policy, err := iam.Parse(least)
		if err != nil {
			if strings.ContainsFunc(resource, func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }) {
				return // not a character of a policy
			}
			t.Fatalf("%v\n%s", err, least)
		}
		policies := iam.Policies{Identity: []iam.Attached{{Policy: policy}}}
		for _, r := range []string{resource, other} {
			request := iam.Request{Principal: bob, Action: "s3:GetObject", Resource: r, Context: iam.Context{{Name: "aws:username", Value: "bob"}}}
			if got := iam.Decide(request, policies, nil); (got.Outcome == iam.Allowed) != (r == resource) {
				t.Fatalf("%q by\n%s: %v", r, least, got.Outcome)
			}
		}
	})
}
