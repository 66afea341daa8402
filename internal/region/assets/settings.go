package assets

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"reflect"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// setting is a document that a bucket keeps and tells again.
type setting struct {
	root      string     // its root element, and its member in JSON
	query     string     // by which it is asked for
	operation string     // behind Get, Put and Delete
	action    string     // behind s3:Get and s3:Put
	deletes   string     // the action of Delete; "" if there is none
	status    int        // of Put
	fresh     func() any // a pointer to an empty document
	check     func(any) error
	missing   func() (any, error) // what Get answers when there is none
}

// settings returns what a bucket keeps. Of these only the public access block,
// the ownership and the encryption's default have an effect.
func settings() []setting {
	return []setting{
		{"ServerSideEncryptionConfiguration", "encryption", "BucketEncryption", "EncryptionConfiguration", "s3:PutEncryptionConfiguration", 200,
			func() any { return new(Encryption) }, checkEncryption, defaultEncryption},
		{"PublicAccessBlockConfiguration", "publicAccessBlock", "PublicAccessBlock", "BucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock", 200,
			func() any { return new(PublicAccessBlock) }, nil, absent("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")},
		{"OwnershipControls", "ownershipControls", "BucketOwnershipControls", "BucketOwnershipControls", "s3:PutBucketOwnershipControls", 200,
			func() any { return new(OwnershipControls) }, checkOwnership, absent("OwnershipControlsNotFoundError", "The bucket ownership controls were not found")},
		{"LifecycleConfiguration", "lifecycle", "BucketLifecycleConfiguration", "LifecycleConfiguration", "s3:PutLifecycleConfiguration", 200,
			func() any { return new(Lifecycle) }, checkLifecycle, absent("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")},
		{"CORSConfiguration", "cors", "BucketCors", "BucketCORS", "s3:PutBucketCORS", 200,
			func() any { return new(CORS) }, checkCORS, absent("NoSuchCORSConfiguration", "The CORS configuration does not exist")},
		{"Tagging", "tagging", "BucketTagging", "BucketTagging", "s3:PutBucketTagging", 204,
			func() any { return new(Tagging) }, checkBucketTags, absent("NoSuchTagSet", "The TagSet does not exist")},
		{"VersioningConfiguration", "versioning", "BucketVersioning", "BucketVersioning", "", 200,
			func() any { return new(Versioning) }, checkVersioning, func() (any, error) { return new(Versioning), nil }},
		{"NotificationConfiguration", "notification", "BucketNotificationConfiguration", "BucketNotification", "", 200,
			func() any { return new(empty) }, nil, func() (any, error) { return new(empty), nil }},
		{"BucketLoggingStatus", "logging", "BucketLogging", "BucketLogging", "", 200,
			func() any { return new(empty) }, nil, func() (any, error) { return new(empty), nil }},
		{"AccelerateConfiguration", "accelerate", "BucketAccelerateConfiguration", "AccelerateConfiguration", "", 200,
			func() any { return new(Accelerate) }, checkAccelerate, func() (any, error) { return new(Accelerate), nil }},
		{"RequestPaymentConfiguration", "requestPayment", "BucketRequestPayment", "BucketRequestPayment", "", 200,
			func() any { return new(RequestPayment) }, checkPayer, func() (any, error) { return &RequestPayment{Payer: bucketOwner}, nil }},
	}
}

// absent makes the answer to a question for a setting that is not there.
func absent(code, message string) func() (any, error) {
	return func() (any, error) { return nil, wire.Errorf(http.StatusNotFound, code, "%s", message) }
}

func (a *Assets) settingOperations() []wire.Operation {
	var operations []wire.Operation
	for _, s := range settings() {
		path := "/{Bucket}?" + s.query
		operations = append(operations,
			op("Put"+s.operation, a.putSetting(s), wire.HTTP("PUT "+path, s.status), onBucket[putSettingInput](a, "s3:Put"+s.action)),
			op("Get"+s.operation, a.getSetting(s), wire.HTTP("GET "+path, 200), onBucket[bucketInput](a, "s3:Get"+s.action)))
		if s.deletes != "" {
			name := "Delete" + s.operation
			if s.query == "lifecycle" {
				name = "DeleteBucketLifecycle"
			}
			operations = append(operations, op(name, a.deleteSetting(s), wire.HTTP("DELETE "+path, 204), onBucket[bucketInput](a, s.deletes)))
		}
	}
	return append(operations, a.refusedOperations()...)
}

// refusedOperations are settings that roost does not have: asked for they are
// absent, as in a bucket that never had them; they cannot be set.
func (a *Assets) refusedOperations() []wire.Operation {
	var operations []wire.Operation
	for _, r := range []struct{ query, operation, action, what, code, message string }{
		{"website", "BucketWebsite", "BucketWebsite", "website hosting", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"},
		{"replication", "BucketReplication", "ReplicationConfiguration", "replication", "ReplicationConfigurationNotFoundError", "The replication configuration was not found"},
		{"object-lock", "ObjectLockConfiguration", "BucketObjectLockConfiguration", "object lock", "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"},
	} {
		put := func(context.Context, *wire.Call, *putSettingInput) (*empty, error) {
			return nil, notImplemented(r.what)
		}
		get := func(ctx context.Context, _ *wire.Call, in *bucketInput) (*empty, error) {
			if _, err := a.bucket(ctx, in.Bucket); err != nil {
				return nil, err
			}
			return nil, wire.Errorf(http.StatusNotFound, r.code, "%s", r.message)
		}
		operations = append(operations,
			op("Put"+r.operation, put, wire.HTTP("PUT /{Bucket}?"+r.query, 200), onBucket[putSettingInput](a, "s3:Put"+r.action)),
			op("Get"+r.operation, get, wire.HTTP("GET /{Bucket}?"+r.query, 200), onBucket[bucketInput](a, "s3:Get"+r.action)))
	}
	return operations
}

// putSettingInput is a bucket and one document: over HTTP as the body, in the
// process as the member that bears its name.
type putSettingInput struct {
	bucketInput
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
func (in *putSettingInput) document(s setting) (any, error) {
	document := s.fresh()
	if in.given == nil {
		return document, readXML(in.Body, s.root, document)
	}
	for name, value := range in.given {
		if name != s.root {
			return nil, notImplemented("the member " + name + " of Put" + s.operation)
		}
		decoder := json.NewDecoder(bytes.NewReader(value))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(document); err != nil {
			return nil, invalidRequest("%s: %v", s.root, err)
		}
	}
	return document, nil
}

func (a *Assets) putSetting(s setting) func(context.Context, *wire.Call, *putSettingInput) (*empty, error) {
	return func(ctx context.Context, _ *wire.Call, in *putSettingInput) (*empty, error) {
		document, err := in.document(s)
		if err == nil && s.check != nil {
			err = s.check(document)
		}
		if err != nil {
			return nil, err
		}
		return &empty{}, a.change(ctx, in.Bucket, func(b *bucket) error {
			if versioning, ok := document.(*Versioning); ok {
				b.Versioning = versioning.Status
			}
			return b.set(s.root, document)
		})
	}
}

func (a *Assets) getSetting(s setting) func(context.Context, *wire.Call, *bucketInput) (*wire.Raw, error) {
	return func(ctx context.Context, c *wire.Call, in *bucketInput) (*wire.Raw, error) {
		b, err := a.bucket(ctx, in.Bucket)
		if err != nil {
			return nil, err
		}
		document := s.fresh()
		if kept, ok := b.Settings[s.root]; ok {
			err = json.Unmarshal(kept, document)
		} else {
			document, err = s.missing()
		}
		if err != nil {
			return nil, err
		}
		return xmlAnswer(c, nil, rooted{s.root, document})
	}
}

func (a *Assets) deleteSetting(s setting) func(context.Context, *wire.Call, *bucketInput) (*empty, error) {
	return func(ctx context.Context, _ *wire.Call, in *bucketInput) (*empty, error) {
		return &empty{}, a.change(ctx, in.Bucket, func(b *bucket) error {
			delete(b.Settings, s.root)
			return nil
		})
	}
}

// change changes a bucket.
func (a *Assets) change(ctx context.Context, name string, f func(*bucket) error) error {
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		b, err := getBucket(tx, name)
		if err != nil {
			return err
		}
		if err := f(b); err != nil {
			return err
		}
		return tx.Put(kindBucket, name, b)
	})
}

// set keeps a document.
func (b *bucket) set(root string, document any) error {
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

// setting reads a document that the bucket keeps; without one it leaves v alone.
func (b *bucket) setting(root string, v any) error {
	if kept, ok := b.Settings[root]; ok {
		return json.Unmarshal(kept, v)
	}
	return nil
}

// defaultEncryption is how objects are kept for which the client says nothing.
func (b *bucket) defaultEncryption() (encryption, error) {
	var kept Encryption
	if err := b.setting("ServerSideEncryptionConfiguration", &kept); err != nil || len(kept.Rules) == 0 {
		return encryption{}, err
	}
	rule := kept.Rules[0]
	e := encryption{BucketKey: rule.BucketKeyEnabled}
	if by := rule.ApplyServerSideEncryptionByDefault; by != nil && by.SSEAlgorithm != "AES256" {
		e.Algorithm, e.Key = by.SSEAlgorithm, by.KMSMasterKeyID
	}
	return e, nil
}

// rooted is a document under a root element of its own name.
type rooted struct {
	root     string
	document any
}

// MarshalXML implements xml.Marshaler.
func (r rooted) MarshalXML(encoder *xml.Encoder, _ xml.StartElement) error {
	name := xml.Name{Space: namespace, Local: r.root}
	return encoder.EncodeElement(reflect.ValueOf(r.document).Elem().Interface(), xml.StartElement{Name: name})
}
