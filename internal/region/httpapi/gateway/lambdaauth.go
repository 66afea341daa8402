package gateway

import (
	"fmt"
	"net/http"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/httpapi/verdict"
)

// apiGateway is the service principal that functions' policies name.
const apiGateway = "apigateway.amazonaws.com"

// authorizeLambda asks the authorizer's function, or remembers what it said.
func (c *call) authorizeLambda() bool {
	a := c.route.authorizer
	sources := make([]string, len(a.sources))
	for i, s := range a.sources {
		v, ok := s.Value(source{c})
		if !ok || v == "" {
			c.authorizerError = "the request lacks the identity source " + a.IdentitySources[i]
			return c.fail(http.StatusUnauthorized, c.authorizerError)
		}
		sources[i] = v
	}
	v, err := a.cache.Get(c.g.config.Now(), sources, func() (*verdict.Verdict, error) { return c.ask(a, sources) })
	if err != nil {
		c.authorizerError = err.Error()
		return c.fail(http.StatusInternalServerError, "the authorizer "+a.Name+": "+err.Error())
	}
	return c.obey(a, v)
}

// obey lets the request pass if the verdict allows it.
func (c *call) obey(a *authorizer, v *verdict.Verdict) bool {
	refusal := &Refusal{Status: http.StatusForbidden, Reason: "the authorizer " + a.Name + " said no"}
	allowed := v.Allowed
	if v.Policy != nil {
		refusal.Resource, refusal.Trace = c.routeARN(), &iam.Trace{}
		allowed = v.Decide(iam.Request{Action: invokeAction, Resource: refusal.Resource, Context: c.conditions()}, c.g.config.Account, refusal.Trace)
		refusal.Reason = "the policy that the authorizer " + a.Name + " returned does not allow the request"
	}
	if !allowed {
		c.authorizerError = refusal.Reason
		return c.failWith(refusal)
	}
	c.event.Authorizer.Lambda = true
	c.event.Authorizer.Context, c.event.Authorizer.Principal = v.Context, v.Principal
	return true
}

// ask invokes the authorizer's function.
func (c *call) ask(a *authorizer, sources []string) (*verdict.Verdict, error) {
	f := c.g.config.Functions
	if err := f.MayInvoke(a.function, apiGateway, a.sourceARN); err != nil {
		return nil, fmt.Errorf("API Gateway may not invoke the function for %s: %w", a.sourceARN, err)
	}
	var payload []byte
	if a.PayloadVersion == "1.0" {
		payload = c.enc.AuthorizerV1(&c.event, c.routeARN(), sources)
	} else {
		payload = c.enc.AuthorizerV2(&c.event, c.routeARN(), sources)
	}
	ctx := c.within(authorizerTime*time.Second, a.function)
	defer c.limits.Stop(ctx)
	answer, failed, err := f.Invoke(ctx, a.function, payload)
	switch {
	case err != nil:
		return nil, err
	case failed != "":
		return nil, fmt.Errorf("the function failed (%s)", failed)
	}
	return verdict.Parse(answer, a.SimpleResponses)
}
