package assets

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type getObjectInput struct {
	front.ObjectName
	VersionID  string `query:"versionId"`
	PartNumber int    `query:"partNumber"`
	Range      string `header:"Range"`
	IfRange    string `header:"If-Range"`
	front.Conditions
	ChecksumMode string `header:"x-amz-checksum-mode"`

	ResponseCacheControl       string `query:"response-cache-control"`
	ResponseContentDisposition string `query:"response-content-disposition"`
	ResponseContentEncoding    string `query:"response-content-encoding"`
	ResponseContentLanguage    string `query:"response-content-language"`
	ResponseContentType        string `query:"response-content-type"`
	ResponseExpires            string `query:"response-expires"`
}

func (a *Assets) getObject(ctx context.Context, c *wire.Call, in *getObjectInput) (*wire.Raw, error) {
	for try := 1; ; try++ {
		answer, o, err := a.answer(ctx, c, in)
		if err != nil || answer.Status == http.StatusNotModified || o == nil {
			return answer, err
		}
		body, err := a.Keeper.Open(o.Object)
		if err == nil {
			body.Section(o.from, o.size)
			answer.Body = body
			return answer, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || try == openTries {
			return nil, err
		}
	}
}

func (a *Assets) headObject(ctx context.Context, c *wire.Call, in *getObjectInput) (*wire.Raw, error) {
	answer, _, err := a.answer(ctx, c, in)
	if err == nil {
		answer.Body = nil
	}
	return answer, err
}

// slice is the piece of an object that is answered.
type slice struct {
	*objects.Object
	from, size int64
	status     int
}

// answer makes the head of an answer. The slice is nil if nothing of an object
// is told.
func (a *Assets) answer(ctx context.Context, c *wire.Call, in *getObjectInput) (*wire.Raw, *slice, error) {
	o, err := a.Keeper.Lookup(ctx, in.Bucket, in.Key, in.VersionID)
	var marker *objects.MarkerError
	if errors.As(err, &marker) {
		return markerAnswer(c, in, marker.Object), nil, nil
	}
	if err != nil {
		return nil, nil, a.Hide(ctx, c, in.Bucket, err)
	}
	modified, err := in.Hold(o)
	if err != nil {
		return nil, nil, err
	}
	header := objectHeader(o)
	if !modified {
		header.Del("Content-Length")
		return front.HeadAnswer(c, http.StatusNotModified, header), nil, nil
	}
	piece, err := in.slice(o)
	if err != nil {
		return nil, nil, err
	}
	in.describe(header, piece)
	return front.HeadAnswer(c, piece.status, header), piece, nil
}

// markerAnswer is the answer for a delete marker (S3 User Guide, "Working with
// delete markers").
func markerAnswer(c *wire.Call, in *getObjectInput, o *objects.Object) *wire.Raw {
	header := http.Header{}
	header.Set("x-amz-delete-marker", "true")
	front.AddVersion(header, o)
	header.Set("Content-Type", "application/xml")
	status, code, message := http.StatusNotFound, "NoSuchKey", "The specified key does not exist."
	if in.VersionID != "" {
		status, code, message = http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource."
		header.Set("Allow", "DELETE")
		header.Set("Last-Modified", o.Modified.Format(http.TimeFormat))
	}
	answer := front.HeadAnswer(c, status, header)
	answer.Body = strings.NewReader("<Error><Code>" + code + "</Code><Message>" + message + "</Message><RequestId>" + c.RequestID + "</RequestId></Error>")
	return answer
}

// objectHeader is what is told of an object with each answer.
func objectHeader(o *objects.Object) http.Header {
	header := http.Header{}
	for name, value := range o.Headers {
		header.Set(name, value)
	}
	for name, value := range o.Meta {
		header[front.MetaPrefix+name] = []string{value} // in lower case: clients show the name as it comes
	}
	header.Set("Accept-Ranges", "bytes")
	header.Set("ETag", front.Quoted(o.ETag))
	header.Set("Last-Modified", o.Modified.Format(http.TimeFormat))
	header.Set("Content-Length", strconv.FormatInt(o.Size, 10))
	if o.StorageClass != "" {
		header.Set("x-amz-storage-class", o.StorageClass)
	}
	if len(o.Tags) > 0 {
		header.Set("x-amz-tagging-count", strconv.Itoa(len(o.Tags)))
	}
	front.AddVersion(header, o)
	front.AddEncryption(header, o)
	return header
}

// describe adds to the header what depends on the question.
func (in *getObjectInput) describe(header http.Header, piece *slice) {
	for name, value := range map[string]string{
		"Cache-Control": in.ResponseCacheControl, "Content-Disposition": in.ResponseContentDisposition,
		"Content-Encoding": in.ResponseContentEncoding, "Content-Language": in.ResponseContentLanguage,
		"Content-Type": in.ResponseContentType, "Expires": in.ResponseExpires,
	} {
		if value != "" {
			header.Set(name, value)
		}
	}
	if strings.EqualFold(in.ChecksumMode, "ENABLED") && piece.status == http.StatusOK {
		front.AddChecksum(header, piece.Object)
	}
	if in.PartNumber > 0 && piece.Multipart {
		header.Set("x-amz-mp-parts-count", strconv.Itoa(len(piece.Parts)))
	}
	if piece.status == http.StatusPartialContent {
		header.Set("Content-Length", strconv.FormatInt(piece.size, 10))
		header.Set("Content-Range", "bytes "+strconv.FormatInt(piece.from, 10)+"-"+strconv.FormatInt(piece.from+piece.size-1, 10)+"/"+strconv.FormatInt(piece.Size, 10))
	}
}

// slice finds the piece that Range or partNumber asks for.
func (in *getObjectInput) slice(o *objects.Object) (*slice, error) {
	whole := &slice{Object: o, size: o.Size, status: http.StatusOK}
	if in.PartNumber != 0 {
		return in.part(o)
	}
	if in.Range == "" || in.IfRange != "" && !front.Matches(in.IfRange, o.ETag) {
		return whole, nil
	}
	from, size, ok := front.ParseRange(in.Range, o.Size)
	if !ok {
		return whole, nil
	}
	if size <= 0 {
		return nil, invalidRange()
	}
	return &slice{Object: o, from: from, size: size, status: http.StatusPartialContent}, nil
}

func invalidRange() error {
	return wire.Errorf(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable")
}

func (in *getObjectInput) part(o *objects.Object) (*slice, error) {
	if in.Range != "" {
		return nil, fault.InvalidRequest("Cannot specify both Range header and partNumber query parameter")
	}
	if in.PartNumber < 1 || in.PartNumber > front.MaxParts {
		return nil, fault.InvalidArgument("Part number must be an integer between 1 and 10000, inclusive")
	}
	var from int64
	for i, p := range o.Parts {
		if i+1 == in.PartNumber {
			status := http.StatusPartialContent
			if o.Size == 0 {
				status = http.StatusOK
			}
			return &slice{Object: o, from: from, size: p.Size, status: status}, nil
		}
		from += p.Size
	}
	return nil, wire.Errorf(http.StatusRequestedRangeNotSatisfiable, "InvalidPartNumber", "The requested partnumber is not satisfiable")
}
