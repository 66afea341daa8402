package vars

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// bodyLimit is how much of a body an expression looks at (Developer Guide,
// "Transform API requests and responses for HTTP APIs": 100 KB).
const bodyLimit = 100 << 10

// step is one step of a path: a member, or an element if name is "".
type step struct {
	name  string
	index int
}

// parsePath reads "a.b[0].c". Recursive descent, wildcards and filters are refused.
func parsePath(text string) ([]step, error) {
	if strings.Contains(text, "..") || strings.ContainsAny(text, "*?@(") {
		return nil, fmt.Errorf("the JSON path has recursive descent, a wildcard or a filter, which is not supported")
	}
	var steps []step
	for _, member := range strings.Split(text, ".") {
		name, rest, indexed := strings.Cut(member, "[")
		if name == "" && !indexed {
			return nil, fmt.Errorf("the JSON path has an empty step")
		}
		if name != "" {
			steps = append(steps, step{name: name})
		}
		for indexed {
			var digits string
			var closed bool
			digits, rest, closed = strings.Cut(rest, "]")
			n, err := strconv.Atoi(digits)
			if err != nil || n < 0 || !closed {
				return nil, fmt.Errorf("the JSON path has an index that is no number")
			}
			steps = append(steps, step{index: n})
			_, rest, indexed = strings.Cut(rest, "[")
		}
	}
	return steps, nil
}

// FromBody returns what a JSON path selects in a body: a string as it is, anything
// else as JSON.
func FromBody(body []byte, path string) (string, bool) {
	steps, err := parsePath(path)
	if err != nil || len(body) > bodyLimit {
		return "", false
	}
	raw := json.RawMessage(body)
	for _, s := range steps {
		var ok bool
		if raw, ok = s.take(raw); !ok {
			return "", false
		}
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && len(raw) > 0 && raw[0] == '"' {
		return text, true
	}
	return string(raw), json.Valid(raw)
}

func (s step) take(raw json.RawMessage) (json.RawMessage, bool) {
	if s.name != "" {
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil {
			return nil, false
		}
		v, ok := members[s.name]
		return v, ok
	}
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil || s.index >= len(elements) {
		return nil, false
	}
	return elements[s.index], true
}
