// Package limits refuses what members of requests cannot be, in the words in
// which AWS's front end does before CloudFormation sees them.
//
//	if err := limits.Name("stackName", in.StackName); err != nil { … }
//	if err := limits.Enum("onFailure", in.OnFailure, "DELETE", "ROLLBACK"); err != nil { … }
package limits

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

func invalid(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
}

var namePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z][-a-zA-Z0-9]*$`) })

// maxName is the length of the names of stacks and change sets, and of tokens.
const maxName = 128

// Name refuses what can name neither a stack nor a change set.
func Name(member, name string) error {
	if !namePattern().MatchString(name) {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*", name, member)
	}
	if len(name) > maxName {
		return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", name, member, maxName)
	}
	return nil
}

// Enum refuses a value that is none of those; "" passes.
func Enum(member, value string, allowed ...string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]", value, member, strings.Join(allowed, ", "))
}

var tokenPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-zA-Z0-9][-a-zA-Z0-9]*$`) })

// Token refuses what cannot be a ClientRequestToken; "" passes.
func Token(token string) error {
	if token != "" && (len(token) > maxName || !tokenPattern().MatchString(token)) {
		return invalid("1 validation error detected: Value '%s' at 'clientRequestToken' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*", token)
	}
	return nil
}
