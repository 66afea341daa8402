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
