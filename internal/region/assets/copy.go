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
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// copySource says which object is copied, and under which conditions.
type copySource struct {
	Source            string `header:"x-amz-copy-source"`
	IfMatch           string `header:"x-amz-copy-source-if-match"`
	IfNoneMatch       string `header:"x-amz-copy-source-if-none-match"`
	IfModifiedSince   string `header:"x-amz-copy-source-if-modified-since"`
	IfUnmodifiedSince string `header:"x-amz-copy-source-if-unmodified-since"`
	SourceOwner       string `header:"x-amz-source-expected-bucket-owner"`
}

type copyDirectives struct {
	Metadata          string `header:"x-amz-metadata-directive"`
	TagDirective      string `header:"x-amz-tagging-directive"`
	ChecksumAlgorithm string `header:"x-amz-checksum-algorithm"`
}

type copyResult struct {
	XMLName      xml.Name
	LastModified wire.Time
	ETag         string
	sums
}

// sourceTargets is what reading the source of a copy needs.
func (a *Assets) sourceTargets(in copySource) []wire.Target {
	if in.Source == "" {
		return nil
	}
	name, version, err := parseCopySource(in.Source)
	if err != nil {
		return nil // which is said later
	}
	return []wire.Target{a.versionTarget("s3:GetObject", name, version)}
}

// source finds the object that is copied.
func (a *Assets) source(ctx context.Context, c *wire.Call, in copySource) (*objects.Object, error) {
	name, version, err := parseCopySource(in.Source)
	if err != nil {
		return nil, err
	}
	if in.SourceOwner != "" && in.SourceOwner != c.Account {
		return nil, fault.AccessDenied()
	}
	o, err := a.keeper.Lookup(ctx, name.Bucket, name.Key, version)
	if err != nil {
		return nil, a.hide(ctx, c, name.Bucket, err)
	}
	conditions := getObjectInput{IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch, IfModifiedSince: in.IfModifiedSince, IfUnmodifiedSince: in.IfUnmodifiedSince}
	if told, err := conditions.conditions(o); err != nil || !told {
		return nil, fault.PreconditionFailed()
	}
	return o, nil
}

// copyObject copies an object: the copy refers to the same bytes.
func (a *Assets) copyObject(ctx context.Context, c *wire.Call, in *putObjectInput) (*wire.Raw, error) {
	b, err := a.bucket(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	source, err := a.source(ctx, c, in.copySource)
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
	conditions := writeConditions{IfMatch: in.IfMatch, IfNoneMatch: in.IfNoneMatch}
	release, err := a.hold(o.Parts)
	if err != nil {
		return nil, err
	}
	defer release()
	if err := a.commit(ctx, in.Bucket, o, conditions, func() error { return nil }); err != nil {
		return nil, err
	}
	header := http.Header{}
	addVersion(header, o)
	addEncryption(header, o)
	if source.Version != "null" {
		header.Set("x-amz-copy-source-version-id", source.Version)
	}
	return xmlAnswer(c, header, copyResult{
		XMLName: xml.Name{Space: namespace, Local: "CopyObjectResult"}, LastModified: wire.Time{Time: o.Modified}, ETag: quoted(o.ETag), sums: sumsOf(o.Checksum),
	})
}

// copied makes the record of a copy.
func (a *Assets) copied(in *putObjectInput, c *wire.Call, b *objects.Bucket, source *objects.Object) (*objects.Object, error) {
	o, err := a.newObject(in.objectName, in.objectHeaders, headerOf(c), b)
	if err != nil {
		return nil, err
	}
	if source.Size > maxObject {
		return nil, fault.InvalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: %d", maxObject)
	}
	switch in.Metadata {
	case "", "COPY":
		name, version, _ := parseCopySource(in.Source)
		if name == in.objectName && version == "" && in.StorageClass == "" && in.Encryption == "" {
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
	body, err := a.keeper.Open(o)
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
			_ = a.keeper.Files.Unpin(hash)
		}
	}
	for _, p := range parts {
		if err := a.keeper.Files.Pin(p.Hash); err != nil {
			release()
			return nil, fault.NoSuchKey() // it went away meanwhile
		}
		held = append(held, p.Hash)
	}
	return release, nil
}

// copyPart makes a part of a piece of another object.
func (a *Assets) copyPart(ctx context.Context, c *wire.Call, in *copyPartInput, u *upload) (*wire.Raw, error) {
	source, err := a.source(ctx, c, in.copySource)
	if err != nil {
		return nil, err
	}
	body, err := a.keeper.Open(source)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if in.Range != "" {
		from, size, ok := parseRange(in.Range, source.Size)
		if !ok || size <= 0 {
			return nil, fault.InvalidArgument("Range specified is not valid for source object of size: %d", source.Size)
		}
		body.Section(from, size)
	}
	got, err := a.write(body, claims{algorithm: u.Checked.Algorithm})
	if err != nil {
		return nil, err
	}
	defer got.Close()
	p := got.part(in.PartNumber, a.now())
	if err := a.keepPart(ctx, in.uploadPartInput, p, got.Keep); err != nil {
		return nil, err
	}
	header := http.Header{}
	if source.Version != "null" {
		header.Set("x-amz-copy-source-version-id", source.Version)
	}
	return xmlAnswer(c, header, copyResult{
		XMLName: xml.Name{Space: namespace, Local: "CopyPartResult"}, LastModified: wire.Time{Time: p.Modified}, ETag: quoted(p.MD5),
		sums: sumsOf(objects.Checksum{Algorithm: u.Checked.Algorithm, Value: p.Checksum}),
	})
}
