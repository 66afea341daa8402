// Package assets is the part of S3 that deployments and the AWS CLI need:
// buckets with their settings, objects and their versions, uploads in parts.
//
//	a, err := assets.New(assets.Config{Account: "123456789012", Region: "us-east-1", DB: db, Dir: dir})
//	service := a.Service()                                   // for the edge and for CloudFormation
//	body, err := a.Object(ctx, caller, "bucket", "code.zip", "")  // for Lambda, with the caller's rights
//	template, err := a.ReadObject(ctx, caller, bucket, key)       // for CloudFormation
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
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/seed-615d3599/roost/internal/region/assets/content"
	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
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
type Assets struct{ *front.Front }

// New opens the service, and removes what a crash left in Dir.
func New(config Config) (*Assets, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	keeper := &objects.Keeper{DB: config.DB}
	var err error
	if keeper.Files, err = content.Open(config.Dir, keeper.Referenced); err != nil {
		return nil, err
	}
	a := &Assets{&front.Front{
		Account: config.Account, Region: config.Region, DB: config.DB, Now: config.Now, Rand: config.Rand, Keeper: keeper,
		S3: &wire.Service{Name: "s3", Protocol: wire.RESTXML, Namespace: front.Namespace},
	}}
	a.S3.Operations = a.operations()
	return a, nil
}

// Close ends the service. Nothing of it runs in the background.
func (a *Assets) Close() error { return nil }

// Service returns the operations of S3.
func (a *Assets) Service() *wire.Service { return a.S3 }

// Object opens an object that the caller may read; to others it is an
// AccessDenied. version is "" for the latest.
func (a *Assets) Object(ctx context.Context, caller *wire.Caller, bucket, key, version string) (io.ReadCloser, error) {
	action := "s3:GetObject"
	if version != "" {
		action = "s3:GetObjectVersion"
	}
	if a.S3.Authorize == nil {
		return nil, fault.AccessDenied()
	}
	call := &wire.Call{Caller: caller, Service: "s3", Operation: "GetObject", Region: a.Region, Account: a.Account}
	targets := []wire.Target{{Action: action, Resource: objects.ARN(bucket, key), Policy: a.PolicyOf(bucket)}}
	if err := a.S3.Authorize(ctx, call, targets); err != nil {
		return nil, err
	}
	for range openTries {
		o, err := a.Keeper.Lookup(ctx, bucket, key, version)
		if err != nil {
			return nil, err
		}
		body, err := a.Keeper.Open(o)
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
	body, err := a.Object(ctx, caller, bucket, key, "")
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
