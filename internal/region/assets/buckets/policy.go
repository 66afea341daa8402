package buckets

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (a *Buckets) policyOperations() []wire.Operation {
	return []wire.Operation{
		front.Op("PutBucketPolicy", a.putPolicy, wire.HTTP("PUT /{Bucket}?policy", 204), front.OnBucket[putPolicyInput](a.Front, "s3:PutBucketPolicy")),
		front.Op("GetBucketPolicy", a.getPolicy, wire.HTTP("GET /{Bucket}?policy", 200), front.OnBucket[front.BucketInput](a.Front, "s3:GetBucketPolicy")),
		front.Op("DeleteBucketPolicy", a.deletePolicy, wire.HTTP("DELETE /{Bucket}?policy", 204), front.OnBucket[front.BucketInput](a.Front, "s3:DeleteBucketPolicy")),
		front.Op("GetBucketPolicyStatus", a.getPolicyStatus, wire.HTTP("GET /{Bucket}?policyStatus", 200), front.OnBucket[front.BucketInput](a.Front, "s3:GetBucketPolicyStatus")),
		front.Op("GetBucketAcl", a.getACL, wire.HTTP("GET /{Bucket}?acl", 200), front.OnBucket[front.BucketInput](a.Front, "s3:GetBucketAcl")),
		front.Op("PutBucketAcl", a.putACL, wire.HTTP("PUT /{Bucket}?acl", 200), front.OnBucket[putACLInput](a.Front, "s3:PutBucketAcl")),
	}
}

type putPolicyInput struct {
	front.BucketInput
	Body              []byte          `payload:"true" json:"-"`
	Policy            json.RawMessage // in the process: a document, or a string that holds one
	ConfirmRemoveSelf bool            `header:"x-amz-confirm-remove-self-bucket-access" json:"ConfirmRemoveSelfBucketAccess"`
}

func (a *Buckets) putPolicy(ctx context.Context, _ *wire.Call, in *putPolicyInput) (*front.Empty, error) {
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
	return &front.Empty{}, a.change(ctx, in.Bucket, func(b *objects.Bucket) error {
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

func (a *Buckets) getPolicy(ctx context.Context, c *wire.Call, in *front.BucketInput) (*wire.Raw, error) {
	b, err := a.ReadBucket(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.Policy == "" {
		return nil, noSuchPolicy()
	}
	answer := front.HeadAnswer(c, 0, http.Header{"Content-Type": {"application/json"}})
	answer.Body = strings.NewReader(b.Policy)
	return answer, nil
}

func (a *Buckets) deletePolicy(ctx context.Context, _ *wire.Call, in *front.BucketInput) (*front.Empty, error) {
	return &front.Empty{}, a.change(ctx, in.Bucket, func(b *objects.Bucket) error {
		b.Policy = ""
		return nil
	})
}

type policyStatus struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ PolicyStatus" json:"-"`
	IsPublic bool
}

func (a *Buckets) getPolicyStatus(ctx context.Context, _ *wire.Call, in *front.BucketInput) (*policyStatus, error) {
	b, err := a.ReadBucket(ctx, in.Bucket)
	if err != nil {
		return nil, err
	}
	if b.Policy == "" {
		return nil, noSuchPolicy()
	}
	return &policyStatus{IsPublic: settings.IsPublic([]byte(b.Policy))}, nil
}

func (a *Buckets) getACL(ctx context.Context, _ *wire.Call, in *front.BucketInput) (*front.AccessControlPolicy, error) {
	if _, err := a.ReadBucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	return a.OwnersACL(), nil
}

type putACLInput struct {
	front.BucketInput
	Body []byte `payload:"true" json:"-"`
	ACL  string `header:"x-amz-acl"`
}

func (a *Buckets) putACL(ctx context.Context, _ *wire.Call, in *putACLInput) (*front.Empty, error) {
	if _, err := a.ReadBucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	if in.ACL != "private" || len(in.Body) > 0 {
		return nil, fault.NoACL()
	}
	return &front.Empty{}, nil
}
