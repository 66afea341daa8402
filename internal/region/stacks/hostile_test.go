package stacks_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how much of a processor's time a hostile template may take: a
// second, however much else the machine has to do.
const patience = time.Second * slowdown

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func TestHostileTemplates(t *testing.T) {
	f := start(t)
	var many, chain, cycle []string
	for i := range 500 {
		many = append(many, fmt.Sprintf(`"R%d": {"Type": "AWS::Test::Nothing", "Properties": {"A%d": 1}}`, i, i))
		chain = append(chain, fmt.Sprintf(`"R%d": {"Type": "AWS::Test::Thing", "Properties": {"Other": {"Fn::Sub": "${R%d}"}}}`, i, (i+1)%500))
		cycle = append(cycle, fmt.Sprintf(`"R%d": {"Type": "AWS::Test::Thing", "DependsOn": ["R%d", "R%d", "R%d"]}`, i, (i+1)%500, (i+7)%500, (i+250)%500))
	}
	tests := map[string]string{
		"500 unknown types":    `{"Resources": {` + strings.Join(many, ",") + `}}`,
		"501 resources":        `{"Resources": {` + strings.Join(append(many, `"X": {"Type": "AWS::Test::Thing"}`), ",") + `}}`,
		"a cycle through Sub":  `{"Resources": {` + strings.Join(chain, ",") + `}}`,
		"cycles of DependsOn":  `{"Resources": {` + strings.Join(cycle, ",") + `}}`,
		"deep lists":           `{"Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Tags": ` + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + `}}}}`,
		"deep joins":           `{"Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Other": ` + strings.Repeat(`{"Fn::Join": ["", [`, 20_000) + `"x"` + strings.Repeat(`]]}`, 20_000) + `}}}}`,
		"an alias bomb":        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f]\nResources: {A: {Type: AWS::Test::Thing}}\n",
		"a megabyte of text":   `{"Description": "` + strings.Repeat("x", 1<<20) + `"}`,
		"nothing":              ` `,
		"a resource as a list": `{"Resources": {"A": []}}`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			f.templates["hostile"] = body
			begun := processorTime(t)
			for operation, in := range map[string]map[string]any{
				"CreateStack":        {"StackName": "s", "TemplateURL": "https://b.s3.amazonaws.com/hostile"},
				"CreateChangeSet":    {"StackName": "s", "ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateURL": "https://b.s3.amazonaws.com/hostile"},
				"GetTemplateSummary": {"TemplateURL": "https://b.s3.amazonaws.com/hostile"},
			} {
				err := f.call(operation, in, nil)
				if err == nil && operation != "GetTemplateSummary" {
					t.Errorf("%s took it", operation)
				}
				if took := processorTime(t) - begun; took > patience {
					t.Errorf("%s took %v", operation, took)
				}
				begun = processorTime(t)
			}
		})
	}
}
