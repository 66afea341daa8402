package assets

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// versionInput names an object, or one of its versions.
type versionInput struct {
	front.ObjectName
	VersionID string `query:"versionId"`
}

func (a *Assets) onVersion(action string) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *versionInput) []wire.Target {
		return []wire.Target{a.VersionTarget(action, in.ObjectName, in.VersionID)}
	})
}

// readable finds an object for those who know its name.
func (a *Assets) readable(ctx context.Context, c *wire.Call, in versionInput) (*objects.Object, error) {
	o, err := a.Keeper.Lookup(ctx, in.Bucket, in.Key, in.VersionID)
	var marker *objects.MarkerError
	if errors.As(err, &marker) && in.VersionID != "" {
		return nil, wire.Errorf(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	if err != nil {
		return nil, a.Hide(ctx, c, in.Bucket, err)
	}
	return o, nil
}

func (a *Assets) getTagging(ctx context.Context, c *wire.Call, in *versionInput) (*wire.Raw, error) {
	o, err := a.readable(ctx, c, *in)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	front.AddVersion(header, o)
	return front.XMLAnswer(c, header, front.Rooted{Root: "Tagging", Document: &settings.Tagging{TagSet: o.Tags}})
}

type putTaggingInput struct {
	versionInput
	Body []byte `payload:"true" json:"-"`
}

func (a *Assets) putTaggingTargets(_ *wire.Call, in *putTaggingInput) []wire.Target {
	target := a.VersionTarget("s3:PutObjectTagging", in.ObjectName, in.VersionID)
	var tagging settings.Tagging
	if front.ReadXML(in.Body, "Tagging", &tagging) == nil { // a wrong one fails later
		front.AddTagKeys(target.Context, "s3:RequestObjectTag/", tagging.TagSet)
	}
	return []wire.Target{target}
}

func (a *Assets) putTagging(ctx context.Context, c *wire.Call, in *putTaggingInput) (*wire.Raw, error) {
	var tagging settings.Tagging
	if err := front.ReadXML(in.Body, "Tagging", &tagging); err != nil {
		return nil, err
	}
	if err := settings.CheckTags(tagging.TagSet, settings.MaxObjectTags); err != nil {
		return nil, err
	}
	return a.retag(ctx, c, in.versionInput, tagging.TagSet)
}

func (a *Assets) deleteTagging(ctx context.Context, c *wire.Call, in *versionInput) (*wire.Raw, error) {
	return a.retag(ctx, c, *in, nil)
}

func (a *Assets) retag(ctx context.Context, c *wire.Call, in versionInput, tags []settings.Tag) (*wire.Raw, error) {
	if _, err := a.readable(ctx, c, in); err != nil {
		return nil, err
	}
	header := http.Header{}
	err := a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		o, err := objects.GetVersion(tx, in.Bucket, in.Key, in.VersionID)
		if err != nil {
			return err
		}
		if o == nil || o.Marker {
			return fault.NoSuchKey()
		}
		o.Tags = tags
		front.AddVersion(header, o)
		return objects.Replace(tx, in.Bucket, o)
	})
	return front.HeadAnswer(c, 0, header), err
}

type attributesInput struct {
	versionInput
	Attributes       []string `header:"x-amz-object-attributes" required:"true"`
	MaxParts         *int     `header:"x-amz-max-parts"`
	PartNumberMarker int      `header:"x-amz-part-number-marker"`
}

func (a *Assets) attributeTargets(_ *wire.Call, in *attributesInput) []wire.Target {
	return []wire.Target{
		a.VersionTarget("s3:GetObject", in.ObjectName, in.VersionID),
		a.VersionTarget("s3:GetObjectAttributes", in.ObjectName, in.VersionID),
	}
}

type attributesOutput struct {
	XMLName      xml.Name         `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag         string           `xml:",omitempty"`
	Checksum     *front.Sums      `xml:",omitempty"`
	ObjectParts  *attributesParts `xml:",omitempty"`
	StorageClass string           `xml:",omitempty"`
	ObjectSize   *int64           `xml:",omitempty"`
}

type attributesParts struct {
	PartsCount           int
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	Part                 []attributesPart
}

type attributesPart struct {
	PartNumber int
	Size       int64
	front.Sums
}

func (a *Assets) getAttributes(ctx context.Context, c *wire.Call, in *attributesInput) (*wire.Raw, error) {
	o, err := a.readable(ctx, c, in.versionInput)
	if err != nil {
		return nil, err
	}
	var out attributesOutput
	for name := range strings.SplitSeq(strings.Join(in.Attributes, ","), ",") {
		switch strings.TrimSpace(name) {
		case "ETag":
			out.ETag = o.ETag
		case "Checksum":
			known := front.SumsOf(o.Checksum)
			out.Checksum = &known
		case "ObjectParts":
			out.ObjectParts = in.parts(o)
		case "StorageClass":
			out.StorageClass = front.ClassOf(o)
		case "ObjectSize":
			out.ObjectSize = &o.Size
		default:
			return nil, fault.InvalidArgument("Invalid attribute name specified")
		}
	}
	header := http.Header{"Last-Modified": {o.Modified.Format(http.TimeFormat)}}
	front.AddVersion(header, o)
	return front.XMLAnswer(c, header, out)
}

func (in *attributesInput) parts(o *objects.Object) *attributesParts {
	if !o.Multipart {
		return nil
	}
	list := &attributesParts{PartsCount: len(o.Parts), PartNumberMarker: in.PartNumberMarker, MaxParts: front.MaxPage}
	if in.MaxParts != nil {
		list.MaxParts = min(max(*in.MaxParts, 0), front.MaxPage)
	}
	for i, p := range o.Parts {
		number := i + 1
		if number <= in.PartNumberMarker {
			continue
		}
		if len(list.Part) == list.MaxParts {
			list.IsTruncated = true
			break
		}
		known := front.SumsOf(objects.Checksum{Algorithm: o.Checksum.Algorithm, Value: p.Checksum})
		list.Part = append(list.Part, attributesPart{PartNumber: number, Size: p.Size, Sums: known})
		list.NextPartNumberMarker = number
	}
	return list
}

func (a *Assets) getObjectACL(ctx context.Context, c *wire.Call, in *versionInput) (*front.AccessControlPolicy, error) {
	if _, err := a.readable(ctx, c, *in); err != nil {
		return nil, err
	}
	return a.OwnersACL(), nil
}

type putObjectACLInput struct {
	versionInput
	Body []byte `payload:"true" json:"-"`
	ACL  string `header:"x-amz-acl"`
}

func (a *Assets) putObjectACL(ctx context.Context, c *wire.Call, in *putObjectACLInput) (*front.Empty, error) {
	if _, err := a.readable(ctx, c, in.versionInput); err != nil {
		return nil, err
	}
	if len(in.Body) > 0 || in.ACL != "private" && in.ACL != "bucket-owner-full-control" {
		return nil, fault.NoACL()
	}
	return &front.Empty{}, nil
}

// message is an error's text without its code.
func message(err error) string {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
