package params_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/internal/region/params"
	"github.com/seed-615d3599/roost/internal/region/wire"
	"github.com/seed-615d3599/roost/internal/region/wire/wiretest"
)

const account = "123456789012"

// start is a Parameter Store in which everybody may do everything.
func start(t testing.TB) *wiretest.World {
	t.Helper()
	w := wiretest.New(t)
	p, err := params.New(params.Config{
		Account: account, Region: "eu-west-1", DB: w.DB, MasterKey: bytes.Repeat([]byte{7}, 32),
		Now: func() time.Time { return time.Unix(1700000000, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Service, w.Caller = p.Service(), &wire.Caller{Account: account, ARN: "arn:aws:iam::" + account + ":user/roost"}
	return w
}

func TestOperations(t *testing.T) {
	tests := map[string][][3]string{
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
			start(t).Run(steps)
		})
	}
}

func TestPathsAndPages(t *testing.T) {
	w := start(t)
	for _, name := range []string{"/app/a", "/app/b/c", "/app/b/d", "/apple", "/other"} {
		w.Check("PutParameter", fmt.Sprintf(`{"Name":%q,"Value":"v","Type":"String"}`, name), `"Version":1`)
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
		if err := json.Unmarshal([]byte(w.Call("GetParametersByPath", test.input)), &out); err != nil {
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
	w.Check("PutParameter", `{"Name":"/v","Value":"1","Type":"String"}`, `"Version":1`)
	w.Check("LabelParameterVersion", `{"Name":"/v","ParameterVersion":1,"Labels":["hold"]}`, `"ParameterVersion":1`)
	for i := 2; i <= 100; i++ {
		w.Check("PutParameter", fmt.Sprintf(`{"Name":"/v","Value":"%d","Overwrite":true}`, i), fmt.Sprintf(`"Version":%d`, i))
	}
	w.Check("PutParameter", `{"Name":"/v","Value":"101","Overwrite":true}`, `ParameterMaxVersionLimitExceeded: You attempted to create a new version of /v`)
	w.Check("UnlabelParameterVersion", `{"Name":"/v","ParameterVersion":1,"Labels":["hold"]}`, `hold`)
	w.Check("PutParameter", `{"Name":"/v","Value":"101","Overwrite":true}`, `"Version":101`)
	w.Check("GetParameter", `{"Name":"/v:1"}`, `ParameterVersionNotFound`)
	w.Check("GetParameter", `{"Name":"/v:2"}`, `"Value":"2"`)
}

func TestSecureStringsAreNotInTheFile(t *testing.T) {
	w := start(t)
	w.Check("PutParameter", `{"Name":"/s","Value":"correct-horse-battery","Type":"SecureString"}`, `"Version":1`)
	if got := w.Call("GetParameter", `{"Name":"/s"}`); strings.Contains(got, "correct-horse") {
		t.Errorf("told without decryption: %s", got)
	}
	if !w.Stored("SecureString") || w.Stored("correct-horse") {
		t.Error("the state has the value, or nothing at all")
	}
}

func TestWhatIsAsked(t *testing.T) {
	w := start(t)
	w.Check("PutParameter", `{"Name":"/s","Value":"v","Type":"SecureString","KeyId":"alias/mine"}`, `"Version":1`)
	w.Check("GetParameter", `{"Name":"/s:1","WithDecryption":true}`, `"Value":"v"`)
	w.Check("GetParametersByPath", `{"Path":"/app"}`, ``)
	w.Check("GetParametersByPath", `{"Path":"/","WithDecryption":true}`, `"Value":"v"`)
	w.Check("GetParameter", `{"Name":"arn:aws:ssm:eu-west-1:123456789012:parameter/s","WithDecryption":true}`, `"Value":"v"`)
	w.Check("PutParameter", `{"Name":"/s","Value":"w","Type":"SecureString","Overwrite":true,"KeyId":"1234"}`, `"Version":2`)
	w.Check("PutParameter", `{"Name":"/s","Value":"w","Overwrite":true}`, `"Version":3`)
	w.Check("GetParameter", `{"Name":"/s:1","WithDecryption":true}`, `"Value":"v"`)
	w.Check("GetParameterHistory", `{"Name":"/s","WithDecryption":true}`, `"Value":"w"`)
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
	for _, target := range w.Asked {
		got = append(got, target.Action+" "+target.Resource)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked for\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Nobody uses a key for which permission was not asked: not of a version that came afterwards either.
func TestKeysThatChangeMeanwhile(t *testing.T) {
	const theirs = `{"Name":"/app/s","Value":"theirs","Type":"SecureString","Overwrite":true,"KeyId":"alias/theirs"}`
	for name, test := range map[string]struct{ before, operation, input, meanwhile, want string }{
		"GetParameter":             {"alias/mine", "GetParameter", `{"Name":"/app/s","WithDecryption":true}`, theirs, "InternalServerError"},
		"GetParameters":            {"alias/mine", "GetParameters", `{"Names":["/app/s"],"WithDecryption":true}`, theirs, "InternalServerError"},
		"GetParametersByPath":      {"alias/mine", "GetParametersByPath", `{"Path":"/app","WithDecryption":true}`, theirs, "InternalServerError"},
		"GetParameterHistory":      {"alias/mine", "GetParameterHistory", `{"Name":"/app/s","WithDecryption":true}`, theirs, "InternalServerError"},
		"PutParameter":             {"alias/mine", "PutParameter", `{"Name":"/app/s","Value":"mine","Overwrite":true}`, theirs, "InternalServerError"},
		"a new one":                {"", "GetParameter", `{"Name":"/app/s","WithDecryption":true}`, theirs, "InternalServerError"},
		"without decryption":       {"alias/mine", "GetParameter", `{"Name":"/app/s"}`, theirs, `"Version":2`},
		"the same key":             {"alias/theirs", "GetParameter", `{"Name":"/app/s","WithDecryption":true}`, theirs, `"Value":"theirs"`},
		"the key that all may use": {"", "GetParameter", `{"Name":"/app/s","WithDecryption":true}`, `{"Name":"/app/s","Value":"all's","Type":"SecureString"}`, `"Value":"all's"`},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			if test.before != "" {
				w.Check("PutParameter", `{"Name":"/app/s","Value":"mine","Type":"SecureString","KeyId":"`+test.before+`"}`, `"Version":1`)
			}
			w.Meanwhile = func() { w.Check("PutParameter", test.meanwhile, `"Version"`) }
			w.Check(test.operation, test.input, test.want)
		})
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
			w.Call("DeleteParameter", fmt.Sprintf(`{"Name":%q}`, name))
			delete(model, name)
		} else if len(model[name]) < 90 {
			value := rapid.StringMatching(`[a-z]{1,20}`).Draw(t, "value")
			w.Call("PutParameter", fmt.Sprintf(`{"Name":%q,"Value":%q,"Type":"SecureString","Overwrite":true}`, name, value))
			model[name] = append(model[name], value)
		}
		for name, values := range model {
			i := rapid.IntRange(1, len(values)).Draw(t, "version")
			got := w.Call("GetParameter", fmt.Sprintf(`{"Name":"%s:%d","WithDecryption":true}`, name, i))
			if !strings.Contains(got, fmt.Sprintf(`"Value":%q`, values[i-1])) {
				t.Fatalf("%s:%d is %s, want %s", name, i, got, values[i-1])
			}
		}
	})
}
