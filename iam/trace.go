package iam

import (
	"github.com/seed-615d3599/roost/iam/internal/document"
	"github.com/seed-615d3599/roost/iam/internal/glob"
)

// Bounds of a trace, so that no policy can make a record of a decision large.
const (
	defaultTraceStatements = 1000
	maxTraceValues         = 10
)

// Trace is the account of a decision. Its zero value is ready for use. It can
// be written as JSON and read back.
type Trace struct {
	// Limit is the most statements that are kept; 0 means 1000.
	Limit int `json:"-"`

	Decision   Decision         `json:"decision"`
	Statements []StatementTrace `json:"statements"`
	// Dropped counts the statements beyond Limit. They had their say in the
	// decision all the same.
	Dropped int `json:"dropped,omitempty"`
}

// StatementTrace says how one statement met the request.
type StatementTrace struct {
	Type      PolicyType `json:"type"`
	Policy    string     `json:"policy"`          // Attached.Name
	Owner     string     `json:"owner,omitempty"` // Attached.Owner
	Sid       string     `json:"sid,omitempty"`
	Index     int        `json:"index"` // place in the policy, from 0
	Effect    Effect     `json:"effect"`
	Start     Position   `json:"start"`
	End       Position   `json:"end"`
	Matched   bool       `json:"matched"`
	Mismatch  *Mismatch  `json:"mismatch,omitempty"` // the first element that did not match
	Statement *Statement `json:"-"`
}

// Mismatch is the element of a statement that a request did not match.
type Mismatch struct {
	// Element is "Principal", "Action", "Resource", "Condition", or the first
	// three with "Not" before them.
	Element  string `json:"element"`
	Operator string `json:"operator,omitempty"` // of a condition, as the policy has it
	Key      string `json:"key,omitempty"`      // of a condition, as the policy has it
	// Policy holds the values of the policy, Request those of the request, each
	// at most ten and shortened if they are long.
	Policy  []string `json:"policy"`
	Request []string `json:"request"`
	// Absent is true if the request lacks the key.
	Absent bool `json:"absent,omitempty"`
	// Unresolved names the policy variables that the request has no value for.
	Unresolved []string `json:"unresolved,omitempty"`
}

// Matched returns the statements that matched the request.
func (t *Trace) Matched() []StatementTrace {
	var list []StatementTrace
	for _, s := range t.Statements {
		if s.Matched {
			list = append(list, s)
		}
	}
	return list
}

func (t *Trace) add(kind PolicyType, attached *Attached, s *Statement, mismatch *Mismatch) {
	limit := t.Limit
	if limit <= 0 {
		limit = defaultTraceStatements
	}
	if len(t.Statements) >= limit {
		t.Dropped++
		return
	}
	t.Statements = append(t.Statements, StatementTrace{
		Type: kind, Policy: attached.Name, Owner: attached.Owner,
		Sid: s.Sid, Index: s.Index, Effect: s.Effect, Start: s.Start, End: s.End,
		Matched: mismatch == nil, Mismatch: mismatch, Statement: s,
	})
}

// explain puts into words why a statement did not match.
func (e *evaluation) explain(s *Statement, failed element, index int) *Mismatch {
	r := e.request
	switch failed {
	case principalElement:
		return &Mismatch{Element: notName("Principal", s.principals.not), Policy: bounded(s.principals.source), Request: []string{r.Principal.display()}}
	case actionElement:
		return mismatchOf("Action", &s.actions, r.Action, r.Context)
	case resourceElement:
		return mismatchOf("Resource", &s.resources, r.Resource, r.Context)
	case conditionElement:
		return s.conditions[index].mismatch(r.Context)
	}
	return nil
}

func mismatchOf(name string, p *patterns, got string, ctx Context) *Mismatch {
	m := &Mismatch{Element: notName(name, p.not), Request: []string{document.Clip(got)}}
	for i := range p.list {
		m.addPattern(&p.list[i], ctx)
	}
	return m
}

func (c *condition) mismatch(ctx Context) *Mismatch {
	m := &Mismatch{Element: "Condition", Operator: c.Name, Key: c.key, Policy: []string{}, Request: []string{}}
	for i := range c.values {
		m.addPattern(&c.values[i].Pattern, ctx)
	}
	switch key := ctx.Lookup(c.key); {
	case key == nil:
		m.Absent = true
	case key.Values == nil:
		m.Request = []string{document.Clip(key.Value)}
	default:
		m.Request = bounded(key.Values)
	}
	return m
}

func (m *Mismatch) addPattern(p *glob.Pattern, ctx Context) {
	if len(m.Policy) < maxTraceValues {
		m.Policy = append(m.Policy, document.Clip(p.Source))
	}
	p.EachVariable(func(key string) {
		if k := ctx.Lookup(key); (k == nil || k.Values != nil) && !p.Resolves(ctx.variable) && len(m.Unresolved) < maxTraceValues {
			m.Unresolved = append(m.Unresolved, document.Clip(key))
		}
	})
}

func (p *Principal) display() string {
	switch {
	case p.ARN != "":
		return document.Clip(p.ARN)
	case p.Name != "":
		return document.Clip(p.Name)
	}
	return "anonymous"
}

func notName(element string, not bool) string {
	if not {
		return "Not" + element
	}
	return element
}

func bounded(values []string) []string {
	list := make([]string, 0, min(len(values), maxTraceValues))
	for _, v := range values[:min(len(values), maxTraceValues)] {
		list = append(list, document.Clip(v))
	}
	return list
}
