package shape

import (
	"encoding/json"
	"strings"
	"testing"
)

// checked is a set of properties that can be checked.
type checked interface{ Check() error }

func TestChecks(t *testing.T) {
	const proxy = `"integrationType":"AWS_PROXY","integrationUri":"arn","payloadFormatVersion":"2.0"`
	cases := []struct {
		name, text string
		props      checked
		says       string // "" if it is fine
	}{
		{"api", `{"name":"n","corsConfiguration":{"allowOrigins":["https://a.test","*"],"maxAge":-1}}`, &APIProps{}, ""},
		{"api without name", `{}`, &APIProps{}, "Name"},
		{"credentials for anyone", `{"name":"n","corsConfiguration":{"allowOrigins":["*"],"allowCredentials":true}}`, &APIProps{}, "allow-credentials"},
		{"age", `{"name":"n","corsConfiguration":{"maxAge":86401}}`, &APIProps{}, "maxAge"},
		{"origin without scheme", `{"name":"n","corsConfiguration":{"allowOrigins":["a.test"]}}`, &APIProps{}, "a.test"},
		{"selection", `{"name":"n","routeSelectionExpression":"$request.body.action"}`, &APIProps{}, "RouteSelectionExpression"},
		{"route", `{"routeKey":"GET /a/{b}","authorizationType":"JWT","authorizationScopes":["s"]}`, &RouteProps{}, ""},
		{"default route", `{"routeKey":"$default"}`, &RouteProps{}, ""},
		{"route key", `{"routeKey":"/a"}`, &RouteProps{}, "/a"},
		{"scopes without token", `{"routeKey":"$default","authorizationScopes":["s"]}`, &RouteProps{}, "AuthorizationScopes"},
		{"target", `{"routeKey":"$default","target":"x"}`, &RouteProps{}, "Target"},
		{"integration", `{` + proxy + `}`, &IntegrationProps{}, ""},
		{"mock", `{"integrationType":"MOCK"}`, &IntegrationProps{}, "MOCK"},
		{"credentials", `{` + proxy + `,"credentialsArn":"arn"}`, &IntegrationProps{}, "CredentialsArn"},
		{"templates", `{` + proxy + `,"requestTemplates":{"a":"b"}}`, &IntegrationProps{}, "RequestTemplates"},
		{"format of a proxy", `{"integrationType":"HTTP_PROXY","integrationUri":"https://x","integrationMethod":"GET","payloadFormatVersion":"2.0"}`, &IntegrationProps{}, "PayloadFormatVersion"},
		{"timeout", `{` + proxy + `,"timeoutInMillis":49}`, &IntegrationProps{}, "TimeoutInMillis"},
		{"token authorizer", `{"name":"j","authorizerType":"JWT","jwtConfiguration":{}}`, &AuthorizerProps{}, ""},
		{"function authorizer", `{"name":"f","authorizerType":"REQUEST","authorizerUri":"arn","authorizerPayloadFormatVersion":"2.0"}`, &AuthorizerProps{}, ""},
		{"authorizer without name", `{"authorizerType":"JWT","jwtConfiguration":{}}`, &AuthorizerProps{}, "Name"},
		{"authorizer with credentials", `{"name":"f","authorizerCredentialsArn":"arn"}`, &AuthorizerProps{}, "AuthorizerCredentialsArn"},
		{"validated identity", `{"name":"f","identityValidationExpression":".*"}`, &AuthorizerProps{}, "IdentityValidationExpression"},
		{"tokens of nobody", `{"name":"j","authorizerType":"JWT"}`, &AuthorizerProps{}, "JwtConfiguration"},
		{"function without format", `{"name":"f","authorizerType":"REQUEST","authorizerUri":"arn"}`, &AuthorizerProps{}, "AuthorizerPayloadFormatVersion"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := json.Unmarshal([]byte(c.text), c.props); err != nil {
				t.Fatal(err)
			}
			err := c.props.Check()
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

func TestStageNames(t *testing.T) {
	for name, ok := range map[string]bool{"$default": true, "dev-1_A": true, "": false, "a b": false, "a/b": false, strings.Repeat("a", 129): false} {
		if err := new(StageProps).Check(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	long := &StageProps{StageVariables: map[string]string{"k": strings.Repeat("v", 513)}}
	if long.Check("dev") == nil {
		t.Error("a long stage variable was taken")
	}
}

func TestDomainNamesTakeNothingOver(t *testing.T) {
	props := DomainProps{}
	if err := json.Unmarshal([]byte(`{"domainNameConfigurations":[{"certificateArn":"arn"}]}`), &props); err != nil {
		t.Fatal(err)
	}
	for name, fine := range map[string]bool{
		"api.example.com": true, "*.example.com": true, "api.localhost": true, "127.0.0.1.example.com": true,
		"127.0.0.1": false, "*.0.0.1": false, "localhost": false, "*.localhost": false, "API.example.com": false, "a.test/x": false,
		"*.execute-api.localhost": false, "a1b2c3d4e5.execute-api.eu-west-1.localhost": false,
		"sts.us-east-1.amazonaws.com": false, "*.execute-api.us-east-1.amazonaws.com": false, "x.lambda-url.us-east-1.on.aws": false,
	} {
		if err := props.Check(name); (err == nil) != fine {
			t.Errorf("%s: %v", name, err)
		}
	}
}
