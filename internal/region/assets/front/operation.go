package front

import (
	"context"
	"encoding/xml"
	"net/http"
	"reflect"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/xmlbody"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Namespace is that of S3's XML documents.
const Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// Op is wire.Op for an operation that refuses headers that it does not know.
func Op[In, Out any](name string, handle func(context.Context, *wire.Call, *In) (*Out, error), options ...wire.Option) wire.Operation {
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
		if strings.HasPrefix(name, MetaPrefix) && known["content-type"] {
			continue
		}
		return fault.NotImplemented("the header " + name + " of " + c.Operation)
	}
	if err := checkQuery(c, known); err != nil {
		return err
	}
	if owner := c.HTTP.Header.Get("x-amz-expected-bucket-owner"); owner != "" && owner != c.Account {
		return fault.AccessDenied()
	}
	return nil
}

// checkQuery refuses headers that a signed URL carries as parameters, which S3
// takes and roost does not read there.
func checkQuery(c *wire.Call, known map[string]bool) error {
	for name := range c.HTTP.URL.Query() {
		name = strings.ToLower(name)
		if known[name] && name != "x-amz-checksum-mode" || strings.HasPrefix(name, MetaPrefix) {
			return fault.NotImplemented("the parameter " + name + " in a signed URL: send it as a header")
		}
	}
	return nil
}

// BucketInput is the input of operations that only name a bucket.
type BucketInput struct {
	Bucket string `uri:"Bucket" required:"true"`
}

// BucketName returns the name.
func (in BucketInput) BucketName() string { return in.Bucket }

// Empty is the output of operations that answer nothing.
type Empty struct{}

// OnBucket is the target of an operation on a bucket.
func OnBucket[In interface{ BucketName() string }](a *Front, action string) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *In) []wire.Target {
		name := (*in).BucketName()
		return []wire.Target{{Action: action, Resource: "arn:aws:s3:::" + name, Policy: a.PolicyOf(name)}}
	})
}

// XMLAnswer is an answer with a document and headers.
func XMLAnswer(c *wire.Call, header http.Header, document any) (*wire.Raw, error) {
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

// HeadAnswer is an answer of headers only.
func HeadAnswer(c *wire.Call, status int, header http.Header) *wire.Raw {
	header.Set("x-amz-request-id", c.RequestID)
	return &wire.Raw{Status: status, Header: header}
}

// ReadXML reads a document of a client.
func ReadXML(body []byte, root string, v any) error {
	err := xmlbody.Unmarshal(body, root, v)
	if unknown, ok := err.(*xmlbody.UnknownError); ok {
		return fault.NotImplemented("the element " + unknown.Path)
	}
	if err != nil {
		return fault.MalformedXML()
	}
	return nil
}

// Rooted is a document under a root element of its own name.
type Rooted struct {
	Root     string
	Document any
}

// MarshalXML implements xml.Marshaler.
func (r Rooted) MarshalXML(encoder *xml.Encoder, _ xml.StartElement) error {
	name := xml.Name{Space: Namespace, Local: r.Root}
	return encoder.EncodeElement(reflect.ValueOf(r.Document).Elem().Interface(), xml.StartElement{Name: name})
}

// AccessControlPolicy is the document of an access control list.
type AccessControlPolicy struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy" json:"-"`
	Owner   Owner
	Grants  []grant `xml:"AccessControlList>Grant"`
}

type grant struct {
	Grantee struct {
		Schema string `xml:"xmlns:xsi,attr" json:"-"`
		Type   string `xml:"xsi:type,attr"`
		ID     string
	}
	Permission string
}

// OwnersACL is the only access control list there is: the owner's.
func (a *Front) OwnersACL() *AccessControlPolicy {
	owner := a.Owner()
	all := grant{Permission: "FULL_CONTROL"}
	all.Grantee.Schema, all.Grantee.Type, all.Grantee.ID = "http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", owner.ID
	return &AccessControlPolicy{Owner: owner, Grants: []grant{all}}
}
