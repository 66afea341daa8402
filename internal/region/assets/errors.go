package assets

import (
	"errors"
	"net/http"
	"syscall"

	"github.com/seed-615d3599/roost/internal/region/assets/content"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/sigv4"
)

// The errors of S3 with AWS's own texts (S3 API Reference, "Error responses").

func noSuchBucket() error {
	return wire.Errorf(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
}

func noSuchKey() error {
	return wire.Errorf(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
}

func noSuchVersion() error {
	return wire.Errorf(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
}

func noSuchUpload() error {
	return wire.Errorf(http.StatusNotFound, "NoSuchUpload", "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.")
}

func invalidArgument(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidArgument", format, args...)
}

func invalidRequest(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidRequest", format, args...)
}

func malformedXML() error {
	return wire.Errorf(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

// notImplemented refuses by name what roost does not do.
func notImplemented(what string) error {
	return wire.Errorf(http.StatusNotImplemented, "NotImplemented", "A header or setting you provided implies functionality that is not implemented: roost does not support %s", what)
}

func preconditionFailed() error {
	return wire.Errorf(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

func tooLarge() error {
	return wire.Errorf(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
}

// bodyError says what went wrong while a body was read and written down.
func bodyError(err error) error {
	var refused *sigv4.Error
	switch {
	case errors.As(err, &refused):
		return &wire.Error{Status: refused.Status, Code: refused.Code, Message: refused.Message}
	case errors.Is(err, content.ErrTooLarge):
		return tooLarge()
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		// Not 500 or 503: clients would send everything again at once.
		return wire.Errorf(http.StatusInsufficientStorage, "InsufficientStorage", "the disk of the region is full, and nothing of the object was kept: free some space and send it again")
	case isShortBody(err):
		return wire.Errorf(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	return err
}
