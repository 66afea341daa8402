package callers

import (
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The shapes of the API, with the members of AWS's service model that are
// served here. A member that is missing here is refused by its name.

type addPermissionInput struct {
	model.Ref
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
	model.Ref
	StatementID string `json:"StatementId" uri:"StatementId"`
	RevisionID  string `json:"RevisionId" query:"RevisionId"`
}

type getPolicyOutput struct {
	Policy     string
	RevisionID string `json:"RevisionId"`
}

type putConcurrencyInput struct {
	model.NameRef
	ReservedConcurrentExecutions *int `required:"true"`
}

type putProvisionedInput struct {
	model.Ref
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

type putEventInvokeInput struct {
	model.Ref
	MaximumRetryAttempts     *int                     `json:",omitempty"`
	MaximumEventAgeInSeconds *int                     `json:",omitempty"`
	DestinationConfig        *model.DestinationConfig `json:",omitempty"`
}

type eventInvokeOutput struct {
	LastModified             wire.Time
	FunctionArn              string
	MaximumRetryAttempts     *int `json:",omitempty"`
	MaximumEventAgeInSeconds *int `json:",omitempty"`
	DestinationConfig        model.DestinationConfig
}

type listEventInvokeOutput struct {
	FunctionEventInvokeConfigs []eventInvokeOutput
	NextMarker                 string `json:",omitempty"`
}

type createURLInput struct {
	model.Ref
	AuthType   string            `required:"true"`
	Cors       *model.CorsConfig `json:",omitempty"`
	InvokeMode string            `json:",omitempty"`
}

type updateURLInput struct {
	model.Ref
	AuthType   string            `json:",omitempty"`
	Cors       *model.CorsConfig `json:",omitempty"`
	InvokeMode string            `json:",omitempty"`
}

type urlOutput struct {
	FunctionURL      string `json:"FunctionUrl"`
	FunctionArn      string
	AuthType         string
	Cors             *model.CorsConfig `json:",omitempty"`
	CreationTime     string
	LastModifiedTime string `json:",omitempty"`
	InvokeMode       string `json:",omitempty"`
}

type listURLsOutput struct {
	FunctionURLConfigs []urlOutput `json:"FunctionUrlConfigs"`
	NextMarker         string      `json:",omitempty"`
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
