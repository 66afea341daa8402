// Package glob matches text with the values of policies: text with wildcards
// and policy variables, compared as a whole or, for ARNs, part by part.
//
//	p, err := glob.ARN("arn:aws:s3:::b/${aws:username}/*", glob.Options{Wildcards: true, Variables: true})
//	p.Match("arn:aws:s3:::b/bob/k", variables) == glob.Yes
//
// A pattern is compiled once; matching allocates nothing.
package glob

import (
	"fmt"
	"strings"
)

// Options say what is special in a value of a policy.
type Options struct {
	Wildcards bool    // * and ?
	Variables bool    // ${...}
	Fold      Folding // which letters are the same
}

// Text compiles a value that is compared as a whole.
func Text(s string, opt Options) (Pattern, error) {
	tokens, err := scan(s, opt)
	if err != nil {
		return Pattern{}, err
	}
	return newPattern(s, [][]token{tokens}, opt), nil
}

// ARN compiles a value that is compared part by part: "arn", partition,
// service, region, account and resource, of which the last may hold colons. A
// pattern with fewer parts matches only if it ends in *, which then takes the
// parts that it lacks too.
//
// The page on the Resource element says that wildcards stand within the
// segments of an ARN, and older texts that a trailing * "can expand to match
// beyond the colon boundaries". That it does so only as the pattern's very
// last character is inferred; a * that reached further would let the path of
// a URL, which the caller chooses, pass for an account.
func ARN(s string, opt Options) (Pattern, error) {
	tokens, err := scan(s, opt)
	if err != nil {
		return Pattern{}, err
	}
	return newPattern(s, splitParts(tokens), opt), nil
}

func newPattern(source string, parts [][]token, opt Options) Pattern {
	p := Pattern{Source: source, parts: parts, fold: opt.Fold}
	for _, part := range parts {
		for i := range part {
			p.HasVariables = p.HasVariables || part[i].kind == variable
		}
	}
	p.prefix, p.shape = literalPrefix(parts)
	if p.fold == NoFolding && len(parts) > 1 {
		p.skipParts = uint8(min(strings.Count(p.prefix, ":"), len(parts)-1)) // of six at most
		for range p.skipParts {
			p.skipBytes += uint32(strings.IndexByte(p.prefix[p.skipBytes:], ':') + 1)
		}
	}
	return p
}

// literalPrefix returns the text before the first wildcard or variable, and
// what there is beside it.
func literalPrefix(parts [][]token) (string, shape) {
	prefix := ""
	for i, part := range parts {
		last := i == len(parts)-1
		rest := part
		if len(part) > 0 && part[0].kind == literal {
			prefix, rest = prefix+part[0].text, part[1:]
		}
		switch {
		case len(rest) == 0 && last:
			return prefix, exactShape
		case len(rest) == 0:
			prefix += ":"
		case last && len(rest) == 1 && rest[0].kind == anyRun:
			return prefix, prefixShape
		default:
			return prefix, anyShape
		}
	}
	return prefix, anyShape
}

// splitParts splits tokens at the first five colons of their literal text.
func splitParts(tokens []token) [][]token {
	const arnParts = 6
	parts := [][]token{nil}
	last := func() *[]token { return &parts[len(parts)-1] }
	for _, t := range tokens {
		for t.kind == literal && len(parts) < arnParts {
			before, after, found := strings.Cut(t.text, ":")
			if !found {
				break
			}
			if before != "" {
				*last() = append(*last(), token{kind: literal, text: before})
			}
			parts = append(parts, nil)
			t.text = after
		}
		if t.kind != literal || t.text != "" {
			*last() = append(*last(), t)
		}
	}
	return parts
}

// scan turns a value into tokens.
func scan(s string, opt Options) ([]token, error) {
	var tokens []token
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			tokens = append(tokens, token{kind: literal, text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(s); {
		switch {
		case opt.Wildcards && s[i] == '*':
			flush()
			if len(tokens) == 0 || tokens[len(tokens)-1].kind != anyRun {
				tokens = append(tokens, token{kind: anyRun})
			}
			i++
		case opt.Wildcards && s[i] == '?':
			flush()
			tokens = append(tokens, token{kind: anyOne})
			i++
		case opt.Variables && strings.HasPrefix(s[i:], "${"):
			t, n, err := scanVariable(s[i:])
			if err != nil {
				return nil, err
			}
			if t.kind == literal {
				text.WriteString(t.text)
			} else {
				flush()
				tokens = append(tokens, t)
			}
			i += n
		default:
			text.WriteByte(s[i])
			i++
		}
	}
	flush()
	return tokens, nil
}

// scanVariable reads the policy variable at the start of s and returns its
// length: ${key}, ${key, 'default'}, or one of ${*} ${?} ${$}, which stand for
// the character itself (IAM User Guide, "Variables and tags").
func scanVariable(s string) (token, int, error) {
	end := strings.IndexAny(s, ",}")
	if end < 0 {
		return token{}, 0, fmt.Errorf("the policy variable in %.200q has no closing brace", s)
	}
	key := strings.TrimSpace(s[2:end])
	if key == "" {
		return token{}, 0, fmt.Errorf("the policy variable in %.200q has no name", s)
	}
	if s[end] == '}' {
		if key == "*" || key == "?" || key == "$" {
			return token{kind: literal, text: key}, end + 1, nil
		}
		return token{kind: variable, text: key}, end + 1, nil
	}
	rest := strings.TrimLeft(s[end+1:], " ")
	value, after, closed := strings.Cut(strings.TrimPrefix(rest, "'"), "'")
	after = strings.TrimLeft(after, " ")
	if !strings.HasPrefix(rest, "'") || !closed || !strings.HasPrefix(after, "}") {
		return token{}, 0, fmt.Errorf("the default value in %.200q is not of the form ${key, 'default'}", s)
	}
	return token{kind: variable, text: key, fallback: value, hasDefault: true}, len(s) - len(after) + 1, nil
}

// IsARN reports whether text has the six parts of an ARN.
func IsARN(s string) bool {
	return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5
}

// IsARN reports whether the pattern can match an ARN: it is "*", has the six
// parts of an ARN, or fewer of which the last ends in *.
func (p *Pattern) IsARN() bool {
	if p.Source == "*" {
		return true
	}
	return strings.HasPrefix(p.Source, "arn:") && (len(p.parts) == 6 || strings.HasSuffix(p.Source, "*"))
}
