package model

import (
	"regexp"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Names knows how functions of one region and account are named.
type Names struct {
	Region  string
	Account string
}

// ARN is a function's ARN, with a qualifier unless that is empty.
func (n Names) ARN(name, qualifier string) string {
	arn := "arn:aws:lambda:" + n.Region + ":" + n.Account + ":function:" + name
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return arn
}

// Parse splits the ARN of a function of this region and account. It allocates
// nothing.
func (n Names) Parse(arn string) (name, qualifier string, ok bool) {
	rest, found := strings.CutPrefix(arn, "arn:aws:lambda:")
	if !found {
		return "", "", false
	}
	if rest, found = strings.CutPrefix(rest, n.Region); !found || rest == "" {
		return "", "", false
	}
	if rest, found = strings.CutPrefix(rest[1:], n.Account); !found {
		return "", "", false
	}
	if rest, found = strings.CutPrefix(rest, ":function:"); !found {
		return "", "", false
	}
	name, qualifier, _ = strings.Cut(rest, ":")
	return name, qualifier, name != ""
}

// Patterns of the API's service model (FunctionName, Alias and Qualifier).
const (
	namePattern      = `^[a-zA-Z0-9-_]{1,64}$`
	qualifierPattern = `^[a-zA-Z0-9-_]{1,128}$`
)

// Names of functions and aliases, compiled once; they are never changed.
var (
	validName      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(namePattern) })
	validQualifier = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(qualifierPattern) })
)

// ValidQualifier says whether a text may name a version or an alias.
func ValidQualifier(s string) bool { return validQualifier().MatchString(s) }

// IsNumber says whether a qualifier names a version rather than an alias.
func IsNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Resolve splits what an input says of a function into its name and qualifier.
// A qualifier that is given twice must be the same.
func (n Names) Resolve(given, qualifier string) (name, resolved string, err error) {
	parts := strings.Split(given, ":")
	switch {
	case len(parts) >= 7 && parts[0] == "arn" && parts[5] == "function":
		if parts[2] != "lambda" || parts[3] != n.Region || parts[4] != n.Account {
			return "", "", wire.Errorf(404, "ResourceNotFoundException", "Functions from %q are not reachable in this region (%q)", parts[3]+":"+parts[4], n.Region+":"+n.Account)
		}
		parts = parts[6:]
	case len(parts) >= 3 && parts[1] == "function":
		if parts[0] != n.Account {
			return "", "", wire.Errorf(404, "ResourceNotFoundException", "Functions of the account %s are not reachable here", parts[0])
		}
		parts = parts[2:]
	}
	name = parts[0]
	if len(parts) == 2 {
		if qualifier != "" && qualifier != parts[1] {
			return "", "", Invalid("The derived qualifier from the function name does not match the specified qualifier.")
		}
		qualifier = parts[1]
	}
	if len(parts) > 2 || !validName().MatchString(name) {
		return "", "", &wire.Error{Status: 400, Code: "ValidationException", Message: "1 validation error detected: Value '" + given +
			"' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?"}
	}
	if qualifier != "" && qualifier != Latest && !ValidQualifier(qualifier) {
		return "", "", &wire.Error{Status: 400, Code: "ValidationException", Message: "1 validation error detected: Value '" + qualifier +
			"' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)"}
	}
	return name, qualifier, nil
}

// NoFunction is the error for a function, version or alias that does not exist.
func (n Names) NoFunction(name, qualifier string) *wire.Error {
	return NotFound("Function not found: " + n.ARN(name, qualifier))
}

// targeter is an input that names a function.
type targeter[T any] interface {
	*T
	Target() (name, qualifier string)
}

// OnFunction declares that an operation acts on the function that its input
// names.
func OnFunction[T any, P targeter[T]](n Names) wire.Option {
	return wire.On(func(_ *wire.Call, in *T) string {
		name, qualifier, err := n.Resolve(P(in).Target())
		if err != nil {
			return n.ARN("*", "") // the operation itself refuses the name
		}
		return n.ARN(name, qualifier)
	})
}
