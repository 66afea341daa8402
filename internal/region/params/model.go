package params

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The kinds under which things are stored. The latest version of a parameter is
// in its own record, so that a new parameter is one write.
const (
	kindParameter = "ssm-parameter" // by name
	kindVersion   = "ssm-version"   // by name NUL version
)

// The types of parameters.
const (
	typeString = "String"
	typeList   = "StringList"
	typeSecure = "SecureString"
)

// defaultKey is the key of SecureStrings for which none is named.
const defaultKey = "alias/aws/ssm"

// parameter is a parameter with its latest version.
type parameter struct {
	Name string
	Tags map[string]string `json:",omitempty"`
	version
}

// version is one version of a parameter.
type version struct {
	Number         int64
	Type           string
	Value          string // of a SecureString sealed
	KeyID          string `json:",omitempty"`
	Description    string `json:",omitempty"`
	AllowedPattern string `json:",omitempty"`
	Tier           string
	DataType       string
	Modified       wire.Time
	ModifiedBy     string
	Labels         []string `json:",omitempty"`
}

func versionKey(name string, number int64) string { return fmt.Sprintf("%s\x00%012d", name, number) }

// context binds a sealed value to its place.
func (p *Params) context(name string, number int64) string {
	return p.arn(name) + ":" + strconv.FormatInt(number, 10)
}

// find reads a parameter; nil if there is none.
func (p *Params) find(tx *store.Tx, name string) (*parameter, error) {
	var x parameter
	found, err := tx.Get(kindParameter, name, &x)
	if err != nil || !found {
		return nil, err
	}
	return &x, nil
}

// versions reads all versions of a parameter, the oldest first.
func versions(tx *store.Tx, x *parameter) ([]version, error) {
	older, err := store.All[version](tx, kindVersion, x.Name+"\x00")
	return append(older, x.version), err
}

// put writes a version back to where it is kept.
func (x *parameter) put(tx *store.Tx, v version) error {
	if v.Number == x.Number {
		x.version = v
		return tx.Put(kindParameter, x.Name, x)
	}
	return tx.Put(kindVersion, versionKey(x.Name, v.Number), v)
}

// parse takes a reference apart: a name or an ARN, and behind a colon a version
// or a label.
func (p *Params) parse(reference string) (name, selector string) {
	rest := reference
	if after, ok := strings.CutPrefix(reference, p.arn("")); ok {
		rest = "/" + after
		if !strings.Contains(strings.Split(after, ":")[0], "/") {
			rest = after // a name of one level is written without a slash, mostly
		}
	}
	name, selector, _ = strings.Cut(rest, ":")
	return name, selector
}

// resolve reads the parameter that a reference names. Of an ARN it cannot be told
// whether the name begins with a slash, so that both are looked for.
func (p *Params) resolve(tx *store.Tx, reference string) (*parameter, string, error) {
	name, selector := p.parse(reference)
	x, err := p.find(tx, name)
	if err == nil && x == nil && strings.HasPrefix(reference, "arn:") {
		other, slash := strings.CutPrefix(name, "/")
		if !slash {
			other = "/" + name
		}
		x, err = p.find(tx, other)
	}
	if err == nil && x == nil {
		err = notFound(reference)
	}
	return x, selector, err
}

// selected returns the version that a selector means: "" the latest, "3" the
// third, anything else a label.
func selected(tx *store.Tx, x *parameter, selector string) (version, error) {
	if selector == "" || selector == strconv.FormatInt(x.Number, 10) {
		return x.version, nil
	}
	all, err := versions(tx, x)
	if err != nil {
		return version{}, err
	}
	number, isNumber := strconv.ParseInt(selector, 10, 64)
	for _, v := range all {
		if isNumber == nil && v.Number == number || slices.Contains(v.Labels, selector) {
			return v, nil
		}
	}
	if isNumber == nil {
		return version{}, wire.Errorf(400, "ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", selector, x.Name)
	}
	return version{}, wire.Errorf(400, "ParameterVersionNotFound", "Systems Manager could not find label %s for parameter %s. Verify the label and try again.", selector, x.Name)
}

// Limits (Systems Manager User Guide, "Parameter Store quotas").
const (
	maxLevels   = 15
	maxName     = 1011
	maxVersions = 100
	maxLabels   = 10
	maxTags     = 50
	standard    = 4096 // bytes of a value
	advanced    = 8192
)

// checkName applies the rules of names of PutParameter (API Reference).
func checkName(name string) error {
	valid, err := regexp.MatchString(`^(/?[a-zA-Z0-9_.-]+)(/[a-zA-Z0-9_.-]+)*$`, name)
	lower := strings.ToLower(strings.TrimPrefix(name, "/"))
	first, _, _ := strings.Cut(lower, "/")
	switch {
	case len(name) > maxName:
		return invalid("Parameter name must not exceed %d characters", maxName)
	case strings.HasPrefix(first, "aws"):
		return wire.Errorf(400, "AccessDeniedException", "No access to reserved parameter name: %s.", name)
	case err != nil || !valid || strings.HasPrefix(first, "ssm") || !strings.HasPrefix(name, "/") && strings.Contains(name, "/"):
		return invalid("Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_")
	case strings.Count(strings.TrimPrefix(name, "/"), "/") >= maxLevels:
		return wire.Errorf(400, "HierarchyLevelLimitExceededException", "A hierarchy can have a maximum of %d levels. For more information, see Requirements and constraints for parameter names in the AWS Systems Manager User Guide.", maxLevels)
	}
	return nil
}

// enum is AWS's sentence for a member with a wrong value.
func enum(value, member, set string) error {
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]", value, member, set)
}
