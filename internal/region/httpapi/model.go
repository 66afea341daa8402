package httpapi

import "github.com/seed-615d3599/roost/internal/region/wire"

// The shapes of the API, by the names of its model. Properties are pointers,
// slices and maps: nil is absent, which in an update means unchanged.

type apiProps struct {
	APIKeySelectionExpression *string `json:"apiKeySelectionExpression,omitempty"`
	CorsConfiguration         *cors   `json:"corsConfiguration,omitempty"`
	Description               *string `json:"description,omitempty"`
	DisableExecuteAPIEndpoint *bool   `json:"disableExecuteApiEndpoint,omitempty"`
	DisableSchemaValidation   *bool   `json:"disableSchemaValidation,omitempty"`
	IPAddressType             *string `json:"ipAddressType,omitempty"`
	Name                      *string `json:"name,omitempty"`
	RouteSelectionExpression  *string `json:"routeSelectionExpression,omitempty"`
	Version                   *string `json:"version,omitempty"`
}

type cors struct {
	AllowCredentials *bool    `json:"allowCredentials,omitempty"`
	AllowHeaders     []string `json:"allowHeaders,omitempty"`
	AllowMethods     []string `json:"allowMethods,omitempty"`
	AllowOrigins     []string `json:"allowOrigins,omitempty"`
	ExposeHeaders    []string `json:"exposeHeaders,omitempty"`
	MaxAge           *int     `json:"maxAge,omitempty"`
}

// quickCreate are the properties of "quick create".
type quickCreate struct {
	CredentialsArn *string `json:"credentialsArn,omitempty"`
	RouteKey       *string `json:"routeKey,omitempty"`
	Target         *string `json:"target,omitempty"`
}

type createAPI struct {
	apiProps
	quickCreate
	ProtocolType string            `json:"protocolType" required:"true"`
	Tags         map[string]string `json:"tags,omitempty"`
}

type updateAPI struct {
	apiRef
	apiProps
	quickCreate
}

type apiRef struct {
	APIID string `json:"apiId" uri:"apiId" required:"true"`
}

// apiDoc is a stored API.
type apiDoc struct {
	apiProps
	APIID       string            `json:"apiId"`
	CreatedDate *wire.ISOTime     `json:"createdDate"`
	Tags        map[string]string `json:"tags,omitempty"`
	Port        int               `json:"port"`
}

func (a *apiDoc) name() string { return text(a.Name) }

// apiOut is an API on the wire.
type apiOut struct {
	apiProps
	APIEndpoint  string            `json:"apiEndpoint"`
	APIID        string            `json:"apiId"`
	CreatedDate  *wire.ISOTime     `json:"createdDate"`
	ProtocolType string            `json:"protocolType"`
	Tags         map[string]string `json:"tags"`
}

type routeProps struct {
	APIKeyRequired                   *bool             `json:"apiKeyRequired,omitempty"`
	AuthorizationScopes              []string          `json:"authorizationScopes,omitempty"`
	AuthorizationType                *string           `json:"authorizationType,omitempty"`
	AuthorizerID                     *string           `json:"authorizerId,omitempty"`
	ModelSelectionExpression         *string           `json:"modelSelectionExpression,omitempty"`
	OperationName                    *string           `json:"operationName,omitempty"`
	RequestModels                    map[string]string `json:"requestModels,omitempty"`
	RequestParameters                map[string]any    `json:"requestParameters,omitempty"`
	RouteKey                         *string           `json:"routeKey,omitempty"`
	RouteResponseSelectionExpression *string           `json:"routeResponseSelectionExpression,omitempty"`
	Target                           *string           `json:"target,omitempty"`
}

type createRoute struct {
	apiRef
	routeProps
}

type routeRef struct {
	apiRef
	RouteID string `json:"routeId" uri:"routeId" required:"true"`
}

type updateRoute struct {
	routeRef
	routeProps
}

type routeDoc struct {
	routeProps
	RouteID           string `json:"routeId"`
	APIGatewayManaged bool   `json:"apiGatewayManaged,omitempty"`
}

type integrationProps struct {
	ConnectionID                *string                      `json:"connectionId,omitempty"`
	ConnectionType              *string                      `json:"connectionType,omitempty"`
	ContentHandlingStrategy     *string                      `json:"contentHandlingStrategy,omitempty"`
	CredentialsArn              *string                      `json:"credentialsArn,omitempty"`
	Description                 *string                      `json:"description,omitempty"`
	IntegrationMethod           *string                      `json:"integrationMethod,omitempty"`
	IntegrationSubtype          *string                      `json:"integrationSubtype,omitempty"`
	IntegrationType             *string                      `json:"integrationType,omitempty"`
	IntegrationURI              *string                      `json:"integrationUri,omitempty"`
	PassthroughBehavior         *string                      `json:"passthroughBehavior,omitempty"`
	PayloadFormatVersion        *string                      `json:"payloadFormatVersion,omitempty"`
	RequestParameters           map[string]string            `json:"requestParameters,omitempty"`
	RequestTemplates            map[string]string            `json:"requestTemplates,omitempty"`
	ResponseParameters          map[string]map[string]string `json:"responseParameters,omitempty"`
	TemplateSelectionExpression *string                      `json:"templateSelectionExpression,omitempty"`
	TimeoutInMillis             *int                         `json:"timeoutInMillis,omitempty"`
	TLSConfig                   map[string]any               `json:"tlsConfig,omitempty"`
}

type createIntegration struct {
	apiRef
	integrationProps
}

type integrationRef struct {
	apiRef
	IntegrationID string `json:"integrationId" uri:"integrationId" required:"true"`
}

type updateIntegration struct {
	integrationRef
	integrationProps
}

type integrationDoc struct {
	integrationProps
	IntegrationID     string `json:"integrationId"`
	APIGatewayManaged bool   `json:"apiGatewayManaged,omitempty"`
}

type authorizerProps struct {
	AuthorizerCredentialsArn       *string           `json:"authorizerCredentialsArn,omitempty"`
	AuthorizerPayloadFormatVersion *string           `json:"authorizerPayloadFormatVersion,omitempty"`
	AuthorizerResultTTLInSeconds   *int              `json:"authorizerResultTtlInSeconds,omitempty"`
	AuthorizerType                 *string           `json:"authorizerType,omitempty"`
	AuthorizerURI                  *string           `json:"authorizerUri,omitempty"`
	EnableSimpleResponses          *bool             `json:"enableSimpleResponses,omitempty"`
	IdentitySource                 []string          `json:"identitySource,omitempty"`
	IdentityValidationExpression   *string           `json:"identityValidationExpression,omitempty"`
	JwtConfiguration               *jwtConfiguration `json:"jwtConfiguration,omitempty"`
	Name                           *string           `json:"name,omitempty"`
}

type jwtConfiguration struct {
	Audience []string `json:"audience,omitempty"`
	Issuer   *string  `json:"issuer,omitempty"`
}

type createAuthorizer struct {
	apiRef
	authorizerProps
}

type authorizerRef struct {
	apiRef
	AuthorizerID string `json:"authorizerId" uri:"authorizerId" required:"true"`
}

type updateAuthorizer struct {
	authorizerRef
	authorizerProps
}

type authorizerDoc struct {
	authorizerProps
	AuthorizerID string `json:"authorizerId"`
}

type stageProps struct {
	AccessLogSettings    *accessLogSettings        `json:"accessLogSettings,omitempty"`
	AutoDeploy           *bool                     `json:"autoDeploy,omitempty"`
	ClientCertificateID  *string                   `json:"clientCertificateId,omitempty"`
	DefaultRouteSettings *routeSettings            `json:"defaultRouteSettings,omitempty"`
	DeploymentID         *string                   `json:"deploymentId,omitempty"`
	Description          *string                   `json:"description,omitempty"`
	RouteSettings        map[string]*routeSettings `json:"routeSettings,omitempty"`
	StageVariables       map[string]string         `json:"stageVariables,omitempty"`
}

type accessLogSettings struct {
	DestinationArn *string `json:"destinationArn,omitempty"`
	Format         *string `json:"format,omitempty"`
}

type routeSettings struct {
	DataTraceEnabled       *bool    `json:"dataTraceEnabled,omitempty"`
	DetailedMetricsEnabled *bool    `json:"detailedMetricsEnabled,omitempty"`
	LoggingLevel           *string  `json:"loggingLevel,omitempty"`
	ThrottlingBurstLimit   *int     `json:"throttlingBurstLimit,omitempty"`
	ThrottlingRateLimit    *float64 `json:"throttlingRateLimit,omitempty"`
}

type createStage struct {
	apiRef
	stageProps
	StageName string            `json:"stageName" required:"true"`
	Tags      map[string]string `json:"tags,omitempty"`
}

type stageRef struct {
	apiRef
	StageName string `json:"stageName" uri:"stageName" required:"true"`
}

type updateStage struct {
	stageRef
	stageProps
}

type routeSettingsRef struct {
	stageRef
	RouteKey string `json:"routeKey" uri:"routeKey" required:"true"`
}

type stageDoc struct {
	stageProps
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
	Cors         *cors            `json:"cors,omitempty"`
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
