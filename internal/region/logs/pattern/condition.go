package pattern

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// maxDepth bounds parentheses within each other.
const maxDepth = 50

// values are what an operand finds in an event. ok is false where it is not
// there at all.
type values func(event any) (found []any, ok bool)

// test is a condition on an event: the fields of a line, or a JSON document.
type test func(event any) bool

// parser reads conditions: comparisons joined by &&, || and parentheses.
type parser struct {
	text    string
	at      int
	operand func(*parser) (values, error)
	end     byte
}

func (p *parser) rest() string { return p.text[p.at:] }

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take skips a token, if it comes next.
func (p *parser) take(token string) bool {
	p.space()
	if strings.HasPrefix(p.rest(), token) {
		p.at += len(token)
		return true
	}
	return false
}

// word takes a keyword in any case.
func (p *parser) word(keyword string) bool {
	p.space()
	rest := p.rest()
	if len(rest) < len(keyword) || !strings.EqualFold(rest[:len(keyword)], keyword) {
		return false
	}
	if len(rest) > len(keyword) && bare(rest[len(keyword)]) {
		return false
	}
	p.at += len(keyword)
	return true
}

// condition is alternatives joined by ||.
func (p *parser) condition(depth int) (test, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the parentheses are nested too deep")
	}
	left, err := p.conjunction(depth)
	for err == nil && p.take("||") {
		var right test
		if right, err = p.conjunction(depth); err == nil {
			before := left
			left = func(e any) bool { return before(e) || right(e) }
		}
	}
	return left, err
}

// conjunction is comparisons joined by &&.
func (p *parser) conjunction(depth int) (test, error) {
	left, err := p.primary(depth)
	for err == nil && p.take("&&") {
		var right test
		if right, err = p.primary(depth); err == nil {
			before := left
			left = func(e any) bool { return before(e) && right(e) }
		}
	}
	return left, err
}

func (p *parser) primary(depth int) (test, error) {
	if p.take("(") {
		inner, err := p.condition(depth + 1)
		if err == nil && !p.take(")") {
			err = fmt.Errorf("a closing parenthesis is missing before %q", p.rest())
		}
		return inner, err
	}
	find, err := p.operand(p)
	if err != nil {
		return nil, err
	}
	return p.comparison(find)
}

// comparison is what follows an operand.
func (p *parser) comparison(find values) (test, error) {
	switch {
	case p.word("NOT"):
		if !p.word("EXISTS") {
			return nil, fmt.Errorf("EXISTS is missing behind NOT")
		}
		return func(e any) bool { _, ok := find(e); return !ok }, nil
	case p.word("EXISTS"):
		return func(e any) bool { _, ok := find(e); return ok }, nil
	case p.word("IS"):
		for word, want := range map[string]any{"NULL": nil, "TRUE": true, "FALSE": false} {
			if p.word(word) {
				return func(e any) bool { return anyOf(find, e, func(v any) bool { return v == want }) }, nil
			}
		}
		return nil, fmt.Errorf("NULL, TRUE or FALSE is missing behind IS")
	}
	for _, operator := range []string{"!=", ">=", "<=", "=", ">", "<"} {
		if p.take(operator) {
			return p.compare(find, operator)
		}
	}
	return nil, fmt.Errorf("a comparison is missing before %q", p.rest())
}

func (p *parser) compare(find values, operator string) (test, error) {
	p.space()
	if strings.HasPrefix(p.rest(), "%") {
		source, rest, err := between(p.rest(), '%')
		if err != nil {
			return nil, err
		}
		p.at = len(p.text) - len(rest)
		compiled, err := compile(source)
		if err != nil {
			return nil, err
		}
		return equality(find, operator, compiled.MatchString)
	}
	value, isQuoted, err := p.value()
	if err != nil {
		return nil, err
	}
	number, numeric := strconv.ParseFloat(value, 64)
	if operator == "=" || operator == "!=" {
		matches := wildcard(value)
		return equality(find, operator, func(s string) bool {
			if numeric == nil && !isQuoted {
				if n, err := strconv.ParseFloat(s, 64); err == nil {
					return n == number
				}
			}
			return matches(s)
		})
	}
	if numeric != nil {
		return nil, fmt.Errorf("%s needs a number, not %q", operator, value)
	}
	return func(e any) bool {
		return anyOf(find, e, func(v any) bool {
			n, err := strconv.ParseFloat(text(v), 64)
			return err == nil && ordered(n, operator, number)
		})
	}, nil
}

func equality(find values, operator string, matches func(string) bool) (test, error) {
	equal := func(v any) bool { _, is := v.(map[string]any); return v != nil && !is && matches(text(v)) }
	switch operator {
	case "=":
		return func(e any) bool { return anyOf(find, e, equal) }, nil
	case "!=":
		return func(e any) bool {
			return anyOf(find, e, func(v any) bool { return !equal(v) })
		}, nil
	}
	return nil, fmt.Errorf("%s can't be used with a regular expression", operator)
}

func anyOf(find values, event any, is func(any) bool) bool {
	found, _ := find(event)
	for _, v := range found {
		if is(v) {
			return true
		}
	}
	return false
}

func ordered(a float64, operator string, b float64) bool {
	switch operator {
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "<":
		return a < b
	}
	return a <= b
}

// text is a JSON value as conditions compare it.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// value reads a quoted or bare value.
func (p *parser) value() (value string, isQuoted bool, err error) {
	if strings.HasPrefix(p.rest(), `"`) {
		value, rest, err := quoted(p.rest())
		p.at = len(p.text) - len(rest)
		return value, true, err
	}
	begin := p.at
	for p.at < len(p.text) && bare(p.text[p.at]) {
		p.at++
	}
	if begin == p.at {
		return "", false, fmt.Errorf("a value is missing before %q", p.rest())
	}
	return p.text[begin:p.at], false, nil
}

func bare(ch byte) bool {
	return strings.IndexByte(" \t\r\n()[]{}&|=!<>,\"%", ch) < 0
}
