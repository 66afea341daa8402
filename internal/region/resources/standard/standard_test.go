package standard_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
)

// specified is what CloudFormation says of a type.
type specified struct {
	properties []string
	fixed      map[string]bool // cannot change
	attributes []string
}

// specification reads testdata/specification.txt.
func specification(t *testing.T) map[string]*specified {
	data, err := os.ReadFile("testdata/specification.txt")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*specified{}
	var one *specified
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0, fields[0] == "#":
		case line[0] != '\t':
			one = &specified{fixed: map[string]bool{}}
			all[fields[0]] = one
		case fields[0] == "->":
			one.attributes = fields[1:]
		default:
			for _, name := range fields {
				plain := strings.Trim(name, "[]")
				one.properties = append(one.properties, plain)
				one.fixed[plain] = plain != name
			}
		}
	}
	return all
}

// TestProperties holds each type to CloudFormation's list: every property has a
// decision, none is made up, and one that cannot change replaces the resource.
func TestProperties(t *testing.T) {
	registry := standard.Registry()
	for name, want := range specification(t) {
		kind, ok := registry.Lookup(name)
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		for _, property := range want.properties {
			have, ok := kind.Properties[property]
			switch {
			case !ok:
				t.Errorf("%s: the property %s has no decision", name, property)
			case want.fixed[property] && have.Mode != resources.Refused && !kind.Replaces(property):
				t.Errorf("%s: a change of %s must replace the resource", name, property)
			}
		}
		for property := range kind.Properties {
			if !slices.Contains(want.properties, property) && !strings.HasPrefix(name, "AWS::CDK::") {
				t.Errorf("%s: CloudFormation does not know the property %s", name, property)
			}
		}
	}
}

// TestAttributes holds what GetAtt gives to CloudFormation's list.
func TestAttributes(t *testing.T) {
	// Those that change with time, or belong to what is not here.
	without := []string{
		"AWS::IAM::ManagedPolicy.AttachmentCount", "AWS::IAM::ManagedPolicy.PermissionsBoundaryUsageCount",
		"AWS::S3::Bucket.MetadataConfiguration", "AWS::S3::Bucket.MetadataTableConfiguration",
		// Physical ids that CloudFormation's schemas name and its documentation does not.
		"AWS::Route53::RecordSet.Id",
	}
	registry := standard.Registry()
	for name, want := range specification(t) {
		kind, _ := registry.Lookup(name)
		for _, attribute := range want.attributes {
			head, _, _ := strings.Cut(attribute, ".")
			if kind != nil && !kind.HasAttribute(attribute) && !slices.Contains(without, name+"."+head) {
				t.Errorf("%s: GetAtt must know %s", name, attribute)
			}
		}
	}
}

// TestDecisions asks each decision for its reason, all the way down.
func TestDecisions(t *testing.T) {
	for _, kind := range standard.Types() {
		if kind.Refused != "" {
			if problems := kind.Check(map[string]any{"Anything": "x"}); len(problems) != 1 || !strings.Contains(problems[0].Text, kind.Refused) {
				t.Errorf("%s: a refused type must say so once: %v", kind.Name, problems)
			}
			continue
		}
		if kind.Create == nil && !kind.Recorded || kind.Delete == nil && !kind.Recorded {
			t.Errorf("%s cannot be created or deleted", kind.Name)
		}
		if kind.Properties == nil {
			t.Errorf("%s has no table: every property would pass", kind.Name)
		}
		decided(t, kind.Name, kind.Properties)
	}
}

func decided(t *testing.T, path string, table resources.Properties) {
	for name, property := range table {
		at := path + "." + name
		if property.Mode != resources.Enforced && property.Why == "" {
			t.Errorf("%s: a property that has no effect, or is refused, needs a reason", at)
		}
		if property.Kind == resources.Any && property.Mode == resources.Enforced && !strings.HasPrefix(path, "AWS::CDK::") {
			t.Errorf("%s: what is enforced has a kind", at)
		}
		decided(t, at, property.Members)
		if property.Items != nil {
			decided(t, at+"[]", property.Items.Members)
		}
	}
}

// TestRestrictions: what restricts access is enforced or refused, never only
// recorded.
func TestRestrictions(t *testing.T) {
	registry := standard.Registry()
	for name, properties := range map[string][]string{
		"AWS::ApiGatewayV2::Api":                   {"CorsConfiguration", "DisableExecuteApiEndpoint"},
		"AWS::ApiGatewayV2::Authorizer":            {"IdentitySource", "IdentityValidationExpression", "JwtConfiguration"},
		"AWS::ApiGatewayV2::DomainName":            {"MutualTlsAuthentication"},
		"AWS::ApiGatewayV2::Route":                 {"ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId"},
		"AWS::ApiGatewayV2::Stage":                 {"ClientCertificateId", "DefaultRouteSettings", "RouteSettings"},
		"AWS::Cognito::IdentityPool":               {"AllowUnauthenticatedIdentities", "CognitoIdentityProviders", "SamlProviderARNs", "SupportedLoginProviders"},
		"AWS::IAM::Role":                           {"AssumeRolePolicyDocument", "PermissionsBoundary"},
		"AWS::IAM::User":                           {"PermissionsBoundary"},
		"AWS::Lambda::Function":                    {"CodeSigningConfigArn", "KmsKeyArn", "ReservedConcurrentExecutions", "TenancyConfig", "VpcConfig"},
		"AWS::Lambda::Permission":                  {"EventSourceToken", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "PrincipalOrgID", "SourceAccount", "SourceArn"},
		"AWS::Lambda::Url":                         {"AuthType", "Cors"},
		"AWS::Logs::LogGroup":                      {"BearerTokenAuthenticationEnabled", "DataProtectionPolicy", "DeletionProtectionEnabled", "KmsKeyId", "ResourcePolicyDocument"},
		"AWS::S3::Bucket":                          {"AbacStatus", "AccessControl", "ObjectLockEnabled", "OwnershipControls", "PublicAccessBlockConfiguration"},
		"AWS::S3::BucketPolicy":                    {"PolicyDocument"},
		"AWS::SSM::Parameter":                      {"AllowedPattern", "Policies"},
		"AWS::Cognito::UserPool":                   {"DeletionProtection"},
		"AWS::DynamoDB::Table":                     {"DeletionProtectionEnabled"},
		"AWS::IAM::OIDCProvider":                   {"ClientIdList", "ThumbprintList"},
		"AWS::Lambda::EventInvokeConfig":           {"DestinationConfig"},
		"AWS::ApiGatewayV2::Integration":           {"CredentialsArn", "TlsConfig"},
		"AWS::Cognito::IdentityPoolRoleAttachment": {"RoleMappings", "Roles"},
	} {
		kind, ok := registry.Lookup(name)
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		for _, property := range properties {
			if have, ok := kind.Properties[property]; !ok || have.Mode == resources.Recorded {
				t.Errorf("%s: %s restricts access and is only recorded", name, property)
			}
		}
	}
}
