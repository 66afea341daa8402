package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/cli/follow"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/control"
	"github.com/seed-615d3599/roost/internal/term"
)

type logsCommand struct {
	Function string        `arg:"" optional:"" help:"A function's name, or a part of it that no other has. By default all functions."`
	Follow   bool          `short:"f" help:"Go on with what is written from now on."`
	Since    time.Duration `default:"5m" help:"How far back to begin."`
	Dir      string        `default:"." help:"The app's folder."`
}

// Run prints what functions have logged.
func (c *logsCommand) Run(ctx context.Context, s *session) error {
	control, err := regionClient(c.Dir)
	if err != nil {
		return err
	}
	all, err := functions(ctx, control)
	if err != nil {
		return err
	}
	if c.Function != "" {
		name, err := pick(slices.Collect(maps.Keys(all)), c.Function)
		if err != nil {
			return err
		}
		all = map[string]string{name: all[name]}
	}
	from := time.Now().Add(-c.Since).UnixMilli()
	seen := map[string]bool{}
	for {
		from, err = s.printLogs(ctx, control, all, from, seen)
		if c.Follow && ctx.Err() != nil {
			return nil // an interrupt is how following ends, while it reads too
		}
		if err != nil || !c.Follow {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followInterval):
		}
	}
}

// followInterval is how often following looks for new events.
const followInterval = 300 * time.Millisecond

// logEvent is an event as FilterLogEvents answers it. Times are milliseconds.
type logEvent struct {
	EventID   string `json:"eventId"`
	Timestamp int64  `json:"timestamp"`
	Stream    string `json:"logStreamName"`
	Message   string `json:"message"`
	function  string
}

// printLogs prints the events from a time on that were not seen yet, in order,
// and returns the time from which to look next. groups has the log group of each
// function.
func (s *session) printLogs(ctx context.Context, c control.Client, groups map[string]string, from int64, seen map[string]bool) (int64, error) {
	var all []logEvent
	for _, group := range slices.Compact(slices.Sorted(maps.Values(groups))) {
		events, err := filterEvents(ctx, c, group, from)
		if err != nil {
			return from, err
		}
		for _, e := range events {
			e.function = follow.FunctionOf(group, e.Stream)
			if _, wanted := groups[e.function]; wanted {
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b logEvent) int { return int(a.Timestamp - b.Timestamp) })
	for _, e := range all {
		if seen[e.EventID] {
			continue
		}
		seen[e.EventID] = true
		from = max(from, e.Timestamp)
		s.term.Print(time.UnixMilli(e.Timestamp).Format("15:04:05.000 ") + e.function + " | " + term.Clean(strings.TrimRight(e.Message, "\n")))
	}
	return from, nil
}

// filterEvents reads a log group from a time on. A function that never ran has
// no group.
func filterEvents(ctx context.Context, c control.Client, group string, from int64) ([]logEvent, error) {
	var all []logEvent
	in := map[string]any{"logGroupName": group, "startTime": from}
	for {
		var out struct {
			Events    []logEvent `json:"events"`
			NextToken string     `json:"nextToken"`
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

type invokeCommand struct {
	Function string  `arg:"" help:"A function's name, or a part of it that no other has."`
	Payload  *string `placeholder:"JSON" help:"The event; @FILE reads it from a file, @- from standard input. By default {}."`
	Async    bool    `help:"Put the event into the function's queue and do not wait."`
	Dir      string  `default:"." help:"The app's folder."`
}

// Run invokes a function and prints its answer.
func (c *invokeCommand) Run(ctx context.Context, s *session) error {
	client, err := regionClient(c.Dir)
	if err != nil {
		return err
	}
	all, err := functions(ctx, client)
	if err != nil {
		return err
	}
	name, err := pick(slices.Collect(maps.Keys(all)), c.Function)
	if err != nil {
		return err
	}
	payload := "{}"
	if c.Payload != nil {
		if payload, err = s.argument(ctx, *c.Payload); err != nil {
			return err
		}
	}
	header := http.Header{}
	if c.Async {
		header.Set("X-Amz-Invocation-Type", "Event")
	}
	answer, err := client.REST(ctx, control.Request{Service: "lambda", Method: http.MethodPost, Header: header, Body: []byte(payload),
		Path: "/2015-03-31/functions/" + url.PathEscape(name) + "/invocations"})
	if err != nil {
		return err
	}
	if len(answer.Body) > 0 {
		s.term.Print(string(answer.Body))
	}
	if kind := answer.Header.Get("X-Amz-Function-Error"); kind != "" {
		return term.WithHint(fmt.Errorf("the function failed (%s)", kind), "\"roost logs "+name+"\" tells what it logged")
	}
	return nil
}

// argument returns a value as it stands, or with @ the content of a file, or of
// standard input.
func (s *session) argument(ctx context.Context, value string) (string, error) {
	name, isFile := strings.CutPrefix(value, "@")
	if !isFile {
		return value, nil
	}
	if name == "-" {
		return readAll(s.typed(ctx))
	}
	data, err := os.ReadFile(name)
	return string(data), err
}

func regionClient(dir string) (control.Client, error) {
	app, err := config.Bare(dir, "")
	if err != nil {
		return control.Client{}, err
	}
	r, err := runningRegion(app)
	if err != nil {
		return control.Client{}, err
	}
	return client(r), nil
}

// functions returns all functions by their names, with the log group of each.
func functions(ctx context.Context, c control.Client) (map[string]string, error) {
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

// pick returns the function that a person means: by its name, or by a part.
func pick(names []string, wanted string) (string, error) {
	if slices.Contains(names, wanted) {
		return wanted, nil
	}
	slices.Sort(names)
	var fits []string
	for _, name := range names {
		if strings.Contains(strings.ToLower(name), strings.ToLower(wanted)) {
			fits = append(fits, name)
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return "", term.WithHint(fmt.Errorf("there is no function %q", wanted), "there are: "+strings.Join(names, ", "))
	}
	return "", term.WithHint(fmt.Errorf("several functions have %q in their name", wanted), "say which: "+strings.Join(fits, ", "))
}
