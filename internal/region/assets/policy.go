package assets

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (a *Assets) policyOperations() []wire.Operation {
	return []wire.Operation{
		op("PutBucketPolicy", a.putPolicy, wire.HTTP("PUT /{Bucket}?policy", 204), onBucket[putPolicyInput](a, "s3:PutBucketPolicy")),
		op("GetBucketPolicy", a.getPolicy, wire.HTTP("GET /{Bucket}?policy", 200), onBucket[bucketInput](a, "s3:GetBucketPolicy")),
		op("DeleteBucketPolicy", a.deletePolicy, wire.HTTP("DELETE /{Bucket}?policy", 204), onBucket[bucketInput](a, "s3:DeleteBucketPolicy")),
		op("GetBucketPolicyStatus", a.getPolicyStatus, wire.HTTP("GET /{Bucket}?policyStatus", 200), onBucket[bucketInput](a, "s3:GetBucketPolicyStatus")),
		op("GetBucketAcl", a.getACL, wire.HTTP("GET /{Bucket}?acl", 200), onBucket[bucketInput](a, "s3:GetBucketAcl")),
		op("PutBucketAcl", a.putACL, wire.HTTP("PUT /{Bucket}?acl", 200), onBucket[putACLInput](a, "s3:PutBucketAcl")),
	}
}

type putPolicyInput struct {
	bucketInput
	Body              []byte          `payload:"true" json:"-"`
	Policy            json.RawMessage // in the process: a document, or a string that holds one
	ConfirmRemoveSelf bool            `header:"x-amz-confirm-remove-self-bucket-access" json:"ConfirmRemoveSelfBucketAccess"`
}

func (a *Assets) putPolicy(ctx context.Context, _ *wire.Call, in *putPolicyInput) (*empty, error) {
	document := in.Body
	if len(in.Policy) > 0 {
		document = in.Policy
		var text string
		if json.Unmarshal(in.Policy, &text) == nil {
			document = []byte(text)
		}
	}
	if err := settings.CheckPolicy(in.Bucket, document); err != nil {
		return nil, err
	}
	return &empty{}, a.change(ctx, in.Bucket, func(b *objects.Bucket) error {
		var block settings.PublicAccessBlock
		if err := b.Setting("PublicAccessBlockConfiguration", &block); err != nil {
			return err
		}
		if block.BlockPublicPolicy && settings.IsPublic(document) {
			return wire.Errorf(http.StatusForbidden, "AccessDenied", "User is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::%s\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", b.Name)
		}
		b.Policy = string(document)
		return nil
	})
}

func noSuchPolicy() error {
	return wire.Errorf(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
}

func (a *Assets) getPolicy(ctx context.Context, c *wire.Call, in *bucketInput) (*wire.Raw, error) {
	b, err := a.bucket(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.Policy == "" {
		return nil, noSuchPolicy()
	}
	answer := headAnswer(c, 0, http.Header{"Content-Type": {"application/json"}})
	answer.Body = strings.NewReader(b.Policy)
	return answer, nil
}

func (a *Assets) deletePolicy(ctx context.Context, _ *wire.Call, in *bucketInput) (*empty, error) {
	return &empty{}, a.change(ctx, in.Bucket, func(b *objects.Bucket) error {
		b.Policy = ""
		return nil
	})
}

type policyStatus struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PolicyStatus" json:"-"`
	IsPublic bool
}

func (a *Assets) getPolicyStatus(ctx context.Context, _ *wire.Call, in *bucketInput) (*policyStatus, error) {
	b, err := a.bucket(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.Policy == "" {
		return nil, noSuchPolicy()
	}
	return &policyStatus{IsPublic: settings.IsPublic([]byte(b.Policy))}, nil
}

// owner is the account in the form of a canonical user id.
func (a *Assets) owner() Owner {
	id := sha256.Sum256([]byte("canonical user of " + a.config.Account))
	return Owner{ID: hex.EncodeToString(id[:])}
}

type accessControlPolicy struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ AccessControlPolicy" json:"-"`
	Owner   Owner
	Grants  []grant `xml:"AccessControlList>Grant"`
}

type grant struct {
	Grantee struct {
		Schema string `xml:"xmlns:xsi,attr" json:"-"`
		Type   string `xml:"xsi:type,attr"`
		ID     string
	}
	Permission string
}

// ownersACL is the only access control list there is: the owner's.
func (a *Assets) ownersACL() *accessControlPolicy {
	owner := a.owner()
	all := grant{Permission: "FULL_CONTROL"}
	all.Grantee.Schema, all.Grantee.Type, all.Grantee.ID = "http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", owner.ID
	return &accessControlPolicy{Owner: owner, Grants: []grant{all}}
}

func (a *Assets) getACL(ctx context.Context, _ *wire.Call, in *bucketInput) (*accessControlPolicy, error) {
	if _, err := a.bucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	return a.ownersACL(), nil
}

type putACLInput struct {
	bucketInput
	Body []byte `payload:"true" json:"-"`
	ACL  string `header:"x-amz-acl"`
}

func (a *Assets) putACL(ctx context.Context, _ *wire.Call, in *putACLInput) (*empty, error) {
	if _, err := a.bucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	if in.ACL != "private" || len(in.Body) > 0 {
		return nil, fault.NoACL()
	}
	return &empty{}, nil
}
