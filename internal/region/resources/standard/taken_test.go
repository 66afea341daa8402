package standard_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// named has, for each type whose resources a template can name, one of a name.
// "${Fn}" and the like are made before.
func named() map[string]string {
	return map[string]string{
		"AWS::ApiGatewayV2::ApiMapping":            `{"ApiId": "${Api}", "DomainName": "${Domain}", "Stage": "${Stage}"}`,
		"AWS::ApiGatewayV2::DomainName":            `{"DomainName": "taken.example.com", "DomainNameConfigurations": [{"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"}]}`,
		"AWS::ApiGatewayV2::Route":                 `{"ApiId": "${Api}", "RouteKey": "GET /taken"}`,
		"AWS::ApiGatewayV2::Stage":                 `{"ApiId": "${Api}", "StageName": "taken"}`,
		"AWS::Cognito::IdentityPoolPrincipalTag":   `{"IdentityPoolId": "${Pool}", "IdentityProviderName": "issuer.example", "PrincipalTags": {"a": "b"}}`,
		"AWS::Cognito::IdentityPoolRoleAttachment": `{"IdentityPoolId": "${Pool}", "Roles": {"authenticated": "${Role.Arn}"}}`,
		"AWS::ECR::Repository":                     `{"RepositoryName": "taken"}`,
		"AWS::IAM::Group":                          `{"GroupName": "taken"}`,
		"AWS::IAM::GroupPolicy":                    `{"GroupName": "${Group}", "PolicyName": "taken", "PolicyDocument": ` + lifePolicy + `}`,
		"AWS::IAM::ManagedPolicy":                  `{"ManagedPolicyName": "taken", "PolicyDocument": ` + lifePolicy + `}`,
		"AWS::IAM::OIDCProvider":                   `{"Url": "https://taken.example"}`,
		"AWS::IAM::Policy":                         `{"PolicyName": "taken", "Roles": ["${Role}"], "PolicyDocument": ` + lifePolicy + `}`,
		"AWS::IAM::Role":                           `{"RoleName": "taken", "AssumeRolePolicyDocument": ` + lifeTrust + `}`,
		"AWS::IAM::RolePolicy":                     `{"RoleName": "${Role}", "PolicyName": "taken2", "PolicyDocument": ` + lifePolicy + `}`,
		"AWS::IAM::User":                           `{"UserName": "taken"}`,
		"AWS::IAM::UserPolicy":                     `{"UserName": "${User}", "PolicyName": "taken", "PolicyDocument": ` + lifePolicy + `}`,
		"AWS::KMS::Alias":                          `{"AliasName": "alias/taken", "TargetKeyId": "${KmsKey}"}`,
		"AWS::Lambda::Alias":                       `{"FunctionName": "${Fn}", "FunctionVersion": "$LATEST", "Name": "taken"}`,
		"AWS::Lambda::EventInvokeConfig":           `{"FunctionName": "${Fn}", "Qualifier": "$LATEST", "MaximumRetryAttempts": 0}`,
		"AWS::Lambda::Function":                    `{"FunctionName": "taken", ` + lifeCode + `}`,
		"AWS::Lambda::Url":                         `{"TargetFunctionArn": "${Fn.Arn}", "AuthType": "AWS_IAM"}`,
		"AWS::Lambda::Version":                     `{"FunctionName": "${Fn}"}`,
		"AWS::Logs::LogGroup":                      `{"LogGroupName": "taken"}`,
		"AWS::Logs::LogStream":                     `{"LogGroupName": "${Logs}", "LogStreamName": "taken"}`,
		"AWS::S3::Bucket":                          `{"BucketName": "taken"}`,
		"AWS::S3::BucketPolicy":                    `{"Bucket": "${Bucket}", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::${Bucket}/*"}]}}`,
		"AWS::SSM::Parameter":                      `{"Name": "taken", "Type": "String", "Value": "1"}`,
		"AWS::SecretsManager::ResourcePolicy":      `{"SecretId": "${Secret}", "ResourcePolicy": {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "secretsmanager:*", "Resource": "*"}]}}`,
		"AWS::SecretsManager::Secret":              `{"Name": "taken", "SecretString": "x"}`,
	}
}

// nameless are the types whose resources get a new id each.
func nameless() []string {
	return []string{
		"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Deployment", "AWS::ApiGatewayV2::Integration",
		"AWS::Cognito::IdentityPool", "AWS::IAM::AccessKey", "AWS::IAM::UserToGroupAddition", "AWS::KMS::Key",
		"AWS::Lambda::LayerVersion", "AWS::Lambda::Permission",
	}
}

// TestNamesThatAreTaken: nothing is taken over. What has a name already is
// refused, in such a way that the engine knows why.
func TestNamesThatAreTaken(t *testing.T) {
	need.Tool(t, "node")
	db := openState(t)
	l := &life{t: t, db: db, services: services(t, db, nil), types: standard.Registry()}
	for _, one := range [][3]string{
		{"Group", "AWS::IAM::Group", `{}`},
		{"User", "AWS::IAM::User", `{}`},
		{"Role", "AWS::IAM::Role", `{"AssumeRolePolicyDocument": ` + lifeTrust + `}`},
		{"Fn", "AWS::Lambda::Function", `{` + lifeCode + `}`},
		{"Logs", "AWS::Logs::LogGroup", `{}`},
		{"Api", "AWS::ApiGatewayV2::Api", `{"Name": "web", "ProtocolType": "HTTP"}`},
		{"Stage", "AWS::ApiGatewayV2::Stage", `{"ApiId": "${Api}", "StageName": "$default"}`},
		{"Domain", "AWS::ApiGatewayV2::DomainName", `{"DomainName": "api.example.com", "DomainNameConfigurations": [{"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"}]}`},
		{"Pool", "AWS::Cognito::IdentityPool", `{"AllowUnauthenticatedIdentities": true}`},
		{"Bucket", "AWS::S3::Bucket", `{}`},
		{"Secret", "AWS::SecretsManager::Secret", `{"SecretString": "x"}`},
		{"KmsKey", "AWS::KMS::Key", `{}`},
	} {
		l.create(one[0], one[1], one[2])
	}
	names := named()
	for _, kind := range standard.Types() {
		text, ok := names[kind.Name]
		switch {
		case kind.Refused != "" || kind.Recorded:
		case ok:
			t.Run(kind.Name, func(t *testing.T) { l.taken(t, kind, text) })
		case !slices.Contains(nameless(), kind.Name):
			t.Errorf("%s: is a name of it ever taken?", kind.Name)
		}
	}
}

// another is a resource of the same name with other contents.
func another(text string) string {
	return strings.NewReplacer(`"s3:GetObject"`, `"s3:PutObject"`, `"s3:*"`, `"s3:GetObject"`, `"secretsmanager:*"`, `"secretsmanager:GetSecretValue"`,
		`"a": "b"`, `"a": "c"`, `"authenticated"`, `"unauthenticated"`, `"MaximumRetryAttempts": 0`, `"MaximumRetryAttempts": 1`,
		`"Value": "1"`, `"Value": "2"`, `"SecretString": "x"`, `"SecretString": "y"`).Replace(text)
}

func (l *life) taken(t *testing.T, kind *resources.Type, text string) {
	create := func(ctx context.Context, id, text string) error {
		env := l.env(id)
		env.Type = kind.Name
		_, err := kind.Create(ctx, env, l.props(kind, text))
		return err
	}
	l.within(func(ctx context.Context) error { return create(ctx, "First", text) })
	before := l.contents()
	var refusal error
	l.within(func(ctx context.Context) error { // which keeps what the second one did before it was refused
		refusal = create(ctx, "Second", another(text))
		return nil
	})
	if !resources.Exists(refusal) {
		t.Errorf("it was made a second time, or refused for another reason: %v", refusal)
	}
	if diff := cmp.Diff(before, l.contents()); diff != "" {
		t.Errorf("what is there was changed (-before +after)\n%s", diff)
	}
}

// A policy that is there already, or gets another name, takes none over either.
func TestPolicyIsGivenToOneWhoHasItsName(t *testing.T) {
	db := openState(t)
	l := &life{t: t, db: db, services: services(t, db, nil), types: standard.Registry()}
	l.create("Role", "AWS::IAM::Role", `{"AssumeRolePolicyDocument": `+lifeTrust+`}`)
	l.create("User", "AWS::IAM::User", `{}`)
	l.create("Theirs", "AWS::IAM::RolePolicy", `{"RoleName": "${Role}", "PolicyName": "taken", "PolicyDocument": `+lifePolicy+`}`)
	of := func(name, members string) string {
		return `{"PolicyName": "` + name + `", "PolicyDocument": ` + lifePolicy + `, ` + members + `}`
	}
	l.create("Mine", "AWS::IAM::Policy", of("taken", `"Users": ["${User}"]`))
	refused := func(text string) {
		t.Helper()
		m := l.have[len(l.have)-1]
		next := l.props(m.kind, text)
		err := db.Update(t.Context(), func(ctx context.Context, _ *store.Tx) error {
			_, err := m.kind.Update(ctx, l.env(m.id), m.state, next)
			return err
		})
		if !resources.Exists(err) {
			t.Errorf("it was taken over, or refused for another reason: %v", err)
		}
	}
	refused(of("taken", `"Users": ["${User}"], "Roles": ["${Role}"]`))
	l.update("Mine", of("own", `"Users": ["${User}"], "Roles": ["${Role}", "${Role}"]`))
	refused(of("taken", `"Users": ["${User}"], "Roles": ["${Role}"]`))
	l.end()
}
