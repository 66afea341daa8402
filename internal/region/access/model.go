package access

import (
	"fmt"
	"net/http"
	"regexp"
	"sort"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// identity is a user, a role or a group, as it is stored. It is not changed
// once others can see it.
type identity struct {
	Kind        string // "user", "role" or "group"
	Name        string
	Path        string
	ID          string
	ARN         string
	Created     wire.Time
	Tags        map[string]string `json:",omitempty"`
	Inline      map[string]string `json:",omitempty"` // policy name → document
	Attached    []string          `json:",omitempty"` // ARNs of managed policies, in order of attachment
	Boundary    string            `json:",omitempty"` // ARN
	Trust       string            `json:",omitempty"` // of a role
	Description string            `json:",omitempty"`
	MaxSession  int               `json:",omitempty"` // of a role, seconds
	Groups      []string          `json:",omitempty"` // of a user, names

	inline []iam.Attached // compiled, in order of names
	trust  *iam.Policy
}

// compile parses the documents, so that deciding need not.
func (x *identity) compile() error {
	x.inline = nil
	for _, name := range sortedKeys(x.Inline) {
		policy, err := iam.Parse([]byte(x.Inline[name]))
		if err != nil {
			return fmt.Errorf("policy %s: %w", name, err)
		}
		x.inline = append(x.inline, iam.Attached{Name: name, Owner: x.ARN, Policy: policy})
	}
	if x.Trust == "" {
		return nil
	}
	trust, err := iam.ParseTrust([]byte(x.Trust))
	x.trust = trust
	return err
}

// managedPolicy is a managed policy with its versions.
type managedPolicy struct {
	Name        string
	Path        string
	ID          string
	ARN         string
	Description string `json:",omitempty"`
	Created     wire.Time
	Updated     wire.Time
	Tags        map[string]string `json:",omitempty"`
	Versions    []policyVersion   // oldest first
	Default     string            // "v1"
	NextVersion int

	policy *iam.Policy // the default version, compiled
}

type policyVersion struct {
	ID       string
	Document string
	Created  wire.Time
}

func (p *managedPolicy) version(id string) (policyVersion, bool) {
	for _, v := range p.Versions {
		if v.ID == id {
			return v, true
		}
	}
	return policyVersion{}, false
}

func (p *managedPolicy) compile() error {
	v, _ := p.version(p.Default)
	policy, err := iam.Parse([]byte(v.Document))
	p.policy = policy
	return err
}

// accessKey is the long-lived key of a user.
type accessKey struct {
	ID       string
	Secret   string
	UserName string
	Status   string // "Active" or "Inactive"
	Created  wire.Time
}

// identityProvider is an OpenID Connect provider.
type identityProvider struct {
	ARN         string
	URL         string
	ClientIDs   []string
	Thumbprints []string
	Tags        map[string]string `json:",omitempty"`
	Created     wire.Time
}

func loadPolicies(tx *store.Tx, into *index[*managedPolicy]) error {
	all, err := store.All[*managedPolicy](tx, kindPolicy, "")
	if err != nil {
		return err
	}
	for _, p := range all {
		if err := p.compile(); err != nil {
			return fmt.Errorf("policy %s: %w", p.ARN, err)
		}
		into.set(p.ARN, p)
	}
	return nil
}

// Patterns and limits of the IAM API Reference.
var (
	namePattern = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	pathPattern = regexp.MustCompile(`^(/|/[\x21-\x7e]+/)$`)
)

// maxNames says how long the name of a kind of thing may be.
func maxName(kind string) int {
	if kind == "group" {
		return 128
	}
	return 64
}

func checkName(kind, name string) error {
	if !namePattern.MatchString(name) || len(name) > maxName(kind) {
		return invalid("1 validation error detected: Value '%s' at '%sName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+ and have at most %d characters", name, kind, maxName(kind))
	}
	return nil
}

func pathOr(path string) (string, error) {
	if path == "" {
		return "/", nil
	}
	if !pathPattern.MatchString(path) || len(path) > 512 {
		return "", invalid("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
}

func noSuch(kind, name string) *wire.Error {
	return wire.Errorf(http.StatusNotFound, "NoSuchEntity", "The %s with name %s cannot be found.", kind, name)
}

func malformed(err error) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, "MalformedPolicyDocument", "%v", err)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// Tag is a key and a value.
type Tag struct {
	Key   string `required:"true"`
	Value string
}

func tagMap(tags []Tag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	m := make(map[string]string, len(tags))
	for _, tag := range tags {
		m[tag.Key] = tag.Value
	}
	return m
}

func tagList(m map[string]string) []Tag {
	tags := make([]Tag, 0, len(m))
	for _, key := range sortedKeys(m) {
		tags = append(tags, Tag{Key: key, Value: m[key]})
	}
	return tags
}
