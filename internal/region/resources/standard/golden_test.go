package standard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

var update = flag.Bool("update", false, "write what comes out into testdata")

// A call is one operation of a service that a type called.
type call struct {
	service, operation string
	input              any
}

func (c call) String() string {
	text, err := resources.Document(c.input)
	if err != nil {
		return err.Error()
	}
	return "\t" + c.service + " " + c.operation + " " + text + "\n"
}

// story tells what a type does with properties as they change: the calls, the
// physical ids and the attributes.
type story struct {
	kind   *resources.Type
	answer func(service, operation string) (any, error)
	calls  []call
	turn   int
	told   strings.Builder
}

func (s *story) env() *resources.Env {
	s.turn++
	turn := s.turn
	return &resources.Env{
		Call: func(_ context.Context, service, operation string, in, out any) error {
			s.calls = append(s.calls, call{service, operation, in})
			s.told.WriteString(s.calls[len(s.calls)-1].String())
			answer, err := s.answer(service, operation)
			if err != nil || out == nil {
				return err
			}
			data, err := json.Marshal(answer)
			if err != nil {
				return err
			}
			return json.Unmarshal(data, out)
		},
		Account: "123456789012", Region: "us-east-1", StackName: "shop", LogicalID: "Thing",
		StackID: "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1", Token: fmt.Sprint(turn),
		Tags: map[string]string{"aws:cloudformation:stack-name": "shop"},
		Name: func(max int) string { return fmt.Sprintf("shop-Thing-%d-of-%d", turn, max) },
	}
}

func (s *story) tell(format string, args ...any) { fmt.Fprintf(&s.told, format+"\n", args...) }

func (s *story) state(state resources.State) {
	s.tell("\t= %s", state.ID)
	if len(state.Attributes) > 0 {
		text, err := resources.Document(state.Attributes)
		if err != nil {
			text = err.Error()
		}
		s.tell("\t  %s", text)
	}
}

// tellAll creates a resource, takes it through its updates and deletes it.
func (s *story) tellAll(steps []map[string]any) {
	ctx := context.Background()
	var have resources.State
	for i, props := range steps {
		if problems := s.kind.Check(props); len(problems) > 0 {
			for _, problem := range problems {
				s.tell("refused: %s", problem)
			}
			return
		}
		props = s.kind.Normalize(props)
		next, err := s.step(ctx, have, props, i == 0)
		if err != nil {
			s.tell("\terror: %s", err)
			return
		}
		next.Properties = props
		have = next
		s.state(have)
	}
	s.tell("delete")
	s.remove(ctx, have)
}

func (s *story) step(ctx context.Context, have resources.State, props map[string]any, first bool) (resources.State, error) {
	if first {
		s.tell("create")
		return s.kind.Create(ctx, s.env(), props)
	}
	replace := false
	for _, change := range cfn.Diff(have.Properties, props) {
		how := "changed"
		if s.kind.Replaces(change.Path) {
			how, replace = "replaced by", true
		}
		s.tell("%s: %s", how, change.Path)
	}
	if !replace {
		return s.kind.Update(ctx, s.env(), have, props)
	}
	next, err := s.kind.Create(ctx, s.env(), props)
	if err == nil {
		s.tell("delete the old one")
		s.remove(ctx, have)
	}
	return next, err
}

func (s *story) remove(ctx context.Context, have resources.State) {
	if s.kind.Delete == nil {
		return
	}
	if err := s.kind.Delete(ctx, s.env(), have); err != nil {
		s.tell("\terror: %s", err)
	}
}

// answers is what every service answers: each type reads from it what it needs.
func answers(*testing.T) func(string, string) (any, error) {
	return func(service, operation string) (any, error) {
		answer := map[string]any{}
		err := json.Unmarshal([]byte(`{
			"Role": {"Arn": "arn:aws:iam::123456789012:role/r", "RoleId": "AROA1"},
			"User": {"Arn": "arn:aws:iam::123456789012:user/u"},
			"Group": {"Arn": "arn:aws:iam::123456789012:group/g"},
			"Policy": {"Arn": "arn:aws:iam::123456789012:policy/p", "PolicyId": "ANPA1", "DefaultVersionId": "v1", "IsAttachable": true},
			"AccessKey": {"AccessKeyId": "AKIA1", "SecretAccessKey": "secret"},
			"OpenIDConnectProviderArn": "arn:aws:iam::123456789012:oidc-provider/issuer.example",
			"FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f", "FunctionUrl": "http://f.localhost/", "Version": "3",
			"AliasArn": "arn:aws:lambda:us-east-1:123456789012:function:f:live",
			"LayerVersionArn": "arn:aws:lambda:us-east-1:123456789012:layer:l:1",
			"apiId": "api1", "apiEndpoint": "http://127.0.0.1:4010", "routeId": "route1", "integrationId": "int1",
			"authorizerId": "auth1", "deploymentId": "dep1", "apiMappingId": "map1",
			"domainName": "api.example.com", "domainNameArn": "arn:aws:apigateway:us-east-1::/domainnames/api.example.com",
			"domainNameConfigurations": [{"apiGatewayDomainName": "d-1.execute-api.us-east-1.amazonaws.com", "hostedZoneId": "Z1"}],
			"IdentityPoolId": "us-east-1:1", "IdentityPoolName": "pool",
			"KeyMetadata": {"KeyId": "key1", "Arn": "arn:aws:kms:us-east-1:123456789012:key/key1"},
			"repository": {"repositoryArn": "arn:aws:ecr:us-east-1:123456789012:repository/r", "repositoryUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/r"},
			"ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s-1", "RandomPassword": "drawn"
		}`), &answer)
		switch operation {
		case "GetBucketPolicy", "GetFunctionEventInvokeConfig", "GetGroupPolicy", "GetRolePolicy", "GetUserPolicy":
			return nil, wire.Errorf(404, "NotFound", "it is not there")
		case "ListVersionsByFunction":
			answer["Versions"] = []map[string]any{{"Version": "$LATEST"}, {"Version": "2"}}
		case "ListPolicyVersions":
			answer["Versions"] = []map[string]any{{"VersionId": "v2", "IsDefaultVersion": true}, {"VersionId": "v1"}}
		}
		return answer, err
	}
}

// stories runs f with every case of testdata/types: a file of a type, and in it
// the properties of the creation and of each update.
func stories(t *testing.T, f func(t *testing.T, file string, archive *txtar.Archive, kind *resources.Type, steps []map[string]any)) {
	files, err := filepath.Glob("testdata/types/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	registry := standard.Registry()
	for _, file := range files {
		name, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".txtar"), "+")
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			kind, ok := registry.Lookup(strings.ReplaceAll(name, "-", "::"))
			if !ok {
				t.Fatalf("there is no type %s", name)
			}
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var steps []map[string]any
			for _, part := range archive.Files {
				if part.Name == "want" {
					continue
				}
				props := map[string]any{}
				decoder := json.NewDecoder(bytes.NewReader(part.Data))
				decoder.UseNumber() // as templates are read
				if err := decoder.Decode(&props); err != nil {
					t.Fatalf("%s: %v", part.Name, err)
				}
				steps = append(steps, props)
			}
			f(t, file, archive, kind, steps)
		})
	}
}

// TestGolden holds what each type calls, and what it makes of the answers.
func TestGolden(t *testing.T) {
	stories(t, func(t *testing.T, file string, archive *txtar.Archive, kind *resources.Type, steps []map[string]any) {
		s := &story{kind: kind, answer: answers(t)}
		s.tellAll(steps)
		last := &archive.Files[len(archive.Files)-1]
		if last.Name != "want" {
			archive.Files = append(archive.Files, txtar.File{Name: "want"})
			last = &archive.Files[len(archive.Files)-1]
		}
		if diff := cmp.Diff(string(last.Data), s.told.String()); diff != "" && !*update {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if *update {
			last.Data = []byte(s.told.String())
			if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestDeleteWhatIsNotThere: a removal meets what somebody else removed.
func TestDeleteWhatIsNotThere(t *testing.T) {
	codes := map[string]string{"iam": "NoSuchEntity", "s3": "NoSuchBucket", "ssm": "ParameterNotFound", "apigateway": "NotFoundException"}
	stories(t, func(t *testing.T, _ string, _ *txtar.Archive, kind *resources.Type, steps []map[string]any) {
		if kind.Delete == nil || len(kind.Check(steps[0])) > 0 {
			return
		}
		s := &story{kind: kind, answer: answers(t)}
		props := kind.Normalize(steps[0])
		have, err := kind.Create(context.Background(), s.env(), props)
		if err != nil {
			return // a case of an error
		}
		have.Properties = props
		s.answer = func(service, _ string) (any, error) {
			code := codes[service]
			if code == "" {
				code = "ResourceNotFoundException"
			}
			return nil, wire.Errorf(404, code, "it is not there")
		}
		before := len(s.calls)
		if err := kind.Delete(context.Background(), s.env(), have); err != nil {
			protected := strings.Contains(err.Error(), "protected from deletion")
			if !protected {
				t.Errorf("%v, after %v", err, s.calls[before:])
			}
		}
	})
}

// TestErrorsAreKept: no type swallows a service's refusal.
func TestErrorsAreKept(t *testing.T) {
	stories(t, func(t *testing.T, _ string, _ *txtar.Archive, kind *resources.Type, steps []map[string]any) {
		if len(kind.Check(steps[0])) > 0 {
			return
		}
		count := &story{kind: kind, answer: answers(t)}
		props := kind.Normalize(steps[0])
		if _, err := kind.Create(context.Background(), count.env(), props); err != nil {
			return // a case of an error
		}
		for failing := range count.calls {
			s := &story{kind: kind}
			s.answer = func(service, operation string) (any, error) {
				if len(s.calls)-1 == failing {
					return nil, wire.Errorf(403, "AccessDenied", "no")
				}
				return answers(t)(service, operation)
			}
			if _, err := kind.Create(context.Background(), s.env(), props); wire.Code(err) != "AccessDenied" {
				t.Errorf("the refusal of %sis lost: %v", count.calls[failing], err)
			}
		}
	})
}
