// Package front is what the rooms of S3 share: how requests are read and
// answered, what they need permission for, and how bodies come in.
//
//	a := &front.Front{Account: …, Region: …, DB: db, Keeper: keeper, S3: service}
//	operation := front.Op("HeadBucket", headBucket, front.OnBucket[front.BucketInput](a, "s3:ListBucket"))
//	got, err := a.Receive(call, "")
//
// Headers of S3's own that an operation does not know are refused by name.
package front

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"time"

	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Front is what the operations share. All members must be given.
type Front struct {
	Account string // 12 digits
	Region  string
	DB      *store.DB
	Now     func() time.Time
	Rand    io.Reader
	Keeper  *objects.Keeper
	S3      *wire.Service // whose Authorize is asked where the answer decides about more than yes or no
}

// Limits of S3 (S3 User Guide, "Amazon S3 objects overview", "Multipart upload
// limits"), but for MaxObject, which there is 5 TiB for objects in parts.
const (
	MaxObject = 5 << 30 // bytes
	MaxParts  = 10000
	maxKey    = 1024 // bytes
	maxMeta   = 2048 // bytes, names and values together
)

// ReadBucket reads a bucket.
func (a *Front) ReadBucket(ctx context.Context, name string) (b *objects.Bucket, err error) {
	err = a.DB.View(ctx, func(tx *store.Tx) error {
		b, err = objects.GetBucket(tx, name)
		return err
	})
	return b, err
}

// Owner is who owns a bucket or an object.
type Owner struct{ ID string }

// Owner is the account in the form of a canonical user id.
func (a *Front) Owner() Owner {
	id := sha256.Sum256([]byte("canonical user of " + a.Account))
	return Owner{ID: hex.EncodeToString(id[:])}
}

// Moment is the time with the precision that S3 keeps.
func (a *Front) Moment() time.Time { return a.Now().UTC().Truncate(time.Millisecond) }

// NewID makes an opaque identifier of n random bytes.
func (a *Front) NewID(n int) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(a.Rand, raw); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}
