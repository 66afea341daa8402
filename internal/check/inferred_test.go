package check_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/internal/check"
	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
)

// uncertain has everything that rests on inferred behaviour.
const uncertain = `
Resources:
  Api: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: api, ProtocolType: HTTP, CorsConfiguration: {AllowOrigins: ["*"]}}}
  Stage: {Type: "AWS::ApiGatewayV2::Stage", Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true, DefaultRouteSettings: {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}}}
  Tokens: {Type: "AWS::ApiGatewayV2::Authorizer", Properties: {ApiId: !Ref Api, Name: tokens, AuthorizerType: JWT, IdentitySource: ["$request.header.Authorization"], JwtConfiguration: {Issuer: "https://example.com", Audience: [me]}}}
  Signed: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: "GET /signed", AuthorizationType: AWS_IAM}}
  Scoped: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: "GET /scoped", AuthorizationType: JWT, AuthorizerId: !Ref Tokens, AuthorizationScopes: [read]}}
  Pool: {Type: "AWS::Cognito::IdentityPool", Properties: {AllowUnauthenticatedIdentities: true, SupportedLoginProviders: {api.twitter.com: "key;secret"}}}
`

// inferred is what the template above rests on, and the sentences of the list of
// facts from which it comes. Those that were not found at all come last.
var inferred = []struct {
	because, what string
	facts         []string
}{
	{"Signed", "a signed request whose X-Amz-Content-Sha256 is UNSIGNED-PAYLOAD has a wrong signature", []string{"UNSIGNED-PAYLOAD as header"}},
	{"Signed", `a request with a wrong signature, and one that a policy denies, gets 403 {"message":"Forbidden"}`, []string{"|bad signature|", "|policy denies|"}},
	{"Scoped", `a token without a wanted scope gets 403 {"message":"Forbidden"}`, []string{"|JWT scope missing|"}},
	{"Api", `a body above 10 MB gets 413 {"message":"Request Entity Too Large"}`, []string{"|body >10 MB|"}},
	{"Pool", "the text for an identity that is not there", []string{"|unknown identity|"}},
	{"Stage", `a request beyond the throttle gets 429 {"message":"Too Many Requests"}`, nil},
	{"Api", "which headers a preflight's answer has, and their order", nil},
	{"Pool", "the text for a Twitter token that Twitter does not know", nil},
	{"Pool", "which services the credentials of guests are good for", nil},
	{"Signed", "iam.cognitoIdentity is null in the event of a caller without an identity", nil},
}

func TestInferred(t *testing.T) {
	of := func(text string) map[string][]string {
		t.Helper()
		report, err := check.Template("template.yaml", []byte(text), check.Config{Types: standard.Registry()})
		if err != nil {
			t.Fatal(err)
		}
		if report.Refused() {
			t.Errorf("refused: %+v", report.Resources)
		}
		all := map[string][]string{}
		for _, one := range report.Inferred {
			all[one.What] = one.Because
		}
		return all
	}
	want := map[string][]string{}
	for _, one := range inferred {
		want[one.what] = []string{one.because}
	}
	if diff := cmp.Diff(want, of(uncertain)); diff != "" {
		t.Error(diff)
	}
	if got := of("Resources: {Group: {Type: 'AWS::Logs::LogGroup'}}"); len(got) != 0 {
		t.Errorf("a log group rests on %v", got)
	}
}

// TestInferredIsComplete holds the list to the facts: each that is marked as
// inferred is one that the report tells.
func TestInferredIsComplete(t *testing.T) {
	data, err := os.ReadFile(need.Shared(t, "aws-behaviour.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, facts, found := strings.Cut(string(data), "\n## 1.") // after the explanation of the mark
	if !found {
		t.Fatal("the facts have no sections")
	}
	marked := 0
	for line := range strings.Lines(facts) {
		if !strings.Contains(line, "[?") {
			continue
		}
		marked++
		told := false
		for _, one := range inferred {
			for _, fact := range one.facts {
				told = told || strings.Contains(line, fact)
			}
		}
		if !told {
			t.Errorf("no template is said to rest on this: %s", line)
		}
	}
	if marked == 0 {
		t.Error("nothing is marked")
	}
}
