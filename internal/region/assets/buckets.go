package assets

import (
	"context"
	"encoding/xml"
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/assets/objects"
	"github.com/seed-615d3599/roost/internal/region/assets/settings"
	"github.com/seed-615d3599/roost/internal/region/assets/xmlbody"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Bucket is a bucket in a list.
type Bucket struct {
	Name         string
	CreationDate wire.Time
	BucketRegion string
}

// Owner is who owns a bucket or an object.
type Owner struct{ ID string }

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
	Owner             Owner
	Buckets           []Bucket `xml:"Buckets>Bucket"`
	ContinuationToken string   `xml:",omitempty"`
	Prefix            string   `xml:",omitempty"`
}

func (a *Assets) listBuckets(ctx context.Context, _ *wire.Call, in *ListBucketsInput) (*ListBucketsOutput, error) {
	out := &ListBucketsOutput{Owner: a.owner(), Prefix: in.Prefix}
	if in.BucketRegion != "" && in.BucketRegion != a.config.Region {
		return out, nil
	}
	limit := 10000
	if in.MaxBuckets != nil {
		limit = min(max(*in.MaxBuckets, 1), limit)
	}
	after, err := openToken(in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	return out, a.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.All[objects.Bucket](tx, objects.KindBucket, in.Prefix)
		for _, b := range all {
			if b.Name <= after {
				continue
			}
			if len(out.Buckets) == limit {
				out.ContinuationToken = sealToken(out.Buckets[limit-1].Name)
				break
			}
			out.Buckets = append(out.Buckets, Bucket{Name: b.Name, CreationDate: wire.Time{Time: b.Created}, BucketRegion: a.config.Region})
		}
		return err
	})
}

type createBucketInput struct {
	bucketInput
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

func (a *Assets) createBucket(ctx context.Context, c *wire.Call, in *createBucketInput) (*wire.Raw, error) {
	if err := a.checkNewBucket(in); err != nil {
		return nil, err
	}
	b := &objects.Bucket{Name: in.Bucket, Created: a.now()}
	if err := begin(b, in); err != nil {
		return nil, err
	}
	err := a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		found, err := tx.Get(objects.KindBucket, b.Name, &objects.Bucket{})
		if err != nil {
			return err
		}
		if found && a.config.Region == "us-east-1" && c.HTTP != nil {
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
	return headAnswer(c, 0, http.Header{"Location": {"/" + b.Name}}), nil
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

func (a *Assets) checkNewBucket(in *createBucketInput) error {
	if !validBucket(in.Bucket) {
		return wire.Errorf(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.")
	}
	if len(in.Body) > 0 {
		in.CreateBucketConfiguration = &createBucketConfiguration{}
		if err := readXML(in.Body, "CreateBucketConfiguration", in.CreateBucketConfiguration); err != nil {
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
func (a *Assets) checkLocation(in *createBucketConfiguration) error {
	location := ""
	if in != nil {
		location = in.LocationConstraint
	}
	switch {
	case location == a.config.Region && location != "us-east-1":
		return nil
	case location == "" && a.config.Region == "us-east-1":
		return nil
	case location == "us-east-1" && location == a.config.Region:
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

func (a *Assets) headBucket(ctx context.Context, c *wire.Call, in *bucketInput) (*wire.Raw, error) {
	if _, err := a.bucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	return headAnswer(c, 0, http.Header{"X-Amz-Bucket-Region": {a.config.Region}, "X-Amz-Access-Point-Alias": {"false"}, "Content-Type": {"application/xml"}}), nil
}

// bucket reads a bucket.
func (a *Assets) bucket(ctx context.Context, name string) (b *objects.Bucket, err error) {
	err = a.config.DB.View(ctx, func(tx *store.Tx) error {
		b, err = objects.GetBucket(tx, name)
		return err
	})
	return b, err
}

func (a *Assets) deleteBucket(ctx context.Context, _ *wire.Call, in *bucketInput) (*empty, error) {
	return &empty{}, a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
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

func (a *Assets) getBucketLocation(ctx context.Context, _ *wire.Call, in *bucketInput) (*locationOutput, error) {
	if _, err := a.bucket(ctx, in.Bucket); err != nil {
		return nil, err
	}
	if a.config.Region == "us-east-1" { // which is told as nothing (API Reference, "GetBucketLocation")
		return &locationOutput{}, nil
	}
	return &locationOutput{Location: a.config.Region}, nil
}

// readXML reads a document of a client.
func readXML(body []byte, root string, v any) error {
	err := xmlbody.Unmarshal(body, root, v)
	if unknown, ok := err.(*xmlbody.UnknownError); ok {
		return fault.NotImplemented("the element " + unknown.Path)
	}
	if err != nil {
		return fault.MalformedXML()
	}
	return nil
}
