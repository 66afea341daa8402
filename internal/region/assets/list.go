package assets

import (
	"context"
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// maxPage is how many keys a list has at most.
const maxPage = 1000

// listInput is what all lists of a bucket's keys are asked with.
type listInput struct {
	bucketInput
	Prefix       *string `query:"prefix"`
	Delimiter    string  `query:"delimiter"`
	MaxKeys      *int    `query:"max-keys"`
	EncodingType string  `query:"encoding-type"`
	Attributes   string  `header:"x-amz-optional-object-attributes"`
}

type listObjectsV2Input struct {
	listInput
	ContinuationToken *string `query:"continuation-token"`
	StartAfter        string  `query:"start-after"`
	FetchOwner        bool    `query:"fetch-owner"`
}

type listObjectsInput struct {
	listInput
	Marker string `query:"marker"`
}

// Contents is an object in a list.
type Contents struct {
	Key               string
	LastModified      wire.Time
	ETag              string
	ChecksumAlgorithm string `xml:",omitempty" json:",omitempty"`
	ChecksumType      string `xml:",omitempty" json:",omitempty"`
	Size              int64
	Owner             *Owner `xml:",omitempty" json:",omitempty"`
	StorageClass      string
}

// CommonPrefix stands in a list for all keys that begin with it.
type CommonPrefix struct{ Prefix string }

// ListBucketResult is the answer of ListObjectsV2 and ListObjects.
type ListBucketResult struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult" json:"-"`
	Name                  string
	Prefix                string
	Marker                *string `xml:",omitempty" json:",omitempty"`
	StartAfter            string  `xml:",omitempty" json:",omitempty"`
	ContinuationToken     *string `xml:",omitempty" json:",omitempty"`
	NextContinuationToken string  `xml:",omitempty" json:",omitempty"`
	NextMarker            string  `xml:",omitempty" json:",omitempty"`
	KeyCount              *int    `xml:",omitempty" json:",omitempty"`
	MaxKeys               int
	Delimiter             string `xml:",omitempty" json:",omitempty"`
	EncodingType          string `xml:",omitempty" json:",omitempty"`
	IsTruncated           bool
	Contents              []Contents     `json:",omitempty"`
	CommonPrefixes        []CommonPrefix `json:",omitempty"`
}

func (a *Assets) listObjectsV2(ctx context.Context, _ *wire.Call, in *listObjectsV2Input) (*ListBucketResult, error) {
	after := in.StartAfter
	if in.ContinuationToken != nil {
		var err error
		if after, err = openToken(*in.ContinuationToken); err != nil || after == "" {
			return nil, fault.InvalidArgument("The continuation token provided is incorrect")
		}
	}
	p, err := a.page(ctx, in.listInput, after)
	if err != nil {
		return nil, err
	}
	count := len(p.objects) + len(p.prefixes)
	out := a.result(in.listInput, p, in.FetchOwner)
	out.StartAfter, out.ContinuationToken, out.KeyCount = in.encode(in.StartAfter), in.ContinuationToken, &count
	if p.truncated {
		out.NextContinuationToken = sealToken(p.last)
	}
	return out, nil
}

func (a *Assets) listObjects(ctx context.Context, _ *wire.Call, in *listObjectsInput) (*ListBucketResult, error) {
	p, err := a.page(ctx, in.listInput, in.Marker)
	if err != nil {
		return nil, err
	}
	out := a.result(in.listInput, p, true)
	marker := in.encode(in.Marker)
	out.Marker = &marker
	if p.truncated && in.Delimiter != "" { // otherwise the last key serves (API Reference, "ListObjects")
		out.NextMarker = in.encode(p.last)
	}
	return out, nil
}

func (a *Assets) result(in listInput, p *page, withOwner bool) *ListBucketResult {
	out := &ListBucketResult{
		Name: in.Bucket, Prefix: in.encode(in.prefix()), MaxKeys: in.limit(), Delimiter: in.encode(in.Delimiter),
		EncodingType: in.EncodingType, IsTruncated: p.truncated,
	}
	for _, o := range p.objects {
		entry := Contents{
			Key: in.encode(o.Key), LastModified: wire.Time{Time: o.Modified}, ETag: quoted(o.ETag), Size: o.Size,
			StorageClass: classOf(o), ChecksumAlgorithm: string(o.Checksum.Algorithm), ChecksumType: o.Checksum.Type,
		}
		if withOwner {
			owner := a.owner()
			entry.Owner = &owner
		}
		out.Contents = append(out.Contents, entry)
	}
	for _, prefix := range p.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, CommonPrefix{in.encode(prefix)})
	}
	return out
}

func classOf(o *objects.Object) string {
	if o.StorageClass == "" {
		return "STANDARD"
	}
	return o.StorageClass
}

func (in listInput) prefix() string {
	if in.Prefix == nil {
		return ""
	}
	return *in.Prefix
}

func (in listInput) query() objects.Query {
	return objects.Query{Bucket: in.Bucket, Prefix: in.prefix(), Delimiter: in.Delimiter}
}

func (in listInput) limit() int {
	if in.MaxKeys == nil {
		return maxPage
	}
	return min(*in.MaxKeys, maxPage)
}

func (in listInput) check() error {
	if in.MaxKeys != nil && *in.MaxKeys < 0 {
		return fault.InvalidArgument("Argument maxKeys must be an integer between 0 and 2147483647")
	}
	if in.EncodingType != "" && in.EncodingType != "url" {
		return fault.InvalidArgument("Invalid Encoding Method specified in Request")
	}
	return nil
}

// encode escapes a key for the client that asks for it. A space becomes %20,
// which every client understands, where S3 itself writes a plus sign.
func (in listInput) encode(key string) string {
	if in.EncodingType != "url" {
		return key
	}
	return strings.NewReplacer("%2F", "/", "+", "%20").Replace(url.QueryEscape(key))
}

// page is a part of a bucket's list.
type page struct {
	objects   []*objects.Object
	prefixes  []string
	truncated bool
	last      string // the last key or prefix
}

// page reads the keys after a key or a common prefix.
func (a *Assets) page(ctx context.Context, in listInput, after string) (*page, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	p := &page{}
	err := a.config.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := objects.GetBucket(tx, in.Bucket); err != nil {
			return err
		}
		if in.limit() == 0 {
			return nil
		}
		return objects.Walk(tx, in.query(), after, func(o *objects.Object, prefix string) (bool, error) {
			if o.Marker {
				return false, nil
			}
			if len(p.objects)+len(p.prefixes) == in.limit() {
				p.truncated = true
				return true, nil
			}
			if prefix != "" {
				p.prefixes, p.last = append(p.prefixes, prefix), prefix
			} else {
				p.objects, p.last = append(p.objects, o), o.Key
			}
			return false, nil
		})
	})
	return p, err
}

// sealToken makes an opaque token of a place in a list.
func sealToken(place string) string { return base64.URLEncoding.EncodeToString([]byte(place)) }

func openToken(token string) (string, error) {
	place, err := base64.URLEncoding.DecodeString(token)
	if err != nil {
		return "", fault.InvalidArgument("The continuation token provided is incorrect")
	}
	return string(place), nil
}
