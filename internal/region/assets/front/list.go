package front

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
)

// MaxPage is how many keys a list has at most.
const MaxPage = 1000

// ListInput is what all lists of a bucket's keys are asked with.
type ListInput struct {
	BucketInput
	Prefix       *string `query:"prefix"`
	Delimiter    string  `query:"delimiter"`
	MaxKeys      *int    `query:"max-keys"`
	EncodingType string  `query:"encoding-type"`
	Attributes   string  `header:"x-amz-optional-object-attributes"`
}

// PrefixText returns the prefix, "" if none is asked for.
func (in ListInput) PrefixText() string {
	if in.Prefix == nil {
		return ""
	}
	return *in.Prefix
}

// Query returns which keys are asked for.
func (in ListInput) Query() objects.Query {
	return objects.Query{Bucket: in.Bucket, Prefix: in.PrefixText(), Delimiter: in.Delimiter}
}

// Limit returns how many entries the answer has at most.
func (in ListInput) Limit() int {
	if in.MaxKeys == nil {
		return MaxPage
	}
	return min(*in.MaxKeys, MaxPage)
}

// Check refuses what makes no sense.
func (in ListInput) Check() error {
	if in.MaxKeys != nil && *in.MaxKeys < 0 {
		return fault.InvalidArgument("Argument maxKeys must be an integer between 0 and 2147483647")
	}
	if in.EncodingType != "" && in.EncodingType != "url" {
		return fault.InvalidArgument("Invalid Encoding Method specified in Request")
	}
	return nil
}

// Encode escapes a key for the client that asks for it. A space becomes %20,
// which every client understands, where S3 itself writes a plus sign.
func (in ListInput) Encode(key string) string {
	if in.EncodingType != "url" {
		return key
	}
	return strings.NewReplacer("%2F", "/", "+", "%20").Replace(url.QueryEscape(key))
}

// ClassOf returns an object's storage class as lists tell it.
func ClassOf(o *objects.Object) string {
	if o.StorageClass == "" {
		return "STANDARD"
	}
	return o.StorageClass
}

// SealToken makes an opaque token of a place in a list.
func SealToken(place string) string { return base64.URLEncoding.EncodeToString([]byte(place)) }

// OpenToken returns the place that SealToken hid.
func OpenToken(token string) (string, error) {
	place, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return "", fault.InvalidArgument("The continuation token provided is incorrect")
	}
	return string(place), nil
}
