package check

import (
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/resources"
)

// cognito is how trust policies name identity pools, and what the condition
// keys of their sessions begin with.
const cognito = "cognito-identity.amazonaws.com"

// elsewhere is a pool that is none of the template's.
const elsewhere = "us-east-1:ffffffff-ffff-4fff-bfff-ffffffffffff"

// poolIdentities returns the identities that a role's trust lets in: those of
// the template's pools, and those of any pool where it does not ask which.
func (m *model) poolIdentities(h *holder) []assumption {
	if m.trusts(h, elsewhere, true) || m.trusts(h, elsewhere, false) {
		return []assumption{{who: "identities of ANY identity pool, of any account: the role's trust does not name a pool",
			context: session(elsewhere, m.trusts(h, elsewhere, true))}}
	}
	var all []assumption
	for _, pool := range m.of("AWS::Cognito::IdentityPool") {
		id := symbol(pool.id)
		if m.trusts(h, id, true) && m.gives(pool, h, "authenticated") {
			all = append(all, assumption{"signed-in users of the identity pool " + pool.id, session(id, true)})
		}
		guests := resources.Flag(pool.props, "AllowUnauthenticatedIdentities")
		if guests && m.trusts(h, id, false) && m.gives(pool, h, "unauthenticated") {
			all = append(all, assumption{"guests of the identity pool " + pool.id + " (anyone)", session(id, false)})
		}
	}
	return all
}

// session is the context of an identity's session ("Policy condition context
// keys", Amazon Cognito).
func session(pool string, signedIn bool) iam.Context {
	amr := []string{"unauthenticated"}
	if signedIn {
		amr = []string{"authenticated"}
	}
	return iam.Context{
		{Name: cognito + ":aud", Value: pool},
		{Name: cognito + ":sub", Value: "<identity>"},
		{Name: cognito + ":amr", Values: amr},
		{Name: "aws:FederatedProvider", Value: cognito},
	}
}

// trusts asks a role's trust policy about an identity of a pool.
func (m *model) trusts(h *holder, pool string, signedIn bool) bool {
	decision := iam.Decide(iam.Request{
		Principal: iam.Principal{Kind: iam.Federated, Name: cognito},
		Action:    "sts:AssumeRoleWithWebIdentity", Resource: h.arn, Context: session(pool, signedIn),
	}, iam.Policies{Resource: iam.Attached{Name: "AssumeRolePolicyDocument", Owner: h.arn, Policy: h.trust}, ResourceAccount: m.config.Account}, nil)
	return decision.Outcome == iam.Allowed
}

// gives reports whether a pool gives identities of a kind the role: by its
// attachment, by a rule, by the token itself, or because the basic flow lets
// the client choose ("Identity pools authentication flow").
func (m *model) gives(pool made, h *holder, kind string) bool {
	if resources.Flag(pool.props, "AllowClassicFlow") {
		return true
	}
	for _, attachment := range m.of("AWS::Cognito::IdentityPoolRoleAttachment") {
		if resources.Text(attachment.props, "IdentityPoolId") != symbol(pool.id) {
			continue
		}
		if resources.Text(attachment.props, "Roles", kind) == h.arn {
			return true
		}
		if kind == "authenticated" && mapsTo(resources.Child(attachment.props, "RoleMappings"), h.arn) {
			return true
		}
	}
	return false
}

// mapsTo reports whether role mappings can come to a role.
func mapsTo(mappings map[string]any, role string) bool {
	for provider := range mappings {
		mapping := resources.Child(mappings, provider)
		if resources.Text(mapping, "Type") == "Token" {
			return true
		}
		for _, rule := range resources.Children(resources.Child(mapping, "RulesConfiguration"), "Rules") {
			if resources.Text(rule, "RoleARN") == role {
				return true
			}
		}
	}
	return false
}

// recordedIssuers finds the JWT authorizers whose tokens a user pool of the
// template would have to issue. Nothing does, so their deployment fails.
func (m *model) recordedIssuers() map[string]Property {
	found := map[string]Property{}
	for _, one := range m.of("AWS::ApiGatewayV2::Authorizer") {
		issuer := resources.Text(one.props, "JwtConfiguration", "Issuer")
		for _, pool := range m.of("AWS::Cognito::UserPool") {
			// The pool's id behind the host, or its attribute ProviderURL.
			if strings.HasSuffix(issuer, "/"+symbol(pool.id)) || issuer == symbol(pool.id+".ProviderURL") {
				found[one.id] = Property{Path: "JwtConfiguration.Issuer", Verdict: Refused,
					Why: "the user pool " + pool.id + " is kept as a record here and issues no tokens: use an identity pool with AWS_IAM, a JWT authorizer with another issuer, or a Lambda authorizer"}
			}
		}
	}
	return found
}
