package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/jwt"
	"github.com/seed-615d3599/roost/internal/region/httpapi/route"
	"github.com/seed-615d3599/roost/internal/region/httpapi/target"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/internal/region/httpapi/vars"
	"github.com/seed-615d3599/roost/internal/region/httpapi/verdict"
)

// api is a compiled API.
type api struct {
	definition.API
	stages   map[string]*stage
	fallback *stage // $default
}

// stage is a compiled stage.
type stage struct {
	definition.Stage
	table     *route.Table
	routes    []*compiledRoute
	variables []byte // JSON
	format    *vars.Format
	cors      *cors.Policy
	shared    *throttle.Bucket // of the routes without a throttle of their own

	authorizers map[string]*authorizer // by id
}

// compiledRoute is a route with all that a request needs.
type compiledRoute struct {
	definition.Route
	stage       *stage
	methodPath  string // "GET/pets/{id}" or "$default": the end of the source ARN
	sourceARN   string // for a route with one method; "" for ANY
	throttle    *throttle.Bucket
	authorizer  *authorizer
	integration *integration
}

// integration is a compiled Integration.
type integration struct {
	definition.Integration
	function string     // of AWS_PROXY
	target   target.URL // of HTTP_PROXY
	request  []vars.Change
	response map[string][]vars.Change
	broken   error // why it cannot be called: the stage lacks a variable
}

// CheckIntegration says what is wrong with an integration whose URI has no stage
// variables.
func CheckIntegration(config definition.Integration) error {
	_, err := compileIntegration(config, nil)
	return err
}

// CheckAuthorizer says what is wrong with an authorizer, for any API.
func (g *Gateway) CheckAuthorizer(config definition.Authorizer) error {
	_, err := g.compileAuthorizer("", nil, config)
	return err
}

// compile checks an API and prepares it.
func (g *Gateway) compile(a definition.API) (*api, error) {
	c := &api{API: a, stages: map[string]*stage{}}
	for i := range a.Stages {
		s, err := g.compileStage(a.ID, a.Stages[i])
		if err != nil {
			return nil, fmt.Errorf("stage %s: %w", a.Stages[i].Name, err)
		}
		c.stages[s.Name] = s
		if s.Name == route.Default {
			c.fallback = s
		}
	}
	return c, nil
}

func (g *Gateway) compileStage(apiID string, config definition.Stage) (*stage, error) {
	s := &stage{Stage: config, cors: cors.Compile(config.CORS), shared: throttle.New(config.DefaultThrottle, g.config.Now)}
	if len(config.Variables) > 0 {
		s.variables, _ = json.Marshal(config.Variables) // a map of strings always encodes
	}
	if config.AccessLogGroup != "" {
		s.format = vars.ParseFormat(config.AccessLogFormat)
	}
	s.authorizers = map[string]*authorizer{}
	for _, a := range config.Authorizers {
		compiled, err := g.compileAuthorizer(apiID, config.Variables, a)
		if err != nil {
			return nil, fmt.Errorf("authorizer %s: %w", a.Name, err)
		}
		s.authorizers[a.ID] = compiled
	}
	keys := make([]string, len(config.Routes))
	for i, r := range config.Routes {
		keys[i] = r.Key
		compiled, err := g.compileRoute(apiID, s, r)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", r.Key, err)
		}
		s.routes = append(s.routes, compiled)
	}
	var err error
	s.table, err = route.Compile(keys)
	return s, err
}

func (g *Gateway) compileRoute(apiID string, s *stage, r definition.Route) (*compiledRoute, error) {
	c := &compiledRoute{Route: r, stage: s, throttle: s.shared, methodPath: r.Key}
	if t, ok := s.Throttles[r.Key]; ok {
		c.throttle = throttle.New(t, g.config.Now)
	}
	if k, err := route.Parse(r.Key); err == nil {
		c.methodPath = k.Path
		if k.Method != "ANY" {
			c.sourceARN = g.executeARN(apiID, s.Name, k.Method+k.Path)
		}
	} else if r.Key == route.Default {
		c.sourceARN = g.executeARN(apiID, s.Name, route.Default)
	}
	switch r.AuthorizationType {
	case definition.AuthorizationNone, "", definition.AuthorizationIAM:
	case definition.AuthorizationJWT, definition.AuthorizationCustom:
		c.authorizer = s.authorizers[r.AuthorizerID]
		want := map[string]string{definition.AuthorizationJWT: definition.AuthorizerJWT, definition.AuthorizationCustom: definition.AuthorizerRequest}[r.AuthorizationType]
		if c.authorizer == nil || c.authorizer.Type != want {
			return nil, fmt.Errorf("its authorization type is %s, but %q is no authorizer of type %s of this API", r.AuthorizationType, r.AuthorizerID, want)
		}
	default:
		return nil, fmt.Errorf("the authorization type %q is not one of NONE, AWS_IAM, JWT, CUSTOM", r.AuthorizationType)
	}
	if r.Integration == nil {
		return c, nil
	}
	var err error
	c.integration, err = compileIntegration(*r.Integration, s.Variables)
	return c, err
}

// executeARN is arn:aws:execute-api:REGION:ACCOUNT:API/STAGE/rest.
func (g *Gateway) executeARN(apiID, stage, rest string) string {
	return "arn:aws:execute-api:" + g.config.Region + ":" + g.config.Account + ":" + apiID + "/" + stage + "/" + rest
}

func compileIntegration(config definition.Integration, variables map[string]string) (*integration, error) {
	c := &integration{Integration: config, response: map[string][]vars.Change{}}
	if c.Timeout <= 0 || c.Timeout > integrationTime*time.Second {
		c.Timeout = integrationTime * time.Second
	}
	uri, err := target.Expand(config.URI, variables)
	if err != nil { // as on AWS, that shows when the route is called
		c.broken = err
		return c, nil
	}
	switch config.Type {
	case definition.IntegrationAWSProxy:
		if c.function, err = target.Function(uri); err != nil {
			return nil, err
		}
		if config.PayloadVersion != "1.0" && config.PayloadVersion != "2.0" {
			return nil, fmt.Errorf("the payload format version is %q, not 1.0 or 2.0", config.PayloadVersion)
		}
	case definition.IntegrationHTTPProxy:
		if c.target, err = target.ParseURL(uri); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("the integration type %q is not AWS_PROXY or HTTP_PROXY", config.Type)
	}
	if c.request, err = vars.ParseRequest(config.RequestParameters); err != nil {
		return nil, err
	}
	for status, params := range config.ResponseParameters {
		if c.response[status], err = vars.ParseResponse(params); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// authorizer is a compiled Authorizer.
type authorizer struct {
	definition.Authorizer
	sources   []vars.Selection
	jwt       *jwt.Verifier
	function  string
	sourceARN string
	cache     *verdict.Cache
}

func (g *Gateway) compileAuthorizer(apiID string, variables map[string]string, config definition.Authorizer) (*authorizer, error) {
	a := &authorizer{Authorizer: config}
	for _, text := range config.IdentitySources {
		s, err := vars.ParseSelection(text, vars.Header, vars.Query, vars.Context, vars.StageVariable)
		if err != nil {
			return nil, err
		}
		a.sources = append(a.sources, s)
	}
	switch config.Type {
	case definition.AuthorizerJWT:
		return a, g.compileJWT(a)
	case definition.AuthorizerRequest:
	default:
		return nil, fmt.Errorf("its type is %q, not JWT or REQUEST", config.Type)
	}
	uri, err := target.Expand(config.URI, variables)
	if err != nil {
		return nil, err
	}
	if a.function, err = target.Function(uri); err != nil {
		return nil, err
	}
	switch {
	case config.PayloadVersion != "1.0" && config.PayloadVersion != "2.0":
		return nil, fmt.Errorf("the payload format version is %q, not 1.0 or 2.0", config.PayloadVersion)
	case config.SimpleResponses && config.PayloadVersion == "1.0":
		return nil, errors.New("simple responses need payload format version 2.0")
	case config.TTL > 0 && len(a.sources) == 0:
		return nil, errors.New("caching needs at least one identity source")
	case config.TTL < 0 || config.TTL > time.Hour:
		return nil, errors.New("the result's time to live is not between 0 and 3600 seconds")
	}
	a.sourceARN = g.executeARN(apiID, "authorizers", config.ID)
	a.cache = verdict.NewCache(config.TTL)
	return a, nil
}

func (g *Gateway) compileJWT(a *authorizer) error {
	if len(a.sources) != 1 || a.sources[0].Root != vars.Header && a.sources[0].Root != vars.Query {
		return errors.New("a JWT authorizer has one identity source, such as $request.header.Authorization")
	}
	u, err := url.Parse(a.Issuer)
	loopback := err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1")
	if err != nil || u.Host == "" || u.Scheme != "https" && !(loopback && u.Scheme == "http") {
		return fmt.Errorf("the issuer %q is not an https URL", a.Issuer)
	}
	if len(a.Audience) == 0 {
		return errors.New("without an audience no token can be accepted: give JwtConfiguration an Audience")
	}
	a.jwt = jwt.New(jwt.Config{Issuer: a.Issuer, Audience: a.Audience, Transport: g.config.Transport, Now: g.config.Now})
	return nil
}
