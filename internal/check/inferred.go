package check

import (
	"slices"
	"strings"

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

// assumed is the list of what is inferred, as docs/differences.md has it. A line
// goes when a recording settles it.
func assumed() []inference {
	return []inference{
		{"a signed request whose X-Amz-Content-Sha256 is UNSIGNED-PAYLOAD has a wrong signature", routesWith(authIAM)},
		{"a request with a wrong signature, and one that a policy denies, gets 403 {\"message\":\"Forbidden\"}", routesWith(authIAM)},
		{"a token without a wanted scope gets 403 {\"message\":\"Forbidden\"}", having("AWS::ApiGatewayV2::Route", "AuthorizationScopes")},
		{"a request beyond the throttle gets 429 {\"message\":\"Too Many Requests\"}", throttled},
		{"a body above 10 MB gets 413 {\"message\":\"Request Entity Too Large\"}", having("AWS::ApiGatewayV2::Api", "")},
		{"a request whose line and header values are over 10,240 bytes together gets 431", having("AWS::ApiGatewayV2::Api", "")},
		{"the path is decoded before routing, so that %2F is a slash", having("AWS::ApiGatewayV2::Api", "")},
		{"a literal segment of a path beats a variable before a method beats ANY", rivals},
		{"which headers a preflight's answer has, and their order", having("AWS::ApiGatewayV2::Api", "CorsConfiguration")},
		{"the text for a Twitter token that Twitter does not know", having("AWS::Cognito::IdentityPool", "SupportedLoginProviders")},
		{"the text for an identity that is not there", having("AWS::Cognito::IdentityPool", "")},
		{"which services the credentials of guests are good for", guests},
		{"iam.cognitoIdentity is null in the event of a caller without an identity", routesWith(authIAM)},
		{"a policy variable without a value matches nothing", saying(hasVariable)},
		{"* does not cross a colon of an ARN's first five parts", saying(hasEarlyStar)},
		{"STS's error texts that are in no recording", assumable},
		{"S3's error texts that are in no recording", having("AWS::S3::Bucket", "")},
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

// rivals are routes for ANY method that another route of their API rivals: this
// one has a method, and a variable where they have a literal segment.
func rivals(m *model) []string {
	var ids []string
	all := m.of("AWS::ApiGatewayV2::Route")
	for _, one := range all {
		if slices.ContainsFunc(all, func(other made) bool { return rival(one.props, other.props) }) {
			ids = append(ids, one.id)
		}
	}
	return ids
}

func rival(one, other map[string]any) bool {
	method, path, _ := strings.Cut(resources.Text(one, "RouteKey"), " ")
	otherMethod, otherPath, _ := strings.Cut(resources.Text(other, "RouteKey"), " ")
	if method != "ANY" || otherMethod == "ANY" || otherPath == "" || resources.Text(one, "ApiId") != resources.Text(other, "ApiId") {
		return false
	}
	segments, others := strings.Split(path, "/"), strings.Split(otherPath, "/")
	literal := func(segment string) bool { return !strings.HasPrefix(segment, "{") }
	beaten := false
	for i, segment := range segments {
		switch {
		case i >= len(others):
			return false
		case strings.HasSuffix(segment, "+}"):
			return beaten
		case strings.HasSuffix(others[i], "+}"):
			return beaten || slices.ContainsFunc(segments[i:], literal)
		case !literal(segment):
		case !literal(others[i]):
			beaten = true
		case segment != others[i]:
			return false
		}
	}
	return beaten && len(segments) == len(others)
}

// saying finds resources in whose policies a text is so.
func saying(so func(text string) bool) func(m *model) []string {
	return func(m *model) []string {
		var ids []string
		for _, one := range m.made {
			if anyText(one.props, false, so) {
				ids = append(ids, one.id)
			}
		}
		return ids
	}
}

// anyText looks for a text within the statements of policies in a value; inside
// says that it is in one.
func anyText(value any, inside bool, so func(text string) bool) bool {
	switch v := value.(type) {
	case string:
		return inside && so(v)
	case []any:
		return slices.ContainsFunc(v, func(item any) bool { return anyText(item, inside, so) })
	case map[string]any:
		for name, item := range v {
			if anyText(item, inside || name == "Statement", so) {
				return true
			}
		}
	}
	return false
}

// hasVariable reports whether a text has a policy variable without a default
// (IAM User Guide, "Variables and tags").
func hasVariable(text string) bool {
	for {
		_, rest, found := strings.Cut(text, "${")
		if !found {
			return false
		}
		name, after, _ := strings.Cut(rest, "}")
		if name != "*" && name != "?" && name != "$" && !strings.Contains(name, ",") {
			return true
		}
		text = after
	}
}

// hasEarlyStar reports whether a text is a pattern of ARNs with a * before the
// last of the six parts.
func hasEarlyStar(text string) bool {
	parts := strings.SplitN(text, ":", 6)
	return parts[0] == "arn" && strings.Contains(strings.Join(parts[:min(len(parts), 5)], ""), "*")
}

// assumable are roles that others than AWS's services assume, by calls of STS.
func assumable(m *model) []string {
	var ids []string
	for _, h := range m.holders {
		document, _ := h.props["AssumeRolePolicyDocument"].(map[string]any)
		for _, statement := range list(document["Statement"]) {
			members, _ := statement.(map[string]any)
			principals, named := members["Principal"].(map[string]any)
			if principals["AWS"] != nil || principals["Federated"] != nil || !named && members["Principal"] != nil {
				ids = append(ids, h.id)
			}
		}
	}
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
