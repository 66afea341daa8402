// Package functions finds a region's functions by what a person calls them, and
// reads what they have logged.
//
//	groups, err := functions.Groups(ctx, client)
//	name, err := functions.Pick(groups, "GETprivate")
//	events, err := functions.Events(ctx, client, groups, since.UnixMilli())
package functions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/cli/follow"
	"github.com/seed-615d3599/roost/internal/control"
	"github.com/seed-615d3599/roost/internal/term"
)

// Groups returns all functions by their names, with the log group of each.
func Groups(ctx context.Context, c control.Client) (map[string]string, error) {
	groups := map[string]string{}
	marker := ""
	for {
		answer, err := c.REST(ctx, control.Request{Service: "lambda", Method: http.MethodGet, Path: "/2015-03-31/functions/" + marker})
		if err != nil {
			return nil, fmt.Errorf("list the functions: %w", err)
		}
		var page struct {
			Functions []struct {
				FunctionName  string
				LoggingConfig struct{ LogGroup string }
			}
			NextMarker string
		}
		if err := json.Unmarshal(answer.Body, &page); err != nil {
			return nil, err
		}
		for _, f := range page.Functions {
			groups[f.FunctionName] = f.LoggingConfig.LogGroup
		}
		if page.NextMarker == "" {
			return groups, nil
		}
		marker = "?Marker=" + url.QueryEscape(page.NextMarker)
	}
}

// Pick returns the function that a person means: by its name, or by a part that
// no other has. groups are those of Groups.
func Pick(groups map[string]string, wanted string) (string, error) {
	if _, found := groups[wanted]; found {
		return wanted, nil
	}
	names := slices.Sorted(maps.Keys(groups))
	var fits []string
	for _, name := range names {
		if strings.Contains(strings.ToLower(name), strings.ToLower(wanted)) {
			fits = append(fits, name)
		}
	}
	switch {
	case len(fits) == 1:
		return fits[0], nil
	case len(names) == 0:
		return "", term.WithHint(fmt.Errorf("there is no function %q", wanted), "none is deployed: \"roost deploy\" deploys the app's")
	case len(fits) == 0:
		return "", term.WithHint(fmt.Errorf("there is no function %q", wanted), "there are: "+strings.Join(names, ", "))
	}
	return "", term.WithHint(fmt.Errorf("several functions have %q in their name", wanted), "say which: "+strings.Join(fits, ", "))
}

// Event is what a function has logged, as FilterLogEvents answers it.
type Event struct {
	ID        string `json:"eventId"`
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
	Stream    string `json:"logStreamName"`
	Message   string `json:"message"`
	Function  string `json:"-"` // its name
}

// Events returns what the functions of groups have logged from a time on, in
// milliseconds since 1970, the oldest first.
func Events(ctx context.Context, c control.Client, groups map[string]string, from int64) ([]Event, error) {
	var all []Event
	for _, group := range slices.Compact(slices.Sorted(maps.Values(groups))) {
		events, err := filterEvents(ctx, c, group, from)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			e.Function = follow.FunctionOf(group, e.Stream)
			if _, wanted := groups[e.Function]; wanted {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Event) int { return int(a.Timestamp - b.Timestamp) })
	return all, nil
}

// filterEvents reads a log group from a time on. A function that never ran has
// no group.
func filterEvents(ctx context.Context, c control.Client, group string, from int64) ([]Event, error) {
	var all []Event
	in := map[string]any{"logGroupName": group, "startTime": from}
	for {
		var out struct {
			Events    []Event `json:"events"`
			NextToken string  `json:"nextToken"`
		}
		err := c.JSON(ctx, control.Operation{Service: "logs", Target: "Logs_20140328.FilterLogEvents"}, in, &out)
		var refused *control.Error
		if errors.As(err, &refused) && refused.Code == "ResourceNotFoundException" {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the log group %s: %w", group, err)
		}
		all = append(all, out.Events...)
		if out.NextToken == "" {
			return all, nil
		}
		in["nextToken"] = out.NextToken
	}
}
