package check

import (
	"slices"

	"github.com/seed-615d3599/roost/internal/region/resources"
)

// Inference is something in a template that rests on behaviour of AWS which is
// neither documented nor recorded, so that AWS may answer otherwise.
type Inference struct {
	What string `json:"what"`
	// Because names the resources that bring it in.
	Because []string `json:"because"`
}

// An assumption of ours about AWS, and which resources bring it in.
type inference struct {
	what string
	from func(m *model) []string
}

// assumed is the list of what is inferred. A line goes when a recording settles
// it.
func assumed() []inference {
	return []inference{
		{"a signed request whose X-Amz-Content-Sha256 is UNSIGNED-PAYLOAD has a wrong signature", routesWith(authIAM)},
		{"a request with a wrong signature, and one that a policy denies, gets 403 {\"message\":\"Forbidden\"}", routesWith(authIAM)},
		{"a token without a wanted scope gets 403 {\"message\":\"Forbidden\"}", having("AWS::ApiGatewayV2::Route", "AuthorizationScopes")},
		{"a request beyond the throttle gets 429 {\"message\":\"Too Many Requests\"}", throttled},
		{"a body above 10 MB gets 413 {\"message\":\"Request Entity Too Large\"}", having("AWS::ApiGatewayV2::Api", "")},
		{"which headers a preflight's answer has, and their order", having("AWS::ApiGatewayV2::Api", "CorsConfiguration")},
		{"the text for a Twitter token that Twitter does not know", having("AWS::Cognito::IdentityPool", "SupportedLoginProviders")},
		{"the text for an identity that is not there", having("AWS::Cognito::IdentityPool", "")},
		{"which services the credentials of guests are good for", guests},
		{"iam.cognitoIdentity is null in the event of a caller without an identity", routesWith(authIAM)},
	}
}

func having(typeName, property string) func(m *model) []string {
	return func(m *model) []string {
		var ids []string
		for _, one := range m.of(typeName) {
			if property == "" || resources.Has(one.props, property) {
				ids = append(ids, one.id)
			}
		}
		return ids
	}
}

func routesWith(authorization string) func(m *model) []string {
	return func(m *model) []string {
		var ids []string
		for _, one := range m.of("AWS::ApiGatewayV2::Route") {
			if resources.Text(one.props, "AuthorizationType") == authorization {
				ids = append(ids, one.id)
			}
		}
		return ids
	}
}

func guests(m *model) []string {
	var ids []string
	for _, one := range m.of("AWS::Cognito::IdentityPool") {
		if resources.Flag(one.props, "AllowUnauthenticatedIdentities") {
			ids = append(ids, one.id)
		}
	}
	return ids
}

func throttled(m *model) []string {
	ids := having("AWS::ApiGatewayV2::Stage", "RouteSettings")(m)
	for _, one := range m.of("AWS::ApiGatewayV2::Stage") {
		settings := resources.Child(one.props, "DefaultRouteSettings")
		if resources.Has(settings, "ThrottlingBurstLimit") || resources.Has(settings, "ThrottlingRateLimit") {
			ids = append(ids, one.id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// inferences lists what in the template is inferred.
func (m *model) inferences() []Inference {
	var all []Inference
	for _, one := range assumed() {
		if ids := one.from(m); len(ids) > 0 {
			all = append(all, Inference{one.what, ids})
		}
	}
	return all
}
