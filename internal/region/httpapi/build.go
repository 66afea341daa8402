package httpapi

import (
	"strings"

	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// build turns an API's items into what the gateway serves.
func (h *HTTPAPI) build(tx *store.Tx, a *apiDoc) (definition.API, error) {
	out := definition.API{ID: a.APIID, Name: a.name(), DisableExecuteAPIEndpoint: isTrue(a.DisableExecuteAPIEndpoint)}
	stages, err := store.All[stageDoc](tx, kindStage, a.APIID+"/")
	if err != nil {
		return out, err
	}
	live, err := current(tx, a)
	if err != nil {
		return out, err
	}
	for i := range stages {
		c, err := deployed(tx, a, &stages[i], live)
		if err != nil {
			return out, err
		}
		s, err := stages[i].compile(c)
		if err != nil {
			return out, err
		}
		out.Stages = append(out.Stages, s)
	}
	return out, nil
}

// deployed returns what a stage serves: the API as it is, or its deployment.
func deployed(tx *store.Tx, a *apiDoc, s *stageDoc, live *content) (*content, error) {
	if isTrue(s.AutoDeploy) {
		return live, nil
	}
	var d deploymentDoc
	found, err := tx.Get(kindDeployment, a.APIID+"/"+text(s.DeploymentID), &d)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return &content{}, nil
	case d.Content == nil:
		return live, nil
	}
	return d.Content, nil
}

func (s *stageDoc) compile(c *content) (definition.Stage, error) {
	out := definition.Stage{Name: s.StageName, Variables: s.StageVariables, CORS: c.Cors.Definition(), Throttles: map[string]throttle.Limit{}}
	if l := s.AccessLogSettings; l != nil {
		out.AccessLogGroup, out.AccessLogFormat = text(l.DestinationArn), text(l.Format)
	}
	if r := s.DefaultRouteSettings; r != nil {
		out.DefaultThrottle = throttle.Limit{Rate: r.ThrottlingRateLimit, Burst: r.ThrottlingBurstLimit}
	}
	for key, r := range s.RouteSettings {
		if r.ThrottlingRateLimit != nil || r.ThrottlingBurstLimit != nil {
			out.Throttles[key] = throttle.Limit{Rate: r.ThrottlingRateLimit, Burst: r.ThrottlingBurstLimit}
		}
	}
	for i := range c.Authorizers {
		out.Authorizers = append(out.Authorizers, c.Authorizers[i].Definition(c.Authorizers[i].AuthorizerID))
	}
	integrations := map[string]*definition.Integration{}
	for i := range c.Integrations {
		compiled, err := c.Integrations[i].compile()
		if err != nil {
			return out, err
		}
		integrations["integrations/"+c.Integrations[i].IntegrationID] = compiled
	}
	for _, r := range c.Routes {
		out.Routes = append(out.Routes, definition.Route{
			Key: text(r.RouteKey), AuthorizationType: text(r.AuthorizationType), AuthorizerID: text(r.AuthorizerID),
			Scopes: r.AuthorizationScopes, Integration: integrations[text(r.Target)],
		})
	}
	return out, nil
}

// compile checks what needs no stage: a URI with stage variables has to wait.
func (i *integrationDoc) compile() (*definition.Integration, error) {
	out := i.IntegrationProps.Definition()
	if strings.Contains(out.URI, "${stageVariables.") {
		return out, nil
	}
	return out, gateway.CheckIntegration(*out)
}
