package shape

import (
	"regexp"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/httpapi/route"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func badRequest(format string, args ...any) error {
	return wire.Errorf(400, "BadRequestException", format, args...)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func isTrue(b *bool) bool { return b != nil && *b }

// Check refuses what cannot be, or what only AWS can do.
func (p *APIProps) Check() error {
	switch {
	case deref(p.Name) == "" || len(*p.Name) > 128:
		return badRequest("Name must have 1 to 128 characters")
	case p.RouteSelectionExpression != nil && *p.RouteSelectionExpression != "$request.method $request.path" &&
		*p.RouteSelectionExpression != "${request.method} ${request.path}":
		return badRequest("RouteSelectionExpression of an HTTP API must be $request.method $request.path")
	case p.IPAddressType != nil && *p.IPAddressType != "ipv4" && *p.IPAddressType != "dualstack":
		return badRequest("IpAddressType must be ipv4 or dualstack")
	}
	return p.CorsConfiguration.check()
}

func (c *CORS) check() error {
	switch {
	case c == nil:
		return nil
	case isTrue(c.AllowCredentials) && slices.Contains(c.AllowOrigins, "*"):
		return badRequest("allow-credentials is not supported if 'allow-origin' is *")
	case c.MaxAge != nil && (*c.MaxAge < -1 || *c.MaxAge > 86400):
		return badRequest("maxAge of the CORS configuration must be between -1 and 86400 seconds")
	}
	for _, o := range c.AllowOrigins {
		if o != "*" && !strings.Contains(o, "://") {
			return badRequest("Invalid format for origin %s. Origin should contain scheme and hostname or be a wildcard", o)
		}
	}
	return nil
}

// Check refuses what HTTP APIs do not have.
func (p *RouteProps) Check() error {
	key := deref(p.RouteKey)
	if key != route.Default {
		if _, err := route.Parse(key); err != nil {
			return badRequest("%v", err)
		}
	}
	switch {
	case isTrue(p.APIKeyRequired):
		return badRequest("route %s: ApiKeyRequired is not supported for HTTP APIs", key)
	case p.ModelSelectionExpression != nil || len(p.RequestModels) > 0:
		return badRequest("route %s: models are not supported for HTTP APIs", key)
	case len(p.RequestParameters) > 0:
		return badRequest("route %s: RequestParameters of a route are for WebSocket APIs only", key)
	case p.RouteResponseSelectionExpression != nil:
		return badRequest("route %s: RouteResponseSelectionExpression is for WebSocket APIs only", key)
	case p.Target != nil && !strings.HasPrefix(*p.Target, "integrations/"):
		return badRequest("route %s: Target must be integrations/ and the id of an integration, not %s", key, *p.Target)
	case len(p.AuthorizationScopes) > 0 && deref(p.AuthorizationType) != "JWT":
		return badRequest("route %s: AuthorizationScopes need AuthorizationType JWT", key)
	}
	return nil
}

// Check refuses what cannot be, or what only AWS can do.
func (p *IntegrationProps) Check() error {
	kind := deref(p.IntegrationType)
	switch {
	case kind != "AWS_PROXY" && kind != "HTTP_PROXY":
		return badRequest("IntegrationType of an HTTP API must be AWS_PROXY or HTTP_PROXY, not %q", kind)
	case p.IntegrationSubtype != nil:
		return badRequest("AWS service integrations (IntegrationSubtype %s) are not supported here", *p.IntegrationSubtype)
	case p.ConnectionID != nil || p.ConnectionType != nil && *p.ConnectionType != "INTERNET":
		return badRequest("private integrations through VPC links (ConnectionType, ConnectionId) are not supported here")
	case p.CredentialsArn != nil:
		return badRequest("CredentialsArn is not supported here: give the function a permission for apigateway.amazonaws.com")
	case len(p.TLSConfig) > 0:
		return badRequest("TlsConfig is for private integrations, which are not supported here")
	case p.ContentHandlingStrategy != nil || p.PassthroughBehavior != nil || len(p.RequestTemplates) > 0 || p.TemplateSelectionExpression != nil:
		return badRequest("ContentHandlingStrategy, PassthroughBehavior, RequestTemplates and TemplateSelectionExpression are for WebSocket APIs only")
	case p.IntegrationURI == nil:
		return badRequest("IntegrationUri is missing")
	case kind == "HTTP_PROXY" && p.IntegrationMethod == nil:
		return badRequest("IntegrationMethod is missing, which HTTP_PROXY needs")
	case kind == "AWS_PROXY" && p.IntegrationMethod != nil && *p.IntegrationMethod != "POST":
		return badRequest("IntegrationMethod of a Lambda integration must be POST")
	case p.PayloadFormatVersion != nil && *p.PayloadFormatVersion != "1.0" && *p.PayloadFormatVersion != "2.0":
		return badRequest("PayloadFormatVersion must be 1.0 or 2.0")
	case kind == "HTTP_PROXY" && p.PayloadFormatVersion != nil && *p.PayloadFormatVersion != "1.0":
		return badRequest("PayloadFormatVersion of HTTP_PROXY must be 1.0")
	case p.PayloadFormatVersion == nil && kind == "AWS_PROXY":
		return badRequest("PayloadFormatVersion is missing: say 1.0 or 2.0")
	case p.TimeoutInMillis != nil && (*p.TimeoutInMillis < 50 || *p.TimeoutInMillis > 30000):
		return badRequest("TimeoutInMillis must be between 50 and 30000")
	}
	return nil
}

// Check refuses what cannot be, or what only AWS can do. Whether the gateway can
// use the rest it finds out itself.
func (p *AuthorizerProps) Check() error {
	kind := deref(p.AuthorizerType)
	switch {
	case deref(p.Name) == "":
		return badRequest("Name is missing")
	case p.AuthorizerCredentialsArn != nil:
		return badRequest("AuthorizerCredentialsArn is not supported here: give the function a permission for apigateway.amazonaws.com")
	case p.IdentityValidationExpression != nil:
		return badRequest("IdentityValidationExpression is not supported for HTTP APIs")
	case kind == "JWT" && p.JwtConfiguration == nil:
		return badRequest("JwtConfiguration is missing, which an authorizer of type JWT needs")
	case kind == "REQUEST" && (p.AuthorizerURI == nil || p.AuthorizerPayloadFormatVersion == nil):
		return badRequest("AuthorizerUri and AuthorizerPayloadFormatVersion are needed for an authorizer of type REQUEST")
	}
	return nil
}

// Check refuses what cannot be in a stage of that name.
func (s *StageProps) Check(name string) error {
	if name != "$default" && !isStageName(name) {
		return badRequest("Stage name only allows a-zA-Z0-9-_ and $default, at most 128 characters")
	}
	if len(s.StageVariables) > 100 {
		return badRequest("a stage has at most 100 variables")
	}
	for k, v := range s.StageVariables {
		if len(k) > 64 || len(v) > 512 {
			return badRequest("a stage variable has a name of at most 64 and a value of at most 512 characters; %s has more", k)
		}
	}
	switch l := s.AccessLogSettings; {
	case s.ClientCertificateID != nil:
		return badRequest("ClientCertificateId is for WebSocket APIs only")
	case l != nil && (l.DestinationArn == nil || l.Format == nil):
		return badRequest("AccessLogSettings need both DestinationArn and Format")
	case l != nil && !strings.Contains(*l.DestinationArn, ":logs:"):
		return badRequest("access logs go to a log group of CloudWatch Logs here, and %s is none", *l.DestinationArn)
	}
	for key, r := range s.RouteSettings {
		if err := r.check(key); err != nil {
			return err
		}
	}
	return s.DefaultRouteSettings.check("DefaultRouteSettings")
}

func (r *RouteSettings) check(where string) error {
	switch {
	case r == nil:
		return nil
	case r.ThrottlingBurstLimit != nil && *r.ThrottlingBurstLimit < 0, r.ThrottlingRateLimit != nil && *r.ThrottlingRateLimit < 0:
		return badRequest("%s: a throttling limit is below 0", where)
	case isTrue(r.DataTraceEnabled), deref(r.LoggingLevel) != "" && *r.LoggingLevel != "OFF":
		return badRequest("%s: Execution logs are not supported on protocolType HTTP", where)
	}
	return nil
}

func isStageName(name string) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return name != "" && len(name) <= 128
}

// Check refuses what cannot be for a domain of that name, or what only AWS can do.
func (d *DomainProps) Check(name string) error {
	host := regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	switch {
	case !host.MatchString(name):
		return badRequest("The domain name %s is not valid: write it in small letters, such as api.example.com", name)
	case taken(name):
		return badRequest("The domain name %s cannot be an API's: addresses and AWS's own names lead to the region itself", name)
	case len(d.MutualTLSAuthentication) > 0:
		return badRequest("MutualTlsAuthentication is not supported here")
	case d.RoutingMode != nil && *d.RoutingMode != "API_MAPPING_ONLY":
		return badRequest("RoutingMode %s is not supported here: only API_MAPPING_ONLY is", *d.RoutingMode)
	case len(d.DomainNameConfigurations) != 1:
		return badRequest("a domain name needs exactly one DomainNameConfiguration")
	}
	c := &d.DomainNameConfigurations[0]
	switch {
	case c.CertificateArn == nil:
		return badRequest("CertificateArn of the DomainNameConfiguration is missing")
	case c.EndpointType != nil && *c.EndpointType != "REGIONAL":
		return badRequest("EndpointType of a domain name of HTTP APIs must be REGIONAL")
	case c.SecurityPolicy != nil && *c.SecurityPolicy != "TLS_1_2":
		return badRequest("SecurityPolicy of a domain name of HTTP APIs must be TLS_1_2")
	}
	return nil
}

// taken reports whether a name is one that requests for the region itself or for
// other APIs bear as their host: to serve a domain there would take them over.
func taken(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	if strings.Trim(last, "0123456789") == "" { // an IPv4 address, or a wildcard for some
		return true
	}
	return name == "*.localhost" || strings.Contains(name, ".execute-api.") || strings.HasSuffix(name, ".amazonaws.com") || strings.HasSuffix(name, ".on.aws")
}
