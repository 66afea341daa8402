package plan_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/resources/standard"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
)

// A type of CloudFormation's own that nothing here serves is refused for its
// own reason, also where it is named under "record"; the remedy of unknown
// types is told with those only.
func TestRefusedTypes(t *testing.T) {
	l := plan.New(plan.Config{
		Account: "123456789012", Region: "us-east-1", Types: standard.Registry(), Own: resources.New(), Rand: rand.Reader,
		Record: func(name string) bool {
			return strings.HasPrefix(name, "AWS::CloudFormation::") || name == "AWS::CloudWatch::Alarm"
		},
	})
	const hint = `name it under "record" in roost.json`
	for _, c := range []struct {
		kind, want string
		hint       bool
	}{
		{"AWS::CloudFormation::Macro", "macros are not run here", false},
		{"AWS::CloudFormation::StackSet", "there is one account and one region", false},
		{"AWS::CloudFormation::ModuleDefaultVersion", "the types are built in", false},
		{"AWS::CloudFormation::HookVersion", "hooks are not asked here", false},
		{"AWS::SNS::Topic", "roost does not support the type AWS::SNS::Topic", true},
		{"AWS::CloudWatch::Alarm", "", false},
	} {
		body := `{"Resources": {"A": {"Type": "` + c.kind + `", "Properties": {"Name": "x"}}}}`
		_, err := l.Prepare(t.Context(), nil, &records.Stack{Name: "s"}, plan.Request{Body: body})
		switch {
		case c.want == "":
			if err != nil {
				t.Errorf("%s: %v", c.kind, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), hint) != c.hint:
			t.Errorf("%s: %v", c.kind, err)
		}
	}
}

// A secure string is read only for the properties for which CloudFormation
// reads one, and none of the known types has such a property.
func TestSecureReferences(t *testing.T) {
	l := plan.New(plan.Config{
		Account: "123456789012", Region: "us-east-1", Types: standard.Registry(), Own: resources.New(), Rand: rand.Reader,
		Record: func(name string) bool { return name == "AWS::RDS::DBInstance" },
	})
	for _, c := range []struct{ kind, props, want string }{
		{"AWS::SSM::Parameter", `{"Type": "String", "Value": "x{{resolve:ssm-secure:/a:1}}"}`, "[AWS::SSM::Parameter/Properties/Value]"},
		{"AWS::Lambda::Function", `{"Code": {"ZipFile": "x"}, "Role": "r", "Environment": {"Variables": {"A": "{{resolve:ssm-secure:/a}}"}}}`, "[AWS::Lambda::Function/Properties/Environment]"},
		{"AWS::SSM::Parameter", `{"Type": "String", "Value": "{{resolve:ssm:/a}}"}`, ""},
		{"AWS::RDS::DBInstance", `{"MasterUserPassword": "{{resolve:ssm-secure:/a:1}}"}`, ""},
	} {
		body := `{"Resources": {"A": {"Type": "` + c.kind + `", "Properties": ` + c.props + `}}}`
		_, err := l.Prepare(t.Context(), nil, &records.Stack{Name: "s"}, plan.Request{Body: body})
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), "SSM Secure reference is not supported in: "+c.want) {
			t.Errorf("%s %s: %v", c.kind, c.props, err)
		}
	}
}
