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

func (a *Assets) versionOperations() []wire.Operation {
	return []wire.Operation{
		front.Op("ListObjectVersions", a.listVersions, wire.HTTP("GET /{Bucket}?versions", 200), wire.Targets(func(_ *wire.Call, in *listVersionsInput) []wire.Target {
			return []wire.Target{a.ListTarget("s3:ListBucketVersions", in.ListInput)}
		})),
		front.Op("DeleteObjects", a.deleteObjects, wire.HTTP("POST /{Bucket}?delete", 200), wire.Targets(func(*wire.Call, *deleteObjectsInput) []wire.Target {
			return nil // each object is asked for by itself
		})),
	}
}

type listVersionsInput struct {
	front.ListInput
	KeyMarker       string `query:"key-marker"`
	VersionIDMarker string `query:"version-id-marker"`
}

type listVersionsOutput struct {
	XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult" json:"-"`
	Name                string
	Prefix              string
	KeyMarker           string
	VersionIDMarker     string `xml:"VersionIdMarker"`
	NextKeyMarker       string `xml:",omitempty"`
	NextVersionIDMarker string `xml:"NextVersionIdMarker,omitempty"`
	MaxKeys             int
	Delimiter           string `xml:",omitempty"`
	EncodingType        string `xml:",omitempty"`
	IsTruncated         bool
	Entries             []versionEntry
	CommonPrefixes      []CommonPrefix

	after string // a version of the first key after which the list begins
}

// versionEntry is a version, or a delete marker, which bears another name.
type versionEntry struct {
	Marker            bool `xml:"-"`
	Key               string
	VersionID         string `xml:"VersionId"`
	IsLatest          bool
	LastModified      wire.Time
	ETag              string `xml:",omitempty"`
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
	Size              *int64 `xml:",omitempty"`
	StorageClass      string `xml:",omitempty"`
	Owner             front.Owner
}

// MarshalXML implements xml.Marshaler.
func (e versionEntry) MarshalXML(encoder *xml.Encoder, _ xml.StartElement) error {
	type plain versionEntry
	name := "Version"
	if e.Marker {
		name = "DeleteMarker"
	}
	return encoder.EncodeElement(plain(e), xml.StartElement{Name: xml.Name{Local: name}})
}

func (a *Assets) listVersions(ctx context.Context, _ *wire.Call, in *listVersionsInput) (*listVersionsOutput, error) {
	if err := in.Check(); err != nil {
		return nil, err
	}
	if in.VersionIDMarker != "" && in.KeyMarker == "" {
		return nil, fault.InvalidArgument("A version-id marker cannot be specified without a key marker.")
	}
	out := &listVersionsOutput{
		Name: in.Bucket, Prefix: in.Encode(in.PrefixText()), KeyMarker: in.Encode(in.KeyMarker), VersionIDMarker: in.VersionIDMarker,
		MaxKeys: in.Limit(), Delimiter: in.Encode(in.Delimiter), EncodingType: in.EncodingType, after: in.VersionIDMarker,
	}
	err := a.DB.View(ctx, func(tx *store.Tx) error { return a.fillVersions(tx, in, out) })
	if !out.IsTruncated {
		out.NextKeyMarker, out.NextVersionIDMarker = "", ""
	}
	return out, err
}

// fillVersions adds the entries of one page.
func (a *Assets) fillVersions(tx *store.Tx, in *listVersionsInput, out *listVersionsOutput) error {
	if _, err := objects.GetBucket(tx, in.Bucket); err != nil || out.MaxKeys == 0 {
		return err
	}
	if out.after != "" {
		first, err := objects.GetVersion(tx, in.Bucket, in.KeyMarker, "")
		if err != nil {
			return err
		}
		if first != nil {
			if stop, err := out.addKey(tx, a, in, first); stop || err != nil {
				return err
			}
		}
	}
	out.after = ""
	return objects.Walk(tx, in.Query(), in.KeyMarker, func(o *objects.Object, prefix string) (bool, error) {
		if prefix == "" {
			return out.addKey(tx, a, in, o)
		}
		if n := len(out.CommonPrefixes); n > 0 && out.CommonPrefixes[n-1].Prefix == in.Encode(prefix) {
			return false, nil
		}
		if out.full() {
			return true, nil
		}
		out.CommonPrefixes = append(out.CommonPrefixes, CommonPrefix{in.Encode(prefix)})
		out.NextKeyMarker, out.NextVersionIDMarker = in.Encode(prefix), ""
		return false, nil
	})
}

// full reports whether nothing more has room, and if so says that there is more.
// Called before an entry is added, it leaves the markers at the last one.
func (out *listVersionsOutput) full() bool {
	out.IsTruncated = len(out.Entries)+len(out.CommonPrefixes) == out.MaxKeys
	return out.IsTruncated
}

// addKey adds the versions of a key, the latest first.
func (out *listVersionsOutput) addKey(tx *store.Tx, a *Assets, in *listVersionsInput, latest *objects.Object) (full bool, err error) {
	older, err := store.All[*objects.Object](tx, objects.KindVersion, objects.Key(in.Bucket, latest.Key)+"\x00")
	if err != nil {
		return false, err
	}
	for i, o := range append([]*objects.Object{latest}, older...) {
		if out.after != "" {
			if out.after == o.Version {
				out.after = ""
			}
			continue
		}
		if out.full() {
			return true, nil
		}
		out.Entries = append(out.Entries, a.versionEntry(in.ListInput, o, i == 0))
		out.NextKeyMarker, out.NextVersionIDMarker = in.Encode(o.Key), o.Version
	}
	return false, nil
}

func (a *Assets) versionEntry(in front.ListInput, o *objects.Object, latest bool) versionEntry {
	entry := versionEntry{
		Marker: o.Marker, Key: in.Encode(o.Key), VersionID: o.Version, IsLatest: latest,
		LastModified: wire.Time{Time: o.Modified}, Owner: a.Owner(),
	}
	if o.Marker {
		return entry
	}
	entry.ETag, entry.Size, entry.StorageClass = front.Quoted(o.ETag), &o.Size, front.ClassOf(o)
	entry.ChecksumAlgorithm, entry.ChecksumType = string(o.Checksum.Algorithm), o.Checksum.Type
	return entry
}

type deleteObjectsInput struct {
	front.BucketInput
	Body      []byte `payload:"true" json:"-"`
	Algorithm string `header:"x-amz-sdk-checksum-algorithm"`
}

// deleteList is the document that names objects to delete.
type deleteList struct {
	Object []struct {
		Key       string
		VersionID string `xml:"VersionId"`
		ETag      string
	}
	Quiet bool
}

type deleteObjectsOutput struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ DeleteResult" json:"-"`
	Deleted []deletedEntry
	Error   []deleteError
}

type deletedEntry struct {
	Key                   string
	VersionID             string `xml:"VersionId,omitempty"`
	DeleteMarker          bool   `xml:",omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

type deleteError struct {
	Key       string
	VersionID string `xml:"VersionId,omitempty"`
	Code      string
	Message   string
}

func (a *Assets) deleteObjects(ctx context.Context, c *wire.Call, in *deleteObjectsInput) (*deleteObjectsOutput, error) {
	var list deleteList
	if err := front.ReadXML(in.Body, "Delete", &list); err != nil {
		return nil, err
	}
	if len(list.Object) == 0 || len(list.Object) > front.MaxPage {
		return nil, fault.MalformedXML()
	}
	if _, err := a.ReadBucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	out := &deleteObjectsOutput{}
	for _, o := range list.Object {
		name := front.ObjectName{Bucket: in.Bucket, Key: o.Key}
		err := a.S3.Authorize(ctx, c, []wire.Target{a.VersionTarget("s3:DeleteObject", name, o.VersionID)})
		var done deletion
		if err == nil {
			done, err = a.delete(ctx, name, o.VersionID, o.ETag)
		}
		if err != nil {
			failed := deleteError{Key: o.Key, VersionID: o.VersionID, Code: wire.Code(err), Message: message(err)}
			if failed.Code == "" {
				return nil, err
			}
			out.Error = append(out.Error, failed)
			continue
		}
		if !list.Quiet {
			out.Deleted = append(out.Deleted, deletedEntryOf(o.Key, o.VersionID, done))
		}
	}
	return out, nil
}

func deletedEntryOf(key, version string, done deletion) deletedEntry {
	entry := deletedEntry{Key: key, VersionID: version, DeleteMarker: done.marker}
	if done.marker {
		entry.DeleteMarkerVersionID = done.version
	}
	return entry
}

func (a *Assets) detailOperations() []wire.Operation {
	return []wire.Operation{
		front.Op("GetObjectTagging", a.getTagging, wire.HTTP("GET /{Bucket}/{Key+}?tagging", 200), a.onVersion("s3:GetObjectTagging")),
		front.Op("PutObjectTagging", a.putTagging, wire.HTTP("PUT /{Bucket}/{Key+}?tagging", 200), wire.Targets(a.putTaggingTargets)),
		front.Op("DeleteObjectTagging", a.deleteTagging, wire.HTTP("DELETE /{Bucket}/{Key+}?tagging", 204), a.onVersion("s3:DeleteObjectTagging")),
		front.Op("GetObjectAttributes", a.getAttributes, wire.HTTP("GET /{Bucket}/{Key+}?attributes", 200), wire.Targets(a.attributeTargets)),
		front.Op("GetObjectAcl", a.getObjectACL, wire.HTTP("GET /{Bucket}/{Key+}?acl", 200), a.onVersion("s3:GetObjectAcl")),
		front.Op("PutObjectAcl", a.putObjectACL, wire.HTTP("PUT /{Bucket}/{Key+}?acl", 200), wire.Targets(func(_ *wire.Call, in *putObjectACLInput) []wire.Target {
			return []wire.Target{a.VersionTarget("s3:PutObjectAcl", in.ObjectName, in.VersionID)}
		})),
	}
}
