package tree

import (
	"bytes"
	"encoding/json"
)

// AppendJSON appends the tree as JSON to b: members in the order of the file,
// no spaces, strings as encoding/json writes them but with <, > and & left alone.
func (n *Node) AppendJSON(b []byte) []byte {
	switch n.Kind {
	case Map:
		b = append(b, '{')
		for i, m := range n.Members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.Key), ':')
			b = m.Value.AppendJSON(b)
		}
		return append(b, '}')
	case List:
		b = append(b, '[')
		for i, item := range n.Items {
			if i > 0 {
				b = append(b, ',')
			}
			b = item.AppendJSON(b)
		}
		return append(b, ']')
	case String:
		return appendString(b, n.Text)
	default:
		return append(b, n.Text...)
	}
}

// MarshalJSON makes a Node a json.Marshaler, by AppendJSON.
func (n *Node) MarshalJSON() ([]byte, error) { return n.AppendJSON(nil), nil }

func appendString(b []byte, s string) []byte {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return append(b, '"', '"')
	}
	return append(b, bytes.TrimSuffix(buf.Bytes(), []byte("\n"))...)
}
