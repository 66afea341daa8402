package layers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/seed-615d3599/roost/internal/region/lambda/code"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Objects reads objects of S3, where code may come from.
type Objects interface {
	// Object opens an object that the caller may read.
	Object(ctx context.Context, caller *wire.Caller, bucket, key, version string) (io.ReadCloser, error)
}

// Archives brings code of functions and layers into the store.
type Archives struct {
	Code    *code.Store
	Objects Objects // nil: code comes from zip files only
}

// Source says where an archive comes from: the bytes, or an object of S3.
type Source struct {
	S3Bucket, S3Key, S3ObjectVersion string
	ZipFile                          []byte
}

// Fetch unpacks an archive, unless it is in the store already. From S3 it comes
// with the caller's rights, as in Lambda: else whoever may change a function could
// read every object.
func (a *Archives) Fetch(ctx context.Context, caller *wire.Caller, in Source) (code.Archive, error) {
	var body io.Reader = bytes.NewReader(in.ZipFile)
	if len(in.ZipFile) == 0 {
		if in.S3Bucket == "" || in.S3Key == "" {
			return code.Archive{}, model.Invalid("Please provide a source for function code.")
		}
		if a.Objects == nil {
			return code.Archive{}, model.Invalid("code from S3 is not available here")
		}
		object, err := a.Objects.Object(ctx, caller, in.S3Bucket, in.S3Key, in.S3ObjectVersion)
		if err != nil {
			return code.Archive{}, unread(in, err)
		}
		defer object.Close()
		body = object
	}
	archive, err := a.Code.Add(body)
	var path *os.PathError
	if errors.As(err, &path) || err == nil {
		return archive, err
	}
	return archive, model.Invalid(err.Error())
}

// unread is Lambda's error for an object that could not be read. A refusal keeps
// the account of the decision.
func unread(in Source, err error) error {
	said := "S3 Error Code: " + model.OrElse(wire.Code(err), "NoSuchKey") + ". S3 Error Message: " + text(err)
	var denied *wire.Denied
	if !errors.As(err, &denied) {
		return model.Invalid("Error occurred while GetObject. " + said)
	}
	seen := *denied
	seen.Err = model.Failed(http.StatusForbidden, "AccessDeniedException", "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for "+in.S3Bucket+"/"+in.S3Key+". "+said)
	return &seen
}

// text is an error's message without its code.
func text(err error) string {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
