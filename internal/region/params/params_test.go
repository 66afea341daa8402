package params_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/internal/region/params"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

const account = "123456789012"

// world is a Parameter Store in which everybody may do everything.
type world struct {
	t     testing.TB
	file  string
	ssm   *wire.Service
	asked []wire.Target
}

func start(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, file: filepath.Join(t.TempDir(), "region.db")}
	db, err := store.Open(w.file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	p, err := params.New(params.Config{
		Account: account, Region: "eu-west-1", DB: db, MasterKey: bytes.Repeat([]byte{7}, 32),
		Now: func() time.Time { return time.Unix(1700000000, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.ssm = p.Service()
	w.ssm.Authorize = func(_ context.Context, _ *wire.Call, targets []wire.Target) error {
		w.asked = append(w.asked, targets...)
		return nil
	}
	return w
}

// call calls an operation with its input as JSON, and returns its output so, or
// its error's code and message.
func (w *world) call(operation, input string) string {
	w.t.Helper()
	var out json.RawMessage
	caller := &wire.Caller{Account: account, ARN: "arn:aws:iam::" + account + ":user/roost"}
	err := w.ssm.Call(w.t.Context(), wire.Call{Caller: caller}, operation, json.RawMessage(input), &out)
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// check calls, and wants the answer to hold a text.
func (w *world) check(operation, input, want string) {
	w.t.Helper()
	if got := w.call(operation, input); !strings.Contains(got, want) {
		w.t.Errorf("%s %s\n  %s\nwant %s", operation, input, got, want)
	}
}

// step is one call of a script: what is asked, and what the answer holds.
type step struct{ operation, input, want string }

func TestOperations(t *testing.T) {
	tests := map[string][]step{
		"versions": {
			{"PutParameter", `{"Name":"/a/b","Value":"one","Type":"String"}`, `{"Version":1,"Tier":"Standard"}`},
			{"PutParameter", `{"Name":"/a/b","Value":"two"}`, `ParameterAlreadyExists: The parameter already exists. To overwrite this value, set the overwrite option in the request to true.`},
			{"PutParameter", `{"Name":"/a/b","Value":"two","Overwrite":true}`, `{"Version":2,`},
			{"GetParameter", `{"Name":"/a/b"}`, `{"Parameter":{"Name":"/a/b","Type":"String","Value":"two","Version":2,"LastModifiedDate":1700000000,"ARN":"arn:aws:ssm:eu-west-1:123456789012:parameter/a/b","DataType":"text"}}`},
			{"GetParameter", `{"Name":"/a/b:1"}`, `"Value":"one","Version":1,"Selector":":1"`},
			{"GetParameter", `{"Name":"/a/b:3"}`, `ParameterVersionNotFound: Systems Manager could not find version 3 of /a/b. Verify the version and try again.`},
			{"GetParameter", `{"Name":"arn:aws:ssm:eu-west-1:123456789012:parameter/a/b:1"}`, `"Value":"one"`},
			{"GetParameterHistory", `{"Name":"/a/b"}`, `"Version":1,"Tier":"Standard","Policies":[],"DataType":"text","Value":"one","Labels":[]},{`},
			{"DeleteParameter", `{"Name":"/a/b"}`, `{}`},
			{"GetParameter", `{"Name":"/a/b"}`, `ParameterNotFound: Parameter /a/b not found.`},
			{"DeleteParameter", `{"Name":"/a/b"}`, `ParameterNotFound`},
			{"PutParameter", `{"Name":"/a/b","Value":"again","Type":"String"}`, `{"Version":1,`},
			{"GetParameter", `{"Name":"/a/b:2"}`, `ParameterVersionNotFound`},
		},
		"plain names": {
			{"PutParameter", `{"Name":"flat","Value":"v","Type":"StringList"}`, `"Version":1`},
			{"GetParameter", `{"Name":"arn:aws:ssm:eu-west-1:123456789012:parameter/flat"}`, `"Name":"flat"`},
			{"GetParameters", `{"Names":["flat","none","flat:7"]}`, `"InvalidParameters":["none","flat:7"]`},
			{"DeleteParameters", `{"Names":["flat","none"]}`, `{"DeletedParameters":["flat"],"InvalidParameters":["none"]}`},
		},
		"secrets": {
			{"PutParameter", `{"Name":"/s","Value":"hidden-value","Type":"SecureString"}`, `"Version":1`},
			{"GetParameter", `{"Name":"/s","WithDecryption":true}`, `"Value":"hidden-value"`},
			{"GetParametersByPath", `{"Path":"/","WithDecryption":true}`, `"Value":"hidden-value"`},
			{"DescribeParameters", `{}`, `"KeyId":"alias/aws/ssm"`},
			{"PutParameter", `{"Name":"/s","Value":"x","Type":"String","Overwrite":true}`, `HierarchyTypeMismatchException`},
		},
		"wrong input": {
			{"PutParameter", `{"Name":"/a","Value":"v"}`, `ValidationException: A parameter type is required when you create a parameter.`},
			{"PutParameter", `{"Name":"/a","Type":"String"}`, `Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1`},
			{"PutParameter", `{"Name":"/a","Value":"v","Type":"Number"}`, `Value 'Number' at 'type' failed to satisfy constraint: Member must satisfy enum value set: [SecureString, StringList, String]`},
			{"PutParameter", `{"Name":"a b","Value":"v","Type":"String"}`, `ValidationException: Parameter name: can't be prefixed with "ssm"`},
			{"PutParameter", `{"Name":"a/b","Value":"v","Type":"String"}`, `ValidationException: Parameter name`},
			{"PutParameter", `{"Name":"a:1","Value":"v","Type":"String"}`, `ValidationException: Parameter name`},
			{"PutParameter", `{"Name":"/aws/x","Value":"v","Type":"String"}`, `AccessDeniedException: No access to reserved parameter name: /aws/x.`},
			{"PutParameter", `{"Name":"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16","Value":"v","Type":"String"}`, `HierarchyLevelLimitExceededException`},
			{"PutParameter", `{"Name":"/a","Value":"v","Type":"String","AllowedPattern":"[0-9]+"}`, `ParameterPatternMismatchException: Parameter value, cannot be validated against allowedPattern: [0-9]+`},
			{"PutParameter", `{"Name":"/a","Value":"v","Type":"String","AllowedPattern":"("}`, `InvalidAllowedPatternException`},
			{"PutParameter", `{"Name":"/a","Value":"v","Type":"String","Policies":"[{}]"}`, `roost does not support Policies`},
			{"PutParameter", `{"Name":"/a","Value":"v","Type":"String","DataType":"aws:ec2:image"}`, `roost does not support the data type aws:ec2:image`},
			{"PutParameter", `{"Name":"/a","Value":"v","Type":"String","Overwrite":true,"Tags":[{"Key":"k"}]}`, `tags and overwrite can't be used together`},
			{"PutParameter", `{"Name":"/a","Value":"` + strings.Repeat("v", 4097) + `","Type":"String"}`, `Standard tier parameters support a maximum parameter value of 4096 characters`},
			{"PutParameter", `{"Name":"/a","Value":"` + strings.Repeat("v", 4097) + `","Type":"String","Tier":"Advanced"}`, `"Tier":"Advanced"`},
			{"GetParametersByPath", `{"Path":"a"}`, `ValidationException: The parameter doesn't meet the parameter name requirements.`},
			{"GetParametersByPath", `{"Path":"/","MaxResults":11}`, `Value '11' at 'maxResults'`},
			{"GetParameters", `{"Names":["1","2","3","4","5","6","7","8","9","10","11"]}`, `less than or equal to 10`},
			{"DescribeParameters", `{"ParameterFilters":[{"Key":"Colour","Values":["red"]}]}`, `InvalidFilterKey`},
			{"DescribeParameters", `{"ParameterFilters":[{"Key":"Type","Option":"Contains","Values":["S"]}]}`, `InvalidFilterOption`},
			{"ListTagsForResource", `{"ResourceType":"Document","ResourceId":"x"}`, `InvalidResourceType`},
			{"ListTagsForResource", `{"ResourceType":"Parameter","ResourceId":"x"}`, `InvalidResourceId`},
		},
		"labels": {
			{"PutParameter", `{"Name":"/l","Value":"one","Type":"String"}`, `"Version":1`},
			{"PutParameter", `{"Name":"/l","Value":"two","Overwrite":true}`, `"Version":2`},
			{"LabelParameterVersion", `{"Name":"/l","ParameterVersion":1,"Labels":["live","aws-x","1st"]}`, `{"InvalidLabels":["aws-x","1st"],"ParameterVersion":1}`},
			{"GetParameter", `{"Name":"/l:live"}`, `"Value":"one","Version":1,"Selector":":live"`},
			{"LabelParameterVersion", `{"Name":"/l","Labels":["live"]}`, `"ParameterVersion":2`},
			{"GetParameter", `{"Name":"/l:live"}`, `"Value":"two"`},
			{"GetParametersByPath", `{"Path":"/","ParameterFilters":[{"Key":"Label","Values":["live"]}]}`, `"Value":"two"`},
			{"UnlabelParameterVersion", `{"Name":"/l","ParameterVersion":2,"Labels":["live","none"]}`, `{"RemovedLabels":["live"],"InvalidLabels":["none"]}`},
			{"GetParameter", `{"Name":"/l:live"}`, `ParameterVersionNotFound: Systems Manager could not find label live for parameter /l.`},
			{"LabelParameterVersion", `{"Name":"/l","Labels":["a","b","c","d","e","f","g","h","i","j","k"]}`, `ParameterVersionLabelLimitExceeded`},
		},
		"tags": {
			{"PutParameter", `{"Name":"/t","Value":"v","Type":"String","Tags":[{"Key":"b","Value":"2"}]}`, `"Version":1`},
			{"AddTagsToResource", `{"ResourceType":"Parameter","ResourceId":"/t","Tags":[{"Key":"a","Value":"1"}]}`, `{}`},
			{"ListTagsForResource", `{"ResourceType":"Parameter","ResourceId":"/t"}`, `{"TagList":[{"Key":"a","Value":"1"},{"Key":"b","Value":"2"}]}`},
			{"DescribeParameters", `{"ParameterFilters":[{"Key":"tag:a","Values":["1"]}]}`, `"Name":"/t"`},
			{"RemoveTagsFromResource", `{"ResourceType":"Parameter","ResourceId":"/t","TagKeys":["b"]}`, `{}`},
			{"PutParameter", `{"Name":"/t","Value":"w","Overwrite":true}`, `"Version":2`},
			{"ListTagsForResource", `{"ResourceType":"Parameter","ResourceId":"/t"}`, `{"TagList":[{"Key":"a","Value":"1"}]}`},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			for _, step := range steps {
				w.check(step.operation, step.input, step.want)
			}
		})
	}
}

func TestPathsAndPages(t *testing.T) {
	w := start(t)
	for _, name := range []string{"/app/a", "/app/b/c", "/app/b/d", "/apple", "/other"} {
		w.check("PutParameter", fmt.Sprintf(`{"Name":%q,"Value":"v","Type":"String"}`, name), `"Version":1`)
	}
	for _, test := range []struct {
		input string
		want  []string
	}{
		{`{"Path":"/app"}`, []string{"/app/a"}},
		{`{"Path":"/app/"}`, []string{"/app/a"}},
		{`{"Path":"/app","Recursive":true}`, []string{"/app/a", "/app/b/c", "/app/b/d"}},
		{`{"Path":"/app","Recursive":true,"MaxResults":2}`, []string{"/app/a", "/app/b/c"}},
		{`{"Path":"/app","Recursive":true,"MaxResults":2,"NextToken":"2"}`, []string{"/app/b/d"}},
		{`{"Path":"/"}`, []string{"/apple", "/other"}},
		{`{"Path":"/none"}`, nil},
	} {
		var out params.GetByPathOutput
		if err := json.Unmarshal([]byte(w.call("GetParametersByPath", test.input)), &out); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range out.Parameters {
			got = append(got, p.Name)
		}
		if fmt.Sprint(got) != fmt.Sprint(test.want) {
			t.Errorf("%s: %v, want %v", test.input, got, test.want)
		}
	}
}

func TestTheHundredAndFirstVersionRemovesTheFirst(t *testing.T) {
	w := start(t)
	w.check("PutParameter", `{"Name":"/v","Value":"1","Type":"String"}`, `"Version":1`)
	w.check("LabelParameterVersion", `{"Name":"/v","ParameterVersion":1,"Labels":["hold"]}`, `"ParameterVersion":1`)
	for i := 2; i <= 100; i++ {
		w.check("PutParameter", fmt.Sprintf(`{"Name":"/v","Value":"%d","Overwrite":true}`, i), fmt.Sprintf(`"Version":%d`, i))
	}
	w.check("PutParameter", `{"Name":"/v","Value":"101","Overwrite":true}`, `ParameterMaxVersionLimitExceeded: You attempted to create a new version of /v`)
	w.check("UnlabelParameterVersion", `{"Name":"/v","ParameterVersion":1,"Labels":["hold"]}`, `hold`)
	w.check("PutParameter", `{"Name":"/v","Value":"101","Overwrite":true}`, `"Version":101`)
	w.check("GetParameter", `{"Name":"/v:1"}`, `ParameterVersionNotFound`)
	w.check("GetParameter", `{"Name":"/v:2"}`, `"Value":"2"`)
}

func TestSecureStringsAreNotInTheFile(t *testing.T) {
	w := start(t)
	w.check("PutParameter", `{"Name":"/s","Value":"correct-horse-battery","Type":"SecureString"}`, `"Version":1`)
	if got := w.call("GetParameter", `{"Name":"/s"}`); strings.Contains(got, "correct-horse") {
		t.Errorf("told without decryption: %s", got)
	}
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(w.file + suffix)
		if err == nil && bytes.Contains(data, []byte("correct-horse")) {
			t.Errorf("the value is in the file region.db%s", suffix)
		}
	}
}

func TestWhatIsAsked(t *testing.T) {
	w := start(t)
	w.check("PutParameter", `{"Name":"/s","Value":"v","Type":"SecureString","KeyId":"alias/mine"}`, `"Version":1`)
	w.check("GetParameter", `{"Name":"/s:1","WithDecryption":true}`, `"Value":"v"`)
	w.check("GetParametersByPath", `{"Path":"/app"}`, ``)
	w.check("GetParametersByPath", `{"Path":"/","WithDecryption":true}`, `"Value":"v"`)
	w.check("GetParameter", `{"Name":"arn:aws:ssm:eu-west-1:123456789012:parameter/s","WithDecryption":true}`, `"Value":"v"`)
	w.check("PutParameter", `{"Name":"/s","Value":"w","Type":"SecureString","Overwrite":true,"KeyId":"1234"}`, `"Version":2`)
	w.check("PutParameter", `{"Name":"/s","Value":"w","Overwrite":true}`, `"Version":3`)
	w.check("GetParameter", `{"Name":"/s:1","WithDecryption":true}`, `"Value":"v"`)
	w.check("GetParameterHistory", `{"Name":"/s","WithDecryption":true}`, `"Value":"w"`)
	want := []string{
		"ssm:PutParameter arn:aws:ssm:eu-west-1:123456789012:parameter/s",
		"kms:Encrypt arn:aws:kms:eu-west-1:123456789012:alias/mine",
		"ssm:GetParameter arn:aws:ssm:eu-west-1:123456789012:parameter/s",
		"kms:Decrypt arn:aws:kms:eu-west-1:123456789012:alias/mine",
		"ssm:GetParametersByPath arn:aws:ssm:eu-west-1:123456789012:parameter/app",
		"ssm:GetParametersByPath arn:aws:ssm:eu-west-1:123456789012:parameter/",
		"kms:Decrypt arn:aws:kms:eu-west-1:123456789012:alias/mine",
		"ssm:GetParameter arn:aws:ssm:eu-west-1:123456789012:parameter/s",
		"kms:Decrypt arn:aws:kms:eu-west-1:123456789012:alias/mine",
		"ssm:PutParameter arn:aws:ssm:eu-west-1:123456789012:parameter/s",
		"kms:Encrypt arn:aws:kms:eu-west-1:123456789012:key/1234",
		"ssm:PutParameter arn:aws:ssm:eu-west-1:123456789012:parameter/s",
		"kms:Encrypt arn:aws:kms:eu-west-1:123456789012:key/1234",
		"ssm:GetParameter arn:aws:ssm:eu-west-1:123456789012:parameter/s",
		"kms:Decrypt arn:aws:kms:eu-west-1:123456789012:alias/mine",
		"ssm:GetParameterHistory arn:aws:ssm:eu-west-1:123456789012:parameter/s",
		"kms:Decrypt arn:aws:kms:eu-west-1:123456789012:alias/mine",
		"kms:Decrypt arn:aws:kms:eu-west-1:123456789012:key/1234",
		"kms:Decrypt arn:aws:kms:eu-west-1:123456789012:key/1234",
	}
	var got []string
	for _, target := range w.asked {
		got = append(got, target.Action+" "+target.Resource)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked for\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Whatever is written, the latest is read, and each version by its number.
func TestReadsFollowWrites(t *testing.T) {
	w := start(t)
	model := map[string][]string{}
	names := []string{"flat", "/a", "/a/b", "/a.b/c_d"}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(names).Draw(t, "name")
		if rapid.IntRange(0, 9).Draw(t, "delete") == 0 {
			w.call("DeleteParameter", fmt.Sprintf(`{"Name":%q}`, name))
			delete(model, name)
		} else if len(model[name]) < 90 {
			value := rapid.StringMatching(`[a-z]{1,20}`).Draw(t, "value")
			w.call("PutParameter", fmt.Sprintf(`{"Name":%q,"Value":%q,"Type":"SecureString","Overwrite":true}`, name, value))
			model[name] = append(model[name], value)
		}
		for name, values := range model {
			i := rapid.IntRange(1, len(values)).Draw(t, "version")
			got := w.call("GetParameter", fmt.Sprintf(`{"Name":"%s:%d","WithDecryption":true}`, name, i))
			if !strings.Contains(got, fmt.Sprintf(`"Value":%q`, values[i-1])) {
				t.Fatalf("%s:%d is %s, want %s", name, i, got, values[i-1])
			}
		}
	})
}
