package cfn

import (
	"github.com/seed-615d3599/roost/cfn/extend"
	"github.com/seed-615d3599/roost/cfn/sam"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// Expand carries out the transforms that a template declares, in their order,
// and returns the template that they make; one without transforms is returned
// as it is. The parameters' values take part: loops run over them. The error
// is an Errors.
func (t *Template) Expand(values Values, pseudo Pseudo) (*Template, error) {
	if len(t.Transforms) == 0 {
		return t, nil
	}
	root := t.Root
	for _, name := range t.Transforms {
		scope := t.scope(values, pseudo)
		scope.Root = root
		expand := extend.Expand
		if name == Serverless {
			expand = sam.Expand
		}
		var err error
		if root, err = expand(root, scope); err != nil {
			return nil, err
		}
	}
	return decode(without(root, "Transform"), t.Transforms)
}

// without returns an object less one of its members.
func without(n *Node, key string) *Node {
	c := tree.Object(n.Pos)
	for _, m := range n.Members {
		if m.Key != key {
			c.Members = append(c.Members, m)
		}
	}
	return c
}
