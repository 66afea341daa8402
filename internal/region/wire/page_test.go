package wire_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

func TestPage(t *testing.T) {
	list := []int{1, 2, 3, 4, 5}
	bad := errors.New("bad token")
	size := func(n int) *int { return &n }
	for name, test := range map[string]struct {
		size  *int
		limit int
		token string
		want  []int
		next  string
		err   bool
	}{
		"all":               {nil, 5, "", list, "", false},
		"up to the limit":   {nil, 3, "", []int{1, 2, 3}, "3", false},
		"as many as asked":  {size(2), 3, "", []int{1, 2}, "2", false},
		"the next":          {size(2), 3, "2", []int{3, 4}, "4", false},
		"the last":          {size(2), 3, "4", []int{5}, "", false},
		"behind the last":   {size(2), 3, "5", nil, "", false},
		"none":              {size(0), 3, "", nil, "", true},
		"over the limit":    {size(4), 3, "", nil, "", true},
		"a token of others": {nil, 3, "x", nil, "", true},
		"a negative token":  {nil, 3, "-1", nil, "", true},
		"too far":           {nil, 3, "6", nil, "", true},
	} {
		got, next, err := wire.Page(list, test.size, test.limit, test.token, bad)
		if !slices.Equal(got, test.want) || next != test.next || (err != nil) != test.err {
			t.Errorf("%s: %v, %q, %v", name, got, next, err)
		}
	}
}
