package iam

import (
	"net/netip"
	"strings"
	"time"
	"unique"

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
	key      string                // as the policy has it
	folded   unique.Handle[string] // the key with A to Z in lower case, as a request's keys are found
	values   []value
	networks []netip.Prefix // the values of an operator on addresses, close together
}

// value is a compiled value of a condition, in the form its operator needs.
type value struct {
	pattern glob.Pattern
	number  float64
	date    *time.Time
	truth   bool
}

// reading is a value of a request in the form that its operator needs.
type reading struct {
	ok      bool // whether it is of the operator's type
	number  float64
	date    time.Time
	address netip.Addr
}

// read is for the operators whose values are more than text.
func (c comparison) read(text string) (r reading) {
	switch c {
	case compareNumber:
		r.number, r.ok = scalar.Number(text)
	case compareDate:
		r.date, r.ok = scalar.Date(text)
	case compareIP:
		r.address, r.ok = scalar.Address(text)
	}
	return r
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
func (c *condition) holds(f *facts) bool {
	fact := f.about(c)
	if c.compare == compareNull {
		return c.wantsNull(fact.place < 0)
	}
	if fact.place < 0 {
		return c.holdsWithoutKey(f.context)
	}
	key := &f.context[fact.place]
	switch {
	case c.quantifier != unqualified && key.isEmpty():
		return c.quantifier == forAllValues
	case key.Values == nil:
		return c.holdsFor(key.Value, &fact.reading, f.context)
	case c.quantifier == unqualified:
		// That an operator without a set operator looks for any value of a
		// multi-valued key, and a negated one for none, is inferred: the
		// documentation only tells not to write it.
		return c.holdsForMany(key.Values, c.negated, f.context)
	}
	return c.holdsForMany(key.Values, c.quantifier == forAllValues, f.context)
}

// holdsForMany reports whether the condition holds for all values or for any.
func (c *condition) holdsForMany(values []string, all bool, ctx Context) bool {
	for _, v := range values {
		r := c.compare.read(v)
		if c.holdsFor(v, &r, ctx) != all {
			return !all
		}
	}
	return all
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

// holdsFor compares one value of the request with those of the policy: it must
// match any of them, or for a negated operator none.
func (c *condition) holdsFor(text string, r *reading, ctx Context) bool {
	switch c.compare {
	case compareNumber, compareDate, compareIP:
		return (r.ok && c.matchesReading(r)) != c.negated
	case compareBinary:
		return c.matchesAny(func(p *value) bool { return text == p.pattern.Source }) != c.negated
	case compareARN:
		if !glob.IsARN(text) {
			return c.negated
		}
	}
	return c.holdsForText(text, ctx)
}

// holdsForText is holdsFor for values with patterns. The documentation says
// that a variable without a value "might cause the entire statement to be
// invalid". Here a value with such a variable matches nothing, negated or
// not, and leaves the other values of its list as they are (inferred).
func (c *condition) holdsForText(text string, ctx Context) bool {
	for i := range c.values {
		switch c.values[i].pattern.Match(text, ctx.variable) {
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

// matchesReading reports whether a value of the request matches any of the
// policy's. One that is not of the operator's type matches none, so that a
// negated operator holds (inferred).
func (c *condition) matchesReading(r *reading) bool {
	switch c.compare {
	case compareNumber:
		return c.matchesAny(func(p *value) bool { return c.relation.holds(compareFloats(r.number, p.number)) })
	case compareDate:
		return c.matchesAny(func(p *value) bool { return c.relation.holds(r.date.Compare(*p.date)) })
	}
	for i := range c.networks {
		if c.networks[i].Contains(r.address) {
			return true
		}
	}
	return false
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
