package assets

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"io"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/assets/digest"
	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type copyDirectives struct {
	Metadata          string `header:"x-amz-metadata-directive"`
	TagDirective      string `header:"x-amz-tagging-directive"`
	ChecksumAlgorithm string `header:"x-amz-checksum-algorithm"`
}

// copyObject copies an object: the copy refers to the same bytes.
func (a *Assets) copyObject(ctx context.Context, c *wire.Call, in *putObjectInput) (*wire.Raw, error) {
	b, err := a.ReadBucket(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	source, err := a.SourceOf(ctx, c, in.CopySource)
	if err != nil {
		return nil, err
	}
	o, err := a.copied(in, c, b, source)
	if err != nil {
		return nil, err
	}
	if in.ChecksumAlgorithm != "" {
		if err := a.sumAgain(o, in.ChecksumAlgorithm); err != nil {
			return nil, err
		}
	}
	conditions := front.WriteConditions{IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch}
	release, err := a.hold(o.Parts)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := a.commit(ctx, in.Bucket, o, conditions, func() error { return nil }); err != nil {
		return nil, err
	}
	header := http.Header{}
	front.AddVersion(header, o)
	front.AddEncryption(header, o)
	if source.Version != "null" {
		header.Set("x-amz-copy-source-version-id", source.Version)
	}
	return front.XMLAnswer(c, header, front.CopyResult{
		XMLName: xml.Name{Space: front.Namespace, Local: "CopyObjectResult"}, LastModified: wire.Time{Time: o.Modified}, ETag: front.Quoted(o.ETag), Sums: front.SumsOf(o.Checksum),
	})
}

// copied makes the record of a copy.
func (a *Assets) copied(in *putObjectInput, c *wire.Call, b *objects.Bucket, source *objects.Object) (*objects.Object, error) {
	o, err := a.NewObject(in.ObjectName, in.ObjectHeaders, front.HeaderOf(c), b)
	if err != nil {
		return nil, err
	}
	if source.Size > front.MaxObject {
		return nil, fault.InvalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: %d", front.MaxObject)
	}
	switch in.Metadata {
	case "", "COPY":
		name, version, _ := front.ParseCopySource(in.Source)
		if name == in.ObjectName && version == "" && in.StorageClass == "" && in.Encryption == "" {
			return nil, fault.InvalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
		}
		o.Headers, o.Meta = source.Headers, source.Meta
	case "REPLACE":
	default:
		return nil, fault.InvalidArgument("Unknown metadata directive.")
	}
	switch in.TagDirective {
	case "", "COPY":
		o.Tags = source.Tags
	case "REPLACE":
	default:
		return nil, fault.InvalidArgument("Unknown tagging directive.")
	}
	o.Size, o.ETag, o.Parts, o.Checksum = source.Size, source.ETag, source.Parts, source.Checksum
	if source.Multipart { // a copy is one piece (API Reference, "CopyObject")
		return o, a.asOne(o)
	}
	return o, nil
}

// asOne gives a copy of an object in parts the ETag of one that came at once.
// The checksum stays where it is one of the whole.
func (a *Assets) asOne(o *objects.Object) error {
	algorithm := digest.CRC64NVME
	if o.Checksum.Algorithm != "" {
		algorithm = o.Checksum.Algorithm
	}
	etag, sum, err := a.sum(o, algorithm)
	o.ETag, o.Checksum = etag, objects.Checksum{Algorithm: algorithm, Value: sum, Type: digest.FullObject}
	return err
}

// sumAgain gives an object a checksum of another algorithm.
func (a *Assets) sumAgain(o *objects.Object, name string) error {
	algorithm, err := digest.Parse(name)
	if err != nil {
		return fault.InvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	_, sum, err := a.sum(o, algorithm)
	o.Checksum = objects.Checksum{Algorithm: algorithm, Value: sum, Type: digest.FullObject}
	return err
}

// sum reads an object's bytes for their MD5, in hexadecimal, and a checksum.
func (a *Assets) sum(o *objects.Object, algorithm digest.Algorithm) (md, sum string, err error) {
	body, err := a.Keeper.Open(o)
	if err != nil {
		return "", "", err
	}
	defer body.Close()
	h, err := digest.New(algorithm)
	if err != nil {
		return "", "", err
	}
	m := md5.New()
	if _, err := io.Copy(io.MultiWriter(h, m), body); err != nil {
		return "", "", err
	}
	return hex.EncodeToString(m.Sum(nil)), digest.Text(h.Sum(nil)), nil
}

// hold keeps contents from being removed until release is called.
func (a *Assets) hold(parts []objects.Part) (release func(), err error) {
	var held []string
	release = func() {
		for _, hash := range held {
			_ = a.Keeper.Files.Unpin(hash)
		}
	}
	for _, p := range parts {
		if err := a.Keeper.Files.Pin(p.Hash); err != nil {
			release()
			return nil, fault.NoSuchKey() // it went away meanwhile
		}
		held = append(held, p.Hash)
	}
	return release, nil
}
