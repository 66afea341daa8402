package glob

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Truth is the result of a comparison that may hang on a policy variable for
// which the request has no value.
type Truth uint8

// The results of a comparison.
const (
	No Truth = iota
	Yes
	Unresolved
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

// Pattern is a compiled value of a policy that is compared with text. A plain
// one has a single part. One for ARNs is split at the colons, so that a
// wildcard stays within its part: its last part takes the rest of the text.
type Pattern struct {
	prefix       string // literal text before the first wildcard or variable
	shape        shape
	fold         Folding
	HasVariables bool   // whether a variable is in it
	skipParts    uint8  // parts that lie wholly within the prefix,
	skipBytes    uint32 // which are so many bytes of it
	parts        [][]token
	Source       string // the value as the policy has it
}

// Variables returns the value of a policy variable, if it has one.
type Variables func(name string) (value string, ok bool)

// shape tells the patterns that need no more than a look at their prefix.
type shape uint8

const (
	anyShape    shape = iota
	exactShape        // the prefix is all
	prefixShape       // the prefix and a last *
)

// Folding says which letters are the same.
type Folding uint8

// The ways to compare letters.
const (
	NoFolding      Folding = iota
	ASCIIFolding           // upper and lower case of A to Z, as in actions
	UnicodeFolding         // upper and lower case of every letter
)

// Match compares a text with the pattern.
func (p *Pattern) Match(s string, vars Variables) Truth {
	if p.HasVariables && !p.Resolves(vars) {
		return Unresolved
	}
	switch n, ok := p.fold.prefix(s, p.prefix); {
	case !ok:
		return No
	case p.shape == prefixShape, p.shape == exactShape && n == len(s):
		return Yes
	case p.shape == exactShape:
		return No
	}
	last := len(p.parts) - 1
	s = s[p.skipBytes:]
	for _, part := range p.parts[p.skipParts:last] {
		colon := strings.IndexByte(s, ':')
		if colon < 0 || !glob(part, s[:colon], vars, p.fold) {
			return No
		}
		s = s[colon+1:]
	}
	if glob(p.parts[last], s, vars, p.fold) {
		return Yes
	}
	return No
}

// Prefix returns the text with which whatever matches must begin, in the same
// letters if the pattern does not fold them.
func (p *Pattern) Prefix() string { return p.prefix }

// Resolves reports whether each variable of the pattern has a value.
func (p *Pattern) Resolves(vars Variables) bool {
	for _, part := range p.parts {
		for i := range part {
			if _, ok := part[i].resolve(vars); !ok {
				return false
			}
		}
	}
	return true
}

// EachVariable visits the names of the pattern's variables, in order.
func (p *Pattern) EachVariable(visit func(key string)) {
	if !p.HasVariables {
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

// resolve returns the text that the token stands for.
func (t *token) resolve(vars Variables) (string, bool) {
	if t.kind != variable {
		return t.text, true
	}
	if value, ok := vars(t.text); ok {
		return value, true
	}
	return t.fallback, t.hasDefault
}

// glob compares text with tokens. After a mismatch it goes back to the last *
// and lets that take one character more, which is enough, as an earlier *
// need never take more than it did.
func glob(tokens []token, s string, vars Variables, fold Folding) bool {
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
		} else if n, ok := tokens[at].consume(s[pos:], vars, fold); ok {
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
func nextTry(next *token, s string, pos int, fold Folding) int {
	_, n := utf8.DecodeRuneInString(s[pos:])
	pos += n
	if next.kind != literal || fold != NoFolding {
		return pos
	}
	jump := strings.Index(s[pos:], next.text)
	if jump < 0 {
		return -1
	}
	return pos + jump
}

// consume returns how many bytes at the start of s the token stands for.
func (t *token) consume(s string, vars Variables, fold Folding) (int, bool) {
	if t.kind == anyOne {
		if s == "" {
			return 0, false
		}
		_, n := utf8.DecodeRuneInString(s)
		return n, true
	}
	text, ok := t.resolve(vars)
	if !ok {
		return 0, false
	}
	return fold.prefix(s, text)
}

// prefix reports whether s begins with prefix, and how many bytes of s that is.
func (f Folding) prefix(s, prefix string) (int, bool) {
	switch {
	case f == UnicodeFolding:
		return foldPrefix(s, prefix)
	case len(s) < len(prefix):
		return 0, false
	case f == NoFolding:
		return len(prefix), s[:len(prefix)] == prefix
	}
	s = s[:len(prefix)]
	return len(prefix), s == prefix || EqualFoldASCII(s, prefix)
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

// EqualFoldASCII compares two texts of the same length. It begins at the end,
// as what differs in keys and actions is seldom how they begin.
func EqualFoldASCII(a, b string) bool {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
