package secrets_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/internal/region/secrets"
	"github.com/seed-615d3599/roost/internal/region/wire/wiretest"
)

const (
	account = "123456789012"
	token1  = "11111111-1111-1111-1111-111111111111"
	token2  = "22222222-2222-2222-2222-222222222222"
	token3  = "33333333-3333-3333-3333-333333333333"
)

// start is a Secrets Manager in which everybody may do everything. Its clock is
// what now points to.
func start(t testing.TB) (w *wiretest.World, now *time.Time) {
	t.Helper()
	w = wiretest.New(t)
	clock := time.Unix(1700000000, 0)
	s, err := secrets.New(secrets.Config{
		Account: account, Region: "eu-west-1", DB: w.DB, MasterKey: bytes.Repeat([]byte{7}, 32), Now: func() time.Time { return clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Service = s.Service()
	return w, &clock
}

func TestOperations(t *testing.T) {
	tests := map[string][][3]string{
		"versions and stages": {
			{"CreateSecret", `{"Name":"app/db","SecretString":"one","ClientRequestToken":"` + token1 + `"}`, `"Name":"app/db","VersionId":"` + token1},
			{"CreateSecret", `{"Name":"app/db","SecretString":"one","ClientRequestToken":"` + token1 + `"}`, `"VersionId":"` + token1},
			{"CreateSecret", `{"Name":"app/db","SecretString":"other"}`, `ResourceExistsException: The operation failed because the secret app/db already exists.`},
			{"GetSecretValue", `{"SecretId":"app/db"}`, `"SecretString":"one","VersionStages":["AWSCURRENT"]`},
			{"PutSecretValue", `{"SecretId":"app/db","SecretString":"two","ClientRequestToken":"` + token2 + `"}`, `"VersionStages":["AWSCURRENT"]`},
			{"GetSecretValue", `{"SecretId":"app/db"}`, `"SecretString":"two"`},
			{"GetSecretValue", `{"SecretId":"app/db","VersionStage":"AWSPREVIOUS"}`, `"SecretString":"one"`},
			{"GetSecretValue", `{"SecretId":"app/db","VersionId":"` + token1 + `"}`, `"SecretString":"one"`},
			{"GetSecretValue", `{"SecretId":"app/db","VersionId":"` + token3 + `"}`, `ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: ` + token3},
			{"GetSecretValue", `{"SecretId":"app/db","VersionStage":"NONE"}`, `can't find the specified secret value for staging label: NONE`},
			{"PutSecretValue", `{"SecretId":"app/db","SecretString":"three","ClientRequestToken":"` + token2 + `"}`, `ResourceExistsException: You can't modify an existing version, you can only create a new version.`},
			{"PutSecretValue", `{"SecretId":"app/db","SecretString":"three","VersionStages":["AWSPENDING"],"ClientRequestToken":"` + token3 + `"}`, `["AWSPENDING"]`},
			{"GetSecretValue", `{"SecretId":"app/db"}`, `"SecretString":"two"`},
			{"UpdateSecretVersionStage", `{"SecretId":"app/db","VersionStage":"AWSCURRENT","MoveToVersionId":"` + token3 + `"}`, `RemoveFromVersionId`},
			{"UpdateSecretVersionStage", `{"SecretId":"app/db","VersionStage":"AWSCURRENT","MoveToVersionId":"` + token3 + `","RemoveFromVersionId":"` + token2 + `"}`, `"Name":"app/db"`},
			{"GetSecretValue", `{"SecretId":"app/db","VersionStage":"AWSPREVIOUS"}`, `"SecretString":"two"`},
			{"ListSecretVersionIds", `{"SecretId":"app/db"}`, token3},
		},
		"update and describe": {
			{"CreateSecret", `{"Name":"s","Description":"d","Tags":[{"Key":"k","Value":"v"}]}`, `"Name":"s"}`},
			{"GetSecretValue", `{"SecretId":"s"}`, `can't find the specified secret value for staging label: AWSCURRENT`},
			{"UpdateSecret", `{"SecretId":"s","SecretBinary":"AAEC","Description":"e"}`, `"VersionId":"`},
			{"GetSecretValue", `{"SecretId":"s"}`, `"SecretBinary":"AAEC"`},
			{"DescribeSecret", `{"SecretId":"s"}`, `"Description":"e","CreatedDate":1700000000`},
			{"DescribeSecret", `{"SecretId":"s"}`, `"Tags":[{"Key":"k","Value":"v"}]`},
			{"DescribeSecret", `{"SecretId":"s"}`, `"LastAccessedDate":1699920000`},
			{"UntagResource", `{"SecretId":"s","TagKeys":["k"]}`, `{}`},
			{"TagResource", `{"SecretId":"s","Tags":[{"Key":"l","Value":"w"}]}`, `{}`},
			{"ListSecrets", `{"Filters":[{"Key":"tag-key","Values":["l"]}]}`, `"Name":"s"`},
			{"ListSecrets", `{"Filters":[{"Key":"tag-key","Values":["k"]}]}`, `{"SecretList":[]}`},
			{"ListSecrets", `{"Filters":[{"Key":"name","Values":["!s"]}]}`, `{"SecretList":[]}`},
		},
		"deletion": {
			{"CreateSecret", `{"Name":"s","SecretString":"v"}`, `"Name":"s"`},
			{"DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":6}`, `InvalidParameterException: The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).`},
			{"DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":7,"ForceDeleteWithoutRecovery":true}`, `You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.`},
			{"DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":7}`, `"DeletionDate":1700604800`},
			{"GetSecretValue", `{"SecretId":"s"}`, `InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.`},
			{"CreateSecret", `{"Name":"s"}`, `InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion.`},
			{"ListSecrets", `{}`, `{"SecretList":[]}`},
			{"ListSecrets", `{"IncludePlannedDeletion":true}`, `"DeletedDate":1700000000`},
			{"RestoreSecret", `{"SecretId":"s"}`, `"Name":"s"`},
			{"GetSecretValue", `{"SecretId":"s"}`, `"SecretString":"v"`},
			{"DeleteSecret", `{"SecretId":"s","ForceDeleteWithoutRecovery":true}`, `"Name":"s"`},
			{"DescribeSecret", `{"SecretId":"s"}`, `ResourceNotFoundException: Secrets Manager can't find the specified secret.`},
			{"DeleteSecret", `{"SecretId":"s","ForceDeleteWithoutRecovery":true}`, `"Name":"s"`},
			{"DeleteSecret", `{"SecretId":"s"}`, `ResourceNotFoundException`},
		},
		"policies": {
			{"CreateSecret", `{"Name":"s"}`, `"Name":"s"`},
			{"PutResourcePolicy", `{"SecretId":"s","ResourcePolicy":"{"}`, `MalformedPolicyDocumentException`},
			{"PutResourcePolicy", `{"SecretId":"s","BlockPublicPolicy":true,"ResourcePolicy":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"secretsmanager:*\",\"Resource\":\"*\"}}"}`, `PublicPolicyException`},
			{"PutResourcePolicy", `{"SecretId":"s","ResourcePolicy":"{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"secretsmanager:*\",\"Resource\":\"*\"}}"}`, `"Name":"s"`},
			{"GetResourcePolicy", `{"SecretId":"s"}`, `Deny`},
			{"DeleteResourcePolicy", `{"SecretId":"s"}`, `"Name":"s"`},
		},
		"refused": {
			{"CreateSecret", `{"Name":"a b"}`, `ValidationException: Invalid name.`},
			{"CreateSecret", `{"Name":"s","SecretString":"a","SecretBinary":"AAEC"}`, `InvalidParameterException`},
			{"CreateSecret", `{"Name":"s","AddReplicaRegions":[{"Region":"x"}]}`, `AddReplicaRegions`},
			{"RotateSecret", `{"SecretId":"s","RotationLambdaARN":"x"}`, `roost does not support RotateSecret`},
			{"ReplicateSecretToRegions", `{"SecretId":"s"}`, `roost does not support ReplicateSecretToRegions`},
			{"ListSecrets", `{"Filters":[{"Key":"primary-region","Values":["x"]}]}`, `roost does not support the filter "primary-region"`},
			{"GetRandomPassword", `{"PasswordLength":3}`, `at least 4 characters`},
			{"GetRandomPassword", `{"ExcludeLowercase":true,"ExcludeUppercase":true,"ExcludeNumbers":true,"ExcludePunctuation":true}`, `No characters are left`},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			w, _ := start(t)
			w.Run(steps)
		})
	}
}

func TestSecretsGoWhenTheWindowEnds(t *testing.T) {
	w, now := start(t)
	w.Check("CreateSecret", `{"Name":"s","SecretString":"old"}`, `"Name":"s"`)
	w.Check("DeleteSecret", `{"SecretId":"s","RecoveryWindowInDays":7}`, `"DeletionDate"`)
	*now = now.AddDate(0, 0, 7)
	w.Check("RestoreSecret", `{"SecretId":"s"}`, `ResourceNotFoundException`)
	w.Check("ListSecrets", `{"IncludePlannedDeletion":true}`, `{"SecretList":[]}`)
	w.Check("CreateSecret", `{"Name":"s","SecretString":"new"}`, `"Name":"s"`)
	w.Check("GetSecretValue", `{"SecretId":"s"}`, `"SecretString":"new"`)
}

func TestNamesAndARNs(t *testing.T) {
	w, _ := start(t)
	var made struct{ ARN string }
	if err := json.Unmarshal([]byte(w.Call("CreateSecret", `{"Name":"a-b","SecretString":"v"}`)), &made); err != nil {
		t.Fatal(err)
	}
	prefix := "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-b"
	if !strings.HasPrefix(made.ARN, prefix+"-") || len(made.ARN) != len(prefix)+7 {
		t.Errorf("ARN %s", made.ARN)
	}
	for id, want := range map[string]string{
		made.ARN: `"SecretString":"v"`, prefix: `"SecretString":"v"`, "a-b": `"SecretString":"v"`,
		"a": "ResourceNotFoundException", prefix + "-aaaaaa": "ResourceNotFoundException",
	} {
		w.Check("GetSecretValue", fmt.Sprintf(`{"SecretId":%q}`, id), want)
	}
	want := "secretsmanager:CreateSecret " + prefix + "-??????"
	if got := w.Asked[0].Action + " " + w.Asked[0].Resource; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	for _, target := range w.Asked[1:] {
		if target.Context["secretsmanager:SecretId"][0] == "a-b" && target.Resource != made.ARN {
			t.Errorf("asked for %s, want %s", target.Resource, made.ARN)
		}
	}
}

// Nobody uses a key for which permission was not asked: not one that came afterwards either.
func TestAKeyThatChangesMeanwhile(t *testing.T) {
	w, _ := start(t)
	w.Check("CreateSecret", `{"Name":"s","SecretString":"v","KmsKeyId":"alias/mine"}`, `"Name":"s"`)
	w.Meanwhile = func() { w.Check("UpdateSecret", `{"SecretId":"s","KmsKeyId":"alias/theirs"}`, `"Name":"s"`) }
	w.Check("GetSecretValue", `{"SecretId":"s"}`, "InternalServiceError")
	w.Check("GetSecretValue", `{"SecretId":"s"}`, `"SecretString":"v"`)
	w.Meanwhile = func() {
		w.Check("UpdateSecret", `{"SecretId":"s","KmsKeyId":"alias/aws/secretsmanager"}`, `"Name":"s"`)
	}
	w.Check("GetSecretValue", `{"SecretId":"s"}`, `"SecretString":"v"`)
}

func TestValuesAreNotInTheFile(t *testing.T) {
	w, _ := start(t)
	w.Check("CreateSecret", `{"Name":"s","SecretString":"correct-horse-battery"}`, `"Name":"s"`)
	if !w.Stored("AWSCURRENT") || w.Stored("correct-horse") {
		t.Error("the state has the value, or nothing at all")
	}
}

func TestPasswords(t *testing.T) {
	w, _ := start(t)
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.IntRange(5, 60).Draw(t, "length")
		excluded := rapid.StringMatching(`[a-m0-4!-)]{0,10}`).Draw(t, "excluded")
		numbers := rapid.Bool().Draw(t, "numbers")
		input, err := json.Marshal(map[string]any{"PasswordLength": length, "ExcludeCharacters": excluded, "ExcludeNumbers": !numbers, "IncludeSpace": false})
		if err != nil {
			t.Fatal(err)
		}
		var out struct{ RandomPassword string }
		if err := json.Unmarshal([]byte(w.Call("GetRandomPassword", string(input))), &out); err != nil {
			t.Fatal(err)
		}
		password := out.RandomPassword
		if len(password) != length || strings.ContainsAny(password, excluded+" ") || strings.ContainsAny(password, "0123456789") != numbers || strings.ToLower(password) == password {
			t.Fatalf("%s gives %q", input, password)
		}
	})
}
