package cfn_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/cfn"
)

// hostile are templates made to be expensive. Each is a little below or above
// a limit.
func hostile() map[string]string {
	big := strings.Repeat("x", 60_000)
	return map[string]string{
		"deep JSON":                strings.Repeat(`{"a":`, 150_000) + "1" + strings.Repeat("}", 150_000),
		"deep lists":               `{"Resources":` + strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000) + "}",
		"deep YAML flow":           "Resources: " + strings.Repeat("[", 490_000) + strings.Repeat("]", 490_000),
		"deep YAML blocks":         deepBlocks(1300),
		"long YAML line":           "Resources: {A: {Type: X, Properties: {V: " + strings.Repeat("a, ", 1) + strings.Repeat("? ", 300_000) + "}}}",
		"many open quotes":         "Resources: " + strings.Repeat("'a' : ", 150_000),
		"many anchors":             "a: &a [x]\nResources:\n" + numbered(30_000, "  A%d: &b%[1]d [1]\n"),
		"alias bomb":               aliasBomb(),
		"many tags":                "Resources: {A: " + strings.Repeat("!Sub ", 10) + strings.Repeat("!!x ", 100_000) + "y}",
		"too big":                  strings.Repeat("# x\n", 250_001),
		"comments":                 strings.Repeat("# x\n", 240_000) + "Resources: {A: {Type: X::Y::Z}}",
		"500 resources, a chain":   "Resources:\n" + chain(500, false),
		"500 resources, a circle":  "Resources:\n" + chain(500, true),
		"500 resources, all edges": "Resources:\n" + complete(500, 300),
		"501 resources":            "Resources:\n" + chain(501, false),
		"200,000 references":       "Resources: {A: {Type: X::Y::Z, Properties: {V: [" + strings.Repeat("!Ref AWS::Region,", 55_000) + "x]}}}",
		"unresolved everywhere":    "Resources: {A: {Type: X::Y::Z, Properties: {V: [" + numbered(40_000, "!Ref N%d,") + "x]}}}",
		"errors everywhere":        "Resources: {A: {Type: X::Y::Z, Properties: {V: [" + strings.Repeat("!Join x,", 90_000) + "x]}}}",
		"Sub of dollars":           "Resources: {A: {Type: X::Y::Z, Properties: {V: !Sub '" + strings.Repeat("${", 450_000) + "'}}}",
		"Sub of names":             "Resources: {A: {Type: X::Y::Z, Properties: {V: !Sub '" + strings.Repeat("${AWS::StackId}", 60_000) + "'}}}",
		"multiplied mapping":       "Mappings: {M: {a: {b: " + big + "}}}\nResources: {A: {Type: X::Y::Z, Properties: {V: [" + strings.Repeat("!FindInMap [M,a,b],", 40_000) + "x]}}}",
		"multiplied Sub":           "Parameters: {P: {Type: String, Default: " + strings.Repeat("y", 4000) + "}}\nResources: {A: {Type: X::Y::Z, Properties: {V: !Sub '" + strings.Repeat("${P}", 200_000) + "'}}}",
		"split and select":         "Mappings: {M: {a: {b: '" + strings.Repeat(",", 400_000) + "'}}}\nResources: {A: {Type: X::Y::Z, Properties: {V: [" + strings.Repeat("!Select [1, !Split [',', !FindInMap [M,a,b]]],", 9_000) + "x]}}}",
		"doubled Base64":           "Resources: {A: {Type: X::Y::Z, Properties: {V: " + strings.Repeat("{'Fn::Base64': ", 40) + big + strings.Repeat("}", 40) + "}}}",
		"conditions":               "Conditions:\n  C0: !Equals [a, a]\n" + conditions(499) + "Resources: {A: {Type: X::Y::Z, Condition: C499}}",
		"condition circle":         "Conditions:\n  C0: !And [!Condition C499, !Condition C498]\n" + conditions(499) + "Resources: {A: {Type: X::Y::Z}}",
		"equal mappings":           "Mappings: {M: {a: {b: [" + strings.Repeat("x,", 100_000) + "x]}}}\nConditions:\n" + numbered(450, "  C%d: !Equals [!FindInMap [M,a,b], !FindInMap [M,a,b]]\n") + "Resources: {A: {Type: X::Y::Z}}",
		"nested loops":             "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::A: " + loops(5),
		"loops of long values":     "Transform: AWS::LanguageExtensions\nParameters: {P: {Type: String, Default: " + strings.Repeat("y", 4000) + "}}\nResources:\n  Fn::ForEach::A: [I, [!Ref P], {'X&{I}': {Type: X::Y::Z, Properties: {V: '" + strings.Repeat("${I}", 200_000) + "'}}}]",
		"hostile pattern":          "Parameters: {P: {Type: String, Default: " + strings.Repeat("a", 4000) + ", AllowedPattern: '((a{0,1000}){0,1000}){0,1000}b'}}\nResources: {A: {Type: X::Y::Z}}",
		"slow pattern":             "Parameters: {P: {Type: String, Default: " + strings.Repeat("a", 4000) + ", AllowedPattern: '(a|aa|a*)*(a*){1,900}b'}}\nResources: {A: {Type: X::Y::Z}}",
		"200 slow patterns":        "Parameters:\n" + numbered(200, "  P%d: {Type: String, Default: "+strings.Repeat("a", 3000)+", AllowedPattern: '(a|aa|a*)*(a*){1,900}b'}\n") + "Resources: {A: {Type: X::Y::Z}}",
		"huge exponent":            "Parameters: {P: {Type: Number, Default: 1e999999999}}\nResources: {A: {Type: X::Y::Z}}",
		"serverless events":        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F: {Type: AWS::Serverless::Function, Properties: {InlineCode: x, Events: {" + numbered(9_000, "E%d: {Type: HttpApi, Properties: {Path: /%[1]d, Method: get}},") + "}}}",
		"serverless tags":          "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Tags: {" + numbered(5_000, "T%d: x,") + "}}}\nResources:\n" + numbered(400, "  F%d: {Type: AWS::Serverless::Function, Properties: {InlineCode: x}}\n"),
		"serverless layers":        "Transform: AWS::Serverless-2016-10-31\nResources:\n" + numbered(500, "  L%d: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: s3://a/b}}\n") + "  A: {Type: X::Y::Z, Properties: {V: [" + numbered(4_000, "!Sub '${L%d} "+strings.Repeat("y", 150)+"',") + "x]}}\n",
	}
}

func deepBlocks(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func aliasBomb() string {
	s := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 30; i++ {
		s += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	return s + "Resources: {A: {Type: X::Y::Z, Properties: {V: *a29}}}"
}

func chain(n int, circle bool) string {
	var b strings.Builder
	for i := range n {
		next := (i + 1) % n
		if next == 0 && !circle {
			fmt.Fprintf(&b, "  R%d: {Type: X::Y::Z}\n", i)
			continue
		}
		fmt.Fprintf(&b, "  R%d: {Type: X::Y::Z, Properties: {V: !Sub 'a${R%d}'}}\n", i, next)
	}
	return b.String()
}

func complete(n, edges int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  R%d: {Type: X::Y::Z, DependsOn: [", i)
		for j := max(0, i-edges); j < i; j++ {
			fmt.Fprintf(&b, "R%d,", j)
		}
		b.WriteString("]}\n")
	}
	return b.String()
}

func conditions(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  C%d: !And [!Condition C%d, !Condition C%[2]d]\n", i+1, i)
	}
	return b.String()
}

func loops(depth int) string {
	list := strings.TrimSuffix(numbered(200, "v%d,"), ",")
	if depth == 0 {
		return "{Type: X::Y::Z}"
	}
	inner := fmt.Sprintf("'X${I%d}': %s", depth, loops(0))
	if depth > 1 {
		inner = fmt.Sprintf("'Fn::ForEach::L%d': %s", depth, loops(depth-1))
	}
	return fmt.Sprintf("[I%d, [%s], {%s}]", depth, list, inner)
}

// TestHostileTemplates takes each template the whole way and asks for a result
// or an Errors within a second.
func TestHostileTemplates(t *testing.T) {
	limit := time.Second
	if raceEnabled {
		limit *= 10
	}
	for name, template := range hostile() {
		t.Run(name, func(t *testing.T) {
			start := processorTime(t)
			out, err := given{Pseudo: cfn.Pseudo{Region: "us-east-1", StackID: strings.Repeat("arn", 300)}}.run("template.yaml", []byte(template))
			if took := processorTime(t) - start; took > limit {
				t.Errorf("took %v", took)
			}
			if err == nil && len(out.Resources) == 0 {
				t.Error("neither a result nor an error")
			}
			if err != nil && len(err.Error()) > 300_000 {
				t.Errorf("the error has %d bytes: %.300s", len(err.Error()), err)
			}
		})
	}
}

// processorTime is what the process has used so far; unlike the clock it does
// not see what else the machine does.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
