package iam

import (
	"fmt"
	"strings"
)

// options say what is special in a value of a policy.
type options struct {
	wildcards bool // * and ?
	variables bool // ${...}
	fold      folding
}

// compileText compiles a value that is compared as a whole.
func compileText(s string, opt options) (pattern, error) {
	tokens, err := scan(s, opt)
	if err != nil {
		return pattern{}, err
	}
	return newPattern(s, [][]token{tokens}, opt), nil
}

// compileARN compiles a value that is compared part by part: partition,
// service, region, account and resource, of which the last may hold colons. A
// pattern with fewer parts matches only if it ends in *, which then takes the
// parts that it lacks too.
//
// The page on the Resource element says that wildcards stand within the
// segments of an ARN, and older texts that a trailing * "can expand to match
// beyond the colon boundaries". That it does so only as the pattern's very
// last character is inferred; a * that reached further would let the path of
// a URL, which the caller chooses, pass for an account.
func compileARN(s string, opt options) (pattern, error) {
	tokens, err := scan(s, opt)
	if err != nil {
		return pattern{}, err
	}
	return newPattern(s, splitParts(tokens), opt), nil
}

func newPattern(source string, parts [][]token, opt options) pattern {
	p := pattern{source: source, parts: parts, fold: opt.fold}
	for _, part := range parts {
		for i := range part {
			p.variables = p.variables || part[i].kind == variable
		}
	}
	p.prefix, p.shape = literalPrefix(parts)
	if p.fold == noFolding && len(parts) > 1 {
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
func scan(s string, opt options) ([]token, error) {
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
		case opt.wildcards && s[i] == '*':
			flush()
			if len(tokens) == 0 || tokens[len(tokens)-1].kind != anyRun {
				tokens = append(tokens, token{kind: anyRun})
			}
			i++
		case opt.wildcards && s[i] == '?':
			flush()
			tokens = append(tokens, token{kind: anyOne})
			i++
		case opt.variables && strings.HasPrefix(s[i:], "${"):
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
		return token{}, 0, fmt.Errorf("the policy variable in %q has no closing brace", clip(s))
	}
	key := strings.TrimSpace(s[2:end])
	if key == "" {
		return token{}, 0, fmt.Errorf("the policy variable in %q has no name", clip(s))
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
		return token{}, 0, fmt.Errorf("the default value in %q is not of the form ${key, 'default'}", clip(s))
	}
	return token{kind: variable, text: key, fallback: value, hasDefault: true}, len(s) - len(after) + 1, nil
}

// clip shortens what an error or a trace quotes.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
