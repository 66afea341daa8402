package sam

import (
	"crypto/sha1" // SAM's logical ids hold it; nothing is secured by it
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/seed-615d3599/roost/cfn/tree"
)

// builder makes nodes at the position of what they stand for.
type builder struct{ pos tree.Position }

func (b builder) str(s string) *tree.Node { return tree.Str(b.pos, s) }

func (b builder) strs(list ...string) *tree.Node {
	n := tree.Array(b.pos)
	for _, s := range list {
		n.Items = append(n.Items, b.str(s))
	}
	return n
}

// obj makes an object of keys and values in turn; a string stands for a string
// node, and a nil node leaves its key out.
func (b builder) obj(pairs ...any) *tree.Node {
	n := tree.Object(b.pos)
	for i := 0; i+1 < len(pairs); i += 2 {
		key, _ := pairs[i].(string)
		switch v := pairs[i+1].(type) {
		case string:
			n.Set(key, b.str(v))
		case *tree.Node:
			if v != nil {
				n.Set(key, v)
			}
		}
	}
	return n
}

func (b builder) ref(id string) *tree.Node { return b.obj("Ref", id) }

func (b builder) getAtt(id, attribute string) *tree.Node {
	return b.obj("Fn::GetAtt", b.strs(id, attribute))
}

// sub makes {"Fn::Sub": [text, {name: value}]}.
func (b builder) sub(text string, variables *tree.Node) *tree.Node {
	return b.obj("Fn::Sub", tree.Array(b.pos, b.str(text), variables))
}

// hash is SAM's suffix of logical ids: ten hexadecimal digits of the SHA-1 of
// a string, or of anything else as Python's json.dumps writes it with sorted
// keys and no spaces.
func hash(n *tree.Node) string {
	data := []byte(n.Text)
	if n.Kind != tree.String {
		data = pythonJSON(nil, n)
	}
	sum := sha1.Sum(data)
	return hex.EncodeToString(sum[:])[:10]
}

func pythonJSON(b []byte, n *tree.Node) []byte {
	switch n.Kind {
	case tree.Map:
		members := slices.Clone(n.Members)
		slices.SortFunc(members, func(a, b tree.Member) int { return strings.Compare(a.Key, b.Key) })
		b = append(b, '{')
		for i, m := range members {
			if i > 0 {
				b = append(b, ',')
			}
			b = pythonJSON(append(pythonString(b, m.Key), ':'), m.Value)
		}
		return append(b, '}')
	case tree.List:
		b = append(b, '[')
		for i, item := range n.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = pythonJSON(b, item)
		}
		return append(b, ']')
	case tree.String:
		return pythonString(b, n.Text)
	}
	return append(b, n.Text...)
}

// pythonString writes a string in ASCII alone, as json.dumps does.
func pythonString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c >= ' ' && c <= '~':
			b = append(b, byte(c))
		case strings.ContainsRune("\n\r\t\b\f", c):
			b = append(b, '\\', "nrtbf"[strings.IndexRune("\n\r\t\b\f", c)])
		default:
			for _, unit := range utf16.Encode([]rune{c}) {
				b = fmt.Appendf(b, `\u%04x`, unit)
			}
		}
	}
	return append(b, '"')
}

// isAlphanumeric is Python's str.isalnum for ASCII.
func isAlphanumeric(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == ""
}
