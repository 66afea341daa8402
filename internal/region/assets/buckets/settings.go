package buckets

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (a *Buckets) settingOperations() []wire.Operation {
	var operations []wire.Operation
	for _, s := range settings.All() {
		path := "/{Bucket}?" + s.Query
		operations = append(operations,
			front.Op("Put"+s.Operation, a.putSetting(s), wire.HTTP("PUT "+path, s.Status), front.OnBucket[putSettingInput](a.Front, "s3:Put"+s.Action)),
			front.Op("Get"+s.Operation, a.getSetting(s), wire.HTTP("GET "+path, 200), front.OnBucket[front.BucketInput](a.Front, "s3:Get"+s.Action)))
		if s.Deletes != "" {
			name := "Delete" + s.Operation
			if s.Query == "lifecycle" {
				name = "DeleteBucketLifecycle"
			}
			operations = append(operations, front.Op(name, a.deleteSetting(s), wire.HTTP("DELETE "+path, 204), front.OnBucket[front.BucketInput](a.Front, s.Deletes)))
		}
	}
	return append(operations, a.refusedOperations()...)
}

// refusedOperations are settings that roost does not have: asked for they are
// absent, as in a bucket that never had them; they cannot be set.
func (a *Buckets) refusedOperations() []wire.Operation {
	var operations []wire.Operation
	for _, r := range []struct{ query, operation, action, what, code, message string }{
		{"website", "BucketWebsite", "BucketWebsite", "website hosting", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"},
		{"replication", "BucketReplication", "ReplicationConfiguration", "replication", "ReplicationConfigurationNotFoundError", "The replication configuration was not found"},
		{"object-lock", "ObjectLockConfiguration", "BucketObjectLockConfiguration", "object lock", "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"},
	} {
		put := func(context.Context, *wire.Call, *putSettingInput) (*front.Empty, error) {
			return nil, fault.NotImplemented(r.what)
		}
		get := func(ctx context.Context, _ *wire.Call, in *front.BucketInput) (*front.Empty, error) {
			if _, err := a.ReadBucket(ctx, in.Bucket); err != nil {
				return nil, err
			}
			return nil, wire.Errorf(http.StatusNotFound, r.code, "%s", r.message)
		}
		operations = append(operations,
			front.Op("Put"+r.operation, put, wire.HTTP("PUT /{Bucket}?"+r.query, 200), front.OnBucket[putSettingInput](a.Front, "s3:Put"+r.action)),
			front.Op("Get"+r.operation, get, wire.HTTP("GET /{Bucket}?"+r.query, 200), front.OnBucket[front.BucketInput](a.Front, "s3:Get"+r.action)))
	}
	return operations
}

// putSettingInput is a bucket and one document: over HTTP as the body, in the
// process as the member that bears its name.
type putSettingInput struct {
	front.BucketInput
	Body []byte `payload:"true" json:"-"`

	given map[string]json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (in *putSettingInput) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &in.given); err != nil {
		return err
	}
	defer delete(in.given, "Bucket")
	return json.Unmarshal(in.given["Bucket"], &in.Bucket)
}

// document reads the setting that the input holds.
func (in *putSettingInput) document(s settings.Setting) (any, error) {
	document := s.Fresh()
	if in.given == nil {
		return document, front.ReadXML(in.Body, s.Root, document)
	}
	for name, value := range in.given {
		if name != s.Root {
			return nil, fault.NotImplemented("the member " + name + " of Put" + s.Operation)
		}
		decoder := json.NewDecoder(bytes.NewReader(value))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(document); err != nil {
			return nil, fault.InvalidRequest("%s: %v", s.Root, err)
		}
	}
	return document, nil
}

func (a *Buckets) putSetting(s settings.Setting) func(context.Context, *wire.Call, *putSettingInput) (*front.Empty, error) {
	return func(ctx context.Context, _ *wire.Call, in *putSettingInput) (*front.Empty, error) {
		document, err := in.document(s)
		if err == nil && s.Check != nil {
			err = s.Check(document)
		}
		if err != nil {
			return nil, err
		}
		return &front.Empty{}, a.change(ctx, in.Bucket, func(b *objects.Bucket) error {
			if versioning, ok := document.(*settings.Versioning); ok {
				b.Versioning = versioning.Status
			}
			return b.Set(s.Root, document)
		})
	}
}

func (a *Buckets) getSetting(s settings.Setting) func(context.Context, *wire.Call, *front.BucketInput) (*wire.Raw, error) {
	return func(ctx context.Context, c *wire.Call, in *front.BucketInput) (*wire.Raw, error) {
		b, err := a.ReadBucket(ctx, in.Bucket)
		if err != nil {
			return nil, err
		}
		document := s.Fresh()
		if kept, ok := b.Settings[s.Root]; ok {
			err = json.Unmarshal(kept, document)
		} else {
			document, err = s.Missing()
		}
		if err != nil {
			return nil, err
		}
		return front.XMLAnswer(c, nil, front.Rooted{Root: s.Root, Document: document})
	}
}

func (a *Buckets) deleteSetting(s settings.Setting) func(context.Context, *wire.Call, *front.BucketInput) (*front.Empty, error) {
	return func(ctx context.Context, _ *wire.Call, in *front.BucketInput) (*front.Empty, error) {
		return &front.Empty{}, a.change(ctx, in.Bucket, func(b *objects.Bucket) error {
			delete(b.Settings, s.Root)
			return nil
		})
	}
}

// change changes a bucket.
func (a *Buckets) change(ctx context.Context, name string, f func(*objects.Bucket) error) error {
	return a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := objects.GetBucket(tx, name)
		if err != nil {
			return err
		}
		if err := f(b); err != nil {
			return err
		}
		return tx.Put(objects.KindBucket, name, b)
	})
}
