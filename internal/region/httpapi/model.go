package httpapi

import (
	"github.com/seed-615d3599/roost/internal/region/httpapi/shape"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The shapes of the API, by the names of its model. Properties are pointers,
// slices and maps: nil is absent, which in an update means unchanged.

// quickCreate are the properties of "quick create".
type quickCreate struct {
	CredentialsArn *string `json:"credentialsArn,omitempty"`
	RouteKey       *string `json:"routeKey,omitempty"`
	Target         *string `json:"target,omitempty"`
}

type createAPI struct {
	shape.APIProps
	quickCreate
	ProtocolType string            `json:"protocolType" required:"true"`
	Tags         map[string]string `json:"tags,omitempty"`
}

type updateAPI struct {
	apiRef
	shape.APIProps
	quickCreate
}

type apiRef struct {
	APIID string `json:"apiId" uri:"apiId" required:"true"`
}

// apiDoc is a stored API.
type apiDoc struct {
	shape.APIProps
	APIID       string            `json:"apiId"`
	CreatedDate *wire.ISOTime     `json:"createdDate"`
	Tags        map[string]string `json:"tags,omitempty"`
	Port        int               `json:"port"`
}

func (a *apiDoc) name() string { return text(a.Name) }

// apiOut is an API on the wire.
type apiOut struct {
	shape.APIProps
	APIEndpoint  string            `json:"apiEndpoint"`
	APIID        string            `json:"apiId"`
	CreatedDate  *wire.ISOTime     `json:"createdDate"`
	ProtocolType string            `json:"protocolType"`
	Tags         map[string]string `json:"tags"`
}

type createRoute struct {
	apiRef
	shape.RouteProps
}

type routeRef struct {
	apiRef
	RouteID string `json:"routeId" uri:"routeId" required:"true"`
}

type updateRoute struct {
	routeRef
	shape.RouteProps
}

type routeDoc struct {
	shape.RouteProps
	RouteID           string `json:"routeId"`
	APIGatewayManaged bool   `json:"apiGatewayManaged,omitempty"`
}

type createIntegration struct {
	apiRef
	shape.IntegrationProps
}

type integrationRef struct {
	apiRef
	IntegrationID string `json:"integrationId" uri:"integrationId" required:"true"`
}

type updateIntegration struct {
	integrationRef
	shape.IntegrationProps
}

type integrationDoc struct {
	shape.IntegrationProps
	IntegrationID     string `json:"integrationId"`
	APIGatewayManaged bool   `json:"apiGatewayManaged,omitempty"`
}

type createAuthorizer struct {
	apiRef
	shape.AuthorizerProps
}

type authorizerRef struct {
	apiRef
	AuthorizerID string `json:"authorizerId" uri:"authorizerId" required:"true"`
}

type updateAuthorizer struct {
	authorizerRef
	shape.AuthorizerProps
}

type authorizerDoc struct {
	shape.AuthorizerProps
	AuthorizerID string `json:"authorizerId"`
}

type createStage struct {
	apiRef
	shape.StageProps
	StageName string            `json:"stageName" required:"true"`
	Tags      map[string]string `json:"tags,omitempty"`
}

type stageRef struct {
	apiRef
	StageName string `json:"stageName" uri:"stageName" required:"true"`
}

type updateStage struct {
	stageRef
	shape.StageProps
}

type routeSettingsRef struct {
	stageRef
	RouteKey string `json:"routeKey" uri:"routeKey" required:"true"`
}

type stageDoc struct {
	shape.StageProps
	StageName                   string            `json:"stageName"`
	APIGatewayManaged           bool              `json:"apiGatewayManaged,omitempty"`
	CreatedDate                 *wire.ISOTime     `json:"createdDate"`
	LastUpdatedDate             *wire.ISOTime     `json:"lastUpdatedDate"`
	LastDeploymentStatusMessage string            `json:"lastDeploymentStatusMessage,omitempty"`
	Tags                        map[string]string `json:"tags"`
}

type createDeployment struct {
	apiRef
	Description *string `json:"description,omitempty"`
	StageName   *string `json:"stageName,omitempty"`
}

type deploymentRef struct {
	apiRef
	DeploymentID string `json:"deploymentId" uri:"deploymentId" required:"true"`
}

type updateDeployment struct {
	deploymentRef
	Description *string `json:"description,omitempty"`
}

type deploymentOut struct {
	AutoDeployed     bool          `json:"autoDeployed"`
	CreatedDate      *wire.ISOTime `json:"createdDate"`
	DeploymentID     string        `json:"deploymentId"`
	DeploymentStatus string        `json:"deploymentStatus"`
	Description      *string       `json:"description,omitempty"`
}

// deploymentDoc is a deployment with what it froze. One that was deployed
// automatically froze nothing: its stages serve the API as it is.
type deploymentDoc struct {
	deploymentOut
	Content *content `json:"content,omitempty"`
}

// content is what a deployment is about.
type content struct {
	Cors         *shape.CORS      `json:"cors,omitempty"`
	Routes       []routeDoc       `json:"routes"`
	Integrations []integrationDoc `json:"integrations"`
	Authorizers  []authorizerDoc  `json:"authorizers"`
}

type page struct {
	MaxResults *string `json:"maxResults,omitempty" query:"maxResults"`
	NextToken  *string `json:"nextToken,omitempty" query:"nextToken"`
}

type listOfAPI struct {
	apiRef
	page
}

type list[T any] struct {
	Items     []T     `json:"items"`
	NextToken *string `json:"nextToken,omitempty"`
}

type none struct{}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func isTrue(b *bool) bool { return b != nil && *b }

func ptr[T any](v T) *T { return &v }
