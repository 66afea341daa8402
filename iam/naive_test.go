package iam_test

import (
	"encoding/json"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam"
)

// The naive evaluator is the oracle of the random tests. It reads the document
// anew for every request, compiles nothing, matches with regular expressions,
// and is written from the pages of the IAM User Guide (see operators_test.go),
// in their order. It knows valid documents only, and shares no code with the
// package.

type naivePolicy struct {
	Version   string
	Statement []map[string]any
}

type naiveRequest struct {
	principal        iam.Principal
	action, resource string
	single           map[string]string
	multi            map[string][]string
	boundary         bool
}

// naiveVerdict is what the policies of one type say: whether any statement
// denies, and how the strongest one allows.
type naiveVerdict struct {
	deny  bool
	allow string // "", "account", "role", "direct"
}

func naiveEvaluate(documents []string, r *naiveRequest) naiveVerdict {
	var v naiveVerdict
	for _, text := range documents {
		var p naivePolicy
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			panic(err)
		}
		for _, s := range p.Statement {
			how := naivePrincipal(s, r)
			if how == "" || !naiveCovers(s, "Action", p.Version, r) || !naiveCovers(s, "Resource", p.Version, r) || !naiveConditions(s, p.Version, r) {
				continue
			}
			if s["Effect"] == "Deny" {
				v.deny = true
			} else if rank(how) > rank(v.allow) {
				v.allow = how
			}
		}
	}
	return v
}

func rank(how string) int {
	return map[string]int{"": 0, "account": 1, "role": 2, "direct": 3}[how]
}

func list(v any) []string {
	switch v := v.(type) {
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, list(item)...)
		}
		return all
	case string:
		return []string{v}
	case float64:
		return []string{strconv.FormatFloat(v, 'g', -1, 64)}
	case bool:
		return []string{strconv.FormatBool(v)}
	}
	return nil
}

func naivePrincipal(s map[string]any, r *naiveRequest) string {
	if p, ok := s["Principal"]; ok {
		if s["Effect"] == "Deny" && naiveEveryone(p) {
			return "direct"
		}
		return naiveNamed(p, r)
	}
	p, ok := s["NotPrincipal"]
	if !ok {
		return "direct"
	}
	if r.boundary && (r.principal.Kind == iam.User || r.principal.Kind == iam.AssumedRole) {
		return "direct"
	}
	if naiveEveryone(p) {
		return ""
	}
	found := map[string]bool{}
	for kind, values := range p.(map[string]any) {
		for _, value := range list(values) {
			found[naiveNamed(map[string]any{kind: value}, r)] = true
		}
	}
	needed := []string{"direct"}
	if r.principal.Kind == iam.User {
		needed = []string{"direct", "account"}
	} else if r.principal.Kind == iam.AssumedRole {
		needed = []string{"direct", "account", "role"}
	}
	for _, n := range needed {
		if !found[n] {
			return "direct"
		}
	}
	return ""
}

func naiveEveryone(p any) bool {
	if m, ok := p.(map[string]any); ok {
		return slices.Contains(list(m["AWS"]), "*")
	}
	return p == "*"
}

func naiveNamed(p any, r *naiveRequest) string {
	who := r.principal
	if p == "*" {
		p = map[string]any{"AWS": "*"}
	}
	best := ""
	for kind, values := range p.(map[string]any) {
		for _, value := range list(values) {
			how := ""
			switch {
			case who.Kind == iam.Federated:
				if kind == "Federated" && value == who.Name {
					how = "direct"
				}
			case kind == "AWS" && value == "*":
				how = "direct"
			case who.Kind == iam.Service:
				if kind == "Service" && value == who.Name {
					how = "direct"
				}
			case kind != "AWS" || who.Kind == iam.Anonymous:
			case value == who.ARN:
				how = "direct"
			case value == who.Account || value == "arn:aws:iam::"+who.Account+":root":
				how = "account"
				if who.Kind == iam.AccountRoot {
					how = "direct"
				}
			case who.Kind == iam.AssumedRole && (value == who.RoleARN || value == who.ID):
				how = "role"
			case who.Kind == iam.User && value == who.ID:
				how = "direct"
			}
			if rank(how) > rank(best) {
				best = how
			}
		}
	}
	return best
}

func naiveCovers(s map[string]any, element, version string, r *naiveRequest) bool {
	text := r.action
	match := func(pattern string) string {
		if naiveGlob("(?i)", pattern, text) {
			return "yes"
		}
		return "no"
	}
	if element == "Resource" {
		text = r.resource
		match = func(pattern string) string { return naiveARN(pattern, text, version, r) }
	}
	if values, ok := s[element]; ok {
		for _, v := range list(values) {
			if match(v) == "yes" {
				return true
			}
		}
		return false
	}
	values, ok := s["Not"+element]
	if !ok {
		return true
	}
	for _, v := range list(values) {
		if match(v) != "no" {
			return false
		}
	}
	return true
}

// naiveGlob turns a pattern into a regular expression.
func naiveGlob(flags, pattern, text string) bool {
	expression := regexp.QuoteMeta(pattern)
	expression = strings.ReplaceAll(expression, `\*`, `.*`)
	expression = strings.ReplaceAll(expression, `\?`, `.`)
	expression = strings.NewReplacer("\x01", `\*`, "\x02", `\?`).Replace(expression)
	return regexp.MustCompile(`(?s)` + flags + `^(?:` + expression + `)$`).MatchString(text)
}

var naiveVariable = regexp.MustCompile(`\$\{([^},]+)(?:, *'([^']*)')?\}`)

// naiveExpand puts in the values of the variables, in which wildcards are
// characters like any other (here \x01 and \x02). It reports false if one
// has no value.
func naiveExpand(text, version string, r *naiveRequest) (string, bool) {
	if version != "2012-10-17" {
		return text, true
	}
	ok := true
	plain := strings.NewReplacer("*", "\x01", "?", "\x02")
	text = naiveVariable.ReplaceAllStringFunc(text, func(found string) string {
		parts := naiveVariable.FindStringSubmatch(found)
		if strings.Contains("*?$", parts[1]) {
			return plain.Replace(parts[1])
		}
		if v, has := r.single[strings.ToLower(parts[1])]; has {
			return plain.Replace(v)
		}
		if strings.Contains(found, "'") {
			return plain.Replace(parts[2])
		}
		ok = false
		return ""
	})
	return text, ok
}

// naiveARN compares part by part. A variable's value never reaches beyond its
// part, so each part is expanded by itself.
func naiveARN(pattern, text, version string, r *naiveRequest) string {
	if _, ok := naiveExpand(pattern, version, r); !ok {
		return "unresolved"
	}
	var parts []string
	rest := pattern
	for len(parts) < 5 { // colons within ${...} do not separate
		masked := naiveVariable.ReplaceAllStringFunc(rest, func(v string) string { return strings.Repeat("v", len(v)) })
		colon := strings.Index(masked, ":")
		if version != "2012-10-17" {
			colon = strings.Index(rest, ":")
		}
		if colon < 0 {
			break
		}
		parts, rest = append(parts, rest[:colon]), rest[colon+1:]
	}
	parts = append(parts, rest)
	given := strings.SplitN(text, ":", len(parts))
	if len(given) != len(parts) {
		return "no"
	}
	for i := range parts {
		expanded, _ := naiveExpand(parts[i], version, r)
		if !naiveGlob("", expanded, given[i]) {
			return "no"
		}
	}
	return "yes"
}

func naiveConditions(s map[string]any, version string, r *naiveRequest) bool {
	conditions, _ := s["Condition"].(map[string]any)
	for operator, keys := range conditions {
		for key, values := range keys.(map[string]any) {
			if !naiveCondition(strings.ToLower(operator), strings.ToLower(key), list(values), version, r) {
				return false
			}
		}
	}
	return true
}

func naiveCondition(operator, key string, policy []string, version string, r *naiveRequest) bool {
	operator, all := strings.CutPrefix(operator, "forallvalues:")
	operator, anyOf := strings.CutPrefix(operator, "foranyvalue:")
	operator, ifExists := strings.CutSuffix(operator, "ifexists")
	var given []string
	present := false
	if v, ok := r.single[key]; ok {
		given, present = []string{v}, true
	} else if v, ok := r.multi[key]; ok && len(v) > 0 {
		given, present = v, true
	}
	if operator == "null" {
		return strings.Contains(strings.ToLower(strings.Join(policy, " ")), strconv.FormatBool(!present))
	}
	negated := strings.Contains(operator, "not")
	operator = strings.Replace(operator, "not", "", 1)
	if !present {
		if ifExists || all {
			return true
		}
		if anyOf || !negated {
			return false
		}
		for _, p := range policy {
			if _, ok := naiveExpand(p, version, r); !ok && naiveHasVariables(operator) {
				return false
			}
		}
		return true
	}
	if (all || anyOf) && len(given) == 1 && given[0] == "" {
		return all
	}
	hits := 0
	for _, g := range given {
		if naiveOne(operator, negated, g, policy, version, r) {
			hits++
		}
	}
	if all || (negated && !anyOf) {
		return hits == len(given)
	}
	return hits > 0
}

func naiveHasVariables(operator string) bool {
	return strings.HasPrefix(operator, "string") || strings.HasPrefix(operator, "arn") || operator == "bool"
}

func naiveOne(operator string, negated bool, given string, policy []string, version string, r *naiveRequest) bool {
	found, unknown := false, false
	for _, p := range policy {
		switch naiveCompare(operator, given, p, version, r) {
		case "yes":
			found = true
		case "unresolved":
			unknown = true
		}
	}
	if negated {
		return !found && !unknown
	}
	return found
}

func naiveCompare(operator, given, policy, version string, r *naiveRequest) string {
	answer := map[bool]string{true: "yes", false: "no"}
	if strings.HasPrefix(operator, "arn") {
		if len(strings.Split(given, ":")) < 6 || given[:4] != "arn:" {
			if _, ok := naiveExpand(policy, version, r); !ok {
				return "no"
			}
			return "no"
		}
		return naiveARN(policy, given, version, r)
	}
	if naiveHasVariables(operator) {
		expanded, ok := naiveExpand(policy, version, r)
		if !ok {
			return "unresolved"
		}
		if operator == "stringlike" {
			return answer[naiveGlob("", expanded, given)]
		}
		expanded = strings.NewReplacer("\x01", "*", "\x02", "?").Replace(expanded)
		if operator == "stringequals" {
			return answer[expanded == given]
		}
		return answer[strings.EqualFold(expanded, given)]
	}
	switch {
	case operator == "binaryequals":
		return answer[given == policy]
	case operator == "ipaddress":
		return answer[naiveIP(given, policy)]
	case strings.HasPrefix(operator, "numeric"):
		a, errA := strconv.ParseFloat(given, 64)
		b, errB := strconv.ParseFloat(policy, 64)
		return answer[errA == nil && errB == nil && naiveOrder(strings.TrimPrefix(operator, "numeric"), a, b)]
	}
	a, okA := naiveDate(given)
	b, okB := naiveDate(policy)
	return answer[okA && okB && naiveOrder(strings.TrimPrefix(operator, "date"), a, b)]
}

func naiveOrder(order string, a, b float64) bool {
	return map[string]bool{"equals": a == b, "lessthan": a < b, "lessthanequals": a <= b, "greaterthan": a > b, "greaterthanequals": a >= b}[order]
}

func naiveDate(s string) (float64, bool) {
	for _, layout := range []string{"2006", "2006-01", "2006-01-02", "2006-01-02T15:04Z07:00", time.RFC3339Nano} {
		if t, err := time.Parse(layout, s); err == nil {
			return float64(t.UnixMilli()), true
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return float64(n * 1000), err == nil
}

func naiveIP(given, policy string) bool {
	ip := net.ParseIP(given)
	if _, network, err := net.ParseCIDR(policy); err == nil {
		return ip != nil && network.Contains(ip)
	}
	return ip != nil && ip.Equal(net.ParseIP(policy))
}

// naiveDecide is "Determining whether a request is allowed or denied within an
// account" and "Cross-account policy evaluation logic", step by step.
func naiveDecide(r *naiveRequest, c *randomCase) string {
	identity := naiveEvaluate(c.identity, r)
	boundary := naiveEvaluate(c.boundary, r)
	session := naiveEvaluate(c.session, r)
	resource := naiveEvaluate(c.resource, r)
	if identity.deny || boundary.deny || session.deny || resource.deny {
		return "explicitDeny"
	}
	allowed := false
	principalSide := r.principal.Kind == iam.AccountRoot ||
		identity.allow != "" && (len(c.boundary) == 0 || boundary.allow != "") && (len(c.session) == 0 || session.allow != "")
	limits := (len(c.boundary) == 0 || boundary.allow != "") && (len(c.session) == 0 || session.allow != "")
	switch {
	case r.principal.Kind == iam.Anonymous || r.principal.Kind == iam.Service || r.principal.Kind == iam.Federated:
		allowed = resource.allow != ""
	case c.owner != r.principal.Account:
		allowed = resource.allow != "" && principalSide
	case c.trust && resource.allow == "":
	case resource.allow == "direct":
		allowed = true
	case resource.allow == "role":
		allowed = limits
	default:
		allowed = principalSide
	}
	if allowed {
		return "allowed"
	}
	return "implicitDeny"
}
