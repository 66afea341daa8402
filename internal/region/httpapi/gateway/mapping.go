package gateway

import (
	"strings"

	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/event"
	"github.com/seed-615d3599/roost/internal/region/httpapi/vars"
)

// changeRequest applies an integration's RequestParameters to the event.
func (c *call) changeRequest(changes []vars.Change) {
	from := source{c}
	fields := append([]http1.Field(nil), c.event.Headers...)
	query := string(c.event.RawQuery)
	for _, ch := range changes {
		switch ch.Place {
		case vars.AtHeader:
			fields = ch.Fields(fields, from)
		case vars.AtQuery:
			query = ch.Query(query, from)
		case vars.AtPath:
			if v, ok := ch.Value.Value(from); ok {
				c.event.Path, c.event.MappedPath = v, ""
			}
		}
	}
	c.event.RawQuery = []byte(query)
	var own []event.Own // content-length, which Headers would leave out
	for _, f := range fields {
		if string(f.Name) == "content-length" {
			own = append(own, event.Own{Name: "content-length", Value: f.Value})
		}
	}
	var fresh event.Encoder // c.enc holds the names that fields point to
	c.event.Headers = fresh.Headers(fields, own...)
}

// targetURL fills the path variables into a proxy's URL and appends the query.
func (c *call) targetURL(i *integration) string {
	filled := i.target.Fill(c.params)
	if len(c.event.RawQuery) == 0 {
		return filled
	}
	separator := "?"
	if strings.Contains(filled, "?") {
		separator = "&"
	}
	return filled + separator + strings.TrimPrefix(string(c.event.RawQuery), "&")
}
