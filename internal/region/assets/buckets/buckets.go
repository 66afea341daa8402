// Package buckets has the operations of S3 on buckets: making and deleting them,
// their settings and policies.
//
//	operations := (&buckets.Buckets{Front: shared}).Operations()
package buckets

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Buckets are the operations. Make them with what the rooms share.
type Buckets struct{ *front.Front }

// Operations returns the operations.
func (a *Buckets) Operations() []wire.Operation {
	return slices.Concat(a.bucketOperations(), a.settingOperations(), a.policyOperations())
}

// Bucket is a bucket in a list.
type Bucket struct {
	Name         string
	CreationDate wire.Time
	BucketRegion string
}

// ListBucketsInput asks for buckets, up to MaxBuckets of them.
type ListBucketsInput struct {
	MaxBuckets        *int   `query:"max-buckets"`
	ContinuationToken string `query:"continuation-token"`
	Prefix            string `query:"prefix"`
	BucketRegion      string `query:"bucket-region"`
}

// ListBucketsOutput is the answer of ListBuckets.
type ListBucketsOutput struct {
	XMLName           xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListAllMyBucketsResult" json:"-"`
	Owner             front.Owner
	Buckets           []Bucket `xml:"Buckets>Bucket"`
	ContinuationToken string   `xml:",omitempty"`
	Prefix            string   `xml:",omitempty"`
}

func (a *Buckets) listBuckets(ctx context.Context, _ *wire.Call, in *ListBucketsInput) (*ListBucketsOutput, error) {
	out := &ListBucketsOutput{Owner: a.Owner(), Prefix: in.Prefix}
	if in.BucketRegion != "" && in.BucketRegion != a.Region {
		return out, nil
	}
	limit := 10000
	if in.MaxBuckets != nil {
		limit = min(max(*in.MaxBuckets, 1), limit)
	}
	after, err := front.OpenToken(in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	return out, a.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.All[objects.Bucket](tx, objects.KindBucket, in.Prefix)
		for _, b := range all {
			if b.Name <= after {
				continue
			}
			if len(out.Buckets) == limit {
				out.ContinuationToken = front.SealToken(out.Buckets[limit-1].Name)
				break
			}
			out.Buckets = append(out.Buckets, Bucket{Name: b.Name, CreationDate: wire.Time{Time: b.Created}, BucketRegion: a.Region})
		}
		return err
	})
}

type createBucketInput struct {
	front.BucketInput
	Body                      []byte                     `payload:"true" json:"-"`
	ACL                       string                     `header:"x-amz-acl"`
	ObjectOwnership           string                     `header:"x-amz-object-ownership"`
	ObjectLock                bool                       `header:"x-amz-bucket-object-lock-enabled" json:"ObjectLockEnabledForBucket"`
	CreateBucketConfiguration *createBucketConfiguration `json:",omitempty"`
}

type createBucketConfiguration struct {
	LocationConstraint string
	Tags               []settings.Tag `xml:"Tags>Tag"`
}

func (a *Buckets) createBucket(ctx context.Context, c *wire.Call, in *createBucketInput) (*wire.Raw, error) {
	if err := a.checkNewBucket(in); err != nil {
		return nil, err
	}
	b := &objects.Bucket{Name: in.Bucket, Created: a.Moment()}
	if err := begin(b, in); err != nil {
		return nil, err
	}
	err := a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		found, err := tx.Get(objects.KindBucket, b.Name, &objects.Bucket{})
		if err != nil {
			return err
		}
		if found && a.Region == "us-east-1" && c.HTTP != nil {
			return nil // the oldest region keeps its oldest habit (API Reference, "CreateBucket")
		}
		if found {
			return wire.Errorf(http.StatusConflict, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
		}
		return tx.Put(objects.KindBucket, b.Name, b)
	})
	if err != nil {
		return nil, err
	}
	return front.HeadAnswer(c, 0, http.Header{"Location": {"/" + b.Name}}), nil
}

// begin gives a new bucket the settings that it begins with: nothing public, no
// access control lists (S3 User Guide, "Default settings for new buckets").
func begin(b *objects.Bucket, in *createBucketInput) error {
	if in.ObjectOwnership == "" {
		in.ObjectOwnership = settings.OwnerEnforced
	}
	documents := map[string]any{
		"PublicAccessBlockConfiguration": settings.PublicAccessBlock{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
		"OwnershipControls":              settings.OwnershipControls{Rules: []settings.OwnershipRule{{ObjectOwnership: in.ObjectOwnership}}},
	}
	if configuration := in.CreateBucketConfiguration; configuration != nil && len(configuration.Tags) > 0 {
		if err := settings.CheckTags(configuration.Tags, settings.MaxBucketTags); err != nil {
			return err
		}
		documents["Tagging"] = settings.Tagging{TagSet: configuration.Tags}
	}
	for name, value := range documents {
		if err := b.Set(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (a *Buckets) checkNewBucket(in *createBucketInput) error {
	if !validBucket(in.Bucket) {
		return wire.Errorf(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	}
	if len(in.Body) > 0 {
		in.CreateBucketConfiguration = &createBucketConfiguration{}
		if err := front.ReadXML(in.Body, "CreateBucketConfiguration", in.CreateBucketConfiguration); err != nil {
			return err
		}
	}
	if in.ObjectLock {
		return fault.NotImplemented("object lock")
	}
	if in.ACL != "" && in.ACL != "private" {
		return fault.NoACL()
	}
	if in.ObjectOwnership != "" && in.ObjectOwnership != settings.OwnerEnforced {
		return fault.NotImplemented("the object ownership " + in.ObjectOwnership + ": there are no access control lists, which is what BucketOwnerEnforced says")
	}
	return a.checkLocation(in.CreateBucketConfiguration)
}

// checkLocation holds a bucket to the region (API Reference, "CreateBucket").
func (a *Buckets) checkLocation(in *createBucketConfiguration) error {
	location := ""
	if in != nil {
		location = in.LocationConstraint
	}
	switch {
	case location == a.Region && location != "us-east-1":
		return nil
	case location == "" && a.Region == "us-east-1":
		return nil
	case location == "us-east-1" && location == a.Region:
		return wire.Errorf(http.StatusBadRequest, "InvalidLocationConstraint", "The specified location-constraint is not valid")
	case location == "":
		location = "unspecified"
	}
	return wire.Errorf(http.StatusBadRequest, "IllegalLocationConstraintException", "The %s location constraint is incompatible for the region specific endpoint this request was sent to.", location)
}

// validBucket applies "Bucket naming rules" of the S3 User Guide.
func validBucket(name string) bool {
	if len(name) < 3 || len(name) > 63 || net.ParseIP(name) != nil || strings.Contains(name, "..") {
		return false
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"} {
		if strings.HasSuffix(name, suffix) {
			return false
		}
	}
	valid, err := regexp.MatchString(`^[a-z0-9][a-z0-9.-]*[a-z0-9]$`, name)
	return err == nil && valid
}

func (a *Buckets) headBucket(ctx context.Context, c *wire.Call, in *front.BucketInput) (*wire.Raw, error) {
	if _, err := a.ReadBucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	return front.HeadAnswer(c, 0, http.Header{"X-Amz-Bucket-Region": {a.Region}, "X-Amz-Access-Point-Alias": {"false"}, "Content-Type": {"application/xml"}}), nil
}

func (a *Buckets) deleteBucket(ctx context.Context, _ *wire.Call, in *front.BucketInput) (*front.Empty, error) {
	return &front.Empty{}, a.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := objects.GetBucket(tx, in.Bucket); err != nil {
			return err
		}
		left, err := tx.Range(objects.KindObject, in.Bucket+"/", in.Bucket+"/\xff", 1)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return bucketNotEmpty(left[0].Value)
		}
		return tx.Delete(objects.KindBucket, in.Bucket)
	})
}

type locationOutput struct {
	XMLName  xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint" json:"-"`
	Location string   `xml:",chardata" json:"LocationConstraint"`
}

func (a *Buckets) getBucketLocation(ctx context.Context, _ *wire.Call, in *front.BucketInput) (*locationOutput, error) {
	if _, err := a.ReadBucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	if a.Region == "us-east-1" { // which is told as nothing (API Reference, "GetBucketLocation")
		return &locationOutput{}, nil
	}
	return &locationOutput{Location: a.Region}, nil
}

// bucketNotEmpty is the error for a bucket that still has something, and says
// so more exactly where S3's sentence leads astray.
func bucketNotEmpty(left json.RawMessage) error {
	var o objects.Object
	message := "The bucket you tried to delete is not empty"
	if json.Unmarshal(left, &o) == nil && (o.Marker || o.Version != "null") {
		message += ". You must delete all versions in the bucket."
	}
	return wire.Errorf(http.StatusConflict, "BucketNotEmpty", "%s", message)
}

func (a *Buckets) bucketOperations() []wire.Operation {
	return []wire.Operation{
		front.Op("ListBuckets", a.listBuckets, wire.HTTP("GET /", 200), wire.Action("s3:ListAllMyBuckets")),
		front.Op("CreateBucket", a.createBucket, wire.HTTP("PUT /{Bucket}", 200), front.OnBucket[createBucketInput](a.Front, "s3:CreateBucket")),
		front.Op("HeadBucket", a.headBucket, wire.HTTP("HEAD /{Bucket}", 200), front.OnBucket[front.BucketInput](a.Front, "s3:ListBucket")),
		front.Op("DeleteBucket", a.deleteBucket, wire.HTTP("DELETE /{Bucket}", 204), front.OnBucket[front.BucketInput](a.Front, "s3:DeleteBucket")),
		front.Op("GetBucketLocation", a.getBucketLocation, wire.HTTP("GET /{Bucket}?location", 200), front.OnBucket[front.BucketInput](a.Front, "s3:GetBucketLocation")),
	}
}
