// Package operator is the condition operators of policies (IAM User Guide, "IAM
// JSON policy elements: Condition operators"): which there are, what each compares
// and how, and the form in which it needs the values of policies and requests.
//
//	op, err := operator.Parse("ForAnyValue:StringLikeIfExists")
//	value, err := op.Compile("a*", true)          // a policy's
//	reading := op.Compare.Read("2026-11-22")      // a request's
package operator

import (
	"fmt"
	"strings"

	"github.com/seed-615d3599/roost/iam/internal/document"
	"github.com/seed-615d3599/roost/iam/internal/glob"
)

// Comparison is what a condition operator compares, and how.
type Comparison uint8

// What there is to compare. Null is whether there is a value.
const (
	Text Comparison = iota
	ARN
	Number
	Date
	Bool
	Binary
	IP
	Null
)

// Relation is how a value of the request must stand to one of the policy.
type Relation uint8

// The relations.
const (
	Equal Relation = iota
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
)

// Quantifier is the set operator before a condition operator.
type Quantifier uint8

// The set operators.
const (
	Unqualified Quantifier = iota
	ForAllValues
	ForAnyValue
)

// Operator is a condition operator with its modifiers. Make it with Parse.
type Operator struct {
	Name       string // as the policy has it
	Compare    Comparison
	Relation   Relation
	Negated    bool
	IfExists   bool
	Quantifier Quantifier
	options    glob.Options // of the values
}

// Holds reports whether the relation is that of an order, as cmp.Compare gives it:
// of a request's value to a policy's.
func (r Relation) Holds(order int) bool {
	switch r {
	case Less:
		return order < 0
	case LessOrEqual:
		return order <= 0
	case Greater:
		return order > 0
	case GreaterOrEqual:
		return order >= 0
	}
	return order == 0
}

// Parse reads the name of an operator, in whatever case, with its modifiers.
func Parse(name string) (Operator, error) {
	base := strings.ToLower(name)
	quantified := Unqualified
	if rest, ok := strings.CutPrefix(base, "forallvalues:"); ok {
		base, quantified = rest, ForAllValues
	} else if rest, ok := strings.CutPrefix(base, "foranyvalue:"); ok {
		base, quantified = rest, ForAnyValue
	}
	base, ifExists := strings.CutSuffix(base, "ifexists")
	op, ok := lookup(base)
	switch {
	case !ok:
		return op, fmt.Errorf("unknown condition operator %q", document.Clip(name))
	case op.Compare == Null && (ifExists || quantified != Unqualified):
		return op, fmt.Errorf("the condition operator Null takes no IfExists, ForAllValues or ForAnyValue, as in %q", document.Clip(name))
	}
	op.Name, op.Quantifier, op.IfExists = name, quantified, ifExists
	return op, nil
}

// lookup returns the operator of a name in lower case, without its
// modifiers (IAM User Guide, "IAM JSON policy elements: Condition operators").
func lookup(name string) (Operator, bool) {
	text := Operator{Compare: Text, options: glob.Options{Variables: true}}
	like, fold, arn := text, text, text
	like.options.Wildcards = true
	fold.options.Fold = glob.UnicodeFolding
	arn.Compare, arn.options.Wildcards = ARN, true
	not := func(o Operator) Operator { o.Negated = true; return o }
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
		return Operator{Compare: Bool, options: glob.Options{Variables: true, Fold: glob.ASCIIFolding}}, true
	case "binaryequals":
		return Operator{Compare: Binary}, true
	case "ipaddress":
		return Operator{Compare: IP}, true
	case "notipaddress":
		return Operator{Compare: IP, Negated: true}, true
	case "null":
		return Operator{Compare: Null}, true
	}
	if rest, ok := strings.CutPrefix(name, "numeric"); ok {
		return ordered(Number, rest)
	}
	if rest, ok := strings.CutPrefix(name, "date"); ok {
		return ordered(Date, rest)
	}
	return Operator{}, false
}

func ordered(compare Comparison, name string) (Operator, bool) {
	switch name {
	case "equals":
		return Operator{Compare: compare}, true
	case "notequals":
		return Operator{Compare: compare, Negated: true}, true
	case "lessthan":
		return Operator{Compare: compare, Relation: Less}, true
	case "lessthanequals":
		return Operator{Compare: compare, Relation: LessOrEqual}, true
	case "greaterthan":
		return Operator{Compare: compare, Relation: Greater}, true
	case "greaterthanequals":
		return Operator{Compare: compare, Relation: GreaterOrEqual}, true
	}
	return Operator{}, false
}
