package roost_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost"
)

// TestProperties says for each property of each construct, and for each default,
// what becomes of it in the template.
func TestProperties(t *testing.T) {
	zero := 0
	const (
		typeAPI      = "AWS::ApiGatewayV2::Api"
		typeStage    = "AWS::ApiGatewayV2::Stage"
		typeRoute    = "AWS::ApiGatewayV2::Route"
		typeFunction = "AWS::Lambda::Function"
		typePool     = "AWS::Cognito::IdentityPool"
		typeLogs     = "AWS::Logs::LogGroup"
		typePolicy   = "AWS::IAM::Policy"
		typeUserPool = "AWS::Cognito::UserPool"
	)
	route := func(r roost.Route) func(*roost.App) {
		r.Handler = "src/private"
		return api(roost.APIProps{Routes: roost.Routes{"GET /": r}})
	}
	for _, test := range []struct {
		name           string
		define         func(*roost.App)
		kind, property string
		want           string // JSON; "" is absent
	}{
		{"cors default", api(roost.APIProps{}), typeAPI, "CorsConfiguration", `{"AllowHeaders":["*"],"AllowMethods":["GET","PUT","POST","HEAD","PATCH","DELETE","OPTIONS"],"AllowOrigins":["*"]}`},
		{"cors off", api(roost.APIProps{DisableCORS: true}), typeAPI, "CorsConfiguration", ``},
		{"cors", api(roost.APIProps{CORS: &roost.CORS{
			AllowOrigins: []string{"https://a.b"}, AllowMethods: []string{"GET"}, AllowHeaders: []string{"x-a"},
			ExposeHeaders: []string{"x-b"}, AllowCredentials: true, MaxAge: time.Minute,
		}}), typeAPI, "CorsConfiguration", `{"AllowCredentials":true,"AllowHeaders":["x-a"],"AllowMethods":["GET"],"AllowOrigins":["https://a.b"],"ExposeHeaders":["x-b"],"MaxAge":60}`},
		{"api name", api(roost.APIProps{}), typeAPI, "Name", `"dev-rest-api-auth-twitter-Api"`},
		{"api description", api(roost.APIProps{Description: "d"}), typeAPI, "Description", `"d"`},
		{"no access log", api(roost.APIProps{DisableAccessLog: true}), typeStage, "AccessLogSettings", ``},
		{"access log format", api(roost.APIProps{AccessLog: &roost.AccessLog{Format: "$context.status", LogGroup: "arn:x"}}), typeStage, "AccessLogSettings", `{"DestinationArn":"arn:x","Format":"$context.status"}`},
		{"log retention default", api(roost.APIProps{DefaultFunctionProps: roost.FunctionProps{LogRetention: roost.Forever}}), typeLogs, "RetentionInDays", `30`},
		{"log retention", api(roost.APIProps{
			AccessLog:            &roost.AccessLog{Retention: 731},
			DefaultFunctionProps: roost.FunctionProps{LogRetention: roost.Forever},
		}), typeLogs, "RetentionInDays", `731`},
		{"stage", api(roost.APIProps{}), typeStage, "AutoDeploy", `true`},
		{"throttle", api(roost.APIProps{Throttle: &roost.Throttle{Rate: 0.5, Burst: 1}}), typeStage, "DefaultRouteSettings", `{"ThrottlingBurstLimit":1,"ThrottlingRateLimit":0.5}`},
		{"existing api", api(roost.APIProps{HTTPAPI: "abc"}), typeRoute, "ApiId", `"abc"`},
		{"authorization default", route(roost.Route{}), typeRoute, "AuthorizationType", `"NONE"`},
		{"authorization", route(roost.Route{Authorization: roost.AWSIAM}), typeRoute, "AuthorizationType", `"AWS_IAM"`},
		{"default authorization", api(roost.APIProps{DefaultAuthorization: roost.AWSIAM}), typeRoute, "AuthorizationType", `"AWS_IAM"`},
		{"white space in keys", api(roost.APIProps{Routes: routes("  GET \t /a ")}), typeRoute, "RouteKey", `"GET /a"`},
		{"default function", api(roost.APIProps{DefaultFunctionProps: roost.FunctionProps{Memory: 256}}), typeFunction, "MemorySize", `256`},
		{"route over default", api(roost.APIProps{
			DefaultFunctionProps: roost.FunctionProps{Memory: 256, Timeout: time.Minute},
			Routes:               roost.Routes{"GET /": {Handler: "src/private", Props: roost.FunctionProps{Memory: 512}}},
		}), typeFunction, "MemorySize", `512`},

		{"go runtime", function(roost.FunctionProps{}), typeFunction, "Runtime", `"provided.al2023"`},
		{"go handler", function(roost.FunctionProps{}), typeFunction, "Handler", `"bootstrap"`},
		{"node runtime", function(roost.FunctionProps{Handler: "src/private.main"}), typeFunction, "Runtime", `"nodejs22.x"`},
		{"node handler", function(roost.FunctionProps{Handler: "src/private.main"}), typeFunction, "Handler", `"private.main"`},
		{"python runtime", function(roost.FunctionProps{Handler: "src/hello.main"}), typeFunction, "Runtime", `"python3.13"`},
		{"src path", function(roost.FunctionProps{Handler: "hello.main", SrcPath: "src"}), typeFunction, "Handler", `"hello.main"`},
		{"src path above", function(roost.FunctionProps{Handler: "plain/other.main", SrcPath: "lib", Bundle: &roost.Bundle{Disabled: true}}), typeFunction, "Handler", `"plain/other.main"`},
		{"no source map", function(roost.FunctionProps{Handler: "src/private.main", Bundle: &roost.Bundle{NoSourceMap: true}}), typeFunction, "Environment", ``},
		{"runtime", function(roost.FunctionProps{Runtime: "provided.al2"}), typeFunction, "Runtime", `"provided.al2"`},
		{"architecture default", function(roost.FunctionProps{}), typeFunction, "Architectures", `["arm64"]`},
		{"architecture", function(roost.FunctionProps{Architecture: roost.X8664}), typeFunction, "Architectures", `["x86_64"]`},
		{"memory default", function(roost.FunctionProps{}), typeFunction, "MemorySize", `1024`},
		{"timeout default", function(roost.FunctionProps{}), typeFunction, "Timeout", `10`},
		{"timeout", function(roost.FunctionProps{Timeout: 15 * time.Minute}), typeFunction, "Timeout", `900`},
		{"tracing default", function(roost.FunctionProps{}), typeFunction, "TracingConfig", `{"Mode":"Active"}`},
		{"tracing", function(roost.FunctionProps{Tracing: roost.Off}), typeFunction, "TracingConfig", `{"Mode":"PassThrough"}`},
		{"no environment", function(roost.FunctionProps{}), typeFunction, "Environment", ``},
		{"environment", function(roost.FunctionProps{Environment: map[string]roost.Value{"KEY": roost.Secret("KEY")}}), typeFunction, "Environment", `{"Variables":{"KEY":{"Ref":"SecretKey"}}}`},
		{"source maps", function(roost.FunctionProps{Handler: "src/private.main"}), typeFunction, "Environment", `{"Variables":{"NODE_OPTIONS":"--enable-source-maps"}}`},
		{"own options", function(roost.FunctionProps{Handler: "src/private.main", Environment: map[string]roost.Value{"NODE_OPTIONS": "-v"}}), typeFunction, "Environment", `{"Variables":{"NODE_OPTIONS":"-v"}}`},
		{"unbundled", function(roost.FunctionProps{Handler: "other.main", SrcPath: "lib/plain", Bundle: &roost.Bundle{Disabled: true}}), typeFunction, "Environment", ``},
		{"layers", function(roost.FunctionProps{Layers: []roost.Value{"arn:l"}}), typeFunction, "Layers", `["arn:l"]`},
		{"description", function(roost.FunctionProps{Description: "d"}), typeFunction, "Description", `"d"`},
		{"function name", function(roost.FunctionProps{Name: "n"}), typeFunction, "FunctionName", `"n"`},
		{"role", function(roost.FunctionProps{Role: "arn:r"}), typeFunction, "Role", `"arn:r"`},
		{"reserved concurrency", function(roost.FunctionProps{ReservedConcurrency: &zero}), typeFunction, "ReservedConcurrentExecutions", `0`},
		{"ephemeral storage", function(roost.FunctionProps{EphemeralStorage: 1024}), typeFunction, "EphemeralStorage", `{"Size":1024}`},
		{"function logs default", function(roost.FunctionProps{}), typeLogs, "RetentionInDays", `30`},
		{"function logs", function(roost.FunctionProps{LogRetention: 7}), typeLogs, "RetentionInDays", `7`},
		{"function log group", function(roost.FunctionProps{}), typeFunction, "LoggingConfig", `{"LogGroup":{"Ref":"FLogGroupA4D35602"}}`},
		{"function logs for ever", function(roost.FunctionProps{LogRetention: roost.Forever}), typeFunction, "LoggingConfig", ``},
		{"own log group", function(roost.FunctionProps{Properties: map[string]any{"LoggingConfig": map[string]any{"LogFormat": "JSON"}}}), typeFunction, "LoggingConfig", `{"LogFormat":"JSON"}`},
		{"raw property", function(roost.FunctionProps{Properties: map[string]any{"VpcConfig": map[string]any{"SubnetIds": []string{"s"}}}}), typeFunction, "VpcConfig", `{"SubnetIds":["s"]}`},
		{"added variable", func(app *roost.App) {
			app.Stack("s").Function("F", roost.FunctionProps{Handler: "src/private"}).AddEnvironment("KEY", "v")
		}, typeFunction, "Environment", `{"Variables":{"KEY":"v"}}`},
		{"code", function(roost.FunctionProps{}), typeFunction, "Code", `{"S3Bucket":{"Fn::Sub":"cdk-hnb659fds-assets-${AWS::AccountId}-us-east-1"},"S3Key":"roost-build:bd3b1c7613591f4c.zip"}`},

		{"no guests", auth(roost.AuthProps{}), typePool, "AllowUnauthenticatedIdentities", `false`},
		{"guests", auth(roost.AuthProps{AllowGuests: true}), typePool, "AllowUnauthenticatedIdentities", `true`},
		{"classic", auth(roost.AuthProps{AllowClassicFlow: true}), typePool, "AllowClassicFlow", `true`},
		{"twitter", auth(roost.AuthProps{Twitter: &roost.Twitter{ConsumerKey: "k", ConsumerSecret: "s"}}), typePool, "SupportedLoginProviders", `{"api.twitter.com":"k;s"}`},
		{"twitter secrets", auth(roost.AuthProps{Twitter: &roost.Twitter{ConsumerKey: roost.Secret("A"), ConsumerSecret: roost.Secret("B")}}), typePool, "SupportedLoginProviders", `{"api.twitter.com":{"Fn::Join":["",[{"Ref":"SecretA"},";",{"Ref":"SecretB"}]]}}`},
		{"google", auth(roost.AuthProps{Google: &roost.Google{ClientID: "c"}}), typePool, "SupportedLoginProviders", `{"accounts.google.com":"c"}`},
		{"facebook", auth(roost.AuthProps{Facebook: &roost.Facebook{AppID: "c"}}), typePool, "SupportedLoginProviders", `{"graph.facebook.com":"c"}`},
		{"amazon", auth(roost.AuthProps{Amazon: &roost.Amazon{AppID: "c"}}), typePool, "SupportedLoginProviders", `{"www.amazon.com":"c"}`},
		{"apple", auth(roost.AuthProps{Apple: &roost.Apple{ServicesID: "c"}}), typePool, "SupportedLoginProviders", `{"appleid.apple.com":"c"}`},
		{"auth0", auth(roost.AuthProps{Auth0: &roost.Auth0{Domain: "x.y", ClientID: "c"}}), "AWS::IAM::OIDCProvider", "Url", `"https://x.y"`},
		{"user pool", auth(roost.AuthProps{Cognito: &roost.Cognito{SignInAliases: []string{"username", "email"}}}), typeUserPool, "AliasAttributes", `["email"]`},
		{"email pool", auth(roost.AuthProps{Cognito: &roost.Cognito{SignInAliases: []string{"email"}}}), typeUserPool, "UsernameAttributes", `["email"]`},
		{"small letters", auth(roost.AuthProps{Cognito: &roost.Cognito{SignInAliases: []string{"email"}}}), typeUserPool, "UsernameConfiguration", `{"CaseSensitive":false}`},
		{"existing pool", auth(roost.AuthProps{UserPool: "p", UserPoolClient: "c"}), typePool, "CognitoIdentityProviders", `[{"ClientId":"c","ProviderName":{"Fn::Join":["",["cognito-idp.us-east-1.",{"Ref":"AWS::URLSuffix"},"/p"]]}}]`},

		{"allow", attach(roost.Allow("s3:GetObject", "arn:a", "arn:b")), typePolicy, "PolicyDocument", statement(`{"Action":"s3:GetObject","Effect":"Allow","Resource":["arn:a","arn:b"]}`)},
		{"deny", attach(roost.Deny("s3:*", "*")), typePolicy, "PolicyDocument", statement(`{"Action":"s3:*","Effect":"Deny","Resource":"*"}`)},
		{"allow all", attach(roost.AllowAll()), typePolicy, "PolicyDocument", statement(`{"Action":"*","Effect":"Allow","Resource":"*"}`)},
		{"allow services", attach(roost.AllowServices("s3", "ses")), typePolicy, "PolicyDocument", statement(`{"Action":["s3:*","ses:*"],"Effect":"Allow","Resource":"*"}`)},
		{"statement", attach(roost.Permission{
			SID: "A", Effect: "Deny", NotActions: []string{"s3:*"}, NotResources: []roost.Value{"arn:a"},
			Conditions: map[string]map[string][]roost.Value{"StringEquals": {"aws:RequestedRegion": {"us-east-1"}}},
		}), typePolicy, "PolicyDocument", statement(`{"Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}},"Effect":"Deny","NotAction":"s3:*","NotResource":"arn:a","Sid":"A"}`)},
		{"intrinsic", attach(roost.Allow("s3:*", roost.Intrinsic("Fn::ImportValue", "x"))), typePolicy, "PolicyDocument", statement(`{"Action":"s3:*","Effect":"Allow","Resource":{"Fn::ImportValue":"x"}}`)},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(t)
			stack := "s"
			if err := roost.Synth(c, test.define); err != nil {
				t.Fatal(err)
			}
			value, found := readTemplate(t, c.Output, stack).one(t, test.kind).Properties[test.property]
			if !found {
				if test.want != "" {
					t.Errorf("%s has no %s", test.kind, test.property)
				}
				return
			}
			got, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func statement(s string) string { return `{"Statement":[` + s + `],"Version":"2012-10-17"}` }

// TestAllowResource holds what each kind of construct is permitted by.
func TestAllowResource(t *testing.T) {
	for kind, want := range map[string]string{
		"AWS::DynamoDB::Table":             `{"Action":"dynamodb:*","Effect":"Allow","Resource":[{"Fn::GetAtt":["R","Arn"]},{"Fn::Join":["",[{"Fn::GetAtt":["R","Arn"]},"/*"]]}]}`,
		"AWS::S3::Bucket":                  `{"Action":"s3:*","Effect":"Allow","Resource":[{"Fn::GetAtt":["R","Arn"]},{"Fn::Join":["",[{"Fn::GetAtt":["R","Arn"]},"/*"]]}]}`,
		"AWS::SQS::Queue":                  `{"Action":"sqs:*","Effect":"Allow","Resource":{"Fn::GetAtt":["R","Arn"]}}`,
		"AWS::SNS::Topic":                  `{"Action":"sns:*","Effect":"Allow","Resource":{"Ref":"R"}}`,
		"AWS::StepFunctions::StateMachine": `{"Action":"states:*","Effect":"Allow","Resource":{"Ref":"R"}}`,
	} {
		out := synth(t, func(app *roost.App) {
			s := app.Stack("s")
			r := s.Resource("R", roost.ResourceProps{Type: kind})
			s.Auth("Auth", roost.AuthProps{}).AttachPermissionsForAuthUsers(roost.AllowResource(r))
		})
		got, err := json.Marshal(readTemplate(t, out, "s").one(t, "AWS::IAM::Policy").Properties["PolicyDocument"])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(statement(want), string(got)); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

// TestSharedFunction sees that a function on two routes has one integration,
// and that functions of the same code share a build.
func TestSharedFunction(t *testing.T) {
	out := synth(t, func(app *roost.App) {
		s := app.Stack("s")
		f := s.Function("F", roost.FunctionProps{Handler: "src/private"})
		s.Function("G", roost.FunctionProps{Handler: "src/private", Memory: 128})
		s.API("Api", roost.APIProps{Routes: roost.Routes{"GET /a": {Function: f}, "GET /b": {Function: f}}}).
			AttachPermissions(roost.AllowServices("s3"))
	})
	tpl := readTemplate(t, out, "s")
	tpl.one(t, "AWS::ApiGatewayV2::Integration")
	permissions := 0
	for _, r := range tpl.Resources {
		if r.Type == "AWS::Lambda::Permission" {
			permissions++
		}
	}
	if permissions != 2 {
		t.Errorf("there are %d permissions, want one for each route", permissions)
	}
	policy := tpl.Resources["FServiceRoleDefaultPolicy17A19BFA"].Properties["PolicyDocument"].(map[string]any)
	if n := len(policy["Statement"].([]any)); n != 2 {
		t.Errorf("the function's policy has %d statements, want that of tracing and one more", n)
	}
	var builds roost.Builds
	readJSON(t, &builds, out, "builds.json")
	if len(builds.Builds) != 1 || len(builds.Builds[0].Constructs) != 2 {
		t.Errorf("builds = %+v, want one of two functions", builds.Builds)
	}
}
