package standard_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
)

// TestTutorial: the tutorial's template uses nothing that is refused, and
// nothing but CDK's own metadata that is without effect.
func TestTutorial(t *testing.T) {
	file := need.Shared(t, "fixtures", "tutorial-sst-0.9.7", "dev-rest-api-auth-twitter-my-stack.template.json")
	supported(t, file, nil)
}

// TestOwnTemplates: what the constructs of package roost can say is supported.
func TestOwnTemplates(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(need.Root(t), "testdata", "golden", "*", "*.template.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no templates", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			supported(t, file, map[string]bool{
				// Records, as docs/differences.md says.
				"AWS::CertificateManager::Certificate": true, "AWS::Cognito::UserPool": true, "AWS::Cognito::UserPoolClient": true,
				"AWS::DynamoDB::Table": true, "AWS::Route53::RecordSet": true,
			})
		})
	}
}

// TestBootstrap: CDK's own bootstrap template.
func TestBootstrap(t *testing.T) {
	file := filepath.Join(need.NodeModule(t, "aws-cdk"), "lib", "api", "bootstrap", "bootstrap-template.yaml")
	supported(t, file, nil, "StagingBucket (AWS::S3::Bucket): LifecycleConfiguration is without effect")
}

// supported checks every resource of a template as the engine does. Types that
// are records have to be expected, and so have properties without effect.
func supported(t *testing.T, file string, records map[string]bool, noted ...string) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	template, err := cfn.Parse(filepath.Base(file), data)
	if err != nil {
		t.Fatal(err)
	}
	given := cfn.Given{Values: map[string]string{}, SSM: func(string) (string, bool, error) { return "30", true, nil }}
	for _, parameter := range template.Parameters {
		if parameter.Default == nil {
			given.Values[parameter.Name] = "a||b"
		}
	}
	values, err := template.Resolve(given)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := cfn.New(template, values, cfn.Pseudo{AccountID: "123456789012", Region: "us-east-1", StackName: "s", StackID: "i"})
	if err != nil {
		t.Fatal(err)
	}
	registry := standard.Registry()
	for _, declared := range plan.Resources {
		kind, ok := registry.Lookup(declared.Type)
		if !ok {
			t.Errorf("%s: the type %s is not supported", declared.LogicalID, declared.Type)
			continue
		}
		if kind.Recorded {
			if !records[kind.Name] && kind.Name != "AWS::CDK::Metadata" {
				t.Errorf("%s: the type %s is only recorded", declared.LogicalID, declared.Type)
			}
			continue
		}
		result, err := plan.Properties(declared, cfn.Lookup{
			ImportValue: func(string) (any, error) { return cfn.Unknown{}, nil },
		})
		if err != nil {
			t.Errorf("%s: %v", declared.LogicalID, err)
			continue
		}
		props, _ := result.Value.(map[string]any)
		for _, problem := range kind.Check(props) {
			t.Errorf("%s (%s): %s", declared.LogicalID, declared.Type, problem)
		}
		for _, path := range recordedPaths("", kind.Properties, props) {
			if note := declared.LogicalID + " (" + declared.Type + "): " + path + " is without effect"; !slices.Contains(noted, note) {
				t.Error(note)
			}
		}
	}
}

// recordedPaths returns the properties that are given and only recorded.
func recordedPaths(path string, table resources.Properties, values map[string]any) (paths []string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		property, at := table[name], strings.TrimPrefix(path+"."+name, ".")
		if property.Mode == resources.Recorded {
			paths = append(paths, at)
			continue
		}
		switch v := values[name].(type) {
		case map[string]any:
			paths = append(paths, recordedPaths(at, property.Members, v)...)
		case []any:
			for _, item := range v {
				if m, ok := item.(map[string]any); ok && property.Items != nil {
					paths = append(paths, recordedPaths(at, property.Items.Members, m)...)
				}
			}
		}
	}
	return paths
}
