package assets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/iam"
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

// maxPolicy is the length of a bucket policy in bytes (S3 User Guide, "Bucket
// policies").
const maxPolicy = 20 << 10

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
	if err := checkPolicy(in.Bucket, document); err != nil {
		return nil, err
	}
	return &empty{}, a.change(ctx, in.Bucket, func(b *bucket) error {
		var block PublicAccessBlock
		if err := b.setting("PublicAccessBlockConfiguration", &block); err != nil {
			return err
		}
		if block.BlockPublicPolicy && isPublic(document) {
			return wire.Errorf(http.StatusForbidden, "AccessDenied", "User is not authorized to perform: s3:PutBucketPolicy on resource: \"arn:aws:s3:::%s\" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", b.Name)
		}
		b.Policy = string(document)
		return nil
	})
}

func malformedPolicy(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "MalformedPolicy", format, args...)
}

// statements is what is looked at in a policy besides its validity. Values may
// stand alone or in lists.
type statements struct {
	Statement oneOrMore[struct {
		Effect       string
		Principal    json.RawMessage
		NotPrincipal json.RawMessage
		Resource     oneOrMore[string]
		Condition    map[string]map[string]json.RawMessage
	}]
}

// oneOrMore is a list, or one value in its place.
type oneOrMore[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (l *oneOrMore[T]) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		return json.Unmarshal(data, (*[]T)(l))
	}
	*l = make([]T, 1)
	return json.Unmarshal(data, &(*l)[0])
}

// checkPolicy checks a bucket policy before it is kept.
func checkPolicy(bucket string, document []byte) error {
	if len(document) > maxPolicy {
		return wire.Errorf(http.StatusBadRequest, "PolicyTooLarge", "Policy exceeds the maximum allowed document size.")
	}
	if !json.Valid(document) {
		return malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	if _, err := iam.ParseResource(document); err != nil {
		return malformedPolicy("%v", err)
	}
	var policy statements
	if err := json.Unmarshal(document, &policy); err != nil {
		return malformedPolicy("%v", err)
	}
	arn := "arn:aws:s3:::" + bucket
	for _, statement := range policy.Statement {
		for _, resource := range statement.Resource {
			if !iam.Match(arn, resource) && !strings.HasPrefix(resource, arn+"/") && !iam.Match(arn+"/", resource) {
				return malformedPolicy("Policy has invalid resource")
			}
		}
	}
	return nil
}

// isPublic reports whether a policy grants something to everybody (S3 User
// Guide, "The meaning of public"): an allowed principal "*" without a condition
// that fixes where from or as whom.
func isPublic(document []byte) bool {
	var policy statements
	if json.Unmarshal(document, &policy) != nil {
		return true
	}
	for _, statement := range policy.Statement {
		if statement.Effect == "Allow" && everybody(statement.Principal) && !fixed(statement.Condition) {
			return true
		}
		if statement.Effect == "Allow" && statement.NotPrincipal != nil {
			return true
		}
	}
	return false
}

func everybody(principal json.RawMessage) bool {
	var text string
	if json.Unmarshal(principal, &text) == nil {
		return text == "*"
	}
	var by map[string]oneOrMore[string]
	if json.Unmarshal(principal, &by) != nil {
		return false
	}
	for _, list := range by {
		for _, name := range list {
			if name == "*" {
				return true
			}
		}
	}
	return false
}

// fixed reports whether a condition has one of the keys that make a statement
// not public, with a value without wildcards.
func fixed(conditions map[string]map[string]json.RawMessage) bool {
	keys := map[string]bool{
		"aws:sourceip": true, "aws:sourcearn": true, "aws:sourcevpc": true, "aws:sourcevpce": true,
		"aws:sourceowner": true, "aws:sourceaccount": true, "aws:userid": true, "aws:principalarn": true,
		"aws:principalaccount": true, "aws:principalorgid": true, "aws:principalorgpaths": true,
		"s3:x-amz-server-side-encryption-aws-kms-key-id": true, "s3:dataaccesspointarn": true, "s3:dataaccesspointaccount": true,
	}
	for operator, condition := range conditions {
		if strings.Contains(strings.ToLower(operator), "not") || strings.HasSuffix(operator, "IfExists") {
			continue
		}
		for key, value := range condition {
			if keys[strings.ToLower(key)] && !bytes.ContainsAny(value, "*?") && !bytes.Contains(value, []byte(`"0.0.0.0/0"`)) && !bytes.Contains(value, []byte(`"::/0"`)) {
				return true
			}
		}
	}
	return false
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
	return &empty{}, a.change(ctx, in.Bucket, func(b *bucket) error {
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
	return &policyStatus{IsPublic: isPublic([]byte(b.Policy))}, nil
}

// owner is the account in the form of a canonical user id.
func (a *Assets) owner() Owner {
	id := sha256.Sum256([]byte("canonical user of " + a.config.Account))
	return Owner{ID: hex.EncodeToString(id[:])}
}

func noACL() error {
	return wire.Errorf(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
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
		return nil, noACL()
	}
	return &empty{}, nil
}
