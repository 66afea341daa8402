package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/event"
	"github.com/seed-615d3599/roost/internal/region/httpapi/jwt"
	"github.com/seed-615d3599/roost/internal/region/httpapi/route"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
)

// authorize lets the request pass or answers it.
func (c *call) authorize() bool {
	switch c.route.AuthorizationType {
	case definition.AuthorizationIAM:
		return c.readBody() && c.authorizeIAM() // the body is signed
	case definition.AuthorizationJWT:
		return c.authorizeJWT()
	case definition.AuthorizationCustom:
		return c.authorizeLambda()
	}
	return true
}

// routeARN is what policies speak of: the method and path of the request, with
// the stage's name ($default included).
func (c *call) routeARN() string {
	if c.path == "*" {
		return c.g.executeARN(c.api.ID, c.stage.Name, c.in.method+"/")
	}
	return c.g.executeARN(c.api.ID, c.stage.Name, c.in.method+c.path)
}

// sourceARN is what functions' policies speak of: the route's method and path.
func (c *call) sourceARN() string {
	switch {
	case c.route.sourceARN != "":
		return c.route.sourceARN
	case c.route.Key == route.Default:
		return c.g.executeARN(c.api.ID, c.stage.Name, route.Default)
	}
	return c.g.executeARN(c.api.ID, c.stage.Name, c.in.method+c.route.methodPath)
}

const invokeAction = "execute-api:Invoke"

// authorizeIAM checks the signature and then the caller's policies.
func (c *call) authorizeIAM() bool {
	if c.g.config.Access == nil {
		return c.fail(badSignature, "the route has IAM authorization, but the gateway has nobody to ask")
	}
	req := c.signed()
	sig, err := c.g.verifier.Verify(&req, c.key)
	if err != nil {
		c.authorizerError = err.Error()
		return c.failWith(&Refusal{Status: badSignature, Reason: err.Error(), Diagnosis: c.g.diagnose(&req, c.key)})
	}
	c.accessKey = sig.AccessKeyID
	resource := c.routeARN()
	decision := c.g.config.Access.Decide(c.caller, invokeAction, resource, c.conditions(), nil)
	if decision.Outcome != iam.Allowed {
		trace := &iam.Trace{}
		c.g.config.Access.Decide(c.caller, invokeAction, resource, c.conditions(), trace)
		reason := "User: " + c.caller.ARN + " is not authorized to perform: " + invokeAction + " on resource: " +
			resource + " " + decision.Reason(invokeAction)
		c.authorizerError = reason
		return c.failWith(&Refusal{Status: http.StatusForbidden, Reason: reason, Resource: resource, Trace: trace})
	}
	c.event.Identity = identity(c.caller)
	return true
}

// signed is the request as the client signed it. Its strings are parts of one, so
// that not each costs an allocation.
func (c *call) signed() sigv4.Request {
	size := len(c.in.target) + len(c.in.host)
	for _, f := range c.in.fields {
		size += len(f.Name) + len(f.Value)
	}
	var all strings.Builder
	all.Grow(size)
	part := func(b []byte) string {
		all.Write(b)
		return all.String()[all.Len()-len(b):]
	}
	req := sigv4.Request{Method: c.in.method, Target: part(c.in.target), Host: part(c.in.host), Body: c.body}
	req.Header = make([]sigv4.Header, len(c.in.fields))
	for i, f := range c.in.fields {
		req.Header[i] = sigv4.Header{Name: part(f.Name), Value: part(f.Value)}
	}
	return req
}

// key is a sigv4.KeyFunc that remembers whose key it was.
func (c *call) key(accessKeyID, sessionToken string) (string, error) {
	c.accessKey = accessKeyID
	secret, caller, err := c.g.config.Access.Key(context.Background(), accessKeyID, sessionToken)
	if err == nil && caller == nil {
		err = errors.New("the access key belongs to nobody")
	}
	c.caller = caller
	return secret, err
}

// diagnose asks what is wrong with a signature, for those who are told of refusals.
// That takes long, and so one request at a time may; the others go without.
func (g *Gateway) diagnose(req *sigv4.Request, key sigv4.KeyFunc) *sigv4.Diagnosis {
	if g.config.Refusals == nil || !g.diagnosing.TryLock() {
		return nil
	}
	defer g.diagnosing.Unlock()
	found := g.verifier.Diagnose(req, key)
	return &found
}

// identity is who signed, as events show it.
func identity(caller *wire.Caller) *event.Identity {
	id := &event.Identity{
		AccessKey: caller.AccessKeyID, Account: caller.Account, Caller: caller.UserID,
		UserARN: caller.ARN, User: caller.UserID,
	}
	if cognito := caller.Cognito; cognito != nil {
		id.CognitoIdentity, id.CognitoPool, id.AMR = cognito.IdentityID, cognito.PoolID, cognito.AMR
	}
	return id
}

// authorizeJWT checks the token that the identity source names.
func (c *call) authorizeJWT() bool {
	a := c.route.authorizer
	text, ok := a.sources[0].Value(source{c})
	if !ok || text == "" {
		c.authorizerError = "the request has no token in " + a.IdentitySources[0]
		return c.fail(http.StatusUnauthorized, c.authorizerError, cors.Header{Name: "www-authenticate", Value: "Bearer"})
	}
	token, err := a.jwt.Verify(context.Background(), text, c.route.Scopes)
	if err == nil {
		c.claims = token
		c.event.Authorizer.Claims = token.Claims
		if len(c.route.Scopes) > 0 {
			c.event.Authorizer.Scopes, _ = json.Marshal(token.Scopes) // strings always encode
		}
		return true
	}
	c.authorizerError = err.Error()
	refused := &jwt.Error{Code: "invalid_token", Description: issuerDown}
	errors.As(err, &refused)
	status := http.StatusUnauthorized
	if refused.Code == "insufficient_scope" {
		status = insufficientScope
	}
	challenge := `Bearer scope="` + strings.Join(c.route.Scopes, " ") + `" error="` + refused.Code +
		`" error_description="` + refused.Description + `"`
	return c.fail(status, err.Error(), cors.Header{Name: "www-authenticate", Value: challenge})
}
