package settings

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// maxPolicy is the length of a bucket policy in bytes (S3 User Guide, "Bucket
// policies").
const maxPolicy = 20 << 10

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

// CheckPolicy checks a bucket policy before it is kept.
func CheckPolicy(bucket string, document []byte) error {
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

// IsPublic reports whether a policy grants something to everybody (S3 User
// Guide, "The meaning of public"): an allowed principal "*" without a condition
// that fixes where from or as whom.
func IsPublic(document []byte) bool {
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
