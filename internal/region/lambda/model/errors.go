package model

import (
	"encoding/json"

	"github.com/google/uuid"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Failed makes an error with the member Type, which every Lambda error has.
func Failed(status int, code, message string) *wire.Error {
	return &wire.Error{Status: status, Code: code, Message: message, Fields: map[string]any{"Type": "User"}}
}

// Invalid is an InvalidParameterValueException.
func Invalid(message string) *wire.Error {
	return Failed(400, "InvalidParameterValueException", message)
}

// Conflict is a ResourceConflictException.
func Conflict(message string) *wire.Error {
	return Failed(409, "ResourceConflictException", message)
}

// NotFound is a ResourceNotFoundException, the one error whose text travels as
// "Message" (service model).
func NotFound(message string) *wire.Error {
	e := Failed(404, "ResourceNotFoundException", message)
	e.Fields["Message"] = message
	return e
}

// Stale is the error for a RevisionId that is not the latest.
func Stale() *wire.Error {
	return Failed(412, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
}

// Enum is the error for a value that is not in a member's enumeration, whose
// values set lists.
func Enum(value, member, set string) *wire.Error {
	return Failed(400, "ValidationException", "1 validation error detected: Value '"+value+"' at '"+member+
		"' failed to satisfy constraint: Member must satisfy enum value set: ["+set+"]")
}

// NewID is a RevisionId.
func NewID() string { return uuid.NewString() }

// OrElse is s, or otherwise where s is empty.
func OrElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// EqualJSON compares two values by what the store would keep of them.
func EqualJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
