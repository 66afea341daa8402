// Package model is what the rooms of Lambda share: the documents in which a
// function and its layers are stored, how functions are named, and the errors
// of the API.
//
//	docs := &model.Documents{Names: model.Names{Region: "us-east-1", Account: "123456789012"}, DB: db, …}
//	err := docs.Change(ctx, name, func(f *model.Function) error { f.Reserved = &n; return nil })
package model

import "github.com/seed-615d3599/roost/internal/region/wire"

// The kinds of documents in the store.
const (
	KindFunction = "lambda-function" // key: name
	KindLayer    = "lambda-layer"    // key: name/version, the version with leading zeros
	KindEvent    = "lambda-event"    // key: request id
)

// Latest is the version that is not published.
const Latest = "$LATEST"

// Function is everything about one function.
type Function struct {
	Name        string
	Created     string
	Latest      Version
	Versions    []Version // published, ascending
	NextVersion int
	Aliases     map[string]Alias            `json:",omitempty"`
	Reserved    *int                        `json:",omitempty"`
	Tags        map[string]string           `json:",omitempty"`
	Policies    map[string]Policy           `json:",omitempty"` // by qualifier; "" is the function itself
	URLs        map[string]FunctionURL      `json:",omitempty"` // by alias; "" is $LATEST
	Events      map[string]EventConfig      `json:",omitempty"` // by qualifier, "$LATEST" for none
	Provisioned map[string]ProvisionedState `json:",omitempty"` // by version or alias
}

// Version is the configuration and code of $LATEST or of a published version.
type Version struct {
	Version      string
	Revision     string
	Modified     string
	Runtime      string
	Role         string
	Handler      string
	Description  string
	Timeout      int // seconds
	MemorySize   int // MB
	Variables    map[string]string
	HasVariables bool // the member Environment was given, if only empty
	Tracing      string
	Layers       []string // ARNs of layer versions
	Storage      int      // MB
	SnapStart    string
	Logging      LoggingConfig
	Architecture string

	CodeSHA  string     // hexadecimal
	CodeSize int64      // of the zip in bytes
	Opt      string     // base name of the merged layers' folder, or empty
	LayerUse []LayerRef // the layers with their sizes
}

// Alias is a name for a version.
type Alias struct {
	Version     string
	Description string
	Weights     map[string]float64 `json:",omitempty"` // of another version
	Revision    string
}

// Policy is a resource policy.
type Policy struct {
	Revision   string
	Statements []Statement
}

// Statement is one statement of a resource policy, in the order in which
// Lambda writes its members.
type Statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

// Document is a resource policy as GetPolicy shows it and as package iam reads
// it.
type Document struct {
	Version   string
	ID        string `json:"Id"`
	Statement []Statement
}

// Document returns the policy as a document.
func (p Policy) Document() Document {
	return Document{Version: "2012-10-17", ID: "default", Statement: p.Statements}
}

// FunctionURL is a function URL.
type FunctionURL struct {
	ID       string      // the first label of its host
	AuthType string      // "NONE" or "AWS_IAM"
	Cors     *CorsConfig `json:",omitempty"`
	Mode     string      // as it was given; empty means BUFFERED
	Created  string
	Modified string
	Port     int    // its own, kept across restarts; 0: none
	URL      string // where it answers
}

// EventConfig are the settings of asynchronous calls.
type EventConfig struct {
	Retries   *int `json:",omitempty"`
	MaxAge    *int `json:",omitempty"` // seconds
	OnSuccess string
	OnFailure string
	Modified  wire.Time
	Written   DestinationConfig // as it was given
}

// ProvisionedState is provisioned concurrency, which is kept as a setting.
type ProvisionedState struct {
	Requested int
	Modified  string
}

// LayerVersion is one version of a layer.
type LayerVersion struct {
	Name, Description, Created, License string
	Version                             int64
	Runtimes, Architectures             []string
	CodeSHA                             string // hexadecimal
	CodeSize                            int64  // of the zip in bytes
}

// UsedCode names the folders of the code store that something still needs.
func UsedCode(functions []*Function, layers []*LayerVersion) map[string]bool {
	used := map[string]bool{}
	for _, f := range functions {
		for _, v := range append([]Version{f.Latest}, f.Versions...) {
			used[v.CodeSHA] = true
			if v.Opt != "" {
				used[v.Opt] = true
			}
		}
	}
	for _, layer := range layers {
		used[layer.CodeSHA] = true
	}
	return used
}

// Find returns a version by its name or an alias's. An empty qualifier means
// $LATEST.
func (f *Function) Find(qualifier string) (*Version, bool) {
	if a, ok := f.Aliases[qualifier]; ok {
		qualifier = a.Version
	}
	if qualifier == "" || qualifier == Latest {
		return &f.Latest, true
	}
	for i := range f.Versions {
		if f.Versions[i].Version == qualifier {
			return &f.Versions[i], true
		}
	}
	return nil, false
}

// Forget removes what a version or an alias had, which is gone: another one of
// that name would otherwise find it, its policy and its open URL among it.
func (f *Function) Forget(qualifier string) {
	delete(f.Policies, qualifier)
	delete(f.URLs, qualifier)
	delete(f.Events, qualifier)
	delete(f.Provisioned, qualifier)
}

// SameRun says whether environments of one version can serve another.
func SameRun(a, b *Version) bool {
	x, y := *a, *b
	x.Version, x.Revision, x.Modified, x.Description = y.Version, y.Revision, y.Modified, y.Description
	return a.Version == b.Version && EqualJSON(x, y)
}
