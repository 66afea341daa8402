// Package paging cuts IAM's lists into pages, as Marker and MaxItems ask.
//
//	part, pages, err := paging.Cut(all, in.Page)
package paging

import (
	"strconv"

	"github.com/seed-615d3599/roost/internal/region/access/directory"
)

// Page is what list operations take and give for long lists.
type Page struct {
	Marker   string
	MaxItems *int
}

// check refuses a page that cannot be.
func (p Page) check() error {
	if p.MaxItems != nil && (*p.MaxItems < 1 || *p.MaxItems > 1000) {
		return directory.Invalid("1 validation error detected: Value '%d' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000", *p.MaxItems)
	}
	if _, err := strconv.ParseUint(p.Marker, 10, 31); err != nil && p.Marker != "" {
		return directory.Invalid("Invalid Marker.")
	}
	return nil
}

// Pages is what the answers of list operations say about the rest.
type Pages struct {
	IsTruncated bool
	Marker      string `json:",omitempty"`
}

// Cut returns one page of a list and how to ask for the next. Unless it says
// otherwise a page has 100 items.
func Cut[T any](list []T, page Page) ([]T, Pages, error) {
	if err := page.check(); err != nil {
		return nil, Pages{}, err
	}
	from, _ := strconv.Atoi(page.Marker)
	from = min(from, len(list))
	size := 100
	if page.MaxItems != nil {
		size = *page.MaxItems
	}
	to := min(from+size, len(list))
	if to < len(list) {
		return list[from:to], Pages{IsTruncated: true, Marker: strconv.Itoa(to)}, nil
	}
	return list[from:to], Pages{}, nil
}
