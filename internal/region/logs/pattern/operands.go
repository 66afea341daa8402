package pattern

import (
	"fmt"
	"strconv"
	"strings"
)

// step is one part of a selector such as $.a.b[0]: a member, an index or all.
type step struct {
	member string
	index  int
	kind   stepKind
}

type stepKind int

const (
	member stepKind = iota
	index
	all
)

// selector reads a selector of JSON patterns.
func selector(p *parser) (values, error) {
	if !p.take("$") {
		return nil, fmt.Errorf("a selector that begins with $ is missing before %q", p.rest())
	}
	var steps []step
	for p.at < len(p.text) && (p.text[p.at] == '.' || p.text[p.at] == '[') {
		s, err := p.step()
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return func(event any) ([]any, bool) { return walk(event, steps) }, nil
}

func (p *parser) step() (step, error) {
	if p.text[p.at] == '.' {
		p.at++
		if strings.HasPrefix(p.rest(), "[") {
			return p.step()
		}
		begin := p.at
		for p.at < len(p.text) && bare(p.text[p.at]) && p.text[p.at] != '.' {
			p.at++
		}
		if begin == p.at {
			return step{}, fmt.Errorf("a name is missing before %q", p.rest())
		}
		return step{member: p.text[begin:p.at]}, nil
	}
	end := strings.IndexByte(p.rest(), ']')
	if end < 0 {
		return step{}, fmt.Errorf("a closing ] is missing")
	}
	inside := strings.TrimSpace(p.text[p.at+1 : p.at+end])
	p.at += end + 1
	if inside == "*" {
		return step{kind: all}, nil
	}
	if n := len(inside); n >= 2 && (inside[0] == '\'' || inside[0] == '"') && inside[n-1] == inside[0] {
		return step{member: inside[1 : n-1]}, nil
	}
	n, err := strconv.Atoi(inside)
	if err != nil || n < 0 {
		return step{}, fmt.Errorf("%q is neither an index nor a quoted name", inside)
	}
	return step{index: n, kind: index}, nil
}

// walk follows the steps through a document.
func walk(at any, steps []step) ([]any, bool) {
	if len(steps) == 0 {
		return []any{at}, true
	}
	switch s := steps[0]; s.kind {
	case member:
		object, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		next, ok := object[s.member]
		if !ok {
			return nil, false
		}
		return walk(next, steps[1:])
	case index:
		list, ok := at.([]any)
		if !ok || s.index >= len(list) {
			return nil, false
		}
		return walk(list[s.index], steps[1:])
	}
	list, ok := at.([]any)
	if !ok {
		return nil, false
	}
	var found []any
	any := false
	for _, item := range list {
		part, ok := walk(item, steps[1:])
		found, any = append(found, part...), any || ok
	}
	return found, any
}

// parseFields reads [a, b = "x*", …, c > 400]: an event matches if it has as
// many fields, or at least as many where … stands, and each condition holds.
func parseFields(text string) (*Pattern, error) {
	if !strings.HasSuffix(text, "]") {
		return nil, fmt.Errorf("a closing ] is missing")
	}
	var before, after []test
	ellipsis := false
	for _, part := range splitFields(text[1 : len(text)-1]) {
		part = strings.TrimSpace(part)
		if part == "..." || part == "…" {
			if ellipsis {
				return nil, fmt.Errorf("there is more than one ellipsis")
			}
			ellipsis = true
			continue
		}
		condition, err := parseField(part)
		if err != nil {
			return nil, err
		}
		if ellipsis {
			after = append(after, condition)
		} else {
			before = append(before, condition)
		}
	}
	return &Pattern{func(message string) bool {
		fields := lineFields(message)
		n := len(before) + len(after)
		if len(fields) < n || !ellipsis && len(fields) != n {
			return false
		}
		return holds(before, fields) && holds(after, fields[len(fields)-len(after):])
	}}, nil
}

func holds(conditions []test, fields []string) bool {
	for i, condition := range conditions {
		if !condition(fields[i]) {
			return false
		}
	}
	return true
}

// parseField reads a name and perhaps conditions on that name.
func parseField(part string) (test, error) {
	p := &parser{text: part, operand: field}
	p.space()
	begin := p.at
	for p.at < len(p.text) && bare(p.text[p.at]) {
		p.at++
	}
	if p.space(); p.at > begin && p.at == len(p.text) {
		return func(any) bool { return true }, nil
	}
	p.at = 0
	condition, err := p.condition(0)
	if err == nil {
		if p.space(); p.rest() != "" {
			err = fmt.Errorf("unexpected %q", p.rest())
		}
	}
	return condition, err
}

// field is the operand of conditions on fields: a name, which stands for the
// field at its place.
func field(p *parser) (values, error) {
	p.space()
	if _, _, err := p.value(); err != nil {
		return nil, err
	}
	return func(event any) ([]any, bool) { return []any{event}, true }, nil
}

// splitFields cuts at commas outside of quotes.
func splitFields(text string) (parts []string) {
	begin, inside := 0, false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '"':
			inside = !inside
		case text[i] == ',' && !inside:
			parts = append(parts, text[begin:i])
			begin = i + 1
		}
	}
	return append(parts, text[begin:])
}

// lineFields cuts a message at spaces; "…" and […] are one field each.
func lineFields(message string) (fields []string) {
	for rest := strings.TrimLeft(message, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		closing := byte(0)
		switch rest[0] {
		case '"':
			closing = '"'
		case '[':
			closing = ']'
		}
		if end := strings.IndexByte(rest[1:], closing); closing != 0 && end >= 0 {
			fields = append(fields, rest[1:1+end])
			rest = rest[end+2:]
			continue
		}
		end := strings.IndexByte(rest, ' ')
		if end < 0 {
			end = len(rest)
		}
		fields = append(fields, rest[:end])
		rest = rest[end:]
	}
	return fields
}
