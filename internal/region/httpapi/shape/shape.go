// Package shape has the properties of API Gateway's resources, by the names of the
// API's model ("apigatewayv2", API reference), and the rules that they must keep.
//
// Properties are pointers, slices and maps: nil is absent, which in an update means
// unchanged. SetDefaults fills in what AWS fills in. Check returns a *wire.Error
// (BadRequestException) that names what cannot be, or what the embedded region does
// not have. Definition returns what the gateway serves.
package shape

import "github.com/seed-615d3599/roost/internal/region/wire"

// APIProps are the properties of an API.
type APIProps struct {
	APIKeySelectionExpression *string `json:"apiKeySelectionExpression,omitempty"`
	CorsConfiguration         *CORS   `json:"corsConfiguration,omitempty"`
	Description               *string `json:"description,omitempty"`
	DisableExecuteAPIEndpoint *bool   `json:"disableExecuteApiEndpoint,omitempty"`
	DisableSchemaValidation   *bool   `json:"disableSchemaValidation,omitempty"`
	IPAddressType             *string `json:"ipAddressType,omitempty"`
	Name                      *string `json:"name,omitempty"`
	RouteSelectionExpression  *string `json:"routeSelectionExpression,omitempty"`
	Version                   *string `json:"version,omitempty"`
}

// CORS is the shape Cors.
type CORS struct {
	AllowCredentials *bool    `json:"allowCredentials,omitempty"`
	AllowHeaders     []string `json:"allowHeaders,omitempty"`
	AllowMethods     []string `json:"allowMethods,omitempty"`
	AllowOrigins     []string `json:"allowOrigins,omitempty"`
	ExposeHeaders    []string `json:"exposeHeaders,omitempty"`
	MaxAge           *int     `json:"maxAge,omitempty"`
}

// RouteProps are the properties of a route.
type RouteProps struct {
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

// IntegrationProps are the properties of an integration.
type IntegrationProps struct {
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

// AuthorizerProps are the properties of an authorizer.
type AuthorizerProps struct {
	AuthorizerCredentialsArn       *string           `json:"authorizerCredentialsArn,omitempty"`
	AuthorizerPayloadFormatVersion *string           `json:"authorizerPayloadFormatVersion,omitempty"`
	AuthorizerResultTTLInSeconds   *int              `json:"authorizerResultTtlInSeconds,omitempty"`
	AuthorizerType                 *string           `json:"authorizerType,omitempty"`
	AuthorizerURI                  *string           `json:"authorizerUri,omitempty"`
	EnableSimpleResponses          *bool             `json:"enableSimpleResponses,omitempty"`
	IdentitySource                 []string          `json:"identitySource,omitempty"`
	IdentityValidationExpression   *string           `json:"identityValidationExpression,omitempty"`
	JwtConfiguration               *JWTConfiguration `json:"jwtConfiguration,omitempty"`
	Name                           *string           `json:"name,omitempty"`
}

// JWTConfiguration is the shape of that name.
type JWTConfiguration struct {
	Audience []string `json:"audience,omitempty"`
	Issuer   *string  `json:"issuer,omitempty"`
}

// StageProps are the properties of a stage.
type StageProps struct {
	AccessLogSettings    *AccessLogSettings        `json:"accessLogSettings,omitempty"`
	AutoDeploy           *bool                     `json:"autoDeploy,omitempty"`
	ClientCertificateID  *string                   `json:"clientCertificateId,omitempty"`
	DefaultRouteSettings *RouteSettings            `json:"defaultRouteSettings,omitempty"`
	DeploymentID         *string                   `json:"deploymentId,omitempty"`
	Description          *string                   `json:"description,omitempty"`
	RouteSettings        map[string]*RouteSettings `json:"routeSettings,omitempty"`
	StageVariables       map[string]string         `json:"stageVariables,omitempty"`
}

// AccessLogSettings is the shape of that name.
type AccessLogSettings struct {
	DestinationArn *string `json:"destinationArn,omitempty"`
	Format         *string `json:"format,omitempty"`
}

// RouteSettings is the shape of that name.
type RouteSettings struct {
	DataTraceEnabled       *bool    `json:"dataTraceEnabled,omitempty"`
	DetailedMetricsEnabled *bool    `json:"detailedMetricsEnabled,omitempty"`
	LoggingLevel           *string  `json:"loggingLevel,omitempty"`
	ThrottlingBurstLimit   *int     `json:"throttlingBurstLimit,omitempty"`
	ThrottlingRateLimit    *float64 `json:"throttlingRateLimit,omitempty"`
}

// DomainProps are the properties of a domain name.
type DomainProps struct {
	DomainNameConfigurations []DomainConfiguration `json:"domainNameConfigurations,omitempty"`
	MutualTLSAuthentication  map[string]any        `json:"mutualTlsAuthentication,omitempty"`
	RoutingMode              *string               `json:"routingMode,omitempty"`
}

// DomainConfiguration is the shape DomainNameConfiguration.
type DomainConfiguration struct {
	APIGatewayDomainName                *string       `json:"apiGatewayDomainName,omitempty"`
	CertificateArn                      *string       `json:"certificateArn,omitempty"`
	CertificateName                     *string       `json:"certificateName,omitempty"`
	CertificateUploadDate               *wire.ISOTime `json:"certificateUploadDate,omitempty"`
	DomainNameStatus                    *string       `json:"domainNameStatus,omitempty"`
	DomainNameStatusMessage             *string       `json:"domainNameStatusMessage,omitempty"`
	EndpointType                        *string       `json:"endpointType,omitempty"`
	HostedZoneID                        *string       `json:"hostedZoneId,omitempty"`
	IPAddressType                       *string       `json:"ipAddressType,omitempty"`
	OwnershipVerificationCertificateArn *string       `json:"ownershipVerificationCertificateArn,omitempty"`
	SecurityPolicy                      *string       `json:"securityPolicy,omitempty"`
}
