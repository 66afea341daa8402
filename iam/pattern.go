package iam

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// truth is the result of a comparison that may hang on a policy variable for
// which the request has no value.
type truth uint8

const (
	no truth = iota
	yes
	unresolved
)

type tokenKind uint8

const (
	literal  tokenKind = iota
	anyRun             // *
	anyOne             // ?
	variable           // ${key} or ${key, 'default'}
)

type token struct {
	kind       tokenKind
	text       string // literal: the text; variable: the key
	fallback   string // variable: the default value
	hasDefault bool
}

// pattern is a compiled value of a policy that is compared with text. A plain
// one has a single part. One for ARNs is split at the colons, so that a
// wildcard stays within its part: its last part takes the rest of the text.
type pattern struct {
	source    string // as the policy has it
	parts     [][]token
	prefix    string // literal text before the first wildcard or variable
	fold      bool   // upper and lower case are the same
	variables bool   // holds a variable
}

// patterns is Action, NotAction, Resource or NotResource.
type patterns struct {
	not  bool
	list []pattern
}

// match reports whether the element covers the text. A Not… element with a
// value that cannot be resolved covers nothing.
func (p *patterns) match(s string, ctx Context) bool {
	for i := range p.list {
		switch p.list[i].match(s, ctx) {
		case yes:
			return !p.not
		case unresolved:
			if p.not {
				return false
			}
		}
	}
	return p.not
}

func (p *pattern) match(s string, ctx Context) truth {
	if p.variables && !p.resolves(ctx) {
		return unresolved
	}
	if !p.hasPrefix(s) {
		return no
	}
	last := len(p.parts) - 1
	for _, part := range p.parts[:last] {
		colon := strings.IndexByte(s, ':')
		if colon < 0 || !glob(part, s[:colon], ctx, p.fold) {
			return no
		}
		s = s[colon+1:]
	}
	if glob(p.parts[last], s, ctx, p.fold) {
		return yes
	}
	return no
}

// hasPrefix only sorts out early what cannot match.
func (p *pattern) hasPrefix(s string) bool {
	if p.fold {
		_, ok := foldPrefix(s, p.prefix)
		return ok
	}
	return strings.HasPrefix(s, p.prefix)
}

func (p *pattern) resolves(ctx Context) bool {
	for _, part := range p.parts {
		for i := range part {
			if _, ok := part[i].resolve(ctx); !ok {
				return false
			}
		}
	}
	return true
}

func (p *pattern) eachVariable(visit func(key string)) {
	if !p.variables {
		return
	}
	for _, part := range p.parts {
		for i := range part {
			if part[i].kind == variable {
				visit(part[i].text)
			}
		}
	}
}

// resolve returns the text that the token stands for. Only single-valued keys
// have one (IAM User Guide, "Variables and tags").
func (t *token) resolve(ctx Context) (string, bool) {
	if t.kind != variable {
		return t.text, true
	}
	if key := ctx.Lookup(t.text); key != nil && key.Values == nil {
		return key.Value, true
	}
	return t.fallback, t.hasDefault
}

// glob compares text with tokens. After a mismatch it goes back to the last *
// and lets that take one character more, which is enough, as an earlier *
// need never take more than it did.
func glob(tokens []token, s string, ctx Context, fold bool) bool {
	at, pos, star, starPos := 0, 0, -1, 0
	for {
		if at == len(tokens) {
			if pos == len(s) {
				return true
			}
		} else if tokens[at].kind == anyRun {
			if at == len(tokens)-1 {
				return true
			}
			star, starPos = at, pos
			at++
			continue
		} else if n, ok := tokens[at].consume(s[pos:], ctx, fold); ok {
			at, pos = at+1, pos+n
			continue
		}
		if star < 0 || starPos == len(s) {
			return false
		}
		_, n := utf8.DecodeRuneInString(s[starPos:])
		starPos += n
		at, pos = star+1, starPos
	}
}

// consume returns how many bytes at the start of s the token stands for.
func (t *token) consume(s string, ctx Context, fold bool) (int, bool) {
	if t.kind == anyOne {
		if s == "" {
			return 0, false
		}
		_, n := utf8.DecodeRuneInString(s)
		return n, true
	}
	text, ok := t.resolve(ctx)
	if !ok {
		return 0, false
	}
	if fold {
		return foldPrefix(s, text)
	}
	return len(text), strings.HasPrefix(s, text)
}

// foldPrefix reports whether s begins with prefix, upper and lower case being
// the same, and how many bytes of s that is.
func foldPrefix(s, prefix string) (int, bool) {
	n := 0
	for i := 0; i < len(prefix); {
		if n == len(s) {
			return 0, false
		}
		a, b := prefix[i], s[n]
		if a < utf8.RuneSelf && b < utf8.RuneSelf {
			if lower(a) != lower(b) {
				return 0, false
			}
			i, n = i+1, n+1
			continue
		}
		r, rn := utf8.DecodeRuneInString(prefix[i:])
		q, qn := utf8.DecodeRuneInString(s[n:])
		if !equalFoldRune(r, q) {
			return 0, false
		}
		i, n = i+rn, n+qn
	}
	return n, true
}

func equalFoldRune(a, b rune) bool {
	if a == b {
		return true
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

func equalFoldASCII(a, b string) bool {
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// Match reports whether text matches a pattern in which * stands for any run
// of characters and ? for any single one, as in StringLike.
func Match(text, wildcards string) bool {
	p, _ := compileText(wildcards, options{wildcards: true}) // only variables can be malformed
	return p.match(text, nil) == yes
}

// MatchARN reports whether an ARN matches a pattern, as in ArnLike: each of
// the six parts between colons is compared by itself, so that a * never
// reaches beyond its part.
func MatchARN(arn, wildcards string) bool {
	p, _ := compileARN(wildcards, options{wildcards: true}) // only variables can be malformed
	return isARN(arn) && p.match(arn, nil) == yes
}

// isARN reports whether text has the six parts of an ARN.
func isARN(s string) bool {
	return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= 5
}
