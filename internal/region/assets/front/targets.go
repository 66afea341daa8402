package front

import (
	"context"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// What a caller needs permission for, and S3's condition keys (Service
// Authorization Reference, "Actions, resources, and condition keys for Amazon
// S3").

// PolicyOf returns a bucket's policy, "" if there is none. Where it cannot be
// read the answer is a document that no decision passes.
func (a *Front) PolicyOf(name string) string {
	var policy string
	err := a.DB.View(context.Background(), func(tx *store.Tx) error {
		var b objects.Bucket
		_, err := tx.Get(objects.KindBucket, name, &b)
		policy = b.Policy
		return err
	})
	if err != nil {
		return wire.Unreadable
	}
	return policy
}

// ObjectTarget is one action on one object.
func (a *Front) ObjectTarget(action string, name ObjectName) wire.Target {
	return wire.Target{Action: action, Resource: objects.ARN(name.Bucket, name.Key), Policy: a.PolicyOf(name.Bucket), Context: map[string][]string{}}
}

// VersionTarget is an action on an object, or the action of the same name on a
// version: s3:GetObject and s3:GetObjectVersion, s3:GetObjectTagging and
// s3:GetObjectVersionTagging.
func (a *Front) VersionTarget(action string, name ObjectName, version string) wire.Target {
	if version != "" {
		before, after, _ := strings.Cut(action, "Object")
		action = before + "ObjectVersion" + after
	}
	t := a.ObjectTarget(action, name)
	if version != "" {
		t.Context["s3:VersionId"] = []string{version}
	}
	err := a.DB.View(context.Background(), func(tx *store.Tx) error {
		o, err := objects.GetVersion(tx, name.Bucket, name.Key, version)
		if o != nil {
			AddTagKeys(t.Context, "s3:ExistingObjectTag/", o.Tags)
		}
		return err
	})
	if err != nil { // the tags might have denied it
		t.Policy = wire.Unreadable
	}
	return t
}

// AddTagKeys adds tags to condition keys, each behind the prefix.
func AddTagKeys(context map[string][]string, prefix string, tags []settings.Tag) {
	for _, tag := range tags {
		context[prefix+tag.Key] = []string{tag.Value}
	}
}

// NewObjectTargets is what writing an object with some headers needs.
func (a *Front) NewObjectTargets(name ObjectName, headers ObjectHeaders) []wire.Target {
	put := a.ObjectTarget("s3:PutObject", name)
	for key, value := range map[string]string{
		"s3:x-amz-acl": headers.ACL, "s3:x-amz-storage-class": headers.StorageClass,
		"s3:x-amz-server-side-encryption":                headers.Encryption,
		"s3:x-amz-server-side-encryption-aws-kms-key-id": headers.EncryptionKey,
	} {
		if value != "" {
			put.Context[key] = []string{value}
		}
	}
	targets := []wire.Target{put}
	if headers.Tagging != "" {
		tags, _ := ParseTagging(headers.Tagging) // a wrong one fails later
		AddTagKeys(put.Context, "s3:RequestObjectTag/", tags)
		tagging := put
		tagging.Action = "s3:PutObjectTagging"
		targets = append(targets, tagging)
	}
	if headers.ACL != "" {
		acl := put
		acl.Action = "s3:PutObjectAcl"
		targets = append(targets, acl)
	}
	return targets
}

// ListTarget is an action on a bucket, with what its list is asked with.
func (a *Front) ListTarget(action string, in ListInput) wire.Target {
	t := wire.Target{Action: action, Resource: "arn:aws:s3:::" + in.Bucket, Policy: a.PolicyOf(in.Bucket), Context: map[string][]string{}}
	if in.Prefix != nil {
		t.Context["s3:prefix"] = []string{*in.Prefix}
	}
	if in.Delimiter != "" {
		t.Context["s3:delimiter"] = []string{in.Delimiter}
	}
	if in.MaxKeys != nil {
		t.Context["s3:max-keys"] = []string{strconv.Itoa(*in.MaxKeys)}
	}
	return t
}

// Hide turns the error that says that an object is missing into a refusal for a
// caller who may not list the bucket (S3 API Reference, "GetObject",
// "Permissions").
func (a *Front) Hide(ctx context.Context, c *wire.Call, bucket string, err error) error {
	if wire.Code(err) != "NoSuchKey" && wire.Code(err) != "NoSuchVersion" {
		return err
	}
	target := wire.Target{Action: "s3:ListBucket", Resource: "arn:aws:s3:::" + bucket, Policy: a.PolicyOf(bucket)}
	if refused := a.S3.Authorize(ctx, c, []wire.Target{target}); refused != nil {
		return refused
	}
	return err
}
