package storage

import (
	"context"
	"strings"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func bucketProperties() cf.Properties {
	const (
		kept   = "objects neither expire nor move"
		noACL  = "there are no access control lists here; use a bucket policy"
		unsent = "nothing is reported"
	)
	return cf.Properties{
		"AbacStatus":                       {Kind: cf.String, Enum: []string{"Disabled"}, Why: "tags of buckets are not asked for permissions here"},
		"AccelerateConfiguration":          cf.Record("there is one way to this machine"),
		"AccessControl":                    {Kind: cf.String, Enum: []string{"Private", "BucketOwnerFullControl"}, Why: noACL},
		"AnalyticsConfigurations":          cf.Record(unsent),
		"BucketEncryption":                 cf.Members(cf.Properties{"ServerSideEncryptionConfiguration": cf.Objects(encryptionRule()).Must()}),
		"BucketName":                       {Kind: cf.String, Replace: true},
		"BucketNamePrefix":                 cf.Refuse("give BucketName, or neither"),
		"BucketNamespace":                  {Kind: cf.String, Replace: true, Enum: []string{"global"}, Why: "there is one name space here"},
		"CorsConfiguration":                cf.Record("buckets send no CORS headers"),
		"IntelligentTieringConfigurations": cf.Record(kept),
		"InventoryConfigurations":          cf.Record(unsent),
		"LifecycleConfiguration":           cf.Record(kept),
		"LoggingConfiguration":             cf.Record("access to buckets is not logged"),
		"MetadataConfiguration":            cf.Record("there are no metadata tables"),
		"MetadataTableConfiguration":       cf.Record("there are no metadata tables"),
		"MetricsConfigurations":            cf.Record(unsent),
		"NotificationConfiguration":        cf.Refuse("buckets notify nobody here; invoke the function by its API, or leave it out by a condition"),
		"ObjectLockConfiguration":          cf.Refuse("objects are not locked here; leave it out, for example by a condition"),
		"ObjectLockEnabled":                {Kind: cf.Boolean, Replace: true, Enum: []string{"false"}, Why: "objects are not locked here"},
		"OwnershipControls": cf.Members(cf.Properties{"Rules": cf.Objects(cf.Properties{
			"ObjectOwnership": {Kind: cf.String, Enum: []string{"BucketOwnerEnforced"}, Why: noACL},
		}).Must()}),
		"PublicAccessBlockConfiguration": cf.Members(cf.Properties{
			"BlockPublicAcls":       {Kind: cf.Boolean},
			"BlockPublicPolicy":     {Kind: cf.Boolean},
			"IgnorePublicAcls":      {Kind: cf.Boolean},
			"RestrictPublicBuckets": {Kind: cf.Boolean},
		}),
		"ReplicationConfiguration": cf.Record("objects are not copied"),
		"Tags":                     cf.KeyValues(),
		"VersioningConfiguration": cf.Members(cf.Properties{
			"Status": {Kind: cf.String, Required: true, Enum: []string{"Enabled", "Suspended"}},
		}),
		"WebsiteConfiguration": cf.Refuse("websites are not served from buckets here; serve the files by a route"),
	}
}

func encryptionRule() cf.Properties {
	return cf.Properties{
		"BlockedEncryptionTypes": cf.Members(cf.Properties{"EncryptionType": cf.Strings()}),
		"BucketKeyEnabled":       {Kind: cf.Boolean},
		"ServerSideEncryptionByDefault": cf.Members(cf.Properties{
			"KMSMasterKeyID": {Kind: cf.String},
			"SSEAlgorithm":   {Kind: cf.String, Required: true, Enum: []string{"AES256", "aws:kms", "aws:kms:dsse"}},
		}),
	}
}

func bucket() *cf.Type {
	return &cf.Type{
		Name: "AWS::S3::Bucket", Properties: bucketProperties(),
		Attributes: []string{"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			name := cf.Text(want, "BucketName")
			if name == "" {
				name = strings.ToLower(e.Name(63))
			}
			in := map[string]any{"Bucket": name}
			if e.Region != "us-east-1" {
				in["CreateBucketConfiguration"] = map[string]any{"LocationConstraint": e.Region}
			}
			if err := e.Call(ctx, "s3", "CreateBucket", in, nil); err != nil {
				return cf.State{}, err
			}
			return cf.State{ID: name, Attributes: bucketAttributes(e, name)}, set(ctx, e, name, nil, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			return have, set(ctx, e, have.ID, have.Properties, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, "s3", "DeleteBucket", map[string]any{"Bucket": have.ID}, nil))
		},
	}
}

func bucketAttributes(e *cf.Env, name string) map[string]any {
	return map[string]any{
		"Arn":                 "arn:aws:s3:::" + name,
		"DomainName":          name + ".s3.amazonaws.com",
		"DualStackDomainName": name + ".s3.dualstack." + e.Region + ".amazonaws.com",
		"RegionalDomainName":  name + ".s3." + e.Region + ".amazonaws.com",
		"WebsiteURL":          "http://" + name + ".s3-website-" + e.Region + ".amazonaws.com",
	}
}

// set brings the settings of a bucket up to date.
func set(ctx context.Context, e *cf.Env, name string, have, want map[string]any) error {
	for _, s := range []struct {
		property, operation, member string
		document                    func(map[string]any) any
	}{
		{"VersioningConfiguration", "BucketVersioning", "VersioningConfiguration", versioningOf},
		{"BucketEncryption", "BucketEncryption", "ServerSideEncryptionConfiguration", encryptionOf},
		{"PublicAccessBlockConfiguration", "PublicAccessBlock", "PublicAccessBlockConfiguration", asGiven("PublicAccessBlockConfiguration")},
		{"OwnershipControls", "BucketOwnershipControls", "OwnershipControls", asGiven("OwnershipControls")},
	} {
		if cf.Same(have, want, s.property) {
			continue
		}
		in, verb := map[string]any{"Bucket": name}, "Delete"
		if document := s.document(want); document != nil {
			in[s.member], verb = document, "Put"
		}
		if err := e.Call(ctx, "s3", verb+s.operation, in, nil); err != nil {
			return err
		}
	}
	if have != nil && cf.Same(have, want, "Tags") {
		return nil
	}
	tags := cf.TagList(e.WithStackTags(want["Tags"]))
	return e.Call(ctx, "s3", "PutBucketTagging", map[string]any{"Bucket": name, "Tagging": map[string]any{"TagSet": tags}}, nil)
}

func asGiven(property string) func(map[string]any) any {
	return func(want map[string]any) any { return want[property] }
}

// versioningOf says "Suspended" where a template says nothing more: versioning
// once begun cannot be taken away.
func versioningOf(want map[string]any) any {
	if cf.Has(want, "VersioningConfiguration") {
		return want["VersioningConfiguration"]
	}
	return map[string]any{"Status": "Suspended"}
}

// encryptionOf is the encryption of a bucket in the words of S3's API.
func encryptionOf(want map[string]any) any {
	if !cf.Has(want, "BucketEncryption") {
		return nil
	}
	rules := []map[string]any{}
	for _, given := range cf.Children(cf.Child(want, "BucketEncryption"), "ServerSideEncryptionConfiguration") {
		rule := cf.Pick(given, "BlockedEncryptionTypes", "BucketKeyEnabled")
		if cf.Has(given, "ServerSideEncryptionByDefault") {
			rule["ApplyServerSideEncryptionByDefault"] = given["ServerSideEncryptionByDefault"]
		}
		rules = append(rules, rule)
	}
	return map[string]any{"Rules": rules}
}

func bucketPolicy() *cf.Type {
	put := func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
		name := cf.Text(want, "Bucket")
		text, err := cf.Document(want["PolicyDocument"])
		if err != nil {
			return cf.State{}, err
		}
		return cf.State{ID: name}, e.Call(ctx, "s3", "PutBucketPolicy", map[string]any{"Bucket": name, "Policy": text}, nil)
	}
	return &cf.Type{
		Name: "AWS::S3::BucketPolicy",
		Properties: cf.Properties{
			"Bucket":         {Kind: cf.String, Required: true, Replace: true},
			"PolicyDocument": {Kind: cf.JSON, Required: true},
		},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			name := cf.Text(want, "Bucket")
			if err := e.Free(name, e.Call(ctx, "s3", "GetBucketPolicy", map[string]any{"Bucket": name}, nil)); err != nil {
				return cf.State{}, err
			}
			return put(ctx, e, want)
		},
		Update: func(ctx context.Context, e *cf.Env, _ cf.State, want map[string]any) (cf.State, error) {
			return put(ctx, e, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, "s3", "DeleteBucketPolicy", map[string]any{"Bucket": have.ID}, nil))
		},
	}
}
