package iam

import (
	"bytes"
	"encoding/json"
	"slices"
	"sort"
)

// Use is something that a principal did or wants to do.
type Use struct {
	Action   string // "execute-api:Invoke"
	Resource string // ARN, or "*" for an action that has none
}

// Least returns the smallest identity-based policy that allows all uses and
// nothing else, as an indented document of version 2012-10-17: actions on the
// same resources share a statement. Characters in a resource that would be
// wildcards or variables are written as [EscapeResource] does. The same uses
// give the same document, in whatever order they come. Without uses it returns
// nil, as there is no policy without a statement.
func Least(uses []Use) []byte {
	resources := map[string][]string{}
	for _, use := range uses {
		resources[use.Action] = append(resources[use.Action], use.Resource)
	}
	statements := map[string]*leastStatement{}
	for action, list := range resources {
		sort.Strings(list)
		list = slices.Compact(list)
		if slices.Contains(list, "*") {
			list = []string{"*"}
		}
		key, _ := json.Marshal(list) // strings always can
		s := statements[string(key)]
		if s == nil {
			s = &leastStatement{Effect: Allow, Resource: escaped(list)}
			statements[string(key)] = s
		}
		s.Action = append(s.Action, action)
	}
	if len(statements) == 0 {
		return nil
	}
	document := leastDocument{Version: Version2012}
	for _, s := range statements {
		sort.Strings(s.Action)
		document.Statement = append(document.Statement, s)
	}
	sort.Slice(document.Statement, func(i, j int) bool {
		return document.Statement[i].Action[0] < document.Statement[j].Action[0]
	})
	return document.encode()
}

type leastDocument struct {
	Version   string
	Statement []*leastStatement
}

type leastStatement struct {
	Effect   Effect
	Action   []string
	Resource []string
}

func (d *leastDocument) encode() []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if encoder.Encode(d) != nil { // strings always can
		return nil
	}
	return out.Bytes()
}

func escaped(resources []string) []string {
	list := make([]string, len(resources))
	for i, r := range resources {
		list[i] = r
		if r != "*" {
			list[i] = EscapeResource(r)
		}
	}
	return list
}

// EscapeResource returns a Resource element's value that matches just the
// given text: * and ? become ${*} and ${?}, and a $ that would begin a variable
// becomes ${$}.
func EscapeResource(resource string) string {
	var out []byte
	for i := 0; i < len(resource); i++ {
		switch c := resource[i]; c {
		case '*', '?':
			out = append(out, '$', '{', c, '}')
		case '$':
			out = append(out, c)
			if i+1 < len(resource) && resource[i+1] == '{' {
				out = append(out, '{', c, '}')
			}
		default:
			out = append(out, c)
		}
	}
	return string(out)
}
