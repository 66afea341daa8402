package uploads

import (
	"context"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/digest"
	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type completeUploadInput struct {
	front.ObjectName
	UploadID     string `query:"uploadId"`
	Body         []byte `payload:"true" json:"-"`
	IfMatch      string `header:"If-Match"`
	IfNoneMatch  string `header:"If-None-Match"`
	ChecksumType string `header:"x-amz-checksum-type"`
	Size         *int64 `header:"x-amz-mp-object-size"`
}

// partList is the document that names the parts of an object.
type partList struct {
	Part []listedPart
}

type listedPart struct {
	PartNumber        int
	ETag              string
	ChecksumCRC32     string
	ChecksumCRC32C    string
	ChecksumCRC64NVME string
	ChecksumSHA1      string
	ChecksumSHA256    string
}

func (p listedPart) checksum(a digest.Algorithm) string {
	return map[digest.Algorithm]string{
		digest.CRC32: p.ChecksumCRC32, digest.CRC32C: p.ChecksumCRC32C, digest.CRC64NVME: p.ChecksumCRC64NVME,
		digest.SHA1: p.ChecksumSHA1, digest.SHA256: p.ChecksumSHA256,
	}[a]
}

type completeUploadOutput struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ CompleteMultipartUploadResult"`
	Location string
	Bucket   string
	Key      string
	ETag     string
	front.Sums
}

func (a *Uploads) completeUpload(ctx context.Context, c *wire.Call, in *completeUploadInput) (*wire.Raw, error) {
	var list partList
	if err := front.ReadXML(in.Body, "CompleteMultipartUpload", &list); err != nil {
		return nil, err
	}
	if len(list.Part) == 0 {
		return nil, fault.MalformedXML()
	}
	if in.IfNoneMatch != "" && in.IfNoneMatch != "*" {
		return nil, fault.NotImplemented("If-None-Match with an ETag in CompleteMultipartUpload: use *")
	}
	version, err := a.NewID(24)
	if err != nil {
		return nil, err
	}
	var o *objects.Object
	err = a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := objects.GetBucket(tx, in.Bucket)
		if err != nil {
			return err
		}
		if o, err = in.assemble(tx, list.Part, stated(c)); err != nil {
			return err
		}
		if err := (front.WriteConditions{IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch}).Check(tx, in.Bucket, in.Key); err != nil {
			return err
		}
		o.Modified = a.Moment()
		if o.Version = "null"; b.Versioning == settings.Enabled {
			o.Version = version
		}
		if err := a.Keeper.Put(tx, b, o); err != nil {
			return err
		}
		return a.dropUpload(tx, in.ObjectName, in.UploadID)
	})
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	front.AddVersion(header, o)
	front.AddEncryption(header, o)
	return front.XMLAnswer(c, header, completeUploadOutput{
		Location: "https://" + in.Bucket + ".s3." + a.Region + ".amazonaws.com/" + in.Key,
		Bucket:   in.Bucket, Key: in.Key, ETag: front.Quoted(o.ETag), Sums: front.SumsOf(o.Checksum),
	})
}

// stated returns the checksum that the request's header gives for the object.
func stated(c *wire.Call) map[digest.Algorithm]string {
	return front.ChecksumHeaders(front.HeaderOf(c))
}

// assemble makes the object of the parts that the client lists.
func (in *completeUploadInput) assemble(tx *store.Tx, list []listedPart, stated map[digest.Algorithm]string) (*objects.Object, error) {
	u, err := getUpload(tx, in.ObjectName, in.UploadID)
	if err != nil {
		return nil, err
	}
	o := &u.Object
	o.Multipart, o.Checksum = true, u.Checked
	if o.Parts, err = u.inOrder(tx, list); err != nil {
		return nil, err
	}
	var parts []digest.Part
	for i, p := range o.Parts {
		if p.Size < minPart && i < len(list)-1 {
			return nil, wire.Errorf(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
		}
		o.Size += p.Size
		parts = append(parts, digest.Part{Sum: p.Checksum, Size: p.Size})
	}
	if o.Size > front.MaxObject {
		return nil, fault.TooLarge()
	}
	if in.Size != nil && *in.Size != o.Size {
		return nil, fault.InvalidRequest("The provided 'x-amz-mp-object-size' header value %d does not match what was computed: %d", *in.Size, o.Size)
	}
	if kind := strings.ToUpper(in.ChecksumType); kind != "" && kind != o.Checksum.Type {
		return nil, fault.InvalidRequest("The upload was created using the %s checksum mode. The complete request must use the same checksum mode.", o.Checksum.Type)
	}
	if o.ETag, err = etagOfParts(o.Parts); err != nil {
		return nil, err
	}
	if o.Checksum.Value, err = digest.OfParts(o.Checksum.Algorithm, o.Checksum.Type, parts); err != nil {
		return nil, err
	}
	if want := stated[o.Checksum.Algorithm]; want != "" && want != o.Checksum.Value {
		return nil, front.BadDigest(strings.ToLower(string(o.Checksum.Algorithm)))
	}
	return o, nil
}

// inOrder finds the parts that the client lists.
func (u *upload) inOrder(tx *store.Tx, list []listedPart) ([]objects.Part, error) {
	var parts []objects.Part
	for i, listed := range list {
		if i > 0 && listed.PartNumber <= list[i-1].PartNumber {
			return nil, wire.Errorf(http.StatusBadRequest, "InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
		}
		p, err := u.listed(tx, listed)
		if err != nil {
			return nil, err
		}
		parts = append(parts, *p)
	}
	return parts, nil
}

// listed finds a part that the client lists.
func (u *upload) listed(tx *store.Tx, listed listedPart) (*objects.Part, error) {
	var p objects.Part
	found, err := tx.Get(objects.KindPart, partKey(u.ID, listed.PartNumber), &p)
	if err != nil {
		return nil, err
	}
	sum := listed.checksum(u.Checked.Algorithm)
	if !found || strings.Trim(listed.ETag, `"`) != p.MD5 || sum != "" && sum != p.Checksum {
		return nil, wire.Errorf(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.")
	}
	return &p, nil
}
