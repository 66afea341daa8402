package eval

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// DynamicReference is "{{resolve:service:…}}" taken apart ("Using dynamic
// references to specify template values").
type DynamicReference struct {
	Service string // ssm, ssm-secure or secretsmanager
	// Name is the SSM parameter, or the secret's name or ARN.
	Name string
	// Version is the SSM parameter's version, 0 for the latest.
	Version int64
	// JSONKey, VersionStage and VersionID choose within a secret; "" for the
	// whole and the current one.
	JSONKey, VersionStage, VersionID string
	Text                             string // as written, with the braces
}

// Secure reports whether the value must not be shown.
func (d DynamicReference) Secure() bool { return d.Service != "ssm" }

var dynamicReference = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{resolve:([^{}]*)\}\}`) })

// parseDynamic takes one dynamic reference apart; text is what stands between
// "{{resolve:" and "}}". bad says what is wrong, "" for nothing.
func parseDynamic(text string) (d DynamicReference, bad string) {
	d.Text = "{{resolve:" + text + "}}"
	service, rest, _ := strings.Cut(text, ":")
	d.Service = service
	switch service {
	case "ssm", "ssm-secure":
		return d.ssm(rest)
	case "secretsmanager":
		return d.secret(rest)
	}
	return d, "the service is " + strconv.Quote(service) + ", and can be ssm, ssm-secure or secretsmanager"
}

func (d DynamicReference) ssm(rest string) (DynamicReference, string) {
	d.Name = rest
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && !strings.HasPrefix(rest, "arn:") || strings.Count(rest, ":") == 6 {
		version, err := strconv.ParseInt(rest[i+1:], 10, 64)
		if err != nil || version < 1 {
			return d, "the version must be a number"
		}
		d.Name, d.Version = rest[:i], version
	}
	if d.Name == "" {
		return d, "the name of the parameter is missing"
	}
	return d, ""
}

func (d DynamicReference) secret(rest string) (DynamicReference, string) {
	parts := strings.Split(rest, ":")
	name := 1
	if parts[0] == "arn" {
		name = 7 // arn:aws:secretsmanager:region:account:secret:name
	}
	if len(parts) < name || parts[name-1] == "" {
		return d, "the secret's name is missing"
	}
	d.Name = strings.Join(parts[:name], ":")
	parts = append(parts[name:], "", "", "", "")
	if parts[0] != "" && parts[0] != "SecretString" || len(parts) > 8 {
		return d, "after the secret's name comes SecretString"
	}
	d.JSONKey, d.VersionStage, d.VersionID = parts[1], parts[2], parts[3]
	if d.VersionStage != "" && d.VersionID != "" {
		return d, "a version stage and a version id do not go together"
	}
	return d, ""
}

// dynamicWithin replaces dynamic references in what a function made.
func (e *evaluator) dynamicWithin(n *tree.Node, value any) (any, error) {
	if e.block == Plain || e.depth > 0 {
		return value, nil
	}
	switch v := value.(type) {
	case string:
		return e.dynamic(n, v)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			var err error
			if list[i], err = e.dynamicWithin(n, item); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	return value, nil
}

// dynamic replaces the dynamic references in a text. They have a meaning in
// the properties of resources and, if they are not secure, in outputs, and
// only in what a property comes to: functions see them as they are written, so
// that what one stands for is never read as a template again.
func (e *evaluator) dynamic(n *tree.Node, text string) (any, error) {
	if e.block == Plain || e.depth > 0 || !strings.Contains(text, "{{resolve:") {
		return text, nil
	}
	var b strings.Builder
	last := 0
	for _, m := range dynamicReference().FindAllStringSubmatchIndex(text, -1) {
		d, bad := parseDynamic(text[m[2]:m[3]])
		if bad != "" {
			return nil, e.fail(n, "Template error: the dynamic reference %s is malformed: %s", d.Text, bad)
		}
		value, err := e.resolve(n, d)
		if err != nil {
			return nil, err
		}
		b.WriteString(text[last:m[0]] + value)
		last = m[1]
	}
	b.WriteString(text[last:])
	return b.String(), e.charge(n, b.Len())
}

func (e *evaluator) resolve(n *tree.Node, d DynamicReference) (string, error) {
	if d.Secure() && e.block == "Outputs" {
		return "", e.fail(n, "Template error: the secure dynamic reference %s cannot be used in the Outputs block of the template", d.Text)
	}
	if e.l.Dynamic == nil {
		return d.Text, nil
	}
	value, err := e.l.Dynamic(d)
	if err != nil {
		return "", e.fail(n, "%v", err)
	}
	if d.Secure() {
		e.used++
		e.mark()
	}
	return value, nil
}
