package uploads

import (
	"context"
	"encoding/json"
	"encoding/xml"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type listPartsInput struct {
	front.ObjectName
	UploadID         string `query:"uploadId"`
	PartNumberMarker int    `query:"part-number-marker"`
	MaxParts         *int   `query:"max-parts"`
	EncodingType     string `query:"encoding-type"`
}

type listPartsOutput struct {
	XMLName              xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListPartsResult" json:"-"`
	Bucket               string
	Key                  string
	UploadID             string `xml:"UploadId"`
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	StorageClass         string
	ChecksumAlgorithm    string
	ChecksumType         string
	Owner                front.Owner
	Initiator            front.Owner
	Part                 []partEntry
}

type partEntry struct {
	PartNumber   int
	LastModified wire.Time
	ETag         string
	Size         int64
	front.Sums
}

func (a *Uploads) listParts(ctx context.Context, _ *wire.Call, in *listPartsInput) (*listPartsOutput, error) {
	u, err := a.upload(ctx, in.ObjectName, in.UploadID)
	if err != nil {
		return nil, err
	}
	out := &listPartsOutput{
		Bucket: in.Bucket, Key: in.Key, UploadID: in.UploadID, PartNumberMarker: in.PartNumberMarker, MaxParts: front.MaxPage,
		StorageClass: front.ClassOf(&u.Object), ChecksumAlgorithm: string(u.Checked.Algorithm), ChecksumType: u.Checked.Type,
		Owner: a.Owner(), Initiator: front.Owner{ID: u.Caller},
	}
	if in.MaxParts != nil {
		out.MaxParts = min(max(*in.MaxParts, 0), front.MaxPage)
	}
	return out, a.DB.View(ctx, func(tx *store.Tx) error {
		parts, err := store.All[objects.Part](tx, objects.KindPart, in.UploadID+"/")
		for _, p := range parts {
			if p.Number <= in.PartNumberMarker {
				continue
			}
			if len(out.Part) == out.MaxParts {
				out.IsTruncated = true
				break
			}
			entry := partEntry{PartNumber: p.Number, LastModified: wire.Time{Time: p.Modified}, ETag: front.Quoted(p.MD5), Size: p.Size}
			entry.Sums = front.SumsOf(objects.Checksum{Algorithm: u.Checked.Algorithm, Value: p.Checksum})
			out.Part = append(out.Part, entry)
			out.NextPartNumberMarker = p.Number
		}
		return err
	})
}

type listUploadsInput struct {
	front.BucketInput
	Prefix         string `query:"prefix"`
	Delimiter      string `query:"delimiter"`
	MaxUploads     *int   `query:"max-uploads"`
	KeyMarker      string `query:"key-marker"`
	UploadIDMarker string `query:"upload-id-marker"`
	EncodingType   string `query:"encoding-type"`
}

type listUploadsOutput struct {
	XMLName            xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListMultipartUploadsResult" json:"-"`
	Bucket             string
	KeyMarker          string
	UploadIDMarker     string `xml:"UploadIdMarker"`
	NextKeyMarker      string `xml:",omitempty"`
	NextUploadIDMarker string `xml:"NextUploadIdMarker,omitempty"`
	Prefix             string
	MaxUploads         int
	EncodingType       string `xml:",omitempty"`
	IsTruncated        bool
	Upload             []uploadEntry
}

type uploadEntry struct {
	Key               string
	UploadID          string `xml:"UploadId"`
	Initiated         wire.Time
	StorageClass      string
	ChecksumAlgorithm string
	ChecksumType      string
	Owner             front.Owner
	Initiator         front.Owner
}

func (a *Uploads) listUploads(ctx context.Context, _ *wire.Call, in *listUploadsInput) (*listUploadsOutput, error) {
	if in.Delimiter != "" {
		return nil, fault.NotImplemented("a delimiter in ListMultipartUploads")
	}
	keys := front.ListInput{EncodingType: in.EncodingType}
	if err := keys.Check(); err != nil {
		return nil, err
	}
	out := &listUploadsOutput{
		Bucket: in.Bucket, KeyMarker: keys.Encode(in.KeyMarker), UploadIDMarker: in.UploadIDMarker, Prefix: keys.Encode(in.Prefix),
		MaxUploads: front.MaxPage, EncodingType: in.EncodingType,
	}
	if in.MaxUploads != nil {
		out.MaxUploads = min(max(*in.MaxUploads, 1), front.MaxPage)
	}
	return out, a.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := objects.GetBucket(tx, in.Bucket); err != nil {
			return err
		}
		items, err := tx.Range(objects.KindUpload, in.from(), objects.Key(in.Bucket, in.Prefix)+"\xff", out.MaxUploads+1)
		if err != nil {
			return err
		}
		for _, item := range items {
			var u upload
			if err := json.Unmarshal(item.Value, &u); err != nil {
				return err
			}
			if len(out.Upload) == out.MaxUploads {
				out.IsTruncated = true
				last := out.Upload[out.MaxUploads-1]
				out.NextKeyMarker, out.NextUploadIDMarker = last.Key, last.UploadID
				break
			}
			out.Upload = append(out.Upload, uploadEntry{
				Key: keys.Encode(u.Object.Key), UploadID: u.ID, Initiated: wire.Time{Time: u.Begun}, StorageClass: front.ClassOf(&u.Object),
				ChecksumAlgorithm: string(u.Checked.Algorithm), ChecksumType: u.Checked.Type, Owner: a.Owner(), Initiator: front.Owner{ID: u.Caller},
			})
		}
		return nil
	})
}

// from is where the list begins: at the prefix, or behind the marker.
func (in *listUploadsInput) from() string {
	from := objects.Key(in.Bucket, in.Prefix)
	if in.KeyMarker == "" {
		return from
	}
	marker := uploadKey(in.Bucket, in.KeyMarker, in.UploadIDMarker)
	if in.UploadIDMarker == "" {
		marker += "\xff" // all uploads of that key are told
	}
	return max(from, marker+"\x00")
}
