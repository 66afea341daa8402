package kms_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/kms"
	"github.com/seed-615d3599/roost/internal/region/wire/wiretest"
)

// The id that a source of zeros gives.
const id = "00000000-0000-4000-8000-000000000000"

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte{0}, len(p))), nil }

func TestOperations(t *testing.T) {
	w := wiretest.New(t)
	now := time.Unix(1700000000, 0)
	w.Service = kms.New(kms.Config{Account: "123456789012", Region: "us-east-1", DB: w.DB, Rand: zeros{}, Now: func() time.Time { return now }}).Service()
	const arn = "arn:aws:kms:us-east-1:123456789012:"
	for _, step := range [][3]string{
		{"CreateKey", `{"KeySpec":"RSA_2048"}`, `UnsupportedOperationException: roost does not support keys with KeySpec RSA_2048`},
		{"CreateKey", `{"Policy":"{"}`, `MalformedPolicyDocumentException`},
		{"CreateKey", `{"Description":"d","Tags":[{"TagKey":"a","TagValue":"1"}]}`, `"KeyId":"` + id + `","Arn":"` + arn + `key/` + id + `"`},
		{"DescribeKey", `{"KeyId":"` + id + `"}`, `"Enabled":true,"Description":"d"`},
		{"DescribeKey", `{"KeyId":"none"}`, `NotFoundException: Key '` + arn + `key/none' does not exist`},
		{"CreateAlias", `{"AliasName":"mine","TargetKeyId":"` + id + `"}`, `ValidationException`},
		{"CreateAlias", `{"AliasName":"alias/mine","TargetKeyId":"none"}`, `NotFoundException`},
		{"CreateAlias", `{"AliasName":"alias/mine","TargetKeyId":"` + id + `"}`, `{}`},
		{"CreateAlias", `{"AliasName":"alias/mine","TargetKeyId":"` + id + `"}`, `AlreadyExistsException: An alias with the name ` + arn + `alias/mine already exists`},
		{"DescribeKey", `{"KeyId":"alias/mine"}`, `"KeyId":"` + id},
		{"DescribeKey", `{"KeyId":"` + arn + `alias/mine"}`, `"KeyId":"` + id},
		{"DescribeKey", `{"KeyId":"alias/none"}`, `NotFoundException: Alias ` + arn + `alias/none is not found.`},
		{"ListAliases", `{"KeyId":"` + id + `"}`, `"AliasName":"alias/mine"`},
		{"ListAliases", `{"Limit":0}`, `ValidationException`},
		{"ListKeys", `{"Limit":1}`, `"KeyId":"` + id + `","KeyArn":"` + arn + `key/` + id + `"}],"Truncated":false`},
		{"ListKeys", `{"Marker":"x"}`, `InvalidMarkerException`},
		{"GetKeyPolicy", `{"KeyId":"` + id + `"}`, `arn:aws:iam::123456789012:root`},
		{"EnableKeyRotation", `{"KeyId":"` + id + `"}`, `{}`},
		{"GetKeyRotationStatus", `{"KeyId":"` + id + `"}`, `"KeyRotationEnabled":true`},
		{"ListResourceTags", `{"KeyId":"` + id + `"}`, `"TagKey":"a"`},
		{"Encrypt", `{"KeyId":"` + id + `","Plaintext":"AAEC"}`, `roost does not support Encrypt of KMS`},
		{"ScheduleKeyDeletion", `{"KeyId":"` + id + `","PendingWindowInDays":7}`, `"DeletionDate":1700604800,"KeyState":"PendingDeletion"`},
		{"EnableKey", `{"KeyId":"` + id + `"}`, `KMSInvalidStateException: ` + arn + `key/` + id + ` is pending deletion.`},
		{"CancelKeyDeletion", `{"KeyId":"` + id + `"}`, `"KeyId":"` + arn},
		{"DeleteAlias", `{"AliasName":"alias/mine"}`, `{}`},
		{"DeleteAlias", `{"AliasName":"alias/mine"}`, `NotFoundException`},
	} {
		w.Asked = nil
		w.Check(step[0], step[1], step[2])
		if step[0] == "DeleteAlias" && (len(w.Asked) != 2 || w.Asked[0].Resource != arn+"alias/mine") {
			t.Errorf("asked for %+v, not for the alias and its key", w.Asked)
		}
		if step[0] == "GetKeyPolicy" && (w.Asked[0].Resource != arn+"key/"+id || !strings.Contains(w.Asked[0].Policy, "root")) {
			t.Errorf("asked for %+v: the key's own policy has no say", w.Asked)
		}
	}
}
