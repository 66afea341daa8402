package functions

import (
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
)

// The shapes of the API, with the members of AWS's service model that are
// served here. A member that is missing here is refused by its name.

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

type vpcConfig struct {
	SubnetIDs               []string `json:"SubnetIds"`
	SecurityGroupIDs        []string `json:"SecurityGroupIds"`
	IPv6AllowedForDualStack bool     `json:"Ipv6AllowedForDualStack"`
}

type settings struct {
	Runtime          string               `json:",omitempty"`
	Role             string               `json:",omitempty"`
	Handler          string               `json:",omitempty"`
	Description      *string              `json:",omitempty"`
	Timeout          *int                 `json:",omitempty"`
	MemorySize       *int                 `json:",omitempty"`
	Environment      *environmentShape    `json:",omitempty"`
	DeadLetterConfig *deadLetterConfig    `json:",omitempty"`
	TracingConfig    *tracingConfig       `json:",omitempty"`
	Layers           *[]string            `json:",omitempty"`
	EphemeralStorage *ephemeralStorage    `json:",omitempty"`
	SnapStart        *snapStart           `json:",omitempty"`
	LoggingConfig    *model.LoggingConfig `json:",omitempty"`
	VpcConfig        *vpcConfig           `json:",omitempty"`
	KMSKeyArn        string               `json:",omitempty"`
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

func (in *createFunctionInput) Target() (name, qualifier string) { return in.FunctionName, "" }

type updateFunctionConfigurationInput struct {
	model.NameRef
	settings
	RevisionID string `json:"RevisionId,omitempty"`
}

type updateFunctionCodeInput struct {
	model.NameRef
	functionCode
	Publish       bool     `json:",omitempty"`
	DryRun        bool     `json:",omitempty"`
	RevisionID    string   `json:"RevisionId,omitempty"`
	Architectures []string `json:",omitempty"`
}

type runtimeVersionConfig struct {
	RuntimeVersionArn string
}

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
	RevisionID           string           `json:"RevisionId"`
	Layers               []model.LayerRef `json:",omitempty"`
	State                string           `json:",omitempty"`
	StateReason          string           `json:",omitempty"`
	StateReasonCode      string           `json:",omitempty"`
	LastUpdateStatus     string           `json:",omitempty"`
	PackageType          string
	Architectures        []string
	EphemeralStorage     ephemeralStorage
	SnapStart            snapStart
	RuntimeVersionConfig *runtimeVersionConfig `json:",omitempty"`
	LoggingConfig        model.LoggingConfig
}

type codeLocation struct {
	RepositoryType string
	Location       string `json:",omitempty"`
}

type getFunctionOutput struct {
	Configuration configuration
	Code          codeLocation
	Tags          map[string]string  `json:",omitempty"`
	Concurrency   *model.Concurrency `json:",omitempty"`
}

type listFunctionsInput struct {
	model.Page
	FunctionVersion string `query:"FunctionVersion"`
	MasterRegion    string `query:"MasterRegion"`
}

type listFunctionsOutput struct {
	NextMarker string `json:",omitempty"`
	Functions  []configuration
}

type listVersionsOutput struct {
	NextMarker string `json:",omitempty"`
	Versions   []configuration
}

type publishVersionInput struct {
	model.NameRef
	CodeSha256  string  `json:",omitempty"`
	Description *string `json:",omitempty"`
	RevisionID  string  `json:"RevisionId,omitempty"`
}

type routingConfig struct {
	AdditionalVersionWeights map[string]float64 `json:",omitempty"`
}

type createAliasInput struct {
	model.NameRef
	Name            string         `required:"true"`
	FunctionVersion string         `required:"true"`
	Description     string         `json:",omitempty"`
	RoutingConfig   *routingConfig `json:",omitempty"`
}

type aliasRef struct {
	FunctionName string `uri:"FunctionName"`
	Name         string `uri:"Name"`
}

func (r *aliasRef) Target() (name, qualifier string) { return r.FunctionName, r.Name }

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
	model.NameRef
	model.Page
	FunctionVersion string `query:"FunctionVersion"`
}

type listAliasesOutput struct {
	NextMarker string `json:",omitempty"`
	Aliases    []aliasConfiguration
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
