package iam

import (
	"net/netip"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/iam/internal/glob"
	"github.com/seed-615d3599/roost/iam/internal/scalar"
)

// comparison is what a condition operator compares, and how.
type comparison uint8

const (
	compareText comparison = iota
	compareARN
	compareNumber
	compareDate
	compareBool
	compareBinary
	compareIP
	compareNull
)

// relation is how a value of the request must stand to one of the policy.
type relation uint8

const (
	equal relation = iota
	less
	lessOrEqual
	greater
	greaterOrEqual
)

// quantifier is the set operator before a condition operator.
type quantifier uint8

const (
	unqualified quantifier = iota
	forAllValues
	forAnyValue
)

// operator is a condition operator with its modifiers.
type operator struct {
	name       string // as the policy has it
	compare    comparison
	relation   relation
	negated    bool
	ifExists   bool
	quantifier quantifier
	options    glob.Options // of the values
}

// condition is one key of one operator.
type condition struct {
	operator
	key    string
	values []value
}

// value is a compiled value of a condition, in the form its operator needs.
type value struct {
	pattern glob.Pattern
	number  float64
	date    *time.Time
	network *netip.Prefix
	truth   bool
}

// lookupOperator returns the operator of a name in lower case, without its
// modifiers (IAM User Guide, "IAM JSON policy elements: Condition operators").
func lookupOperator(name string) (operator, bool) {
	text := operator{compare: compareText, options: glob.Options{Variables: true}}
	like, fold, arn := text, text, text
	like.options.Wildcards = true
	fold.options.Fold = glob.UnicodeFolding
	arn.compare, arn.options.Wildcards = compareARN, true
	not := func(o operator) operator { o.negated = true; return o }
	switch name {
	case "stringequals":
		return text, true
	case "stringnotequals":
		return not(text), true
	case "stringequalsignorecase":
		return fold, true
	case "stringnotequalsignorecase":
		return not(fold), true
	case "stringlike":
		return like, true
	case "stringnotlike":
		return not(like), true
	case "arnequals", "arnlike":
		return arn, true
	case "arnnotequals", "arnnotlike":
		return not(arn), true
	case "bool":
		return operator{compare: compareBool, options: glob.Options{Variables: true, Fold: glob.ASCIIFolding}}, true
	case "binaryequals":
		return operator{compare: compareBinary}, true
	case "ipaddress":
		return operator{compare: compareIP}, true
	case "notipaddress":
		return operator{compare: compareIP, negated: true}, true
	case "null":
		return operator{compare: compareNull}, true
	}
	if rest, ok := strings.CutPrefix(name, "numeric"); ok {
		return orderedOperator(compareNumber, rest)
	}
	if rest, ok := strings.CutPrefix(name, "date"); ok {
		return orderedOperator(compareDate, rest)
	}
	return operator{}, false
}

func orderedOperator(compare comparison, name string) (operator, bool) {
	switch name {
	case "equals":
		return operator{compare: compare}, true
	case "notequals":
		return operator{compare: compare, negated: true}, true
	case "lessthan":
		return operator{compare: compare, relation: less}, true
	case "lessthanequals":
		return operator{compare: compare, relation: lessOrEqual}, true
	case "greaterthan":
		return operator{compare: compare, relation: greater}, true
	case "greaterthanequals":
		return operator{compare: compare, relation: greaterOrEqual}, true
	}
	return operator{}, false
}

// holds reports whether the request meets the condition.
func (c *condition) holds(ctx Context) bool {
	key := ctx.Lookup(c.key)
	present := key != nil && (key.Values == nil || len(key.Values) > 0)
	if c.compare == compareNull {
		return c.wantsNull(!present)
	}
	if !present {
		return c.holdsWithoutKey(ctx)
	}
	switch c.quantifier {
	case forAllValues:
		return key.isEmpty() || c.holdsForAll(key, ctx)
	case forAnyValue:
		return !key.isEmpty() && c.holdsForAny(key, ctx)
	}
	// That an operator without a set operator looks for any value of a
	// multi-valued key, and a negated one for none, is inferred: the
	// documentation only tells not to write it.
	if c.negated {
		return c.holdsForAll(key, ctx)
	}
	return c.holdsForAny(key, ctx)
}

// holdsWithoutKey follows "Condition operators" (a missing key does not match,
// so that a negated operator is true) and "Multivalued context keys"
// (ForAllValues is true without a key, ForAnyValue false).
func (c *condition) holdsWithoutKey(ctx Context) bool {
	switch {
	case c.ifExists:
		return true
	case c.quantifier == forAllValues:
		return true
	case c.quantifier == forAnyValue:
		return false
	}
	return c.negated && c.resolves(ctx)
}

func (c *condition) resolves(ctx Context) bool {
	for i := range c.values {
		if p := &c.values[i].pattern; p.HasVariables && !p.Resolves(ctx.variable) {
			return false
		}
	}
	return true
}

// wantsNull decides a Null operator. A key whose value is the empty string
// counts as present; only a key without any value is null (inferred).
func (c *condition) wantsNull(isNull bool) bool {
	for i := range c.values {
		if c.values[i].truth == isNull {
			return true
		}
	}
	return false
}

// isEmpty reports whether a set operator finds no values: "an empty data set
// (for example, an empty string)".
func (k *Key) isEmpty() bool {
	if k.Values == nil {
		return k.Value == ""
	}
	return len(k.Values) == 1 && k.Values[0] == ""
}

func (c *condition) holdsForAny(key *Key, ctx Context) bool {
	if key.Values == nil {
		return c.holdsFor(key.Value, ctx)
	}
	for _, v := range key.Values {
		if c.holdsFor(v, ctx) {
			return true
		}
	}
	return false
}

func (c *condition) holdsForAll(key *Key, ctx Context) bool {
	if key.Values == nil {
		return c.holdsFor(key.Value, ctx)
	}
	for _, v := range key.Values {
		if !c.holdsFor(v, ctx) {
			return false
		}
	}
	return true
}

// holdsFor compares one value of the request with those of the policy: it must
// match any of them, or for a negated operator none. The documentation says
// that a variable without a value "might cause the entire statement to be
// invalid". Here a value with such a variable matches nothing, negated or
// not, and leaves the other values of its list as they are (inferred).
func (c *condition) holdsFor(v string, ctx Context) bool {
	switch c.compare {
	case compareText, compareBool, compareARN:
	default:
		return c.matches(v) != c.negated
	}
	if c.compare == compareARN && !glob.IsARN(v) {
		return c.negated
	}
	for i := range c.values {
		switch c.values[i].pattern.Match(v, ctx.variable) {
		case glob.Yes:
			return !c.negated
		case glob.Unresolved:
			if c.negated {
				return false
			}
		}
	}
	return c.negated
}

// matches reports whether a value of the request matches any of the policy's,
// for the operators whose values are more than text. One that is not of the
// operator's type matches none, so that a negated operator holds (inferred).
func (c *condition) matches(v string) bool {
	switch c.compare {
	case compareNumber:
		number, ok := scalar.Number(v)
		return ok && c.matchesAny(func(p *value) bool { return c.relation.holds(compareFloats(number, p.number)) })
	case compareDate:
		date, ok := scalar.Date(v)
		return ok && c.matchesAny(func(p *value) bool { return c.relation.holds(date.Compare(*p.date)) })
	case compareIP:
		address, ok := scalar.Address(v)
		return ok && c.matchesAny(func(p *value) bool { return p.network.Contains(address) })
	}
	return c.matchesAny(func(p *value) bool { return v == p.pattern.Source }) // binary
}

func (c *condition) matchesAny(match func(*value) bool) bool {
	for i := range c.values {
		if match(&c.values[i]) {
			return true
		}
	}
	return false
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (r relation) holds(order int) bool {
	switch r {
	case less:
		return order < 0
	case lessOrEqual:
		return order <= 0
	case greater:
		return order > 0
	case greaterOrEqual:
		return order >= 0
	}
	return order == 0
}
