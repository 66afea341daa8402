// Package objects keeps what is known of buckets and objects: their records in
// the store, and the files of their bytes.
//
//	o, err := keeper.Lookup(ctx, "bucket", "key", "") // what can be read
//	body, err := keeper.Open(o)
//	err = db.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
//		return keeper.Put(tx, bucket, o) // as the latest version of its key
//	})
//
// Of each key that has versions the latest, be it a delete marker, is found
// under the key itself, the others beside it.
package objects

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/seed-615d3599/roost/internal/region/assets/content"
	"github.com/seed-615d3599/roost/internal/region/assets/digest"
	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// The kinds under which things are stored. Of each key that has versions the
// latest, be it a delete marker, is a KindObject; the others are KindVersion.
const (
	KindBucket  = "s3-bucket"  // by name
	KindObject  = "s3-object"  // by bucket/key
	KindVersion = "s3-version" // by bucket/key NUL sequence
	KindUpload  = "s3-upload"  // by bucket/key NUL upload id
	KindPart    = "s3-part"    // by upload id/part number
	kindContent = "s3-content" // by hash: how many refer to it
)

// Bucket is a bucket.
type Bucket struct {
	Name       string
	Created    time.Time
	Versioning string                     `json:",omitempty"` // "", "Enabled" or "Suspended"
	Policy     string                     `json:",omitempty"`
	Settings   map[string]json.RawMessage `json:",omitempty"` // by the name of their root element
}

// Object is one version of an object, or a delete marker.
type Object struct {
	Key      string
	Version  string // "null" for what was written without versioning
	Sequence int64  // orders the versions of a key
	Marker   bool   `json:",omitempty"`
	Modified time.Time

	Size         int64
	ETag         string            // without quotes
	Parts        []Part            `json:",omitempty"`
	Multipart    bool              `json:",omitempty"`
	Headers      map[string]string `json:",omitempty"` // Content-Type and the like
	Meta         map[string]string `json:",omitempty"` // x-amz-meta-, names in lower case
	Tags         []settings.Tag    `json:",omitempty"`
	StorageClass string            `json:",omitempty"` // "" is STANDARD
	Encryption   Encryption        `json:",omitzero"`
	Checksum     Checksum          `json:",omitzero"`
}

// Part is a piece of an object's bytes.
type Part struct {
	Number   int
	Hash     string // names the content
	Size     int64
	MD5      string // hexadecimal
	Checksum string `json:",omitempty"` // of the object's algorithm, base 64
	Modified time.Time
}

// Checksum is what is known of an object's bytes besides the ETag.
type Checksum struct {
	Algorithm digest.Algorithm `json:",omitempty"`
	Value     string           `json:",omitempty"`
	Type      string           `json:",omitempty"` // digest.FullObject or digest.Composite
}

// Encryption is what the client or the bucket asked for. It is kept and told
// again; the files themselves are as they came, with mode 0600.
type Encryption struct {
	Algorithm string `json:",omitempty"` // "" is AES256
	Key       string `json:",omitempty"`
	BucketKey bool   `json:",omitempty"`
}

// Key is under what an object is stored.
func Key(bucket, key string) string { return bucket + "/" + key }

// versionKey orders the versions of a key from the latest to the oldest.
func versionKey(bucket, key string, sequence int64) string {
	return fmt.Sprintf("%s/%s\x00%016x", bucket, key, uint64(1<<63-1-sequence))
}

// ARN returns the ARN of an object.
func ARN(bucket, key string) string { return "arn:aws:s3:::" + bucket + "/" + key }

// GetBucket reads a bucket.
func GetBucket(tx *store.Tx, name string) (*Bucket, error) {
	var b Bucket
	found, err := tx.Get(KindBucket, name, &b)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.NoSuchBucket()
	}
	return &b, nil
}

// GetVersion reads a version of an object, the latest if version is "". The
// answer may be a delete marker, or nil if there is none.
func GetVersion(tx *store.Tx, bucket, key, version string) (*Object, error) {
	var o Object
	found, err := tx.Get(KindObject, Key(bucket, key), &o)
	if err != nil || !found {
		return nil, err
	}
	if version == "" || o.Version == version {
		return &o, nil
	}
	older, err := store.All[*Object](tx, KindVersion, Key(bucket, key)+"\x00")
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

// Keeper keeps records and bytes.
type Keeper struct {
	DB    *store.DB
	Files *content.Files
}

// MarkerError says that the version that was asked for is a delete marker.
type MarkerError struct{ Object *Object }

func (e *MarkerError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the error for those who do not know of markers.
func (e *MarkerError) Unwrap() error { return fault.NoSuchKey() }

// Lookup finds an object that can be read, the latest version if version is "".
// For a delete marker the error is a *MarkerError.
func (k *Keeper) Lookup(ctx context.Context, bucket, key, version string) (*Object, error) {
	var o *Object
	err := k.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := GetBucket(tx, bucket); err != nil {
			return err
		}
		var err error
		o, err = GetVersion(tx, bucket, key, version)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case o == nil && version != "":
		return nil, fault.NoSuchVersion()
	case o == nil:
		return nil, fault.NoSuchKey()
	case o.Marker:
		return nil, &MarkerError{o}
	}
	return o, nil
}

// Put stores o as the latest version of its key. What was the latest is kept if
// the bucket keeps versions, and goes otherwise.
func (k *Keeper) Put(tx *store.Tx, b *Bucket, o *Object) error {
	latest, err := GetVersion(tx, b.Name, o.Key, "")
	if err != nil {
		return err
	}
	if o.Version == "" {
		o.Version = "null"
	}
	if latest != nil {
		o.Sequence = latest.Sequence + 1
		if err := k.supersede(tx, b, latest, o); err != nil {
			return err
		}
	}
	for _, p := range o.Parts {
		if err := Refer(tx, p.Hash); err != nil {
			return err
		}
	}
	return tx.Put(KindObject, Key(b.Name, o.Key), o)
}

// supersede makes room for a new latest version. A version "null" replaces any
// earlier "null" (S3 User Guide, "Adding objects to versioning-suspended
// buckets").
func (k *Keeper) supersede(tx *store.Tx, b *Bucket, latest, next *Object) error {
	if next.Version == "null" {
		null, err := GetVersion(tx, b.Name, next.Key, "null")
		if err != nil {
			return err
		}
		if null != nil {
			if err := k.forget(tx, null); err != nil {
				return err
			}
			if err := tx.Delete(KindVersion, versionKey(b.Name, null.Key, null.Sequence)); err != nil {
				return err
			}
		}
		if latest.Version == "null" {
			return nil
		}
	}
	return tx.Put(KindVersion, versionKey(b.Name, latest.Key, latest.Sequence), latest)
}

// RemoveVersion removes one version for good. If it was the latest, the next
// older one takes its place.
func (k *Keeper) RemoveVersion(tx *store.Tx, bucket string, o *Object) error {
	if err := k.forget(tx, o); err != nil {
		return err
	}
	var latest Object
	if _, err := tx.Get(KindObject, Key(bucket, o.Key), &latest); err != nil {
		return err
	}
	if latest.Version != o.Version {
		return tx.Delete(KindVersion, versionKey(bucket, o.Key, o.Sequence))
	}
	from := Key(bucket, o.Key) + "\x00"
	older, err := tx.Range(KindVersion, from, from+"\xff", 1)
	if err != nil {
		return err
	}
	if len(older) == 0 {
		return tx.Delete(KindObject, Key(bucket, o.Key))
	}
	if err := tx.Put(KindObject, Key(bucket, o.Key), older[0].Value); err != nil {
		return err
	}
	return tx.Delete(KindVersion, older[0].Key)
}

// forget takes an object's references from its contents.
func (k *Keeper) forget(tx *store.Tx, o *Object) error {
	for _, p := range o.Parts {
		if err := k.Release(tx, p.Hash); err != nil {
			return err
		}
	}
	return nil
}

// references counts who refers to a content.
type references struct{ Count int }

// Refer adds a reference to a content.
func Refer(tx *store.Tx, hash string) error {
	var r references
	if _, err := tx.Get(kindContent, hash, &r); err != nil {
		return err
	}
	r.Count++
	return tx.Put(kindContent, hash, r)
}

// Release takes one reference away, and after the last has the content removed
// once that is durable.
func (k *Keeper) Release(tx *store.Tx, hash string) error {
	var r references
	if _, err := tx.Get(kindContent, hash, &r); err != nil {
		return err
	}
	if r.Count--; r.Count > 0 {
		return tx.Put(kindContent, hash, r)
	}
	tx.OnCommit(func() { _ = k.Files.Remove(hash) }) // what cannot be removed now is at the next start
	return tx.Delete(kindContent, hash)
}

// Referenced returns those contents that a committed record refers to.
func (k *Keeper) Referenced(hashes ...string) (used []string, err error) {
	err = k.DB.View(context.Background(), func(tx *store.Tx) error {
		for _, hash := range hashes {
			found, err := tx.Get(kindContent, hash, &references{})
			if err != nil {
				return err
			}
			if found {
				used = append(used, hash)
			}
		}
		return nil
	})
	return used, err
}

// Set keeps a document in a bucket, under the name of its root element.
func (b *Bucket) Set(root string, document any) error {
	data, err := json.Marshal(document)
	if err != nil {
		return err
	}
	if b.Settings == nil {
		b.Settings = map[string]json.RawMessage{}
	}
	b.Settings[root] = data
	return nil
}

// Setting reads a document that the bucket keeps; without one it leaves v alone.
func (b *Bucket) Setting(root string, v any) error {
	if kept, ok := b.Settings[root]; ok {
		return json.Unmarshal(kept, v)
	}
	return nil
}

// Replace stores a version that is there in its place.
func Replace(tx *store.Tx, bucket string, o *Object) error {
	latest, err := GetVersion(tx, bucket, o.Key, "")
	if err != nil {
		return err
	}
	if latest != nil && latest.Version == o.Version {
		return tx.Put(KindObject, Key(bucket, o.Key), o)
	}
	return tx.Put(KindVersion, versionKey(bucket, o.Key, o.Sequence), o)
}
