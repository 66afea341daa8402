// Package assets is the part of S3 that deployments and the AWS CLI need:
// buckets with their settings, objects and their versions, uploads in parts.
//
//	a, err := assets.New(assets.Config{Account: "123456789012", Region: "us-east-1", DB: db, Dir: dir})
//	service := a.Service()                                   // for the edge and for CloudFormation
//	body, err := a.Object(ctx, "bucket", "code.zip", "")     // for Lambda
//	template, err := a.ReadObject(ctx, caller, bucket, key)  // with the caller's rights
//
// Objects' bytes are files (package content); what is known of them is in the
// store. A record is committed after its bytes are on disk, and bytes are removed
// after the record that named them is gone.
//
// Nobody gets in without a signature: there is no anonymous access, whatever a
// bucket's policy or access control list says. What S3 has and this room does
// not (website hosting, replication, object lock …) is refused by name.
package assets

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/seed-615d3599/roost/internal/region/assets/content"
	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. Account, Region, DB and Dir must be given.
type Config struct {
	Account string // 12 digits
	Region  string
	DB      *store.DB
	Dir     string           // the folder of objects' bytes; nobody else writes there
	Now     func() time.Time // nil means time.Now
	Rand    io.Reader        // nil means crypto/rand
}

// Assets is the service. Make it with New.
type Assets struct {
	config  Config
	keeper  *objects.Keeper
	service *wire.Service
}

// Limits of S3 (S3 User Guide, "Amazon S3 objects overview", "Multipart upload
// limits"), but for maxObject, which there is 5 TiB for objects in parts.
const (
	maxObject = 5 << 30 // bytes
	maxKey    = 1024    // bytes
	maxMeta   = 2048    // bytes, names and values together
	maxParts  = 10000
)

// New opens the service, and removes what a crash left in Dir.
func New(config Config) (*Assets, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	a := &Assets{config: config, keeper: &objects.Keeper{DB: config.DB}}
	var err error
	if a.keeper.Files, err = content.Open(config.Dir, a.keeper.Referenced); err != nil {
		return nil, err
	}
	a.service = a.describe()
	return a, nil
}

// Close ends the service. Nothing of it runs in the background.
func (a *Assets) Close() error { return nil }

// Service returns the operations of S3.
func (a *Assets) Service() *wire.Service { return a.service }

// Object opens an object for the region's own use: nobody's permission is asked.
// version is "" for the latest.
func (a *Assets) Object(ctx context.Context, bucket, key, version string) (io.ReadCloser, error) {
	for range openTries {
		o, err := a.keeper.Lookup(ctx, bucket, key, version)
		if err != nil {
			return nil, err
		}
		body, err := a.keeper.Open(o)
		if !errors.Is(err, fs.ErrNotExist) {
			return body, err
		}
	}
	return nil, fault.NoSuchKey()
}

// openTries is how often an object is looked up again when its bytes went away
// between the look-up and the opening.
const openTries = 3

// maxRead bounds what ReadObject returns, in bytes.
const maxRead = 16 << 20

// ReadObject returns an object's bytes if the caller may read it.
func (a *Assets) ReadObject(ctx context.Context, caller *wire.Caller, bucket, key string) ([]byte, error) {
	call := &wire.Call{Caller: caller, Service: "s3", Operation: "GetObject", Region: a.config.Region, Account: a.config.Account}
	if a.service.Authorize == nil {
		return nil, fault.AccessDenied()
	}
	targets := []wire.Target{{Action: "s3:GetObject", Resource: objects.ARN(bucket, key), Policy: a.policyOf(bucket)}}
	if err := a.service.Authorize(ctx, call, targets); err != nil {
		return nil, err
	}
	body, err := a.Object(ctx, bucket, key, "")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxRead+1))
	if err == nil && len(data) > maxRead {
		return nil, fault.InvalidRequest("the object has more than %d bytes", maxRead)
	}
	return data, err
}

// now is the time with the precision that S3 keeps.
func (a *Assets) now() time.Time { return a.config.Now().UTC().Truncate(time.Millisecond) }

// newID makes an opaque identifier of n random bytes.
func (a *Assets) newID(n int) (string, error) {
	raw := make([]byte, n)
	if _, err := io.ReadFull(a.config.Rand, raw); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}
