// Package pattern matches log events against CloudWatch Logs filter patterns:
// terms, JSON conditions and space-delimited fields (CloudWatch Logs User
// Guide, "Filter pattern syntax").
//
//	p, err := pattern.Parse(`{ $.level = "ERROR" && $.status >= 500 }`)
//	if p.Match(message) { … }
package pattern

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// maxPattern is the longest pattern in bytes that the API takes.
const maxPattern = 1024

// Pattern is a parsed filter pattern. It is safe for use by several goroutines.
type Pattern struct {
	match func(message string) bool
}

// Match says whether a message matches.
func (p *Pattern) Match(message string) bool {
	return p.match(strings.TrimSuffix(message, "\n"))
}

// Parse reads a pattern. The empty pattern matches everything. The error says
// what is wrong and where.
func Parse(text string) (*Pattern, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("it is longer than %d bytes", maxPattern)
	}
	trimmed := strings.TrimSpace(text)
	switch {
	case trimmed == "":
		return &Pattern{func(string) bool { return true }}, nil
	case trimmed[0] == '{':
		return parseJSON(trimmed)
	case trimmed[0] == '[':
		return parseFields(trimmed)
	}
	return parseTerms(trimmed)
}

// term is one word, phrase or expression of an unstructured pattern.
type term struct {
	text   string
	regexp *regexp.Regexp
}

func (t term) in(message string) bool {
	if t.regexp != nil {
		return t.regexp.MatchString(message)
	}
	return strings.Contains(message, t.text)
}

// parseTerms reads words: all must be there, none of those behind -, and one
// of those behind ?, where there are any.
func parseTerms(text string) (*Pattern, error) {
	var all, none, some []term
	for rest := text; ; {
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			break
		}
		list := &all
		switch rest[0] {
		case '-':
			list, rest = &none, rest[1:]
		case '?':
			list, rest = &some, rest[1:]
		}
		t, after, err := parseTerm(rest)
		if err != nil {
			return nil, err
		}
		*list, rest = append(*list, t), after
	}
	return &Pattern{func(message string) bool {
		for _, t := range all {
			if !t.in(message) {
				return false
			}
		}
		for _, t := range none {
			if t.in(message) {
				return false
			}
		}
		for _, t := range some {
			if t.in(message) {
				return true
			}
		}
		return len(some) == 0
	}}, nil
}

func parseTerm(text string) (t term, rest string, err error) {
	if text == "" {
		return t, "", fmt.Errorf("a term is missing at the end")
	}
	switch text[0] {
	case '"':
		t.text, rest, err = quoted(text)
	case '%':
		var source string
		if source, rest, err = between(text, '%'); err == nil {
			t.regexp, err = compile(source)
		}
	default:
		end := strings.IndexFunc(text, unicode.IsSpace)
		if end < 0 {
			end = len(text)
		}
		t.text, rest = text[:end], text[end:]
		for _, r := range t.text {
			if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				return t, "", fmt.Errorf("put %q in double quotes: it has other signs than letters, digits and _", t.text)
			}
		}
	}
	return t, rest, err
}

func quoted(text string) (value, rest string, err error) {
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text):
			i++
			out.WriteByte(text[i])
		case text[i] == '"':
			return out.String(), text[i+1:], nil
		default:
			out.WriteByte(text[i])
		}
	}
	return "", "", fmt.Errorf("a closing double quote is missing")
}

func between(text string, sign byte) (value, rest string, err error) {
	end := strings.IndexByte(text[1:], sign)
	if end < 0 {
		return "", "", fmt.Errorf("a closing %c is missing", sign)
	}
	return text[1 : 1+end], text[2+end:], nil
}

func compile(source string) (*regexp.Regexp, error) {
	compiled, err := regexp.Compile(source)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %%%s%%: %w", source, err)
	}
	return compiled, nil
}

// wildcard compiles a value in which * stands for anything.
func wildcard(value string) func(string) bool {
	if !strings.Contains(value, "*") {
		return func(s string) bool { return s == value }
	}
	parts := strings.Split(value, "*")
	return func(s string) bool {
		if !strings.HasPrefix(s, parts[0]) {
			return false
		}
		s = s[len(parts[0]):]
		for _, part := range parts[1 : len(parts)-1] {
			at := strings.Index(s, part)
			if at < 0 {
				return false
			}
			s = s[at+len(part):]
		}
		return strings.HasSuffix(s, parts[len(parts)-1])
	}
}

// parseJSON reads { condition }.
func parseJSON(text string) (*Pattern, error) {
	p := &parser{text: text, at: 1, operand: selector, end: '}'}
	condition, err := p.condition(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest() != "}" {
		return nil, fmt.Errorf("unexpected %q", p.rest())
	}
	return &Pattern{func(message string) bool {
		if !strings.HasPrefix(strings.TrimSpace(message), "{") {
			return false
		}
		var document any
		decoder := json.NewDecoder(strings.NewReader(message))
		decoder.UseNumber()
		return decoder.Decode(&document) == nil && condition(document)
	}}, nil
}
