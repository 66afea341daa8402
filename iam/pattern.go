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
	prefix    string // literal text before the first wildcard or variable
	shape     shape
	fold      folding
	variables bool   // holds a variable
	skipParts uint8  // parts that lie wholly within the prefix,
	skipBytes uint32 // which are so many bytes of it
	parts     [][]token
	source    string // as the policy has it
}

// shape tells the patterns that need no more than a look at their prefix.
type shape uint8

const (
	anyShape    shape = iota
	exactShape        // the prefix is all
	prefixShape       // the prefix and a last *
)

// folding says which letters are the same.
type folding uint8

const (
	noFolding      folding = iota
	asciiFolding           // upper and lower case of A to Z, as in actions
	unicodeFolding         // upper and lower case of every letter
)

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
	switch n, ok := p.fold.prefix(s, p.prefix); {
	case !ok:
		return no
	case p.shape == prefixShape, p.shape == exactShape && n == len(s):
		return yes
	case p.shape == exactShape:
		return no
	}
	last := len(p.parts) - 1
	s = s[p.skipBytes:]
	for _, part := range p.parts[p.skipParts:last] {
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
func glob(tokens []token, s string, ctx Context, fold folding) bool {
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
		if starPos = nextTry(&tokens[star+1], s, starPos, fold); starPos < 0 {
			return false
		}
		at, pos = star+1, starPos
	}
}

// nextTry returns where, after pos, the token that follows a * could begin, or
// -1 if nowhere.
func nextTry(next *token, s string, pos int, fold folding) int {
	_, n := utf8.DecodeRuneInString(s[pos:])
	pos += n
	if next.kind != literal || fold != noFolding {
		return pos
	}
	jump := strings.Index(s[pos:], next.text)
	if jump < 0 {
		return -1
	}
	return pos + jump
}

// consume returns how many bytes at the start of s the token stands for.
func (t *token) consume(s string, ctx Context, fold folding) (int, bool) {
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
	return fold.prefix(s, text)
}

// prefix reports whether s begins with prefix, and how many bytes of s that is.
func (f folding) prefix(s, prefix string) (int, bool) {
	switch {
	case f == unicodeFolding:
		return foldPrefix(s, prefix)
	case len(s) < len(prefix):
		return 0, false
	case f == noFolding:
		return len(prefix), s[:len(prefix)] == prefix
	}
	s = s[:len(prefix)]
	return len(prefix), s == prefix || equalFoldASCII(s, prefix)
}

// foldPrefix is prefix for letters of any script, whose upper and lower case
// may differ in length.
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

// equalFoldASCII compares two texts of the same length. It begins at the end,
// as what differs in keys and actions is seldom how they begin.
func equalFoldASCII(a, b string) bool {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
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
