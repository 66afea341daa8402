package iam

import (
	"github.com/seed-615d3599/roost/iam/internal/glob"
)

// patterns is Action, NotAction, Resource or NotResource.
type patterns struct {
	not  bool
	list []glob.Pattern
}

// match reports whether the element covers the text. A Not… element with a
// value that cannot be resolved covers nothing.
func (p *patterns) match(s string, vars glob.Variables) bool {
	for i := range p.list {
		switch p.list[i].Match(s, vars) {
		case glob.Yes:
			return !p.not
		case glob.Unresolved:
			if p.not {
				return false
			}
		}
	}
	return p.not
}

// Match reports whether text matches a pattern in which * stands for any run
// of characters and ? for any single one, as in StringLike.
func Match(text, wildcards string) bool {
	p, _ := glob.Text(wildcards, glob.Options{Wildcards: true}) // only variables can be malformed
	return p.Match(text, noVariables) == glob.Yes
}

// MatchARN reports whether an ARN matches a pattern, as in ArnLike: each of
// the six parts between colons is compared by itself, so that a * never
// reaches beyond its part.
func MatchARN(arn, wildcards string) bool {
	p, _ := glob.ARN(wildcards, glob.Options{Wildcards: true}) // only variables can be malformed
	return glob.IsARN(arn) && p.Match(arn, noVariables) == glob.Yes
}

func noVariables(string) (string, bool) { return "", false }

// variable returns the value of a policy variable. Only single-valued keys
// have one (IAM User Guide, "Variables and tags").
func (c Context) variable(name string) (string, bool) {
	if key := c.Lookup(name); key != nil && key.Values == nil {
		return key.Value, true
	}
	return "", false
}
