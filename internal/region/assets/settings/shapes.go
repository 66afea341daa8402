// Package settings knows the documents that buckets keep: their shapes, and
// what is valid. Each Setting stands for three operations of S3.
package settings

import (
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/assets/fault"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The documents that buckets keep, with the names of the S3 API Reference: the
// Go names are those of the API, the tags those of the XML.

// Tag is a tag of a bucket or an object.
type Tag struct{ Key, Value string }

// Tagging is a set of tags.
type Tagging struct {
	TagSet []Tag `xml:"TagSet>Tag"`
}

// Versioning says whether a bucket keeps versions: "Enabled" or "Suspended".
type Versioning struct {
	Status    string `xml:",omitempty" json:",omitempty"`
	MFADelete string `xml:"MfaDelete,omitempty" json:",omitempty"`
}

// PublicAccessBlock keeps the public out.
type PublicAccessBlock struct {
	BlockPublicAcls       bool
	IgnorePublicAcls      bool
	BlockPublicPolicy     bool
	RestrictPublicBuckets bool
}

// OwnershipControls say who owns objects.
type OwnershipControls struct {
	Rules []OwnershipRule `xml:"Rule"`
}

// OwnershipRule is the one rule of OwnershipControls.
type OwnershipRule struct{ ObjectOwnership string }

// Encryption says how objects are encrypted for which the client says nothing.
type Encryption struct {
	Rules []EncryptionRule `xml:"Rule"`
}

// EncryptionRule is the one rule of Encryption.
type EncryptionRule struct {
	ApplyServerSideEncryptionByDefault *EncryptionDefault      `xml:",omitempty" json:",omitempty"`
	BucketKeyEnabled                   bool                    `json:",omitempty"`
	BlockedEncryptionTypes             *BlockedEncryptionTypes `xml:",omitempty" json:",omitempty"`
}

// EncryptionDefault names an algorithm and a key.
type EncryptionDefault struct {
	SSEAlgorithm   string
	KMSMasterKeyID string `xml:",omitempty" json:",omitempty"`
}

// BlockedEncryptionTypes names kinds of encryption that clients may not ask for.
type BlockedEncryptionTypes struct {
	EncryptionType []string
}

// CORS says which web pages may read a bucket.
type CORS struct {
	CORSRules []CORSRule `xml:"CORSRule"`
}

// CORSRule is a rule of CORS.
type CORSRule struct {
	ID             string   `xml:",omitempty" json:",omitempty"`
	AllowedHeaders []string `xml:"AllowedHeader" json:",omitempty"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedOrigins []string `xml:"AllowedOrigin"`
	ExposeHeaders  []string `xml:"ExposeHeader" json:",omitempty"`
	MaxAgeSeconds  *int     `xml:",omitempty" json:",omitempty"`
}

// Lifecycle says what becomes of objects that grow old. It is kept; nothing
// expires by it.
type Lifecycle struct {
	Rules []LifecycleRule `xml:"Rule"`
}

// LifecycleRule is a rule of Lifecycle.
type LifecycleRule struct {
	ID                             string           `xml:",omitempty" json:",omitempty"`
	Prefix                         *string          `xml:",omitempty" json:",omitempty"`
	Filter                         *LifecycleFilter `xml:",omitempty" json:",omitempty"`
	Status                         string
	Expiration                     *LifecycleEnd       `xml:",omitempty" json:",omitempty"`
	Transitions                    []LifecycleMove     `xml:"Transition" json:",omitempty"`
	NoncurrentVersionExpiration    *NoncurrentEnd      `xml:",omitempty" json:",omitempty"`
	NoncurrentVersionTransitions   []NoncurrentMove    `xml:"NoncurrentVersionTransition" json:",omitempty"`
	AbortIncompleteMultipartUpload *LifecycleAbandoned `xml:",omitempty" json:",omitempty"`
}

// LifecycleFilter says which objects a rule is for.
type LifecycleFilter struct {
	Prefix                *string       `xml:",omitempty" json:",omitempty"`
	Tag                   *Tag          `xml:",omitempty" json:",omitempty"`
	ObjectSizeGreaterThan *int64        `xml:",omitempty" json:",omitempty"`
	ObjectSizeLessThan    *int64        `xml:",omitempty" json:",omitempty"`
	And                   *LifecycleAnd `xml:",omitempty" json:",omitempty"`
}

// LifecycleAnd joins several filters.
type LifecycleAnd struct {
	Prefix                *string `xml:",omitempty" json:",omitempty"`
	Tags                  []Tag   `xml:"Tag" json:",omitempty"`
	ObjectSizeGreaterThan *int64  `xml:",omitempty" json:",omitempty"`
	ObjectSizeLessThan    *int64  `xml:",omitempty" json:",omitempty"`
}

// LifecycleEnd says when objects expire.
type LifecycleEnd struct {
	Date                      string `xml:",omitempty" json:",omitempty"`
	Days                      *int   `xml:",omitempty" json:",omitempty"`
	ExpiredObjectDeleteMarker *bool  `xml:",omitempty" json:",omitempty"`
}

// LifecycleMove says when objects change their storage class.
type LifecycleMove struct {
	Date         string `xml:",omitempty" json:",omitempty"`
	Days         *int   `xml:",omitempty" json:",omitempty"`
	StorageClass string
}

// NoncurrentEnd says when older versions expire.
type NoncurrentEnd struct {
	NoncurrentDays          *int `xml:",omitempty" json:",omitempty"`
	NewerNoncurrentVersions *int `xml:",omitempty" json:",omitempty"`
}

// NoncurrentMove says when older versions change their storage class.
type NoncurrentMove struct {
	NoncurrentDays          *int `xml:",omitempty" json:",omitempty"`
	NewerNoncurrentVersions *int `xml:",omitempty" json:",omitempty"`
	StorageClass            string
}

// LifecycleAbandoned says when uploads that are not completed go.
type LifecycleAbandoned struct{ DaysAfterInitiation int }

// Accelerate is transfer acceleration, which is never on.
type Accelerate struct {
	Status string `xml:",omitempty" json:",omitempty"`
}

// RequestPayment says who pays: always the bucket's owner.
type RequestPayment struct{ Payer string }

// Values of settings.
const (
	Enabled       = "Enabled"
	Suspended     = "Suspended"
	OwnerEnforced = "BucketOwnerEnforced"
	bucketOwner   = "BucketOwner"
)

// Limits of tags (S3 User Guide, "Categorizing your objects using tags").
const (
	MaxObjectTags = 10
	MaxBucketTags = 50
)

// CheckTags checks a set of tags.
func CheckTags(tags []Tag, limit int) error {
	if len(tags) > limit {
		return wire.Errorf(http.StatusBadRequest, "BadRequest", "Object tags cannot be greater than %d", limit)
	}
	seen := map[string]bool{}
	for _, tag := range tags {
		switch {
		case tag.Key == "" || len([]rune(tag.Key)) > 128:
			return invalidTag("The TagKey you have provided is invalid")
		case len([]rune(tag.Value)) > 256:
			return invalidTag("The TagValue you have provided is invalid")
		case strings.HasPrefix(tag.Key, "aws:") && limit == MaxObjectTags:
			return invalidTag("System tags cannot be added/updated by requester")
		case seen[tag.Key]:
			return invalidTag("Cannot provide multiple Tags with the same key")
		}
		seen[tag.Key] = true
	}
	return nil
}

func invalidTag(message string) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidTag", "%s", message)
}

func checkBucketTags(v any) error { return CheckTags(v.(*Tagging).TagSet, MaxBucketTags) }

func checkVersioning(v any) error {
	versioning := v.(*Versioning)
	if versioning.MFADelete != "" && versioning.MFADelete != "Disabled" {
		return fault.NotImplemented("MFA delete")
	}
	if versioning.Status != Enabled && versioning.Status != Suspended {
		return wire.Errorf(http.StatusBadRequest, "IllegalVersioningConfigurationException", "The Versioning element must be specified")
	}
	return nil
}

func checkOwnership(v any) error {
	rules := v.(*OwnershipControls).Rules
	if len(rules) != 1 {
		return fault.MalformedXML()
	}
	if rules[0].ObjectOwnership != OwnerEnforced {
		return fault.NotImplemented("the object ownership " + rules[0].ObjectOwnership + ": there are no access control lists, which is what BucketOwnerEnforced says")
	}
	return nil
}

func checkEncryption(v any) error {
	rules := v.(*Encryption).Rules
	if len(rules) != 1 {
		return fault.MalformedXML()
	}
	by := rules[0].ApplyServerSideEncryptionByDefault
	if by == nil {
		return nil
	}
	switch by.SSEAlgorithm {
	case "AES256":
		if by.KMSMasterKeyID != "" {
			return fault.InvalidArgument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
		}
		return nil
	case "aws:kms", "aws:kms:dsse":
		return nil
	}
	return fault.MalformedXML()
}

// defaultEncryption is what a bucket has that was told nothing (S3 User Guide,
// "Setting default server-side encryption behavior").
func defaultEncryption() (any, error) {
	return &Encryption{Rules: []EncryptionRule{{ApplyServerSideEncryptionByDefault: &EncryptionDefault{SSEAlgorithm: "AES256"}}}}, nil
}

func checkLifecycle(v any) error {
	rules := v.(*Lifecycle).Rules
	if len(rules) == 0 || len(rules) > 1000 {
		return fault.MalformedXML()
	}
	for _, rule := range rules {
		if rule.Status != "Enabled" && rule.Status != "Disabled" {
			return fault.MalformedXML()
		}
		if rule.Expiration == nil && rule.Transitions == nil && rule.NoncurrentVersionExpiration == nil &&
			rule.NoncurrentVersionTransitions == nil && rule.AbortIncompleteMultipartUpload == nil {
			return fault.InvalidRequest("At least one action needs to be specified in a rule")
		}
	}
	return nil
}

func checkCORS(v any) error {
	rules := v.(*CORS).CORSRules
	if len(rules) == 0 || len(rules) > 100 {
		return fault.MalformedXML()
	}
	for _, rule := range rules {
		if len(rule.AllowedMethods) == 0 || len(rule.AllowedOrigins) == 0 {
			return fault.MalformedXML()
		}
		for _, method := range rule.AllowedMethods {
			switch method {
			case "GET", "PUT", "POST", "DELETE", "HEAD":
			default:
				return fault.InvalidRequest("Found unsupported HTTP method in CORS config. Unsupported method is %s", method)
			}
		}
	}
	return nil
}

func checkAccelerate(v any) error {
	if v.(*Accelerate).Status == Enabled {
		return fault.NotImplemented("transfer acceleration")
	}
	return nil
}

func checkPayer(v any) error {
	if v.(*RequestPayment).Payer != bucketOwner {
		return fault.NotImplemented("buckets whose requesters pay")
	}
	return nil
}
