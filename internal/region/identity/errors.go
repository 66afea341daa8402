package identity

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"sync"

	"github.com/seed-615d3599/roost/internal/region/identity/providers"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The texts are those that people have got from Cognito, but where a comment
// says otherwise. All errors have status 400.

func refuse(code, format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

func notAuthorized(format string, args ...any) *wire.Error {
	return refuse("NotAuthorizedException", format, args...)
}

func invalidParameter(format string, args ...any) *wire.Error {
	return refuse("InvalidParameterException", format, args...)
}

func noPool(id string) *wire.Error {
	return refuse("ResourceNotFoundException", "IdentityPool '%s' not found.", id)
}

// noIdentity has a text that was not found anywhere; it is formed like that
// for pools.
func noIdentity(id string) *wire.Error {
	return refuse("ResourceNotFoundException", "Identity '%s' not found.", id)
}

func noGuests() *wire.Error {
	return notAuthorized("Unauthenticated access is not supported for this identity pool.")
}

func unsupportedProvider() *wire.Error {
	return notAuthorized("Token is not from a supported provider of this identity pool.")
}

func loginsDontMatch() *wire.Error {
	return notAuthorized("Logins don't match. Please include at least one valid login for this identity or identity pool.")
}

func badConfiguration() *wire.Error {
	return refuse("InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration. Check assigned IAM roles for this pool.")
}

// loginTaken has the text of the API reference.
func loginTaken() *wire.Error {
	return refuse("ResourceConflictException", "Login is already linked to another account.")
}

// loginError says why a provider's login is not taken. For a login that
// Twitter rejects Cognito's text was not found anywhere; ours is like that for
// tokens. What a provider answered is not passed on.
func loginError(provider string, err error) error {
	var rejected *providers.Rejected
	switch {
	case errors.As(err, &rejected) && rejected.WrongApp:
		return unsupportedProvider()
	case errors.As(err, &rejected):
		return notAuthorized("Invalid login token. %s", rejected.Reason)
	case errors.Is(err, providers.ErrUnavailable):
		return refuse("ExternalServiceException", "%s is not responding. Try again later.", provider)
	}
	return err
}

// check is the constraint of one member, from the service model.
type check struct {
	name, value string
	pattern     *regexp.Regexp
	max         int // 0 means no bound
	optional    bool
}

var (
	idPattern        = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w-]+:[0-9a-f-]+$`) })
	poolNamePattern  = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w\s+=,.@-]+$`) })
	developerPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w._-]+$`) })
	rolePattern      = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(un)?authenticated$`) })
	valuePattern     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w.;_/-]+$`) })
)

// validate returns the first constraint that does not hold, in the words of
// AWS's services. The code is InvalidParameterException for a pool's name, as
// people have got it, and else ValidationException, as for a pool's id.
func validate(checks ...check) error {
	for _, c := range checks {
		if c.value == "" && c.optional {
			continue
		}
		rule := ""
		switch {
		case c.value == "":
			rule = "Member must have length greater than or equal to 1"
		case c.max > 0 && len(c.value) > c.max:
			rule = fmt.Sprintf("Member must have length less than or equal to %d", c.max)
		case c.pattern != nil && !c.pattern.MatchString(c.value):
			pattern := c.pattern.String()
			rule = "Member must satisfy regular expression pattern: " + pattern[1:len(pattern)-1]
		default:
			continue
		}
		code := "ValidationException"
		if c.name == "identityPoolName" {
			code = "InvalidParameterException"
		}
		return refuse(code, "1 validation error detected: Value '%.200s' at '%s' failed to satisfy constraint: %s", c.value, c.name, rule)
	}
	return nil
}

func poolID(id string) check {
	return check{name: "identityPoolId", value: id, pattern: idPattern(), max: 55}
}

func identityID(id string) check {
	return check{name: "identityId", value: id, pattern: idPattern(), max: 55}
}

// validateLogins checks the sizes of a map of logins. Tokens are not repeated
// in errors.
func validateLogins(logins map[string]string) error {
	if len(logins) > 10 {
		return refuse("ValidationException", "1 validation error detected: Value at 'logins' failed to satisfy constraint: Member must have length less than or equal to 10")
	}
	for provider, token := range logins {
		if err := validate(check{name: "logins", value: provider, max: 128}); err != nil {
			return err
		}
		if token == "" || len(token) > 50000 {
			return refuse("ValidationException", "1 validation error detected: Value at 'logins' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 50000, Member must have length greater than or equal to 1]")
		}
	}
	return nil
}

// validateLimit checks a page's size.
func validateLimit(n int) error {
	if n < 1 || n > 60 {
		return refuse("ValidationException", "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and 60", n)
	}
	return nil
}
