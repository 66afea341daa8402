package check_test

import (
	"os"
	"path/filepath"
	"slices"
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
  Any: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: "ANY /notes/latest", AuthorizationType: NONE}}
  One: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: "GET /notes/{id}", AuthorizationType: NONE}}
  Signed: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: "GET /signed", AuthorizationType: AWS_IAM}}
  Scoped: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: "GET /scoped", AuthorizationType: JWT, AuthorizerId: !Ref Tokens, AuthorizationScopes: [read]}}
  Pool: {Type: "AWS::Cognito::IdentityPool", Properties: {AllowUnauthenticatedIdentities: true, SupportedLoginProviders: {api.twitter.com: "key;secret"}}}
  Bucket: {Type: "AWS::S3::Bucket"}
  Own: {Type: "AWS::IAM::ManagedPolicy", Properties: {PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/${aws:username}/*"}]}}}
  Wide: {Type: "AWS::IAM::ManagedPolicy", Properties: {PolicyDocument: {Version: 2012-10-17, Statement: {Effect: Allow, Action: "execute-api:Invoke", Resource: ["arn:aws:execute-api:*:*:a/*"]}}}}
  Person: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {AWS: !Ref "AWS::AccountId"}}]}}}
  Service: {Type: "AWS::IAM::Role", Properties: {AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]},
    Policies: [{PolicyName: p, PolicyDocument: {Version: 2012-10-17, Statement: [{Effect: Allow, Action: "s3:*", Resource: ["*", "arn:aws:s3:::b/${*}/${aws:PrincipalTag/team, 'none'}"]}]}}]}}
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
	{"Api", "a request whose line and header values are over 10,240 bytes together gets 431", nil},
	{"Api", "the path is decoded before routing, so that %2F is a slash", nil},
	{"Any", "a literal segment of a path beats a variable before a method beats ANY", nil},
	{"Own", "a policy variable without a value matches nothing", nil},
	{"Wide", "* does not cross a colon of an ARN's first five parts", nil},
	{"Person", "STS's error texts that are in no recording", nil},
	{"Bucket", "S3's error texts that are in no recording", nil},
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

// TestRivals holds which routes rest on the order in which literal segments and
// methods count.
func TestRivals(t *testing.T) {
	for _, test := range []struct {
		one, other string
		rests      bool
	}{
		{"ANY /a/b", "GET /a/{x}", true},
		{"ANY /a/b", "GET /{x}/b", true},
		{"ANY /a/b", "GET /{all+}", true},
		{"ANY /{x}/b", "GET /{all+}", true},
		{"ANY /{x}/{y}", "GET /{all+}", false},
		{"ANY /a/{all+}", "GET /{x}/b", true},
		{"ANY /a/{x}", "GET /{x}/{y}", true},
		{"ANY /a/b", "ANY /a/{x}", false},
		{"ANY /a/b", "GET /a/b", false},
		{"ANY /a/b", "GET /c/{x}", false},
		{"ANY /a/b", "GET /a/{x}/c", false},
		{"ANY /a/b/c", "GET /a/{x}", false},
		{"ANY /a/{x}", "GET /a/b", false},
		{"GET /a/b", "POST /a/{x}", false},
		{"ANY /a/b", "$default", false},
	} {
		text := `{"Resources": {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "a", "ProtocolType": "HTTP"}},` +
			`"One": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Api"}, "RouteKey": "` + test.one + `"}},` +
			`"Other": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Api"}, "RouteKey": "` + test.other + `"}}}}`
		report, err := check.Template("template.json", []byte(text), check.Config{Types: standard.Registry()})
		if err != nil {
			t.Fatal(err)
		}
		rests := slices.ContainsFunc(report.Inferred, func(one check.Inference) bool {
			return strings.HasPrefix(one.What, "a literal segment") && slices.Equal(one.Because, []string{"One"})
		})
		if rests != test.rests {
			t.Errorf("%s beside %s: %v", test.one, test.other, rests)
		}
	}
}

// TestInferredIsDocumented holds the list that people read to the one that
// reports are made from.
func TestInferredIsDocumented(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(need.Root(t), "docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## Where AWS's behaviour is not known\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var documented, told []string
	for _, item := range strings.Split(strings.ReplaceAll(section, "`", ""), "\n- ")[1:] {
		item, _, _ = strings.Cut(item, "\n\n")
		what, _, _ := strings.Cut(strings.Join(strings.Fields(item), " "), ": ") // more may follow
		documented = append(documented, what)
	}
	for _, one := range inferred {
		told = append(told, one.what)
	}
	slices.Sort(documented)
	slices.Sort(told)
	if diff := cmp.Diff(told, documented); diff != "" {
		t.Errorf("reports and docs/differences.md differ:\n%s", diff)
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
