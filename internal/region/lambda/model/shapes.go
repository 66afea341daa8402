package model

// Ref is the part of an input that says which function is meant: by name, by
// "name:qualifier", by partial or whole ARN.
type Ref struct {
	FunctionName string `uri:"FunctionName"`
	Qualifier    string `query:"Qualifier"`
}

// Target returns what Names.Resolve takes.
func (r *Ref) Target() (name, qualifier string) { return r.FunctionName, r.Qualifier }

// NameRef is Ref for operations without a qualifier.
type NameRef struct {
	FunctionName string `uri:"FunctionName"`
}

// Target returns what Names.Resolve takes.
func (r *NameRef) Target() (name, qualifier string) { return r.FunctionName, "" }

// Page is the part of a list operation's input that asks for a page.
type Page struct {
	Marker   string `query:"Marker"`
	MaxItems int    `query:"MaxItems"`
}

// ListInput is the input of operations that list what a function has.
type ListInput struct {
	NameRef
	Page
}

// Empty is the output of operations without one.
type Empty struct{}

// LoggingConfig says how and where a function logs.
type LoggingConfig struct {
	LogFormat           string `json:",omitempty"` // "Text" or "JSON"
	ApplicationLogLevel string `json:",omitempty"` // of the JSON format
	SystemLogLevel      string `json:",omitempty"` // of the JSON format
	LogGroup            string `json:",omitempty"`
}

// LayerRef is a layer version that a function uses.
type LayerRef struct {
	Arn      string
	CodeSize int64 // of the zip in bytes
}

// Destination is the ARN of what receives the records of asynchronous calls.
type Destination struct {
	Destination string `json:",omitempty"`
}

// DestinationConfig are the destinations of asynchronous calls.
type DestinationConfig struct {
	OnSuccess *Destination `json:",omitempty"`
	OnFailure *Destination `json:",omitempty"`
}

// CorsConfig is the CORS configuration of a function URL.
type CorsConfig struct {
	AllowCredentials *bool    `json:",omitempty"`
	AllowHeaders     []string `json:",omitempty"`
	AllowMethods     []string `json:",omitempty"`
	AllowOrigins     []string `json:",omitempty"`
	ExposeHeaders    []string `json:",omitempty"`
	MaxAge           *int     `json:",omitempty"` // seconds
}

// Concurrency is a function's reserved concurrency; nil means none.
type Concurrency struct {
	ReservedConcurrentExecutions *int `json:",omitempty"`
}
