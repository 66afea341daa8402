package iam

import (
	"cmp"
	"net/netip"
	"unique"

	"github.com/seed-615d3599/roost/iam/internal/glob"
	"github.com/seed-615d3599/roost/iam/internal/operator"
)

// condition is one key of one operator.
type condition struct {
	operator.Operator
	key      string                // as the policy has it
	folded   unique.Handle[string] // the key with A to Z in lower case, as a request's keys are found
	values   []operator.Value
	networks []netip.Prefix // the values of an operator on addresses, close together
}

// holds reports whether the request meets the condition.
func (c *condition) holds(f *facts) bool {
	fact := f.about(c)
	if c.Compare == operator.Null {
		return c.wantsNull(fact.place < 0)
	}
	if fact.place < 0 {
		return c.holdsWithoutKey(f.context)
	}
	key := &f.context[fact.place]
	switch {
	case c.Quantifier != operator.Unqualified && key.isEmpty():
		return c.Quantifier == operator.ForAllValues
	case key.Values == nil:
		return c.holdsFor(key.Value, &fact.reading, f.context)
	case c.Quantifier == operator.Unqualified:
		// That an operator without a set operator looks for any value of a
		// multi-valued key, and a negated one for none, is inferred: the
		// documentation only tells not to write it.
		return c.holdsForMany(key.Values, c.Negated, f.context)
	}
	return c.holdsForMany(key.Values, c.Quantifier == operator.ForAllValues, f.context)
}

// holdsForMany reports whether the condition holds for all values or for any.
func (c *condition) holdsForMany(values []string, all bool, ctx Context) bool {
	for _, v := range values {
		r := c.Compare.Read(v)
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
	case c.IfExists:
		return true
	case c.Quantifier == operator.ForAllValues:
		return true
	case c.Quantifier == operator.ForAnyValue:
		return false
	}
	return c.Negated && c.resolves(ctx)
}

func (c *condition) resolves(ctx Context) bool {
	for i := range c.values {
		if p := &c.values[i].Pattern; p.HasVariables && !p.Resolves(ctx.variable) {
			return false
		}
	}
	return true
}

// wantsNull decides a Null operator. A key whose value is the empty string
// counts as present; only a key without any value is null (inferred).
func (c *condition) wantsNull(isNull bool) bool {
	for i := range c.values {
		if c.values[i].Truth == isNull {
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
func (c *condition) holdsFor(text string, r *operator.Reading, ctx Context) bool {
	switch c.Compare {
	case operator.Number, operator.Date, operator.IP:
		return (r.OK && c.matchesReading(r)) != c.Negated
	case operator.Binary:
		return c.matchesAny(func(p *operator.Value) bool { return text == p.Pattern.Source }) != c.Negated
	case operator.ARN:
		if !glob.IsARN(text) {
			return c.Negated
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
		switch c.values[i].Pattern.Match(text, ctx.variable) {
		case glob.Yes:
			return !c.Negated
		case glob.Unresolved:
			if c.Negated {
				return false
			}
		}
	}
	return c.Negated
}

// matchesReading reports whether a value of the request matches any of the
// policy's. One that is not of the operator's type matches none, so that a
// negated operator holds (inferred).
func (c *condition) matchesReading(r *operator.Reading) bool {
	switch c.Compare {
	case operator.Number:
		return c.matchesAny(func(p *operator.Value) bool { return c.Relation.Holds(cmp.Compare(r.Number, p.Number)) })
	case operator.Date:
		return c.matchesAny(func(p *operator.Value) bool { return c.Relation.Holds(r.Date.Compare(*p.Date)) })
	}
	for i := range c.networks {
		if c.networks[i].Contains(r.Address) {
			return true
		}
	}
	return false
}

func (c *condition) matchesAny(match func(*operator.Value) bool) bool {
	for i := range c.values {
		if match(&c.values[i]) {
			return true
		}
	}
	return false
}
