package identity

import (
	"context"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// why is said of each property of a user pool and of what belongs to one.
const why = "nobody can sign in with a user pool here yet: it is kept as a record"

// userPoolTypes are the types of AWS::Cognito that are records. An authorizer
// of an HTTP API that would rest on such a pool is refused, and so is signing
// in to an identity pool with one.
func userPoolTypes() []*cf.Type {
	return []*cf.Type{
		userPool(), userPoolClient(), userPoolDomain(),
		ofPool("UserPoolGroup", "GroupName", []string{"Description", "Precedence", "RoleArn"}, "GroupName"),
		ofPool("UserPoolIdentityProvider", "ProviderName", []string{"AttributeMapping", "IdpIdentifiers", "ProviderDetails"}, "ProviderName", "ProviderType"),
		ofPool("UserPoolResourceServer", "Identifier", []string{"Name", "Scopes"}, "Identifier"),
		ofPool("UserPoolUser", "Username", nil, "ClientMetadata", "DesiredDeliveryMediums", "ForceAliasCreation", "MessageAction", "UserAttributes", "Username", "ValidationData"),
		ofPool("UserPoolUserToGroupAttachment", "", nil, "GroupName", "Username"),
		ofPool("UserPoolRiskConfigurationAttachment", "", []string{"AccountTakeoverRiskConfiguration", "CompromisedCredentialsRiskConfiguration", "RiskExceptionConfiguration"}, "ClientId"),
		ofPool("UserPoolUICustomizationAttachment", "", []string{"CSS"}, "ClientId"),
		withID(ofPool("LogDeliveryConfiguration", "", []string{"LogConfigurations"}), "Id"),
		withID(ofPool("ManagedLoginBranding", "", []string{"Assets", "ReturnMergedResources", "Settings", "UseCognitoProvidedValues"}, "ClientId"), "ManagedLoginBrandingId"),
	}
}

func userPool() *cf.Type {
	table := cf.Records(why, "AccountRecoverySetting", "AdminCreateUserConfig", "AliasAttributes", "AutoVerifiedAttributes",
		"DeviceConfiguration", "EmailAuthenticationMessage", "EmailAuthenticationSubject", "EmailConfiguration",
		"EmailVerificationMessage", "EmailVerificationSubject", "EnabledMfas", "LambdaConfig", "MfaConfiguration", "Policies",
		"Schema", "SmsAuthenticationMessage", "SmsConfiguration", "SmsVerificationMessage", "UserAttributeUpdateSettings",
		"UserPoolAddOns", "UserPoolName", "UserPoolTags", "UserPoolTier", "UsernameAttributes", "UsernameConfiguration",
		"VerificationMessageTemplate", "WebAuthnFactorConfiguration", "WebAuthnRelyingPartyID", "WebAuthnUserVerification").
		With(cf.Properties{"DeletionProtection": {Kind: cf.String, Enum: []string{"ACTIVE", "INACTIVE"}}})
	kind := cf.RecordType("AWS::Cognito::UserPool", table, func(e *cf.Env, _ map[string]any) cf.State {
		id := e.RecordedPoolID(e.Random(9))
		issuer := "cognito-idp." + e.Region + ".amazonaws.com/" + id
		return cf.State{ID: id, Attributes: map[string]any{
			"Arn":          "arn:aws:cognito-idp:" + e.Region + ":" + e.Account + ":userpool/" + id,
			"ProviderName": issuer, "ProviderURL": "https://" + issuer, "UserPoolId": id,
		}}
	}, "Arn", "ProviderName", "ProviderURL", "UserPoolId")
	kind.Delete = func(_ context.Context, _ *cf.Env, have cf.State) error {
		if cf.Text(have.Properties, "DeletionProtection") == "ACTIVE" {
			return cf.Protected("user pool", have.ID, "DeletionProtection")
		}
		return nil
	}
	return kind
}

func userPoolClient() *cf.Type {
	table := cf.Records(why, "AccessTokenValidity", "AllowedOAuthFlows", "AllowedOAuthFlowsUserPoolClient", "AllowedOAuthScopes",
		"AnalyticsConfiguration", "AuthSessionValidity", "CallbackURLs", "ClientName", "DefaultRedirectURI",
		"EnablePropagateAdditionalUserContextData", "EnableTokenRevocation", "ExplicitAuthFlows", "IdTokenValidity", "LogoutURLs",
		"PreventUserExistenceErrors", "ReadAttributes", "RefreshTokenRotation", "RefreshTokenValidity",
		"SupportedIdentityProviders", "TokenValidityUnits", "WriteAttributes").
		With(cf.Properties{
			"GenerateSecret": {Kind: cf.Boolean, Replace: true, Mode: cf.Recorded, Why: why},
			"UserPoolId":     {Kind: cf.String, Required: true, Replace: true, Mode: cf.Recorded, Why: why},
		})
	return cf.RecordType("AWS::Cognito::UserPoolClient", table, func(e *cf.Env, want map[string]any) cf.State {
		id := e.Random(26)
		state := cf.State{ID: id, Attributes: map[string]any{"ClientId": id, "Name": e.OrName(cf.Text(want, "ClientName"), 128)}}
		if cf.Flag(want, "GenerateSecret") {
			state.Attributes["ClientSecret"] = "record" + e.Random(45) // nothing takes it
		}
		return state
	}, "ClientId", "ClientSecret", "Name")
}

func userPoolDomain() *cf.Type {
	kind := ofPool("UserPoolDomain", "Domain", []string{"CustomDomainConfig", "ManagedLoginVersion"}, "Domain")
	kind.Attributes = []string{"CloudFrontDistribution"}
	kind.Create = func(_ context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
		distribution := "d" + e.Random(13) + ".cloudfront.net" // as custom domains have one
		return cf.State{ID: cf.Text(want, "Domain"), Attributes: map[string]any{"CloudFrontDistribution": distribution}}, nil
	}
	return kind
}

// ofPool is a record that belongs to a user pool. named is the property that
// its physical id is, if any; a change of one of fixed replaces it.
func ofPool(name, named string, changing []string, fixed ...string) *cf.Type {
	table := cf.Records(why, changing...)
	for _, property := range append(fixed, "UserPoolId") {
		table[property] = cf.Record(why).Replacing()
	}
	table["UserPoolId"] = table["UserPoolId"].Must()
	return cf.RecordType("AWS::Cognito::"+name, table, func(e *cf.Env, want map[string]any) cf.State {
		if given := cf.Text(want, named); given != "" {
			return cf.State{ID: given}
		}
		return cf.State{ID: strings.ToLower(e.Name(128))}
	})
}

// withID gives a record an attribute that is a UUID, as its physical id.
func withID(kind *cf.Type, attribute string) *cf.Type {
	kind.Attributes = []string{attribute}
	kind.Create = func(_ context.Context, e *cf.Env, _ map[string]any) (cf.State, error) {
		id := e.UUID()
		return cf.State{ID: id, Attributes: map[string]any{attribute: id}}, nil
	}
	return kind
}
