package roost

import (
	"fmt"
	"time"
)

// Authorization is who may call a route: None, AWSIAM, a *JWTAuthorizer or a
// *LambdaAuthorizer. One authorizer can serve many routes.
type Authorization interface {
	authorizationType() string
}

// AuthorizationType is an authorization that needs no authorizer.
type AuthorizationType string

const (
	// None lets everyone call.
	None AuthorizationType = "NONE"
	// AWSIAM lets those call whose signature (SigV4) is valid and whose policies
	// allow execute-api:Invoke on the request.
	AWSIAM AuthorizationType = "AWS_IAM"
)

func (t AuthorizationType) authorizationType() string { return string(t) }

// JWTAuthorizer lets those call who bring a JSON Web Token of an OpenID Connect
// issuer.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
type JWTAuthorizer struct {
	Name     string  // letters, digits, hyphens and underscores; the authorizer's name in its API
	Issuer   Value   // such as "https://accounts.google.com"
	Audience []Value // of which the token's aud or client_id has to be one
	// Where the token is; "$request.header.Authorization" by default.
	IdentitySource string
}

func (*JWTAuthorizer) authorizationType() string { return "JWT" }

// LambdaAuthorizer lets a function decide.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
type LambdaAuthorizer struct {
	Name     string        // letters, digits, hyphens and underscores; the authorizer's name in its API
	Handler  string        // of a function of its own
	Props    FunctionProps // of a function of its own
	Function *Function     // an existing function
	// What the decision rests on; requests without it get 401 and the function
	// is not called. {"$request.header.Authorization"} by default.
	IdentitySources []string
	CacheFor        time.Duration // how long a decision holds for the same identity sources, an hour at most
	PolicyResponses bool          // the function answers with an IAM policy in place of {"isAuthorized": …}
}

func (*LambdaAuthorizer) authorizationType() string { return "CUSTOM" }

// setAuthorization adds to a route's properties who may call it.
func (a *API) setAuthorization(key string, properties map[string]any, route Route, props APIProps) {
	authorization, scopes := route.Authorization, route.Scopes
	if authorization == nil {
		authorization = props.DefaultAuthorization
	}
	switch kind := authorization.(type) {
	case nil:
		authorization = None
	case AuthorizationType:
		if kind != None && kind != AWSIAM {
			a.fail(fmt.Sprintf("the route %q has the authorization %q, which does not exist", key, kind),
				"use roost.None, roost.AWSIAM, a *roost.JWTAuthorizer or a *roost.LambdaAuthorizer")
		}
	case *JWTAuthorizer:
		if len(scopes) == 0 {
			scopes = props.DefaultAuthorizationScopes
		}
		properties["AuthorizerId"] = a.jwtAuthorizer(kind).Ref()
	case *LambdaAuthorizer:
		properties["AuthorizerId"] = a.lambdaAuthorizer(kind).Ref()
	}
	properties["AuthorizationType"] = authorization.authorizationType()
	if len(scopes) == 0 {
		return
	}
	if _, jwt := authorization.(*JWTAuthorizer); !jwt {
		a.fail(fmt.Sprintf("the route %q has Scopes without a JWT authorizer", key), "remove Scopes, or set Authorization to a *roost.JWTAuthorizer")
	}
	properties["AuthorizationScopes"] = scopes
}

func (a *API) jwtAuthorizer(j *JWTAuthorizer) *Resource {
	if known := a.authorize[j]; known != nil {
		return known
	}
	n := a.child("Api", j.Name)
	checkAuthorizerName(n, j.Name)
	if j.Issuer == "" || len(j.Audience) == 0 {
		n.fail("a JWT authorizer needs an Issuer and an Audience", `set both, as in Issuer: "https://accounts.google.com", Audience: []roost.Value{"my-client-id"}`)
	}
	a.authorize[j] = n.child("Resource").resource("AWS::ApiGatewayV2::Authorizer", map[string]any{
		"ApiId": a.id, "AuthorizerType": "JWT", "Name": j.Name,
		"IdentitySource":   []string{or(j.IdentitySource, "$request.header.Authorization")},
		"JwtConfiguration": map[string]any{"Issuer": j.Issuer, "Audience": j.Audience},
	})
	return a.authorize[j]
}

func (a *API) lambdaAuthorizer(l *LambdaAuthorizer) *Resource {
	if known := a.authorize[l]; known != nil {
		return known
	}
	n := a.child("Api", l.Name)
	checkAuthorizerName(n, l.Name)
	if l.CacheFor%time.Second != 0 || l.CacheFor < 0 || l.CacheFor > time.Hour {
		n.fail(fmt.Sprintf("CacheFor is %v", l.CacheFor), "use whole seconds, an hour at most")
	}
	f := l.Function
	if f == nil {
		own := l.Props
		own.Handler = or(l.Handler, own.Handler)
		f = newFunction(a.child("Authorizer_"+l.Name), own)
	} else if l.Handler != "" || !isZero(l.Props) {
		n.fail("the authorizer has both a Function and a function of its own", "leave out Function, or Handler and Props")
	}
	sources := l.IdentitySources
	if sources == nil {
		sources = []string{"$request.header.Authorization"}
	}
	r := n.child("Resource").resource("AWS::ApiGatewayV2::Authorizer", map[string]any{
		"ApiId": a.id, "AuthorizerType": "REQUEST", "Name": l.Name,
		"AuthorizerPayloadFormatVersion": "2.0",
		"AuthorizerResultTtlInSeconds":   int(l.CacheFor / time.Second),
		"AuthorizerUri": "arn:" + a.stack.Partition() + ":apigateway:" + a.stack.Region() +
			":lambda:path/2015-03-31/functions/" + f.ARN() + "/invocations",
		"EnableSimpleResponses": !l.PolicyResponses,
		"IdentitySource":        sources,
	})
	n.child(uniqueID(n)+"-Permission").resource("AWS::Lambda::Permission", map[string]any{
		"Action":       "lambda:InvokeFunction",
		"FunctionName": f.ARN(),
		"Principal":    "apigateway.amazonaws.com",
		"SourceArn":    a.stack.ARN("execute-api", a.id+"/authorizers/"+r.Ref()),
	})
	a.authorize[l] = r
	return r
}

func checkAuthorizerName(n node, name string) {
	if !matches(`^[A-Za-z0-9_-]{1,128}$`, name) {
		n.fail(fmt.Sprintf("%q can't be the name of an authorizer", name), "set Name to letters, digits, hyphens and underscores")
	}
}
