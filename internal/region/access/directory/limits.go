package directory

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Quotas and limits (IAM User Guide, "IAM and AWS STS quotas"; where a quota
// can be raised, its default).
const (
	maxAttached        = 10 // managed policies of one identity
	maxGroups          = 10 // groups of one user
	maxKeys            = 2  // access keys of one user
	maxVersions        = 5  // versions of one managed policy
	maxTags            = 50
	maxClientIDs       = 100
	maxThumbprints     = 5
	maxManagedSize     = 6144 // characters of a managed policy, white space not counted
	maxTrustSize       = 2048
	maxDocument        = 131072 // characters of any document
	maxPath            = 512
	maxDescription     = 1000
	maxUserAndRoleName = 64
	maxName            = 128 // of groups and policies
)

// inlineSizes is how many characters all inline policies of an identity may
// have together, white space not counted.
var inlineSizes = map[Kind]int{User: 2048, Group: 5120, Role: 10240}

// Patterns of the IAM API Reference.
var (
	namePattern       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@-]+$`) })
	pathPattern       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(/|/[\x21-\x7e]+/)$`) })
	documentPattern   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\x{9}\x{A}\x{D}\x{20}-\x{FF}]*$`) })
	tagKeyPattern     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$`) })
	tagValuePattern   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`) })
	thumbprintPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9A-Fa-f]{40}$`) })
)

func checkName(kind Kind, name string) error {
	limit := maxUserAndRoleName
	if kind == Group {
		limit = maxName
	}
	return checkMember(string(kind)+"Name", name, limit)
}

// checkMember checks a name against IAM's pattern for names.
func checkMember(member, value string, limit int) error {
	if !namePattern().MatchString(value) {
		return Invalid("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	if len(value) > limit {
		return Invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", value, member, limit)
	}
	return nil
}

// CleanPath checks a path, and returns "/" for none.
func CleanPath(path string) (string, error) {
	if path == "" {
		return "/", nil
	}
	if !pathPattern().MatchString(path) || len(path) > maxPath {
		return "", Invalid("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	return path, nil
}

// checkDocument checks length and characters of a policy document.
func checkDocument(member, document string) error {
	if utf8.RuneCountInString(document) > maxDocument {
		return Invalid("1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", member, maxDocument)
	}
	if !utf8.ValidString(document) || !documentPattern().MatchString(document) {
		return Invalid("The specified value for %s is invalid. It must contain only printable ASCII characters.", member)
	}
	return nil
}

// policySize counts a document's characters as the quotas do, without white
// space.
func policySize(document string) int {
	n := 0
	for _, r := range document {
		if !strings.ContainsRune(" \t\r\n", r) {
			n++
		}
	}
	return n
}

// CheckTags checks number, keys and values of tags; of is what they are tags of,
// such as "Role".
func CheckTags(of string, tags map[string]string) error {
	if len(tags) > maxTags {
		return exceeded("Cannot exceed quota for TagsPer%s: %d", of, maxTags)
	}
	for key, value := range tags {
		switch {
		case !tagKeyPattern().MatchString(key) || utf8.RuneCountInString(key) > 128:
			return Invalid("1 validation error detected: Value '%s' at 'tags.member.key' failed to satisfy constraint: Member must have length between 1 and 128 and satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+", key)
		case !tagValuePattern().MatchString(value) || utf8.RuneCountInString(value) > 256:
			return Invalid("1 validation error detected: Value '%s' at 'tags.member.value' failed to satisfy constraint: Member must have length less than or equal to 256 and satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*", value)
		case len(key) >= 4 && strings.EqualFold(key[:4], "aws:"):
			return wire.Errorf(http.StatusBadRequest, "InvalidInput", "Tag key %s: aws: prefixed tag key names are not allowed for external use.", key)
		}
	}
	return nil
}

// Tag is a key and a value.
type Tag struct {
	Key   string `required:"true"`
	Value string
}

// TagMap returns tags by their keys. Keys that differ in case only are
// duplicates, which are refused.
func TagMap(tags []Tag) (map[string]string, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	m := make(map[string]string, len(tags))
	for i, tag := range tags {
		if slices.ContainsFunc(tags[:i], func(t Tag) bool { return strings.EqualFold(t.Key, tag.Key) }) {
			return nil, wire.Errorf(http.StatusBadRequest, "InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		m[tag.Key] = tag.Value
	}
	return m, nil
}

// TagList returns tags in the order of their keys.
func TagList(m map[string]string) []Tag {
	tags := make([]Tag, 0, len(m))
	for _, key := range SortedKeys(m) {
		tags = append(tags, Tag{Key: key, Value: m[key]})
	}
	return tags
}

// retag returns tags with some set and some taken away. A key that is set takes
// the place of one that differs in case only.
func retag(old map[string]string, set []Tag, unset []string) (map[string]string, error) {
	changed, err := TagMap(set)
	if err != nil {
		return nil, err
	}
	for key, value := range old {
		gone := slices.ContainsFunc(unset, func(k string) bool { return strings.EqualFold(k, key) }) ||
			slices.ContainsFunc(set, func(t Tag) bool { return strings.EqualFold(t.Key, key) })
		if gone {
			continue
		}
		if changed == nil {
			changed = map[string]string{}
		}
		changed[key] = value
	}
	return changed, nil
}

// SortedKeys returns the keys of a map in order.
func SortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Invalid is IAM's error for a parameter that is wrong.
func Invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
}

// NoSuch is IAM's error for an identity that is not there.
func NoSuch(kind Kind, name string) *wire.Error {
	return NotFound("The %s with name %s cannot be found.", kind, name)
}

// NotFound is IAM's error for a thing that is not there.
func NotFound(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusNotFound, "NoSuchEntity", format, args...)
}

func malformed(err error) error {
	return wire.Errorf(http.StatusBadRequest, "MalformedPolicyDocument", "%v", err)
}

func conflict(format string, args ...any) error {
	return wire.Errorf(http.StatusConflict, "DeleteConflict", format, args...)
}

func alreadyExists(format string, args ...any) error {
	return wire.Errorf(http.StatusConflict, "EntityAlreadyExists", format, args...)
}

func exceeded(format string, args ...any) error {
	return wire.Errorf(http.StatusConflict, "LimitExceeded", format, args...)
}

// Quotas returns the quotas under the names of GetAccountSummary.
func Quotas() map[string]int {
	return map[string]int{
		"UserPolicySizeQuota": inlineSizes[User], "GroupPolicySizeQuota": inlineSizes[Group], "RolePolicySizeQuota": inlineSizes[Role],
		"AssumeRolePolicySizeQuota": maxTrustSize, "PolicySizeQuota": maxManagedSize, "VersionsPerPolicyQuota": maxVersions,
		"AttachedPoliciesPerUserQuota": maxAttached, "AttachedPoliciesPerGroupQuota": maxAttached, "AttachedPoliciesPerRoleQuota": maxAttached,
		"GroupsPerUserQuota": maxGroups, "AccessKeysPerUserQuota": maxKeys, "GlobalEndpointTokenVersion": 1,
	}
}
