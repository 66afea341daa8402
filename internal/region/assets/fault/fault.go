// Package fault makes the errors of S3, with AWS's own codes and texts (S3 API
// Reference, "Error responses").
package fault

import (
	"errors"
	"io"
	"net/http"
	"syscall"

	"github.com/seed-615d3599/roost/internal/region/assets/content"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
)

// NoSuchBucket says that a bucket does not exist.
func NoSuchBucket() error {
	return wire.Errorf(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
}

// NoSuchKey says that an object does not exist.
func NoSuchKey() error {
	return wire.Errorf(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

// NoSuchVersion says that a version of an object does not exist.
func NoSuchVersion() error {
	return wire.Errorf(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
}

// NoSuchUpload says that an upload in parts does not exist.
func NoSuchUpload() error {
	return wire.Errorf(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
}

// InvalidArgument says that a value is wrong.
func InvalidArgument(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidArgument", format, args...)
}

// InvalidRequest says that a request makes no sense.
func InvalidRequest(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidRequest", format, args...)
}

// MalformedXML says that a document cannot be read.
func MalformedXML() error {
	return wire.Errorf(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

// NotImplemented refuses by name what roost does not do.
func NotImplemented(what string) error {
	return wire.Errorf(http.StatusNotImplemented, "NotImplemented", "A header or setting you provided implies functionality that is not implemented: roost does not support %s", what)
}

// PreconditionFailed says that a condition of the request does not hold.
func PreconditionFailed() error {
	return wire.Errorf(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

// TooLarge says that an object is larger than S3 takes at once.
func TooLarge() error {
	return wire.Errorf(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
}

// Body says what went wrong while a body was read and written down.
func Body(err error) error {
	var refused *sigv4.Error
	switch {
	case errors.As(err, &refused):
		return &wire.Error{Status: refused.Status, Code: refused.Code, Message: refused.Message}
	case errors.Is(err, content.ErrTooLarge):
		return TooLarge()
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		// Not 500 or 503: clients would send everything again at once.
		return wire.Errorf(http.StatusInsufficientStorage, "InsufficientStorage", "the disk of the region is full, and nothing of the object was kept: free some space and send it again")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return wire.Errorf(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	return err
}

// AccessDenied refuses without a reason.
func AccessDenied() error { return wire.Errorf(http.StatusForbidden, "AccessDenied", "Access Denied") }

// NoACL says that there are no access control lists.
func NoACL() error {
	return wire.Errorf(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
}
