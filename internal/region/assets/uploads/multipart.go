// Package uploads has the operations of S3 for uploads in parts (S3 User Guide,
// "Uploading and copying objects using multipart upload").
//
//	operations := (&uploads.Uploads{Front: shared}).Operations()
package uploads

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/assets/digest"
	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Uploads are the operations. Make them with what the rooms share.
type Uploads struct{ *front.Front }

// minPart is the size of any part but the last, in bytes (S3 User Guide,
// "Amazon S3 multipart upload limits").
const minPart = 5 << 20

// upload is an upload in parts that is under way.
type upload struct {
	ID      string
	Bucket  string
	Begun   time.Time
	Object  objects.Object // as it will be, but for its bytes
	Caller  string
	Checked objects.Checksum // what the client wants: algorithm and type
	// Unstated says that the client named no algorithm. Then its parts may state
	// any: the AWS SDK for Java begins uploads so and sends parts with CRC32.
	Unstated bool `json:",omitempty"`
}

func uploadKey(bucket, key, id string) string { return objects.Key(bucket, key) + "\x00" + id }

func partKey(id string, number int) string { return fmt.Sprintf("%s/%05d", id, number) }

// Operations returns the operations.
func (a *Uploads) Operations() []wire.Operation {
	return []wire.Operation{
		front.Op("CreateMultipartUpload", a.createUpload, wire.HTTP("POST /{Bucket}/{Key+}?uploads", 200), wire.Targets(a.uploadTargets)),
		front.Op("UploadPart", a.uploadPart, wire.HTTP("PUT /{Bucket}/{Key+}?partNumber&uploadId", 200), wire.Stream(), wire.Targets(a.partTargets)),
		front.Op("CompleteMultipartUpload", a.completeUpload, wire.HTTP("POST /{Bucket}/{Key+}?uploadId", 200), wire.Targets(func(_ *wire.Call, in *completeUploadInput) []wire.Target {
			return []wire.Target{a.ObjectTarget("s3:PutObject", in.ObjectName)}
		})),
		front.Op("AbortMultipartUpload", a.abortUpload, wire.HTTP("DELETE /{Bucket}/{Key+}?uploadId", 204), wire.Targets(func(_ *wire.Call, in *abortUploadInput) []wire.Target {
			return []wire.Target{a.ObjectTarget("s3:AbortMultipartUpload", in.ObjectName)}
		})),
		front.Op("ListParts", a.listParts, wire.HTTP("GET /{Bucket}/{Key+}?uploadId", 200), wire.Targets(func(_ *wire.Call, in *listPartsInput) []wire.Target {
			return []wire.Target{a.ObjectTarget("s3:ListMultipartUploadParts", in.ObjectName)}
		})),
		front.Op("ListMultipartUploads", a.listUploads, wire.HTTP("GET /{Bucket}?uploads", 200), wire.Targets(func(_ *wire.Call, in *listUploadsInput) []wire.Target {
			return []wire.Target{a.ListTarget("s3:ListBucketMultipartUploads", front.ListInput{BucketInput: in.BucketInput, Prefix: &in.Prefix})}
		})),
	}
}

type createUploadInput struct {
	front.ObjectName
	front.ObjectHeaders
	ChecksumAlgorithm string `header:"x-amz-checksum-algorithm"`
	ChecksumType      string `header:"x-amz-checksum-type"`
}

func (a *Uploads) uploadTargets(_ *wire.Call, in *createUploadInput) []wire.Target {
	return a.NewObjectTargets(in.ObjectName, in.ObjectHeaders)
}

type createUploadOutput struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ InitiateMultipartUploadResult"`
	Bucket   string
	Key      string
	UploadID string `xml:"UploadId"`
}

func (a *Uploads) createUpload(ctx context.Context, c *wire.Call, in *createUploadInput) (*wire.Raw, error) {
	b, err := a.ReadBucket(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	o, err := a.NewObject(in.ObjectName, in.ObjectHeaders, front.HeaderOf(c), b)
	if err != nil {
		return nil, err
	}
	u := &upload{Bucket: in.Bucket, Begun: a.Moment(), Object: *o, Unstated: in.ChecksumAlgorithm == ""}
	if c.Caller != nil {
		u.Caller = c.Caller.ARN
	}
	if u.Checked, err = in.checksum(); err != nil {
		return nil, err
	}
	if u.ID, err = a.NewID(48); err != nil {
		return nil, err
	}
	err = a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := objects.GetBucket(tx, in.Bucket); err != nil {
			return err
		}
		return tx.Put(objects.KindUpload, uploadKey(in.Bucket, in.Key, u.ID), u)
	})
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	front.AddEncryption(header, o)
	if in.ChecksumAlgorithm != "" {
		header.Set("x-amz-checksum-algorithm", string(u.Checked.Algorithm))
		header.Set("x-amz-checksum-type", u.Checked.Type)
	}
	return front.XMLAnswer(c, header, createUploadOutput{Bucket: in.Bucket, Key: in.Key, UploadID: u.ID})
}

// checksum is which checksum the object will have (S3 User Guide, "Checking
// object integrity in Amazon S3", "Full object and composite checksum types").
func (in *createUploadInput) checksum() (objects.Checksum, error) {
	kind := strings.ToUpper(in.ChecksumType)
	if in.ChecksumAlgorithm == "" {
		if kind != "" {
			return objects.Checksum{}, fault.InvalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return objects.Checksum{Algorithm: digest.CRC64NVME, Type: digest.FullObject}, nil
	}
	algorithm, err := digest.Parse(in.ChecksumAlgorithm)
	if err != nil {
		return objects.Checksum{}, fault.InvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	switch {
	case kind == "" && algorithm == digest.CRC64NVME:
		kind = digest.FullObject
	case kind == "":
		kind = digest.Composite
	case kind != digest.FullObject && kind != digest.Composite:
		return objects.Checksum{}, fault.InvalidRequest("Value for x-amz-checksum-type header is invalid.")
	case kind == digest.FullObject && !algorithm.Linear(), kind == digest.Composite && algorithm == digest.CRC64NVME:
		return objects.Checksum{}, fault.InvalidRequest("The %s checksum type cannot be used with the %s checksum algorithm.", kind, strings.ToLower(string(algorithm)))
	}
	return objects.Checksum{Algorithm: algorithm, Type: kind}, nil
}

type uploadPartInput struct {
	front.ObjectName
	PartNumber int    `query:"partNumber"`
	UploadID   string `query:"uploadId"`
}

type copyPartInput struct {
	uploadPartInput
	front.CopySource
	Range string `header:"x-amz-copy-source-range"`
}

func (a *Uploads) partTargets(_ *wire.Call, in *copyPartInput) []wire.Target {
	targets := []wire.Target{a.ObjectTarget("s3:PutObject", in.ObjectName)}
	return append(targets, a.SourceTargets(in.CopySource)...)
}

// getUpload reads an upload.
func getUpload(tx *store.Tx, name front.ObjectName, id string) (*upload, error) {
	var u upload
	found, err := tx.Get(objects.KindUpload, uploadKey(name.Bucket, name.Key, id), &u)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.NoSuchUpload()
	}
	return &u, nil
}

func (a *Uploads) upload(ctx context.Context, name front.ObjectName, id string) (u *upload, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := objects.GetBucket(tx, name.Bucket); err != nil {
			return err
		}
		u, err = getUpload(tx, name, id)
		return err
	})
	return u, err
}

func (a *Uploads) uploadPart(ctx context.Context, c *wire.Call, in *copyPartInput) (*wire.Raw, error) {
	if c.HTTP == nil {
		return nil, fault.InvalidRequest("UploadPart needs a body")
	}
	if in.PartNumber < 1 || in.PartNumber > front.MaxParts {
		return nil, fault.InvalidArgument("Part number must be an integer between 1 and 10000, inclusive")
	}
	u, err := a.upload(ctx, in.ObjectName, in.UploadID)
	if err != nil {
		return nil, err
	}
	if in.Source != "" {
		return a.copyPart(ctx, c, in, u)
	}
	receive := a.Receive
	if u.Unstated {
		receive = a.ReceiveAny
	}
	got, err := receive(c, u.Checked.Algorithm)
	if err != nil {
		return nil, err
	}
	defer got.Close()
	p := got.Part(in.PartNumber, a.Moment())
	if err := a.keepPart(ctx, in.uploadPartInput, p, got.Keep); err != nil {
		return nil, err
	}
	header := http.Header{"Etag": {front.Quoted(p.MD5)}}
	header.Set(u.Checked.Algorithm.Header(), p.Checksum)
	front.AddEncryption(header, &u.Object)
	return front.HeadAnswer(c, 0, header), nil
}

// keepPart stores a part, in place of one with the same number.
func (a *Uploads) keepPart(ctx context.Context, in uploadPartInput, p objects.Part, keep func() error) error {
	if err := keep(); err != nil {
		return fault.Body(err)
	}
	return a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := getUpload(tx, in.ObjectName, in.UploadID); err != nil {
			return err
		}
		var before objects.Part
		found, err := tx.Get(objects.KindPart, partKey(in.UploadID, p.Number), &before)
		if err != nil {
			return err
		}
		if err := objects.Refer(tx, p.Hash); err != nil {
			return err
		}
		if found {
			if err := a.Keeper.Release(tx, before.Hash); err != nil {
				return err
			}
		}
		return tx.Put(objects.KindPart, partKey(in.UploadID, p.Number), p)
	})
}

// dropUpload removes an upload and its parts.
func (a *Uploads) dropUpload(tx *store.Tx, name front.ObjectName, id string) error {
	parts, err := store.All[objects.Part](tx, objects.KindPart, id+"/")
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := a.Keeper.Release(tx, p.Hash); err != nil {
			return err
		}
	}
	if err := tx.DeletePrefix(objects.KindPart, id+"/"); err != nil {
		return err
	}
	return tx.Delete(objects.KindUpload, uploadKey(name.Bucket, name.Key, id))
}

type abortUploadInput struct {
	front.ObjectName
	UploadID string `query:"uploadId"`
}

func (a *Uploads) abortUpload(ctx context.Context, _ *wire.Call, in *abortUploadInput) (*front.Empty, error) {
	return &front.Empty{}, a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := objects.GetBucket(tx, in.Bucket); err != nil {
			return err
		}
		if _, err := getUpload(tx, in.ObjectName, in.UploadID); err != nil {
			return err
		}
		return a.dropUpload(tx, in.ObjectName, in.UploadID)
	})
}

// etagOfParts is the ETag of an object in parts: the MD5 of their MD5s, and how
// many they are.
func etagOfParts(parts []objects.Part) (string, error) {
	sum := md5.New()
	for _, p := range parts {
		raw, err := hex.DecodeString(p.MD5)
		if err != nil {
			return "", err
		}
		sum.Write(raw)
	}
	return fmt.Sprintf("%x-%d", sum.Sum(nil), len(parts)), nil
}

// copyPart makes a part of a piece of another object.
func (a *Uploads) copyPart(ctx context.Context, c *wire.Call, in *copyPartInput, u *upload) (*wire.Raw, error) {
	source, err := a.SourceOf(ctx, c, in.CopySource)
	if err != nil {
		return nil, err
	}
	body, err := a.Keeper.Open(source)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if in.Range != "" {
		from, size, ok := front.ParseRange(in.Range, source.Size)
		if !ok || size <= 0 {
			return nil, fault.InvalidArgument("Range specified is not valid for source object of size: %d", source.Size)
		}
		body.Section(from, size)
	}
	got, err := a.Write(body, front.Claims{Algorithm: u.Checked.Algorithm})
	if err != nil {
		return nil, err
	}
	defer got.Close()
	p := got.Part(in.PartNumber, a.Moment())
	if err := a.keepPart(ctx, in.uploadPartInput, p, got.Keep); err != nil {
		return nil, err
	}
	header := http.Header{}
	if source.Version != "null" {
		header.Set("x-amz-copy-source-version-id", source.Version)
	}
	return front.XMLAnswer(c, header, front.CopyResult{
		XMLName: xml.Name{Space: front.Namespace, Local: "CopyPartResult"}, LastModified: wire.Time{Time: p.Modified}, ETag: front.Quoted(p.MD5),
		Sums: front.SumsOf(objects.Checksum{Algorithm: u.Checked.Algorithm, Value: p.Checksum}),
	})
}
