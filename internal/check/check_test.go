package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/internal/check"
	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/access/managed"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
)

// base is an API with one signed route of each kind, and an identity pool
// without roles.
const base = `
Resources:
  Api: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: api, ProtocolType: HTTP}}
  Stage: {Type: "AWS::ApiGatewayV2::Stage", Properties: {ApiId: !Ref Api, StageName: $default, AutoDeploy: true}}
  One: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: "GET /items/{id}", AuthorizationType: AWS_IAM}}
  Any: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: "ANY /all/{proxy+}", AuthorizationType: AWS_IAM}}
  Pool: {Type: "AWS::Cognito::IdentityPool", Properties: {AllowUnauthenticatedIdentities: true, AllowClassicFlow: true}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: TRUST}
      Policies: [{PolicyName: call, PolicyDocument: {Version: "2012-10-17", Statement: STATEMENT}}]
`

const (
	trustPool = `{Effect: Allow, Principal: {Federated: cognito-identity.amazonaws.com}, Action: sts:AssumeRoleWithWebIdentity,
        Condition: {StringEquals: {"cognito-identity.amazonaws.com:aud": !Ref Pool}, "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": authenticated}}}`
	trustAnyPool = `{Effect: Allow, Principal: {Federated: cognito-identity.amazonaws.com}, Action: sts:AssumeRoleWithWebIdentity}`
	trustGuests  = `{Effect: Allow, Principal: {Federated: cognito-identity.amazonaws.com}, Action: sts:AssumeRoleWithWebIdentity,
        Condition: {StringEquals: {"cognito-identity.amazonaws.com:aud": !Ref Pool}}}`
	trustAccount  = `{Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: sts:AssumeRole}`
	trustEveryone = `{Effect: Allow, Principal: {AWS: "*"}, Action: sts:AssumeRole}`
	trustProvider = `{Effect: Allow, Principal: {Federated: "arn:aws:iam::123456789012:oidc-provider/example.com"}, Action: sts:AssumeRoleWithWebIdentity}`
	anything      = `{Effect: Allow, Action: "*", Resource: "*"}`
)

func of(t *testing.T, trust, statement string) *check.Report {
	t.Helper()
	text := strings.NewReplacer("TRUST", trust, "STATEMENT", statement).Replace(base)
	report, err := check.Template("template.yaml", []byte(text), check.Config{Types: standard.Registry()})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestReach holds who can reach "GET /items/{id}" to what a policy says.
func TestReach(t *testing.T) {
	const signedIn, all = "signed-in users of the identity pool Pool", check.All
	on := func(resource, rest string) string {
		return `{Effect: Allow, Action: "execute-api:Invoke", Resource: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/` + resource + `"` + rest + `}`
	}
	for name, test := range map[string]struct {
		trust, statement string
		want             []check.Reach
	}{
		"everything":        {trustPool, anything, []check.Reach{{Who: signedIn, Role: "Role", Extent: all}}},
		"by pattern":        {trustPool, on("*/GET/items/*", ""), []check.Reach{{Who: signedIn, Role: "Role", Extent: all}}},
		"another method":    {trustPool, on("*/POST/*", ""), []check.Reach{}},
		"another path":      {trustPool, on("*/GET/other/*", ""), []check.Reach{}},
		"another stage":     {trustPool, on("prod/GET/items/*", ""), []check.Reach{}},
		"one item":          {trustPool, on("$default/GET/items/mine", ""), []check.Reach{{Who: signedIn, Role: "Role", Extent: check.Part, Detail: "$default/GET/items/mine"}}},
		"their own":         {trustPool, on("$default/GET/items/${!cognito-identity.amazonaws.com:sub}", ""), []check.Reach{{Who: signedIn, Role: "Role", Extent: check.Part, Detail: "$default/GET/items/<identity>"}}},
		"under a condition": {trustPool, on("*", `, Condition: {IpAddress: {"aws:SourceIp": 10.0.0.0/8}}`), []check.Reach{{Who: signedIn, Role: "Role", Extent: check.Conditional, Detail: "if IpAddress aws:SourceIp 10.0.0.0/8"}}},
		"denied":            {trustPool, "[" + anything + `, {Effect: Deny, Action: "execute-api:*", Resource: "*"}]`, []check.Reach{}},
		"not for this":      {trustPool, `{Effect: Allow, Action: "s3:*", Resource: "*"}`, []check.Reach{}},
		"guests too": {trustGuests, anything, []check.Reach{
			{Who: "guests of the identity pool Pool (anyone)", Role: "Role", Extent: all}, {Who: signedIn, Role: "Role", Extent: all}}},
		"any pool":    {trustAnyPool, anything, []check.Reach{{Who: "identities of ANY identity pool, of any account: the role's trust does not name a pool", Role: "Role", Extent: all}}},
		"the account": {trustAccount, anything, []check.Reach{{Who: "whoever in the account 123456789012 may assume the role", Role: "Role", Extent: all}}},
		"everyone": {trustEveryone, anything, []check.Reach{{Who: "anyone with AWS credentials, of any account, who meets the conditions of the role's trust",
			Role: "Role", Extent: all}}},
		"a provider": {trustProvider, anything, []check.Reach{{Who: "who signs in through arn:aws:iam::123456789012:oidc-provider/example.com", Role: "Role", Extent: all}}},
	} {
		t.Run(name, func(t *testing.T) {
			report := of(t, test.trust, test.statement)
			if report.Refused() {
				t.Fatalf("it is refused: %+v", report.Resources)
			}
			for _, route := range report.Routes {
				if route.ID != "One" {
					continue
				}
				if diff := cmp.Diff(test.want, route.Reach); diff != "" {
					t.Error(diff)
				}
				return
			}
			t.Fatal("the route is missing")
		})
	}
}

// A part of the methods of ANY is a part of the route.
func TestReachOfAny(t *testing.T) {
	report := of(t, trustPool, `{Effect: Allow, Action: "execute-api:Invoke", Resource: !Sub "arn:aws:execute-api:*:*:${Api}/*/GET/all/*"}`)
	for _, route := range report.Routes {
		if route.ID != "Any" {
			continue
		}
		if len(route.Reach) != 1 || route.Reach[0].Extent != check.Part || route.Reach[0].Detail != "$default/GET/all/<proxy>" {
			t.Errorf("%+v", route.Reach)
		}
	}
}

// A policy that IAM would not take is refused before it is sent.
func TestMalformedPolicy(t *testing.T) {
	report := of(t, trustPool, `{Effect: Allow, Action: "execute-api:Invoke"}`)
	if !report.Refused() {
		t.Error("a statement without a resource passes")
	}
}

// Open routes come first, whatever opens them.
func TestOpen(t *testing.T) {
	const template = `
Resources:
  Function: {Type: "AWS::Lambda::Function", Properties: {Code: {ZipFile: "x"}, Handler: index.handler, Runtime: nodejs22.x, Role: "arn:aws:iam::123456789012:role/r"}}
  Api: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: api, ProtocolType: HTTP}}
  Jwt: {Type: "AWS::ApiGatewayV2::Authorizer", Properties: {ApiId: !Ref Api, Name: jwt, AuthorizerType: JWT, IdentitySource: [$request.header.Authorization], JwtConfiguration: {Issuer: "https://issuer", Audience: [a, b]}}}
  A: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: GET /a, AuthorizationType: JWT, AuthorizerId: !Ref Jwt, AuthorizationScopes: [read]}}
  B: {Type: "AWS::ApiGatewayV2::Route", Properties: {ApiId: !Ref Api, RouteKey: GET /b, AuthorizationType: NONE}}
  Url: {Type: "AWS::Lambda::Url", Properties: {AuthType: NONE, TargetFunctionArn: !Ref Function}}
`
	report, err := check.Template("template.yaml", []byte(template), check.Config{Types: standard.Registry()})
	if err != nil {
		t.Fatal(err)
	}
	anyone := []check.Reach{{Who: "anyone", Extent: check.All}}
	want := []check.Route{
		{ID: "B", API: "Api", Key: "GET /b", Authorization: "NONE", Open: true, Reach: anyone},
		{ID: "Url", API: "Function", Key: "function URL", Authorization: "NONE", Open: true, Reach: anyone},
		{ID: "A", API: "Api", Key: "GET /a", Authorization: "JWT", Reach: []check.Reach{{Who: "who has a token of https://issuer for a or b with the scope read", Extent: check.All}}},
	}
	if diff := cmp.Diff(want, report.Routes); diff != "" {
		t.Error(diff)
	}
}

// TestFixture checks the tutorial's original app.
func TestFixture(t *testing.T) {
	const name = "dev-rest-api-auth-twitter-my-stack.template.json"
	file := filepath.Join(need.Shared(t, "fixtures", "tutorial-sst-0.9.7"), name)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	report, err := check.Template(name, data, check.Config{Types: standard.Registry(), Managed: func(arn string) (string, bool) {
		policy, known := managed.Find(arn)
		return policy.Document, known
	}})
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, route := range report.Routes {
		for _, r := range route.Reach {
			routes = append(routes, route.Key+": "+r.Who+" "+r.Role)
		}
	}
	want := []string{"GET /public: anyone ",
		"GET /private: signed-in users of the identity pool AuthIdentityPool12DFB5E1 AuthIdentityPoolAuthRoleD14DA003"}
	if diff := cmp.Diff(want, routes); diff != "" || report.Refused() {
		t.Errorf("refused %v\n%s", report.Refused(), diff)
	}
	if len(report.Assumed) == 0 || len(report.Inferred) == 0 {
		t.Errorf("assumed %v, inferred %v", report.Assumed, report.Inferred)
	}
}

// A template whose routes a user pool would have to authorize is not deployed,
// however the issuer is written.
func TestUserPoolsIssueNoTokens(t *testing.T) {
	const template = `
Resources:
  Users: {Type: "AWS::Cognito::UserPool", Properties: {}}
  Api: {Type: "AWS::ApiGatewayV2::Api", Properties: {Name: api, ProtocolType: HTTP}}
  Authorizer: {Type: "AWS::ApiGatewayV2::Authorizer", Properties: {ApiId: !Ref Api, Name: jwt, AuthorizerType: JWT, IdentitySource: ["$request.header.Authorization"],
    JwtConfiguration: {Audience: [a], Issuer: ISSUER}}}
`
	for issuer, refused := range map[string]bool{
		`!Sub "https://cognito-idp.${AWS::Region}.amazonaws.com/${Users}"`:                        true,
		`!Join ["", ["https://cognito-idp.", !Ref "AWS::Region", ".amazonaws.com/", !Ref Users]]`: true,
		`!GetAtt Users.ProviderURL`:                                 true,
		`https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc`: false, // a real one, elsewhere
		`https://issuer.example/Users`:                              false,
	} {
		report, err := check.Template("template.yaml", []byte(strings.Replace(template, "ISSUER", issuer, 1)), check.Config{Types: standard.Registry()})
		if err != nil {
			t.Fatal(err)
		}
		if report.Refused() != refused {
			t.Errorf("%s: refused is %t in %+v", issuer, report.Refused(), report.Resources)
		}
	}
}
