package settings

import (
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Nothing is a document without anything in it.
type Nothing struct{}

// Setting is a document that a bucket keeps and tells again.
type Setting struct {
	Root      string     // its root element, and its member in JSON
	Query     string     // by which it is asked for
	Operation string     // behind Get, Put and Delete
	Action    string     // behind s3:Get and s3:Put
	Deletes   string     // the action of Delete; "" if there is none
	Status    int        // of Put
	Fresh     func() any // a pointer to an empty document
	Check     func(any) error
	Missing   func() (any, error) // what Get answers when there is none
}

// All returns what a bucket keeps. Of these only the public access block,
// the ownership and the encryption's default have an effect.
func All() []Setting {
	return []Setting{
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
			func() any { return new(Nothing) }, nil, func() (any, error) { return new(Nothing), nil }},
		{"BucketLoggingStatus", "logging", "BucketLogging", "BucketLogging", "", 200,
			func() any { return new(Nothing) }, nil, func() (any, error) { return new(Nothing), nil }},
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
