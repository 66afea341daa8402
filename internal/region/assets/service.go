package assets

import (
	"context"
	"encoding/xml"
	"net/http"
	"reflect"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// namespace is that of S3's XML documents.
const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// describe makes the table of operations.
func (a *Assets) describe() *wire.Service {
	s := &wire.Service{Name: "s3", Protocol: wire.RESTXML, Namespace: namespace}
	for _, operations := range [][]wire.Operation{
		a.bucketOperations(), a.settingOperations(), a.policyOperations(),
		a.objectOperations(), a.listOperations(), a.multipartOperations(), a.versionOperations(), a.detailOperations(),
	} {
		s.Operations = append(s.Operations, operations...)
	}
	return s
}

func (a *Assets) bucketOperations() []wire.Operation {
	return []wire.Operation{
		op("ListBuckets", a.listBuckets, wire.HTTP("GET /", 200), wire.Action("s3:ListAllMyBuckets")),
		op("CreateBucket", a.createBucket, wire.HTTP("PUT /{Bucket}", 200), onBucket[createBucketInput](a, "s3:CreateBucket")),
		op("HeadBucket", a.headBucket, wire.HTTP("HEAD /{Bucket}", 200), onBucket[bucketInput](a, "s3:ListBucket")),
		op("DeleteBucket", a.deleteBucket, wire.HTTP("DELETE /{Bucket}", 204), onBucket[bucketInput](a, "s3:DeleteBucket")),
		op("GetBucketLocation", a.getBucketLocation, wire.HTTP("GET /{Bucket}?location", 200), onBucket[bucketInput](a, "s3:GetBucketLocation")),
	}
}

func (a *Assets) objectOperations() []wire.Operation {
	return []wire.Operation{
		op("PutObject", a.putObject, wire.HTTP("PUT /{Bucket}/{Key+}", 200), wire.Stream(), wire.Targets(a.writeTargets)),
		op("GetObject", a.getObject, wire.HTTP("GET /{Bucket}/{Key+}", 200), wire.Targets(a.readTargets)),
		op("HeadObject", a.headObject, wire.HTTP("HEAD /{Bucket}/{Key+}", 200), wire.Targets(a.readTargets)),
		op("DeleteObject", a.deleteObject, wire.HTTP("DELETE /{Bucket}/{Key+}", 204), wire.Targets(a.deleteTargets)),
	}
}

func (a *Assets) listOperations() []wire.Operation {
	return []wire.Operation{
		op("ListObjectsV2", a.listObjectsV2, wire.HTTP("GET /{Bucket}?list-type=2", 200), wire.Targets(a.listTargetsV2)),
		op("ListObjects", a.listObjects, wire.HTTP("GET /{Bucket}", 200), wire.Targets(a.listTargets)),
	}
}

// op is wire.Op for an operation that refuses headers that it does not know.
func op[In, Out any](name string, handle func(context.Context, *wire.Call, *In) (*Out, error), options ...wire.Option) wire.Operation {
	known := map[string]bool{}
	headerTags(reflect.TypeFor[In](), known)
	body, hasBody := reflect.TypeFor[In]().FieldByName("Body")
	checked := func(ctx context.Context, c *wire.Call, in *In) (*Out, error) {
		if err := checkHeaders(c, known); err != nil {
			return nil, err
		}
		if hasBody && c.HTTP != nil && name != "CompleteMultipartUpload" { // where the checksum is the object's
			if err := checkBody(c.HTTP.Header, reflect.ValueOf(in).Elem().FieldByIndex(body.Index).Bytes()); err != nil {
				return nil, err
			}
		}
		return handle(ctx, c, in)
	}
	return wire.Op(name, checked, options...)
}

// headerTags collects the headers that an input's members travel in.
func headerTags(t reflect.Type, known map[string]bool) {
	for i := range t.NumField() {
		field := t.Field(i)
		if field.Anonymous {
			headerTags(field.Type, known)
		} else if name := field.Tag.Get("header"); name != "" {
			known[strings.ToLower(name)] = true
		}
	}
}

// commonHeaders returns the headers of S3's own that any request may have. Those
// of signatures and of the body's encoding are looked at elsewhere.
func commonHeaders() map[string]bool {
	return map[string]bool{
		"x-amz-date": true, "x-amz-content-sha256": true, "x-amz-security-token": true, "x-amz-user-agent": true,
		"x-amz-decoded-content-length": true, "x-amz-trailer": true, "x-amz-sdk-checksum-algorithm": true,
		"x-amz-expected-bucket-owner": true, "x-amz-request-payer": true, "x-amz-te": true,
		// The checksum of a request's body, which the signature covers too.
		"x-amz-checksum-crc32": true, "x-amz-checksum-crc32c": true, "x-amz-checksum-crc64nvme": true,
		"x-amz-checksum-sha1": true, "x-amz-checksum-sha256": true,
	}
}

// checkHeaders refuses headers of S3's own that an operation does not know, and
// a bucket owner that is not this account.
func checkHeaders(c *wire.Call, known map[string]bool) error {
	if c.HTTP == nil {
		return nil
	}
	common := commonHeaders()
	for name := range c.HTTP.Header {
		name = strings.ToLower(name)
		if !strings.HasPrefix(name, "x-amz-") || common[name] || known[name] {
			continue
		}
		if strings.HasPrefix(name, metaPrefix) && known["content-type"] {
			continue
		}
		return fault.NotImplemented("the header " + name + " of " + c.Operation)
	}
	if owner := c.HTTP.Header.Get("x-amz-expected-bucket-owner"); owner != "" && owner != c.Account {
		return fault.AccessDenied()
	}
	return nil
}

// bucketInput is the input of operations that only name a bucket.
type bucketInput struct {
	Bucket string `uri:"Bucket" required:"true"`
}

func (in bucketInput) bucketName() string { return in.Bucket }

// empty is the output of operations that answer nothing.
type empty struct{}

// onBucket is the target of an operation on a bucket.
func onBucket[In interface{ bucketName() string }](a *Assets, action string) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *In) []wire.Target {
		name := (*in).bucketName()
		return []wire.Target{{Action: action, Resource: "arn:aws:s3:::" + name, Policy: a.policyOf(name)}}
	})
}

// xmlAnswer is an answer with a document and headers.
func xmlAnswer(c *wire.Call, header http.Header, document any) (*wire.Raw, error) {
	data, err := xml.Marshal(document)
	if err != nil {
		return nil, err
	}
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "application/xml")
	header.Set("x-amz-request-id", c.RequestID)
	return &wire.Raw{Header: header, Body: strings.NewReader(xml.Header + string(data))}, nil
}

// headAnswer is an answer of headers only.
func headAnswer(c *wire.Call, status int, header http.Header) *wire.Raw {
	header.Set("x-amz-request-id", c.RequestID)
	return &wire.Raw{Status: status, Header: header}
}
