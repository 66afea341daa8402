package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/cli/functions"
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
	all, err := functions.Groups(ctx, control)
	if err != nil {
		return err
	}
	if c.Function != "" {
		name, err := functions.Pick(all, c.Function)
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

// printLogs prints the events from a time on that were not seen yet, in order,
// and returns the time from which to look next. groups has the log group of each
// function.
func (s *session) printLogs(ctx context.Context, c control.Client, groups map[string]string, from int64, seen map[string]bool) (int64, error) {
	all, err := functions.Events(ctx, c, groups, from)
	if err != nil {
		return from, err
	}
	for _, e := range all {
		if seen[e.ID] {
			continue
		}
		if e.Timestamp > from { // what is older is not read again
			from = e.Timestamp
			clear(seen)
		}
		seen[e.ID] = true
		s.term.Print(time.UnixMilli(e.Timestamp).Format("15:04:05.000 ") + e.Function + " | " + term.Clean(strings.TrimRight(e.Message, "\n")))
	}
	return from, nil
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
	all, err := functions.Groups(ctx, client)
	if err != nil {
		return err
	}
	name, err := functions.Pick(all, c.Function)
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
