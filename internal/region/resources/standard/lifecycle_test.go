package standard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// made is a resource of a life.
type made struct {
	id    string
	kind  *resources.Type
	props map[string]any
	state resources.State
}

// life is a small engine: it makes resources one after the other, each in one
// transaction, as the stacks do.
type life struct {
	t        *testing.T
	db       *store.DB
	services map[string]*wire.Service
	types    *resources.Registry
	have     []*made
}

func (l *life) env(id string) *resources.Env {
	return &resources.Env{
		Call: func(ctx context.Context, service, operation string, in, out any) error {
			target, ok := l.services[service]
			if !ok {
				return fmt.Errorf("no service %s", service)
			}
			return target.Call(ctx, wire.Call{Account: testAccount, Region: testRegion}, operation, in, out)
		},
		Account: testAccount, Region: testRegion, StackName: "life", LogicalID: id, StackID: "s", Token: "1",
		Tags: map[string]string{"aws:cloudformation:stack-name": "life"},
		Name: func(max int) string { return ("life-" + id + "-ABCDEFGH")[:min(max, len("life-"+id+"-ABCDEFGH"))] },
	}
}

// props reads properties in which "${Id}" and "${Id.Attribute}" stand for what
// was made before.
func (l *life) props(kind *resources.Type, text string) map[string]any {
	l.t.Helper()
	text = regexp.MustCompile(`\$\{(\w+)(\.\w+)?\}`).ReplaceAllStringFunc(text, func(ref string) string {
		id, attribute, _ := strings.Cut(strings.Trim(ref, "${}"), ".")
		at := slices.IndexFunc(l.have, func(m *made) bool { return m.id == id })
		if at < 0 {
			l.t.Fatalf("%s is not made", ref)
		}
		if attribute == "" {
			return l.have[at].state.ID
		}
		return resources.Text(l.have[at].state.Attributes, attribute)
	})
	props := map[string]any{}
	if err := json.Unmarshal([]byte(text), &props); err != nil {
		l.t.Fatalf("%v in %s", err, text)
	}
	if problems := kind.Check(props); len(problems) > 0 {
		l.t.Fatalf("%s: %v", kind.Name, problems)
	}
	return kind.Normalize(props)
}

func (l *life) within(f func(context.Context) error) {
	l.t.Helper()
	if err := l.db.Update(l.t.Context(), func(ctx context.Context, _ *store.Tx) error { return f(ctx) }); err != nil {
		l.t.Fatal(err)
	}
}

func (l *life) create(id, name, text string) {
	l.t.Helper()
	kind, ok := l.types.Lookup(name)
	if !ok {
		l.t.Fatalf("no type %s", name)
	}
	m := &made{id: id, kind: kind, props: l.props(kind, text)}
	l.within(func(ctx context.Context) (err error) {
		m.state, err = kind.Create(ctx, l.env(id), m.props)
		return err
	})
	m.state.Properties = m.props
	l.have = append(l.have, m)
}

func (l *life) update(id, text string) {
	l.t.Helper()
	at := slices.IndexFunc(l.have, func(m *made) bool { return m.id == id })
	m := l.have[at]
	next := l.props(m.kind, text)
	l.within(func(ctx context.Context) (err error) {
		m.state, err = m.kind.Update(ctx, l.env(id), m.state, next)
		return err
	})
	m.state.Properties = next
}

// end removes everything, the last made first.
func (l *life) end() {
	l.t.Helper()
	for _, m := range slices.Backward(l.have) {
		for range 2 { // the second time it is gone already
			l.within(func(ctx context.Context) error { return m.kind.Delete(ctx, l.env(m.id), m.state) })
		}
	}
}

// kinds are those of the state file under which the services keep what is made.
func kinds() []string {
	return []string{
		"iam-user", "iam-role", "iam-group", "iam-policy", "iam-access-key", "iam-oidc-provider", "s3-bucket",
		"httpapi.api", "httpapi.route", "httpapi.integration", "httpapi.authorizer", "httpapi.stage", "httpapi.domain", "httpapi.mapping",
		"cognito.pool", "lambda-function", "logs-group", "ssm-parameter",
		"ecr-repository", "kms-alias", "secretsmanager-secret",
	}
}

// items lists what the state file holds, by kind and key.
func (l *life) items() []string { return slices.Sorted(maps.Keys(l.contents())) }

// contents is what the state file holds, by kind and key.
func (l *life) contents() map[string]string {
	all := map[string]string{}
	for _, kind := range kinds() {
		err := l.db.View(l.t.Context(), func(tx *store.Tx) error {
			items, err := tx.List(kind, "")
			for _, item := range items {
				all[kind+" "+item.Key] = string(item.Value)
			}
			return err
		})
		if err != nil {
			l.t.Fatal(err)
		}
	}
	return all
}

const (
	lifeTrust  = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}`
	lifePolicy = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}`
	lifeCode   = `"Code": {"ZipFile": "exports.handler = async () => 1;"}, "Runtime": "nodejs22.x", "Handler": "index.handler", "Role": "${Role.Arn}"`
)

// TestLife makes resources of the region's services, updates and removes them,
// and asks the services what is there.
func TestLife(t *testing.T) {
	need.Tool(t, "node")
	db := openState(t)
	l := &life{t: t, db: db, services: services(t, db, nil), types: standard.Registry()}
	before := l.items()

	l.identities()
	l.functions()
	l.apis()
	l.storage()

	during := l.items()
	for _, kind := range kinds() {
		if !slices.ContainsFunc(during, func(item string) bool { return strings.HasPrefix(item, kind+" ") }) {
			t.Errorf("nothing is kept as %s", kind)
		}
	}
	l.end()
	if diff := cmp.Diff(before, l.items()); diff != "" {
		t.Errorf("left over:\n%s", diff)
	}
}

// asks compares what a service answers, as far as want has the members.
func (l *life) asks(service, operation, input, want string) {
	l.t.Helper()
	kind := &resources.Type{Properties: nil}
	var got any
	if err := l.env("").Call(l.t.Context(), service, operation, l.props(kind, input), &got); err != nil {
		l.t.Fatalf("%s: %v", operation, err)
	}
	var expected any
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		l.t.Fatal(err)
	}
	if diff := cmp.Diff(expected, only(got, expected)); diff != "" {
		l.t.Errorf("%s (-want +got)\n%s", operation, diff)
	}
}

// only leaves of got the members that want has; null stands for none.
func only(got, want any) any {
	members, ok := got.(map[string]any)
	wanted, also := want.(map[string]any)
	if !ok || !also {
		return got
	}
	left := map[string]any{}
	for name := range wanted {
		if value, ok := members[name]; ok {
			left[name] = only(value, wanted[name])
		} else if wanted[name] == nil {
			left[name] = nil
		}
	}
	return left
}

func (l *life) identities() {
	l.create("Group", "AWS::IAM::Group", `{"Policies": [{"PolicyName": "a", "PolicyDocument": `+lifePolicy+`}]}`)
	l.create("User", "AWS::IAM::User", `{"Groups": ["${Group}"], "Tags": [{"Key": "a", "Value": "b"}]}`)
	l.create("Key", "AWS::IAM::AccessKey", `{"UserName": "${User}"}`)
	l.create("Role", "AWS::IAM::Role", `{"AssumeRolePolicyDocument": `+lifeTrust+`, "ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]}`)
	l.create("Policy", "AWS::IAM::Policy", `{"PolicyName": "p", "Roles": ["${Role}"], "PolicyDocument": `+lifePolicy+`}`)
	l.create("Managed", "AWS::IAM::ManagedPolicy", `{"Roles": ["${Role}"], "PolicyDocument": `+lifePolicy+`}`)
	l.create("Member", "AWS::IAM::UserToGroupAddition", `{"GroupName": "${Group}", "Users": ["${User}"]}`)
	l.create("Provider", "AWS::IAM::OIDCProvider", `{"Url": "https://issuer.example", "ClientIdList": ["a"], "Tags": [{"Key": "a", "Value": "b"}]}`)
	l.update("Role", `{"AssumeRolePolicyDocument": `+lifeTrust+`, "MaxSessionDuration": 7200, "Policies": [{"PolicyName": "x", "PolicyDocument": `+lifePolicy+`}], "PermissionsBoundary": "${Managed}", "Tags": [{"Key": "a", "Value": "b"}]}`)
	l.update("Role", `{"AssumeRolePolicyDocument": `+lifeTrust+`}`)
	l.asks("iam", "GetRole", `{"RoleName": "${Role}"}`, `{"Role": {"MaxSessionDuration": 3600}}`)
	l.asks("iam", "ListRolePolicies", `{"RoleName": "${Role}"}`, `{"PolicyNames": ["p"]}`)
	l.asks("iam", "ListAttachedRolePolicies", `{"RoleName": "${Role}"}`, `{"AttachedPolicies": [{"PolicyName": "life-Managed-ABCDEFGH", "PolicyArn": "arn:aws:iam::123456789012:policy/life-Managed-ABCDEFGH"}]}`)
	l.update("Managed", `{"Users": ["${User}"], "PolicyDocument": `+strings.Replace(lifePolicy, "GetObject", "PutObject", 1)+`}`)
	l.update("Policy", `{"PolicyName": "q", "Roles": ["${Role}"], "Groups": ["${Group}"], "PolicyDocument": `+lifePolicy+`}`)
	l.update("Key", `{"UserName": "${User}", "Status": "Inactive"}`)
	l.update("Provider", `{"Url": "https://issuer.example", "ClientIdList": ["b"], "ThumbprintList": ["`+strings.Repeat("0", 40)+`"]}`)
}

func (l *life) functions() {
	l.create("Fn", "AWS::Lambda::Function", `{`+lifeCode+`}`)
	l.create("May", "AWS::Lambda::Permission", `{"FunctionName": "${Fn.Arn}", "Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}`)
	l.create("Version", "AWS::Lambda::Version", `{"FunctionName": "${Fn}", "Description": "first"}`)
	l.create("Live", "AWS::Lambda::Alias", `{"FunctionName": "${Fn}", "FunctionVersion": "${Version.Version}", "Name": "live"}`)
	l.create("Url", "AWS::Lambda::Url", `{"TargetFunctionArn": "${Fn.Arn}", "AuthType": "AWS_IAM"}`)
	l.create("Events", "AWS::Lambda::EventInvokeConfig", `{"FunctionName": "${Fn}", "Qualifier": "$LATEST", "MaximumRetryAttempts": 0}`)
	l.update("Fn", `{`+strings.Replace(lifeCode, "=> 1", "=> 2", 1)+`, "Timeout": 10, "Environment": {"Variables": {"AA": "b"}}, "ReservedConcurrentExecutions": 2, "Tags": [{"Key": "a", "Value": "b"}]}`)
	l.asks("lambda", "GetFunction", `{"FunctionName": "${Fn}"}`, `{"Configuration": {"Timeout": 10, "Environment": {"Variables": {"AA": "b"}}}, "Concurrency": {"ReservedConcurrentExecutions": 2}, "Tags": {"a": "b", "aws:cloudformation:stack-name": "life"}}`)
	l.update("Fn", `{`+lifeCode+`}`)
	l.asks("lambda", "GetFunction", `{"FunctionName": "${Fn}"}`, `{"Configuration": {"Timeout": 3, "MemorySize": 128}, "Concurrency": null, "Tags": {"aws:cloudformation:stack-name": "life"}}`)
	l.update("Live", `{"FunctionName": "${Fn}", "FunctionVersion": "${Version.Version}", "Name": "live", "Description": "d", "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 1}}`)
	l.update("Live", `{"FunctionName": "${Fn}", "FunctionVersion": "${Version.Version}", "Name": "live"}`)
	l.update("Url", `{"TargetFunctionArn": "${Fn.Arn}", "AuthType": "NONE", "Cors": {"AllowOrigins": ["*"]}}`)
	l.update("Events", `{"FunctionName": "${Fn}", "Qualifier": "$LATEST", "MaximumEventAgeInSeconds": 60}`)
}

func (l *life) apis() {
	l.create("Logs", "AWS::Logs::LogGroup", `{"RetentionInDays": 7}`)
	l.create("Stream", "AWS::Logs::LogStream", `{"LogGroupName": "${Logs}"}`)
	l.create("Api", "AWS::ApiGatewayV2::Api", `{"Name": "web", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": ["*"]}}`)
	l.create("Stage", "AWS::ApiGatewayV2::Stage", `{"ApiId": "${Api}", "StageName": "$default", "AutoDeploy": true, "AccessLogSettings": {"DestinationArn": "${Logs.Arn}", "Format": "$context.requestId"}}`)
	l.create("Integration", "AWS::ApiGatewayV2::Integration", `{"ApiId": "${Api}", "IntegrationType": "AWS_PROXY", "IntegrationUri": "${Fn.Arn}", "PayloadFormatVersion": "2.0"}`)
	l.create("Authorizer", "AWS::ApiGatewayV2::Authorizer", `{"ApiId": "${Api}", "AuthorizerType": "JWT", "Name": "jwt", "IdentitySource": ["$request.header.Authorization"], "JwtConfiguration": {"Audience": ["a"], "Issuer": "https://issuer.example"}}`)
	l.create("Route", "AWS::ApiGatewayV2::Route", `{"ApiId": "${Api}", "RouteKey": "GET /a", "Target": "integrations/${Integration}", "AuthorizationType": "JWT", "AuthorizerId": "${Authorizer}"}`)
	l.create("Deployment", "AWS::ApiGatewayV2::Deployment", `{"ApiId": "${Api}"}`)
	l.create("Dev", "AWS::ApiGatewayV2::Stage", `{"ApiId": "${Api}", "StageName": "dev", "DeploymentId": "${Deployment}"}`)
	l.create("Domain", "AWS::ApiGatewayV2::DomainName", `{"DomainName": "api.example.com", "DomainNameConfigurations": [{"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"}]}`)
	l.create("Mapping", "AWS::ApiGatewayV2::ApiMapping", `{"ApiId": "${Api}", "DomainName": "${Domain}", "Stage": "${Stage}"}`)
	l.create("Pool", "AWS::Cognito::IdentityPool", `{"AllowUnauthenticatedIdentities": true, "SupportedLoginProviders": {"api.twitter.com": "key;secret"}}`)
	l.create("Roles", "AWS::Cognito::IdentityPoolRoleAttachment", `{"IdentityPoolId": "${Pool}", "Roles": {"authenticated": "${Role.Arn}"}}`)
	l.create("Claims", "AWS::Cognito::IdentityPoolPrincipalTag", `{"IdentityPoolId": "${Pool}", "IdentityProviderName": "issuer.example", "PrincipalTags": {"a": "b"}}`)

	l.update("Logs", `{"Tags": [{"Key": "a", "Value": "b"}]}`)
	l.update("Logs", `{}`)
	l.update("Api", `{"Name": "web", "ProtocolType": "HTTP", "Description": "d", "Tags": {"a": "b"}}`)
	l.update("Api", `{"Name": "web", "ProtocolType": "HTTP"}`)
	l.update("Stage", `{"ApiId": "${Api}", "StageName": "$default", "AutoDeploy": true, "RouteSettings": {"GET /a": {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 0.5}}, "StageVariables": {"a": "b"}, "Tags": {"a": "b"}}`)
	l.update("Stage", `{"ApiId": "${Api}", "StageName": "$default", "AutoDeploy": true}`)
	l.asks("apigateway", "GetStage", `{"ApiId": "${Api}", "StageName": "$default"}`, `{"accessLogSettings": null, "routeSettings": null, "stageVariables": null, "tags": {"aws:cloudformation:stack-name": "life"}}`)
	l.update("Integration", `{"ApiId": "${Api}", "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "http://127.0.0.1:1/", "PayloadFormatVersion": "1.0", "RequestParameters": {"append:header.a": "b"}, "ResponseParameters": {"200": {"ResponseParameters": [{"Destination": "append:header.a", "Source": "b"}]}}, "TimeoutInMillis": 100}`)
	l.update("Integration", `{"ApiId": "${Api}", "IntegrationType": "HTTP_PROXY", "IntegrationMethod": "GET", "IntegrationUri": "http://127.0.0.1:1/", "PayloadFormatVersion": "1.0"}`)
	l.update("Route", `{"ApiId": "${Api}", "RouteKey": "GET /b", "Target": "integrations/${Integration}"}`)
	l.asks("apigateway", "GetRoute", `{"ApiId": "${Api}", "RouteId": "${Route}"}`, `{"routeKey": "GET /b", "authorizationType": "NONE"}`)
	l.update("Authorizer", `{"ApiId": "${Api}", "AuthorizerType": "REQUEST", "Name": "fn", "AuthorizerUri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${Fn.Arn}/invocations", "AuthorizerPayloadFormatVersion": "2.0", "IdentitySource": ["$request.header.Authorization"]}`)
	l.update("Deployment", `{"ApiId": "${Api}", "Description": "d"}`)
	l.update("Domain", `{"DomainName": "api.example.com", "DomainNameConfigurations": [{"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/2"}], "Tags": {"a": "b"}}`)
	l.update("Mapping", `{"ApiId": "${Api}", "DomainName": "${Domain}", "Stage": "${Dev}", "ApiMappingKey": "v1"}`)
	l.update("Pool", `{"IdentityPoolName": "renamed", "AllowUnauthenticatedIdentities": false}`)
	l.asks("cognito-identity", "DescribeIdentityPool", `{"IdentityPoolId": "${Pool}"}`, `{"IdentityPoolName": "renamed", "AllowUnauthenticatedIdentities": false}`)
	l.update("Roles", `{"IdentityPoolId": "${Pool}", "Roles": {}}`)
	l.update("Claims", `{"IdentityPoolId": "${Pool}", "IdentityProviderName": "issuer.example", "UseDefaults": true}`)
}

func (l *life) storage() {
	l.create("Parameter", "AWS::SSM::Parameter", `{"Type": "String", "Value": "1", "Tags": {"a": "b"}}`)
	l.create("Bucket", "AWS::S3::Bucket", `{"VersioningConfiguration": {"Status": "Enabled"}, "PublicAccessBlockConfiguration": {"BlockPublicAcls": true}, "BucketEncryption": {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}]}}`)
	l.create("BucketPolicy", "AWS::S3::BucketPolicy", `{"Bucket": "${Bucket}", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::${Bucket}/*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}}`)

	l.create("Secret", "AWS::SecretsManager::Secret", `{"GenerateSecretString": {"SecretStringTemplate": "{\"user\": \"ann\"}", "GenerateStringKey": "password"}}`)
	l.create("SecretPolicy", "AWS::SecretsManager::ResourcePolicy", `{"SecretId": "${Secret}", "ResourcePolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "secretsmanager:*", "Resource": "*"}]}}`)
	l.create("Key2", "AWS::KMS::Key", `{"Enabled": false, "Tags": [{"Key": "a", "Value": "b"}]}`)
	l.create("Alias", "AWS::KMS::Alias", `{"AliasName": "alias/life", "TargetKeyId": "${Key2}"}`)
	l.create("Repository", "AWS::ECR::Repository", `{"ImageTagMutability": "IMMUTABLE", "LifecyclePolicy": {"LifecyclePolicyText": "{\"rules\": []}"}}`)

	l.update("Secret", `{"SecretString": "x", "Description": "d", "Tags": [{"Key": "a", "Value": "b"}]}`)
	l.asks("secretsmanager", "GetSecretValue", `{"SecretId": "${Secret}"}`, `{"SecretString": "x"}`)
	l.update("Key2", `{"Description": "d"}`)
	l.asks("kms", "DescribeKey", `{"KeyId": "alias/life"}`, `{"KeyMetadata": {"Description": "d", "Enabled": true}}`)
	l.update("Repository", `{"Tags": [{"Key": "a", "Value": "b"}]}`)
	l.update("Parameter", `{"Type": "String", "Value": "2", "AllowedPattern": "\\d", "Description": "d"}`)
	l.update("Parameter", `{"Type": "String", "Value": "x"}`)
	l.asks("ssm", "GetParameter", `{"Name": "${Parameter}"}`, `{"Parameter": {"Value": "x", "Version": 3}}`)
	l.update("Bucket", `{"Tags": [{"Key": "a", "Value": "b"}], "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}`)
	l.update("BucketPolicy", `{"Bucket": "${Bucket}", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::${Bucket}/*"}]}}`)
}
