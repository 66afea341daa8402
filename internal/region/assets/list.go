package assets

import (
	"context"
	"encoding/xml"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type listObjectsV2Input struct {
	front.ListInput
	ContinuationToken *string `query:"continuation-token"`
	StartAfter        string  `query:"start-after"`
	FetchOwner        bool    `query:"fetch-owner"`
}

type listObjectsInput struct {
	front.ListInput
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
	Owner             *front.Owner `xml:",omitempty" json:",omitempty"`
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
		if after, err = front.OpenToken(*in.ContinuationToken); err != nil || after == "" {
			return nil, fault.InvalidArgument("The continuation token provided is incorrect")
		}
	}
	p, err := a.page(ctx, in.ListInput, after)
	if err != nil {
		return nil, err
	}
	count := len(p.objects) + len(p.prefixes)
	out := a.result(in.ListInput, p, in.FetchOwner)
	out.StartAfter, out.ContinuationToken, out.KeyCount = in.Encode(in.StartAfter), in.ContinuationToken, &count
	if p.truncated {
		out.NextContinuationToken = front.SealToken(p.last)
	}
	return out, nil
}

func (a *Assets) listObjects(ctx context.Context, _ *wire.Call, in *listObjectsInput) (*ListBucketResult, error) {
	p, err := a.page(ctx, in.ListInput, in.Marker)
	if err != nil {
		return nil, err
	}
	out := a.result(in.ListInput, p, true)
	marker := in.Encode(in.Marker)
	out.Marker = &marker
	if p.truncated && in.Delimiter != "" { // otherwise the last key serves (API Reference, "ListObjects")
		out.NextMarker = in.Encode(p.last)
	}
	return out, nil
}

func (a *Assets) result(in front.ListInput, p *page, withOwner bool) *ListBucketResult {
	out := &ListBucketResult{
		Name: in.Bucket, Prefix: in.Encode(in.PrefixText()), MaxKeys: in.Limit(), Delimiter: in.Encode(in.Delimiter),
		EncodingType: in.EncodingType, IsTruncated: p.truncated,
	}
	for _, o := range p.objects {
		entry := Contents{
			Key: in.Encode(o.Key), LastModified: wire.Time{Time: o.Modified}, ETag: front.Quoted(o.ETag), Size: o.Size,
			StorageClass: front.ClassOf(o), ChecksumAlgorithm: string(o.Checksum.Algorithm), ChecksumType: o.Checksum.Type,
		}
		if withOwner {
			owner := a.Owner()
			entry.Owner = &owner
		}
		out.Contents = append(out.Contents, entry)
	}
	for _, prefix := range p.prefixes {
		out.CommonPrefixes = append(out.CommonPrefixes, CommonPrefix{in.Encode(prefix)})
	}
	return out
}

// page is a part of a bucket's list.
type page struct {
	objects   []*objects.Object
	prefixes  []string
	truncated bool
	last      string // the last key or prefix
}

// page reads the keys after a key or a common prefix.
func (a *Assets) page(ctx context.Context, in front.ListInput, after string) (*page, error) {
	if err := in.Check(); err != nil {
		return nil, err
	}
	p := &page{}
	err := a.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := objects.GetBucket(tx, in.Bucket); err != nil {
			return err
		}
		if in.Limit() == 0 {
			return nil
		}
		return objects.Walk(tx, in.Query(), after, func(o *objects.Object, prefix string) (bool, error) {
			if o.Marker {
				return false, nil
			}
			if len(p.objects)+len(p.prefixes) == in.Limit() {
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
