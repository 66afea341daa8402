package shape

import (
	"time"

	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
)

// Definition returns what the gateway serves of it; nil where there is none.
func (c *CORS) Definition() *cors.Config {
	if c == nil {
		return nil
	}
	return &cors.Config{
		AllowOrigins: c.AllowOrigins, AllowMethods: c.AllowMethods, AllowHeaders: c.AllowHeaders,
		ExposeHeaders: c.ExposeHeaders, AllowCredentials: isTrue(c.AllowCredentials), MaxAge: c.MaxAge,
	}
}

// Definition returns what the gateway serves of it.
func (p *IntegrationProps) Definition() *definition.Integration {
	out := &definition.Integration{
		Type: deref(p.IntegrationType), Method: deref(p.IntegrationMethod), URI: deref(p.IntegrationURI),
		PayloadVersion: deref(p.PayloadFormatVersion), RequestParameters: p.RequestParameters, ResponseParameters: p.ResponseParameters,
	}
	if p.TimeoutInMillis != nil {
		out.Timeout = time.Duration(*p.TimeoutInMillis) * time.Millisecond
	}
	return out
}

// Definition returns what the gateway serves of it, under an id.
func (p *AuthorizerProps) Definition(id string) definition.Authorizer {
	out := definition.Authorizer{
		ID: id, Name: deref(p.Name), Type: deref(p.AuthorizerType), IdentitySources: identitySources(p.IdentitySource),
		URI: deref(p.AuthorizerURI), PayloadVersion: deref(p.AuthorizerPayloadFormatVersion), SimpleResponses: isTrue(p.EnableSimpleResponses),
	}
	if p.AuthorizerResultTTLInSeconds != nil {
		out.TTL = time.Duration(*p.AuthorizerResultTTLInSeconds) * time.Second
	}
	if j := p.JwtConfiguration; j != nil {
		out.Issuer, out.Audience = deref(j.Issuer), j.Audience
	}
	return out
}

// identitySources leaves out empty strings, which stand for none.
func identitySources(list []string) (out []string) {
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
