package lambda

import (
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The kinds of documents in the store.
const (
	kindFunction = "lambda-function" // key: name
	kindLayer    = "lambda-layer"    // key: name/version, the version with leading zeros
	kindEvent    = "lambda-event"    // key: request id
)

const latest = "$LATEST"

// function is everything about one function.
type function struct {
	Name        string
	Created     string
	Latest      version
	Versions    []version // published, ascending
	NextVersion int
	Aliases     map[string]alias            `json:",omitempty"`
	Reserved    *int                        `json:",omitempty"`
	Tags        map[string]string           `json:",omitempty"`
	Policies    map[string]policy           `json:",omitempty"` // by qualifier; "" is the function itself
	URLs        map[string]functionURL      `json:",omitempty"` // by alias; "" is $LATEST
	Events      map[string]eventConfig      `json:",omitempty"` // by qualifier, "$LATEST" for none
	Provisioned map[string]provisionedState `json:",omitempty"` // by version or alias
}

// version is the configuration and code of $LATEST or of a published version.
type version struct {
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
	Storage      int
	SnapStart    string
	Logging      loggingConfig
	Architecture string

	CodeSHA  string // hexadecimal
	CodeSize int64
	Opt      string     // base name of the merged layers' folder, or empty
	LayerUse []layerRef // the layers with their sizes
	Updated  bool       // it was changed since it was made: LastUpdateStatus is told
}

type alias struct {
	Version     string
	Description string
	Weights     map[string]float64 `json:",omitempty"`
	Revision    string
}

type policy struct {
	Revision   string
	Statements []statement
}

// statement is one statement of a resource policy, in the order in which
// Lambda writes its members.
type statement struct {
	Sid       string
	Effect    string
	Principal any
	Action    string
	Resource  string
	Condition map[string]map[string]string `json:",omitempty"`
}

type functionURL struct {
	ID       string
	AuthType string
	Cors     *corsConfig `json:",omitempty"`
	Mode     string      // as it was given; empty means BUFFERED
	Created  string
	Modified string
}

type eventConfig struct {
	Retries   *int `json:",omitempty"`
	MaxAge    *int `json:",omitempty"` // seconds
	OnSuccess string
	OnFailure string
	Modified  wire.Time
	Written   destinationConfig // as it was given
}

type provisionedState struct {
	Requested int
	Modified  string
}

type layerVersion struct {
	Name, Description, Created, License string
	Version                             int64
	Runtimes, Architectures             []string
	CodeSHA                             string
	CodeSize                            int64
}

// usedCode names the folders of the code store that something still needs.
func usedCode(functions []*function, layers []*layerVersion) map[string]bool {
	used := map[string]bool{}
	for _, f := range functions {
		for _, v := range append([]version{f.Latest}, f.Versions...) {
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

// find returns a version by its name or an alias's.
func (f *function) find(qualifier string) (*version, bool) {
	if a, ok := f.Aliases[qualifier]; ok {
		qualifier = a.Version
	}
	if qualifier == "" || qualifier == latest {
		return &f.Latest, true
	}
	for i := range f.Versions {
		if f.Versions[i].Version == qualifier {
			return &f.Versions[i], true
		}
	}
	return nil, false
}

// arn is a function's ARN, with a qualifier unless that is empty.
func (l *Lambda) arn(name, qualifier string) string {
	arn := "arn:aws:lambda:" + l.config.Region + ":" + l.config.Account + ":function:" + name
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return arn
}

// Patterns of the API's service model (FunctionName, Alias and Qualifier).
var (
	namePattern  = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)
	aliasPattern = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,128}$`)
	digits       = regexp.MustCompile(`^[0-9]+$`)
)

// resolve splits what an input says of the function into its name and
// qualifier. A qualifier that is given twice must be the same.
func (l *Lambda) resolve(given, qualifier string) (name, resolved string, err error) {
	parts := strings.Split(given, ":")
	switch {
	case len(parts) >= 7 && parts[0] == "arn" && parts[5] == "function":
		if parts[2] != "lambda" || parts[3] != l.config.Region || parts[4] != l.config.Account {
			return "", "", wire.Errorf(404, "ResourceNotFoundException", "Functions from %q are not reachable in this region (%q)", parts[3]+":"+parts[4], l.config.Region+":"+l.config.Account)
		}
		parts = parts[6:]
	case len(parts) >= 3 && parts[1] == "function":
		if parts[0] != l.config.Account {
			return "", "", wire.Errorf(404, "ResourceNotFoundException", "Functions of the account %s are not reachable here", parts[0])
		}
		parts = parts[2:]
	}
	name = parts[0]
	if len(parts) == 2 {
		if qualifier != "" && qualifier != parts[1] {
			return "", "", invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		qualifier = parts[1]
	}
	if len(parts) > 2 || !namePattern.MatchString(name) {
		return "", "", &wire.Error{Status: 400, Code: "ValidationException", Message: "1 validation error detected: Value '" + given +
			"' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?"}
	}
	if qualifier != "" && qualifier != latest && !aliasPattern.MatchString(qualifier) {
		return "", "", &wire.Error{Status: 400, Code: "ValidationException", Message: "1 validation error detected: Value '" + qualifier +
			"' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)"}
	}
	return name, qualifier, nil
}

// failed makes an error with the member Type, which every Lambda error has.
func failed(status int, code, message string) *wire.Error {
	return &wire.Error{Status: status, Code: code, Message: message, Fields: map[string]any{"Type": "User"}}
}

func invalid(message string) *wire.Error {
	return failed(400, "InvalidParameterValueException", message)
}

func conflict(message string) *wire.Error {
	return failed(409, "ResourceConflictException", message)
}

// notFound is the one error whose text travels as "Message" (service model).
func notFound(message string) *wire.Error {
	e := failed(404, "ResourceNotFoundException", message)
	e.Fields["Message"] = message
	return e
}

func (l *Lambda) noFunction(name, qualifier string) *wire.Error {
	return notFound("Function not found: " + l.arn(name, qualifier))
}

func stale() *wire.Error {
	return failed(412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
}

// describe is a version as the API shows it. The ARN has a qualifier for
// published versions, or where the caller asked with one.
func (l *Lambda) describe(name string, v *version, qualifier string) configuration {
	if qualifier == "" && v.Version != latest {
		qualifier = v.Version
	}
	c := configuration{
		FunctionName: name, FunctionArn: l.arn(name, qualifier), Runtime: v.Runtime, Role: v.Role, Handler: v.Handler,
		CodeSize: v.CodeSize, CodeSha256: codeSha256(v.CodeSHA), Description: v.Description, Timeout: v.Timeout, MemorySize: v.MemorySize,
		LastModified: v.Modified, Version: v.Version, RevisionID: v.Revision, PackageType: "Zip",
		TracingConfig: tracingConfig{Mode: v.Tracing}, Architectures: []string{v.Architecture},
		EphemeralStorage: ephemeralStorage{Size: v.Storage}, SnapStart: snapStart{ApplyOn: v.SnapStart, OptimizationStatus: "Off"},
		LoggingConfig: v.Logging, Layers: v.LayerUse, State: "Active", LastUpdateStatus: "Successful",
		RuntimeVersionConfig: &runtimeVersionConfig{RuntimeVersionArn: "arn:aws:lambda:" + l.config.Region + "::runtime:" + v.Runtime},
	}
	if v.HasVariables {
		c.Environment = &environmentShape{Variables: v.Variables}
		if v.Variables == nil {
			c.Environment.Variables = map[string]string{}
		}
	}
	return c
}

// paginate cuts a sorted list at Marker and MaxItems. key names an item.
func paginate[T any](items []T, p page, key func(T) string) (part []T, next string) {
	sort.SliceStable(items, func(i, j int) bool { return key(items[i]) < key(items[j]) })
	if p.Marker != "" {
		at, _ := slices.BinarySearchFunc(items, p.Marker, func(item T, marker string) int { return strings.Compare(key(item), marker) })
		items = items[at:]
	}
	limit := p.MaxItems
	if limit <= 0 || limit > 10_000 {
		limit = 50
	}
	if len(items) <= limit {
		return append([]T{}, items...), ""
	}
	return items[:limit], key(items[limit])
}

// versionKey orders versions: $LATEST first, then by number.
func versionKey(v string) string {
	if v == latest {
		return ""
	}
	n, _ := strconv.Atoi(v)
	return "v" + strings.Repeat("0", 12-min(12, len(strconv.Itoa(n)))) + strconv.Itoa(n)
}

// optFolder is where the merged layers of a version are, or empty.
func (l *Lambda) optFolder(v *version) string {
	if v.Opt == "" {
		return ""
	}
	return filepath.Join(l.config.Dir, "code", v.Opt)
}
