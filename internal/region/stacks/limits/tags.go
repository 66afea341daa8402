package limits

import (
	"strings"
	"unicode/utf8"
)

// Tag is a key and a value.
type Tag struct {
	Key   string
	Value string
}

// Limits of tags ("CreateStack").
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// Tags refuses tags that a stack cannot have.
func Tags(tags []Tag) error {
	if len(tags) > maxTags {
		return invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to %d", maxTags)
	}
	seen := map[string]bool{}
	for i, tag := range tags {
		switch length := utf8.RuneCountInString(tag.Key); {
		case length < 1 || length > maxTagKey:
			return invalid("1 validation error detected: Value '%s' at 'tags.%d.member.key' failed to satisfy constraint: Member must have length between 1 and %d", tag.Key, i+1, maxTagKey)
		case utf8.RuneCountInString(tag.Value) > maxTagValue:
			return invalid("1 validation error detected: Value of tag '%s' failed to satisfy constraint: Member must have length less than or equal to %d", tag.Key, maxTagValue)
		case strings.HasPrefix(strings.ToLower(tag.Key), "aws:"):
			return invalid("Tag key %s cannot begin with aws:", tag.Key)
		case seen[tag.Key]:
			return invalid("Duplicate tag keys found: %s", tag.Key)
		}
		seen[tag.Key] = true
	}
	return nil
}
