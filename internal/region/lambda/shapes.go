package lambda

import (
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The shapes of the API, with the members of AWS's service model that are
// served here. A member that is missing here is refused by its name.

// ref is the part of an input that says which function is meant: by name, by
// "name:qualifier", by partial or whole ARN.
type ref struct {
	FunctionName string `uri:"FunctionName"`
	Qualifier    string `query:"Qualifier"`
}

func (r *ref) target() (name, qualifier string) { return r.FunctionName, r.Qualifier }

// nameRef is ref for operations without a qualifier.
type nameRef struct {
	FunctionName string `uri:"FunctionName"`
}

func (r *nameRef) target() (name, qualifier string) { return r.FunctionName, "" }

type functionCode struct {
	ZipFile         []byte `json:",omitempty"`
	S3Bucket        string `json:",omitempty"`
	S3Key           string `json:",omitempty"`
	S3ObjectVersion string `json:",omitempty"`
	ImageURI        string `json:"ImageUri,omitempty"`
}

type environmentShape struct {
	Variables map[string]string `json:"Variables"`
}

type deadLetterConfig struct {
	TargetArn string `json:"TargetArn,omitempty"`
}

type tracingConfig struct {
	Mode string
}

type ephemeralStorage struct {
	Size int
}

type snapStart struct {
	ApplyOn            string
	OptimizationStatus string `json:",omitempty"`
}

type loggingConfig struct {
	LogFormat           string `json:",omitempty"`
	ApplicationLogLevel string `json:",omitempty"`
	SystemLogLevel      string `json:",omitempty"`
	LogGroup            string `json:",omitempty"`
}

// vpcConfig is accepted only where it says that there is no VPC.
type vpcConfig struct {
	SubnetIDs               []string `json:"SubnetIds"`
	SecurityGroupIDs        []string `json:"SecurityGroupIds"`
	IPv6AllowedForDualStack bool     `json:"Ipv6AllowedForDualStack"`
}

// settings are the members that CreateFunction and UpdateFunctionConfiguration
// share. A nil pointer or empty string leaves a setting as it is.
type settings struct {
	Runtime          string            `json:",omitempty"`
	Role             string            `json:",omitempty"`
	Handler          string            `json:",omitempty"`
	Description      *string           `json:",omitempty"`
	Timeout          *int              `json:",omitempty"`
	MemorySize       *int              `json:",omitempty"`
	Environment      *environmentShape `json:",omitempty"`
	DeadLetterConfig *deadLetterConfig `json:",omitempty"`
	TracingConfig    *tracingConfig    `json:",omitempty"`
	Layers           *[]string         `json:",omitempty"`
	EphemeralStorage *ephemeralStorage `json:",omitempty"`
	SnapStart        *snapStart        `json:",omitempty"`
	LoggingConfig    *loggingConfig    `json:",omitempty"`
	VpcConfig        *vpcConfig        `json:",omitempty"`
	KMSKeyArn        string            `json:",omitempty"`
}

type createFunctionInput struct {
	FunctionName string `required:"true"`
	settings
	Code                 functionCode
	Publish              bool              `json:",omitempty"`
	PackageType          string            `json:",omitempty"`
	Tags                 map[string]string `json:",omitempty"`
	Architectures        []string          `json:",omitempty"`
	CodeSigningConfigArn string            `json:",omitempty"`
}

func (in *createFunctionInput) target() (name, qualifier string) { return in.FunctionName, "" }

type updateFunctionConfigurationInput struct {
	nameRef
	settings
	RevisionID string `json:"RevisionId,omitempty"`
}

type updateFunctionCodeInput struct {
	nameRef
	functionCode
	Publish       bool     `json:",omitempty"`
	DryRun        bool     `json:",omitempty"`
	RevisionID    string   `json:"RevisionId,omitempty"`
	Architectures []string `json:",omitempty"`
}

type layerRef struct {
	Arn      string
	CodeSize int64
}

type runtimeVersionConfig struct {
	RuntimeVersionArn string
}

// configuration is FunctionConfiguration.
type configuration struct {
	FunctionName         string
	FunctionArn          string
	Runtime              string `json:",omitempty"`
	Role                 string
	Handler              string `json:",omitempty"`
	CodeSize             int64
	Description          string
	Timeout              int
	MemorySize           int
	LastModified         string
	CodeSha256           string
	Version              string
	DeadLetterConfig     *deadLetterConfig `json:",omitempty"`
	Environment          *environmentShape `json:",omitempty"`
	TracingConfig        tracingConfig
	RevisionID           string     `json:"RevisionId"`
	Layers               []layerRef `json:",omitempty"`
	State                string     `json:",omitempty"`
	StateReason          string     `json:",omitempty"`
	StateReasonCode      string     `json:",omitempty"`
	LastUpdateStatus     string     `json:",omitempty"`
	PackageType          string
	Architectures        []string
	EphemeralStorage     ephemeralStorage
	SnapStart            snapStart
	RuntimeVersionConfig *runtimeVersionConfig `json:",omitempty"`
	LoggingConfig        loggingConfig
}

type codeLocation struct {
	RepositoryType string
	Location       string `json:",omitempty"`
}

type concurrencyShape struct {
	ReservedConcurrentExecutions *int `json:",omitempty"`
}

type getFunctionOutput struct {
	Configuration configuration
	Code          codeLocation
	Tags          map[string]string `json:",omitempty"`
	Concurrency   *concurrencyShape `json:",omitempty"`
}

type page struct {
	Marker   string `query:"Marker"`
	MaxItems int    `query:"MaxItems"`
}

type listFunctionsInput struct {
	page
	FunctionVersion string `query:"FunctionVersion"`
	MasterRegion    string `query:"MasterRegion"`
}

type listFunctionsOutput struct {
	NextMarker string `json:",omitempty"`
	Functions  []configuration
}

type listByFunctionInput struct {
	nameRef
	page
}

type listVersionsOutput struct {
	NextMarker string `json:",omitempty"`
	Versions   []configuration
}

type publishVersionInput struct {
	nameRef
	CodeSha256  string  `json:",omitempty"`
	Description *string `json:",omitempty"`
	RevisionID  string  `json:"RevisionId,omitempty"`
}

type routingConfig struct {
	AdditionalVersionWeights map[string]float64 `json:",omitempty"`
}

type createAliasInput struct {
	nameRef
	Name            string         `required:"true"`
	FunctionVersion string         `required:"true"`
	Description     string         `json:",omitempty"`
	RoutingConfig   *routingConfig `json:",omitempty"`
}

type aliasRef struct {
	FunctionName string `uri:"FunctionName"`
	Name         string `uri:"Name"`
}

func (r *aliasRef) target() (name, qualifier string) { return r.FunctionName, r.Name }

type updateAliasInput struct {
	aliasRef
	FunctionVersion string         `json:",omitempty"`
	Description     *string        `json:",omitempty"`
	RoutingConfig   *routingConfig `json:",omitempty"`
	RevisionID      string         `json:"RevisionId,omitempty"`
}

type aliasConfiguration struct {
	AliasArn        string
	Name            string
	FunctionVersion string
	Description     string
	RoutingConfig   *routingConfig `json:",omitempty"`
	RevisionID      string         `json:"RevisionId"`
}

type listAliasesInput struct {
	nameRef
	page
	FunctionVersion string `query:"FunctionVersion"`
}

type listAliasesOutput struct {
	NextMarker string `json:",omitempty"`
	Aliases    []aliasConfiguration
}

type addPermissionInput struct {
	ref
	StatementID           string `json:"StatementId" required:"true"`
	Action                string `required:"true"`
	Principal             string `required:"true"`
	SourceArn             string `json:",omitempty"`
	SourceAccount         string `json:",omitempty"`
	PrincipalOrgID        string `json:",omitempty"`
	FunctionURLAuthType   string `json:"FunctionUrlAuthType,omitempty"`
	InvokedViaFunctionURL *bool  `json:"InvokedViaFunctionUrl,omitempty"`
	EventSourceToken      string `json:",omitempty"`
	RevisionID            string `json:"RevisionId,omitempty"`
}

type addPermissionOutput struct {
	Statement string
}

type removePermissionInput struct {
	ref
	StatementID string `json:"StatementId" uri:"StatementId"`
	RevisionID  string `json:"RevisionId" query:"RevisionId"`
}

type getPolicyOutput struct {
	Policy     string
	RevisionID string `json:"RevisionId"`
}

type putConcurrencyInput struct {
	nameRef
	ReservedConcurrentExecutions *int `required:"true"`
}

type putProvisionedInput struct {
	ref
	ProvisionedConcurrentExecutions int `required:"true"`
}

type provisionedOutput struct {
	FunctionArn                              string `json:",omitempty"` // in lists
	RequestedProvisionedConcurrentExecutions int
	AvailableProvisionedConcurrentExecutions int
	AllocatedProvisionedConcurrentExecutions int
	Status                                   string
	LastModified                             string
}

type listProvisionedOutput struct {
	ProvisionedConcurrencyConfigs []provisionedOutput
	NextMarker                    string `json:",omitempty"`
}

type destination struct {
	Destination string `json:",omitempty"`
}

type destinationConfig struct {
	OnSuccess *destination `json:",omitempty"`
	OnFailure *destination `json:",omitempty"`
}

type putEventInvokeInput struct {
	ref
	MaximumRetryAttempts     *int               `json:",omitempty"`
	MaximumEventAgeInSeconds *int               `json:",omitempty"`
	DestinationConfig        *destinationConfig `json:",omitempty"`
}

type eventInvokeOutput struct {
	LastModified             wire.Time
	FunctionArn              string
	MaximumRetryAttempts     *int `json:",omitempty"`
	MaximumEventAgeInSeconds *int `json:",omitempty"`
	DestinationConfig        destinationConfig
}

type listEventInvokeOutput struct {
	FunctionEventInvokeConfigs []eventInvokeOutput
	NextMarker                 string `json:",omitempty"`
}

type corsConfig struct {
	AllowCredentials *bool    `json:",omitempty"`
	AllowHeaders     []string `json:",omitempty"`
	AllowMethods     []string `json:",omitempty"`
	AllowOrigins     []string `json:",omitempty"`
	ExposeHeaders    []string `json:",omitempty"`
	MaxAge           *int     `json:",omitempty"`
}

type createURLInput struct {
	ref
	AuthType   string      `required:"true"`
	Cors       *corsConfig `json:",omitempty"`
	InvokeMode string      `json:",omitempty"`
}

type updateURLInput struct {
	ref
	AuthType   string      `json:",omitempty"`
	Cors       *corsConfig `json:",omitempty"`
	InvokeMode string      `json:",omitempty"`
}

type urlOutput struct {
	FunctionURL      string `json:"FunctionUrl"`
	FunctionArn      string
	AuthType         string
	Cors             *corsConfig `json:",omitempty"`
	CreationTime     string
	LastModifiedTime string `json:",omitempty"`
	InvokeMode       string `json:",omitempty"`
}

type listURLsOutput struct {
	FunctionURLConfigs []urlOutput `json:"FunctionUrlConfigs"`
	NextMarker         string      `json:",omitempty"`
}

type layerContent struct {
	S3Bucket        string `json:",omitempty"`
	S3Key           string `json:",omitempty"`
	S3ObjectVersion string `json:",omitempty"`
	ZipFile         []byte `json:",omitempty"`
}

type publishLayerInput struct {
	LayerName               string `uri:"LayerName"`
	Description             string `json:",omitempty"`
	Content                 layerContent
	CompatibleRuntimes      []string `json:",omitempty"`
	LicenseInfo             string   `json:",omitempty"`
	CompatibleArchitectures []string `json:",omitempty"`
}

type layerVersionRef struct {
	LayerName     string `uri:"LayerName"`
	VersionNumber int64  `uri:"VersionNumber"`
}

type layerByARNInput struct {
	Arn string `query:"Arn"`
}

type listLayersInput struct {
	page
	LayerName              string `uri:"LayerName"`
	CompatibleRuntime      string `query:"CompatibleRuntime"`
	CompatibleArchitecture string `query:"CompatibleArchitecture"`
}

type layerContentOutput struct {
	Location   string `json:",omitempty"`
	CodeSha256 string
	CodeSize   int64
}

type layerVersionOutput struct {
	Content                 *layerContentOutput `json:",omitempty"`
	LayerArn                string              `json:",omitempty"`
	LayerVersionArn         string
	Description             string
	CreatedDate             string
	Version                 int64
	CompatibleRuntimes      []string `json:",omitempty"`
	LicenseInfo             string   `json:",omitempty"`
	CompatibleArchitectures []string `json:",omitempty"`
}

type listLayerVersionsOutput struct {
	NextMarker    string `json:",omitempty"`
	LayerVersions []layerVersionOutput
}

type layerItem struct {
	LayerName             string
	LayerArn              string
	LatestMatchingVersion layerVersionOutput
}

type listLayersOutput struct {
	NextMarker string `json:",omitempty"`
	Layers     []layerItem
}

type tagInput struct {
	Resource string            `uri:"Resource"`
	Tags     map[string]string `required:"true"`
}

type untagInput struct {
	Resource string   `uri:"Resource"`
	TagKeys  []string `query:"tagKeys"`
}

type listTagsInput struct {
	Resource string `uri:"Resource"`
}

type tagsOutput struct {
	Tags map[string]string
}

type accountSettings struct {
	AccountLimit accountLimit
	AccountUsage accountUsage
}

type accountLimit struct {
	TotalCodeSize, CodeSizeUnzipped, CodeSizeZipped      int64
	ConcurrentExecutions, UnreservedConcurrentExecutions int
}

type accountUsage struct {
	TotalCodeSize, FunctionCount int64
}

type invokeInput struct {
	ref
	InvocationType       string `header:"X-Amz-Invocation-Type"`
	LogType              string `header:"X-Amz-Log-Type"`
	ClientContext        string `header:"X-Amz-Client-Context"`
	DurableExecutionName string `header:"X-Amz-Durable-Execution-Name"`
	TenantID             string `json:"TenantId" header:"X-Amz-Tenant-Id"`
	Payload              []byte `payload:"true"`
}

type empty struct{}
