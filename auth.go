package roost

import (
	"maps"
	"slices"
)

// AuthProps say who can sign in. Several providers can be set.
type AuthProps struct {
	Twitter  *Twitter
	Google   *Google
	Facebook *Facebook
	Amazon   *Amazon
	Apple    *Apple
	Auth0    *Auth0
	Cognito  *Cognito // a user pool of this app's own
	// An existing user pool, by its id, and its client, by its id. Both or none.
	UserPool       Value
	UserPoolClient Value
	// AllowGuests gives identities to people who have not signed in, and
	// AttachPermissionsForUnauthUsers says what they may do.
	AllowGuests      bool
	AllowClassicFlow bool // lets clients call AssumeRoleWithWebIdentity themselves
}

// Twitter signs in by OAuth 1.0a with a Twitter app's consumer pair.
type Twitter struct{ ConsumerKey, ConsumerSecret Value }

// Google signs in with a Google client id, such as
// "123.apps.googleusercontent.com".
type Google struct{ ClientID Value }

// Facebook signs in with a Facebook app.
type Facebook struct{ AppID Value }

// Amazon signs in with Login with Amazon.
type Amazon struct{ AppID Value }

// Apple signs in with Sign in with Apple.
type Apple struct{ ServicesID Value }

// Auth0 signs in with an Auth0 application; Domain is like "my.eu.auth0.com".
type Auth0 struct {
	Domain   string
	ClientID Value
}

// Cognito signs in with a user pool that is made for it.
type Cognito struct {
	SignInAliases []string // one or more of "username", "email", "phone" and "preferredUsername"
}

// Auth is a Cognito identity pool: it gives people who sign in, and guests where
// allowed, an identity and credentials of an IAM role.
type Auth struct {
	node
	pool             *Resource
	userPool, client *Resource
	auth, unauth     *policy
}

// Auth adds an identity pool with its roles.
func (s *Stack) Auth(id string, props AuthProps) *Auth {
	a := &Auth{node: s.construct(id)}
	properties := map[string]any{
		"AllowUnauthenticatedIdentities": props.AllowGuests,
		"CognitoIdentityProviders":       []any{},
		"IdentityPoolName":               s.app.LogicalPrefixedName(id),
		"OpenIdConnectProviderARNs":      []any{},
	}
	if props.AllowClassicFlow {
		properties["AllowClassicFlow"] = true
	}
	if provider := a.userPoolProvider(id, props); provider != nil {
		properties["CognitoIdentityProviders"] = []any{provider}
	}
	if props.Auth0 != nil {
		properties["OpenIdConnectProviderARNs"] = []any{a.auth0(*props.Auth0).Ref()}
	}
	if logins := a.loginProviders(props); len(logins) > 0 {
		properties["SupportedLoginProviders"] = logins
	}
	a.pool = a.child("IdentityPool").resource("AWS::Cognito::IdentityPool", properties)
	a.addRoles(props)
	return a
}

// loginProviders returns the public providers by the names that Cognito knows
// them by.
// https://docs.aws.amazon.com/cognito/latest/developerguide/external-identity-providers.html
func (a *Auth) loginProviders(props AuthProps) map[string]Value {
	logins := map[string]Value{}
	one := func(provider, field, domain string, value Value) {
		if value == "" {
			a.fail("no "+provider+" "+field+" defined", "set "+field+" of roost."+provider)
		}
		logins[domain] = value
	}
	if p := props.Amazon; p != nil {
		one("Amazon", "AppID", "www.amazon.com", p.AppID)
	}
	if p := props.Facebook; p != nil {
		one("Facebook", "AppID", "graph.facebook.com", p.AppID)
	}
	if p := props.Google; p != nil {
		one("Google", "ClientID", "accounts.google.com", p.ClientID)
	}
	if p := props.Apple; p != nil {
		one("Apple", "ServicesID", "appleid.apple.com", p.ServicesID)
	}
	if p := props.Twitter; p != nil {
		one("Twitter", "ConsumerKey", "api.twitter.com", p.ConsumerKey)
		one("Twitter", "ConsumerSecret", "api.twitter.com", p.ConsumerSecret)
		logins["api.twitter.com"] = p.ConsumerKey + ";" + p.ConsumerSecret
	}
	return logins
}

func (a *Auth) userPoolProvider(id string, props AuthProps) map[string]any {
	pool, client := props.UserPool, props.UserPoolClient
	if props.Cognito != nil {
		if pool != "" || client != "" {
			a.fail("both Cognito and UserPool are defined", "leave out Cognito to use the existing pool")
		}
		a.createUserPool(id, *props.Cognito)
		pool, client = a.userPool.Ref(), a.client.Ref()
	}
	if (pool == "") != (client == "") {
		a.fail("UserPool and UserPoolClient have to be defined together", "set both")
	}
	if pool == "" {
		return nil
	}
	name := "cognito-idp." + a.stack.Region() + "." + a.stack.URLSuffix() + "/" + pool
	if a.userPool != nil {
		name = a.userPool.Att("ProviderName")
	}
	return map[string]any{"ClientId": client, "ProviderName": name}
}

func (a *Auth) createUserPool(id string, c Cognito) {
	if len(c.SignInAliases) == 0 {
		a.fail("no SignInAliases defined for Cognito", `set them, as in SignInAliases: []string{"email"}`)
	}
	aliases, usernames := []string{}, []string{}
	withUsername := slices.Contains(c.SignInAliases, "username")
	for _, alias := range c.SignInAliases {
		attribute, known := map[string]string{
			"username": "", "email": "email", "phone": "phone_number", "preferredUsername": "preferred_username",
		}[alias]
		switch {
		case !known:
			a.fail(`Cognito has no sign-in alias "`+alias+`"`, "use username, email, phone or preferredUsername")
		case attribute == "":
		case withUsername:
			aliases = append(aliases, attribute)
		case alias == "preferredUsername":
			a.fail("the alias preferredUsername needs username too", "add username to SignInAliases")
		default:
			usernames = append(usernames, attribute)
		}
	}
	properties := map[string]any{
		"AdminCreateUserConfig": map[string]any{"AllowAdminCreateUserOnly": false},
		"UserPoolName":          a.stack.app.LogicalPrefixedName(id),
		"UsernameConfiguration": map[string]any{"CaseSensitive": false},
	}
	setList(properties, "AliasAttributes", aliases)
	setList(properties, "UsernameAttributes", usernames)
	a.userPool = a.child("UserPool", "Resource").resource("AWS::Cognito::UserPool", properties)
	a.client = a.child("UserPoolClient", "Resource").resource("AWS::Cognito::UserPoolClient",
		map[string]any{"UserPoolId": a.userPool.Ref()})
}

func (a *Auth) auth0(p Auth0) *Resource {
	if !matches(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`, p.Domain) {
		a.fail("the Domain of Auth0 is "+quoteOrNothing(p.Domain), `write it without https://, as in "my.eu.auth0.com"`)
	}
	if p.ClientID == "" {
		a.fail("no Auth0 ClientID defined", "set ClientID of roost.Auth0")
	}
	return a.child("Auth0Provider", "Resource").resource("AWS::IAM::OIDCProvider", map[string]any{
		"Url": "https://" + p.Domain, "ClientIdList": []Value{p.ClientID},
	})
}

func (a *Auth) addRoles(props AuthProps) {
	role := func(id, amr string) *Resource {
		return a.child(id, "Resource").resource("AWS::IAM::Role", map[string]any{
			"AssumeRolePolicyDocument": policyDocument(map[string]any{
				"Action": "sts:AssumeRoleWithWebIdentity", "Effect": "Allow",
				"Principal": map[string]any{"Federated": "cognito-identity.amazonaws.com"},
				"Condition": map[string]any{
					"StringEquals":           map[string]any{"cognito-identity.amazonaws.com:aud": a.pool.Ref()},
					"ForAnyValue:StringLike": map[string]any{"cognito-identity.amazonaws.com:amr": amr},
				},
			}),
		})
	}
	a.auth = &policy{role: role("IdentityPoolAuthRole", "authenticated")}
	roles := map[string]any{"authenticated": a.auth.role.Att("Arn")}
	if props.AllowGuests {
		a.unauth = &policy{role: role("IdentityPoolUnauthRole", "unauthenticated")}
		roles["unauthenticated"] = a.unauth.role.Att("Arn")
	}
	a.child("IdentityPoolRoleAttachment").resource("AWS::Cognito::IdentityPoolRoleAttachment", map[string]any{
		"IdentityPoolId": a.pool.Ref(), "Roles": maps.Clone(roles),
	})
}

// AttachPermissionsForAuthUsers permits people who have signed in to do
// something.
func (a *Auth) AttachPermissionsForAuthUsers(permissions ...Permission) {
	a.auth.attach(a.node, permissions)
}

// AttachPermissionsForUnauthUsers permits guests to do something. The identity
// pool has to allow guests. Cognito narrows what guests may do to a list of
// services whatever is attached.
// https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html
func (a *Auth) AttachPermissionsForUnauthUsers(permissions ...Permission) {
	if a.unauth == nil {
		a.failHere("permissions for guests are attached, but guests are not allowed", "set AllowGuests: true in AuthProps")
		return
	}
	a.unauth.attach(a.node, permissions)
}

// IdentityPoolID returns the identity pool's id, <region>:<uuid>.
func (a *Auth) IdentityPoolID() Value { return a.pool.Ref() }

// AuthRoleARN returns the ARN of the role of people who have signed in.
func (a *Auth) AuthRoleARN() Value { return a.auth.role.Att("Arn") }

// UnauthRoleARN returns the ARN of the guests' role, or "" where guests are not
// allowed.
func (a *Auth) UnauthRoleARN() Value {
	if a.unauth == nil {
		return ""
	}
	return a.unauth.role.Att("Arn")
}

// UserPoolID returns the id of the user pool that Cognito made, or "".
func (a *Auth) UserPoolID() Value { return refOrNothing(a.userPool) }

// UserPoolClientID returns the id of that user pool's client, or "".
func (a *Auth) UserPoolClientID() Value { return refOrNothing(a.client) }

func refOrNothing(r *Resource) Value {
	if r == nil {
		return ""
	}
	return r.Ref()
}

// Resource returns the identity pool's resource in the template.
func (a *Auth) Resource() *Resource { return a.pool }
