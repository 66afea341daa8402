package assets

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/seed-615d3599/roost/internal/region/assets/digest"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// The kinds under which things are stored. Of each key that has versions the
// latest, be it a delete marker, is a kindObject; the others are kindVersion.
const (
	kindBucket  = "s3-bucket"  // by name
	kindObject  = "s3-object"  // by bucket/key
	kindVersion = "s3-version" // by bucket/key NUL sequence
	kindUpload  = "s3-upload"  // by bucket/key NUL upload id
	kindPart    = "s3-part"    // by upload id/part number
	kindContent = "s3-content" // by hash: how many refer to it
)

// bucket is a bucket.
type bucket struct {
	Name       string
	Created    time.Time
	Versioning string                     `json:",omitempty"` // "", "Enabled" or "Suspended"
	Policy     string                     `json:",omitempty"`
	Settings   map[string]json.RawMessage `json:",omitempty"` // by the name of their root element
}

// object is one version of an object, or a delete marker.
type object struct {
	Key      string
	Version  string // "null" for what was written without versioning
	Sequence int64  // orders the versions of a key
	Marker   bool   `json:",omitempty"`
	Modified time.Time

	Size         int64
	ETag         string            // without quotes
	Parts        []part            `json:",omitempty"`
	Multipart    bool              `json:",omitempty"`
	Headers      map[string]string `json:",omitempty"` // Content-Type and the like
	Meta         map[string]string `json:",omitempty"` // x-amz-meta-, names in lower case
	Tags         []Tag             `json:",omitempty"`
	StorageClass string            `json:",omitempty"` // "" is STANDARD
	Encryption   encryption        `json:",omitzero"`
	Checksum     checksum          `json:",omitzero"`
}

// part is a piece of an object's bytes.
type part struct {
	Number   int
	Hash     string // names the content
	Size     int64
	MD5      string // hexadecimal
	Checksum string `json:",omitempty"` // of the object's algorithm, base 64
	Modified time.Time
}

// checksum is what is known of an object's bytes besides the ETag.
type checksum struct {
	Algorithm digest.Algorithm `json:",omitempty"`
	Value     string           `json:",omitempty"`
	Type      string           `json:",omitempty"` // digest.FullObject or digest.Composite
}

// encryption is what the client or the bucket asked for. It is kept and told
// again; the files themselves are as they came, with mode 0600.
type encryption struct {
	Algorithm string `json:",omitempty"` // "" is AES256
	Key       string `json:",omitempty"`
	BucketKey bool   `json:",omitempty"`
}

func objectKey(bucket, key string) string { return bucket + "/" + key }

// versionKey orders the versions of a key from the latest to the oldest.
func versionKey(bucket, key string, sequence int64) string {
	return fmt.Sprintf("%s/%s\x00%016x", bucket, key, uint64(1<<63-1-sequence))
}

func objectARN(bucket, key string) string { return "arn:aws:s3:::" + bucket + "/" + key }

func getBucket(tx *store.Tx, name string) (*bucket, error) {
	var b bucket
	found, err := tx.Get(kindBucket, name, &b)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, noSuchBucket()
	}
	return &b, nil
}

// getVersion reads a version of an object, the latest if version is "". The
// answer may be a delete marker, or nil if there is none.
func getVersion(tx *store.Tx, bucket, key, version string) (*object, error) {
	var o object
	found, err := tx.Get(kindObject, objectKey(bucket, key), &o)
	if err != nil || !found {
		return nil, err
	}
	if version == "" || o.Version == version {
		return &o, nil
	}
	older, err := store.All[*object](tx, kindVersion, objectKey(bucket, key)+"\x00")
	if err != nil {
		return nil, err
	}
	for _, o := range older {
		if o.Version == version {
			return o, nil
		}
	}
	return nil, nil
}

// lookup finds an object that can be read.
func (a *Assets) lookup(ctx context.Context, bucket, key, version string) (*object, error) {
	var o *object
	err := a.config.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := getBucket(tx, bucket); err != nil {
			return err
		}
		var err error
		o, err = getVersion(tx, bucket, key, version)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case o == nil && version != "":
		return nil, noSuchVersion()
	case o == nil:
		return nil, noSuchKey()
	case o.Marker && version != "":
		return nil, &markerError{o}
	case o.Marker:
		return nil, &markerError{o}
	}
	return o, nil
}

// put stores o as the latest version of its key. What was the latest is kept if
// the bucket keeps versions, and goes otherwise.
func (a *Assets) put(tx *store.Tx, b *bucket, o *object) error {
	latest, err := getVersion(tx, b.Name, o.Key, "")
	if err != nil {
		return err
	}
	if o.Version == "" {
		o.Version = "null"
	}
	if latest != nil {
		o.Sequence = latest.Sequence + 1
		if err := a.supersede(tx, b, latest, o); err != nil {
			return err
		}
	}
	for _, p := range o.Parts {
		if err := refer(tx, p.Hash); err != nil {
			return err
		}
	}
	return tx.Put(kindObject, objectKey(b.Name, o.Key), o)
}

// supersede makes room for a new latest version. A version "null" replaces any
// earlier "null" (S3 User Guide, "Adding objects to versioning-suspended
// buckets").
func (a *Assets) supersede(tx *store.Tx, b *bucket, latest, next *object) error {
	if next.Version == "null" {
		null, err := getVersion(tx, b.Name, next.Key, "null")
		if err != nil {
			return err
		}
		if null != nil {
			if err := a.forget(tx, null); err != nil {
				return err
			}
			if err := tx.Delete(kindVersion, versionKey(b.Name, null.Key, null.Sequence)); err != nil {
				return err
			}
		}
		if latest.Version == "null" {
			return nil
		}
	}
	return tx.Put(kindVersion, versionKey(b.Name, latest.Key, latest.Sequence), latest)
}

// removeVersion removes one version for good. If it was the latest, the next
// older one takes its place.
func (a *Assets) removeVersion(tx *store.Tx, bucket string, o *object) error {
	if err := a.forget(tx, o); err != nil {
		return err
	}
	var latest object
	if _, err := tx.Get(kindObject, objectKey(bucket, o.Key), &latest); err != nil {
		return err
	}
	if latest.Version != o.Version {
		return tx.Delete(kindVersion, versionKey(bucket, o.Key, o.Sequence))
	}
	from := objectKey(bucket, o.Key) + "\x00"
	older, err := tx.Range(kindVersion, from, from+"\xff", 1)
	if err != nil {
		return err
	}
	if len(older) == 0 {
		return tx.Delete(kindObject, objectKey(bucket, o.Key))
	}
	if err := tx.Put(kindObject, objectKey(bucket, o.Key), older[0].Value); err != nil {
		return err
	}
	return tx.Delete(kindVersion, older[0].Key)
}

// forget takes an object's references from its contents.
func (a *Assets) forget(tx *store.Tx, o *object) error {
	for _, p := range o.Parts {
		if err := a.release(tx, p.Hash); err != nil {
			return err
		}
	}
	return nil
}

// references counts who refers to a content.
type references struct{ Count int }

func refer(tx *store.Tx, hash string) error {
	var r references
	if _, err := tx.Get(kindContent, hash, &r); err != nil {
		return err
	}
	r.Count++
	return tx.Put(kindContent, hash, r)
}

// release takes one reference away, and after the last has the content removed
// once that is durable.
func (a *Assets) release(tx *store.Tx, hash string) error {
	var r references
	if _, err := tx.Get(kindContent, hash, &r); err != nil {
		return err
	}
	if r.Count--; r.Count > 0 {
		return tx.Put(kindContent, hash, r)
	}
	tx.OnCommit(func() { a.collect(hash) })
	return tx.Delete(kindContent, hash)
}

// collect removes a content unless something refers to it again. A failure
// leaves the file to the next start.
func (a *Assets) collect(hash string) {
	if used, err := a.referenced(hash); err == nil && !used {
		_ = a.files.Remove(hash)
	}
}

// referenced reports whether a committed record refers to a content.
func (a *Assets) referenced(hash string) (found bool, err error) {
	err = a.config.DB.View(context.Background(), func(tx *store.Tx) error {
		found, err = tx.Get(kindContent, hash, &references{})
		return err
	})
	return found, err
}

// open opens an object's bytes.
func (a *Assets) open(o *object) (*pieces, error) {
	p := &pieces{}
	for _, piece := range o.Parts {
		file, err := a.files.Open(piece.Hash)
		if err != nil {
			p.Close()
			return nil, err
		}
		p.files, p.sizes = append(p.files, file), append(p.sizes, piece.Size)
	}
	p.section(0, o.Size)
	return p, nil
}

// pieces are the files of an object, read one after the other.
type pieces struct {
	files []*os.File
	sizes []int64
	io.Reader
}

// section limits what is read to size bytes from an offset.
func (p *pieces) section(offset, size int64) {
	var readers []io.Reader
	for i, file := range p.files {
		length := p.sizes[i]
		if offset >= length {
			offset -= length
			continue
		}
		take := min(length-offset, size)
		if take > 0 {
			readers = append(readers, io.NewSectionReader(file, offset, take))
		}
		size -= take
		offset = 0
	}
	p.Reader = io.MultiReader(readers...)
}

// Close closes the files.
func (p *pieces) Close() error {
	var first error
	for _, file := range p.files {
		if err := file.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
