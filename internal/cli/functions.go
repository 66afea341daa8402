package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/cli/functions"
	"github.com/seed-615d3599/roost/internal/cli/session"
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
func (c *logsCommand) Run(ctx context.Context, s *session.Session) error {
	client, err := embedded.ClientOf(c.Dir)
	if err != nil {
		return err
	}
	all, err := functions.Groups(ctx, client)
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
	lines := logLines{session: s, client: client, groups: all, from: time.Now().Add(-c.Since).UnixMilli(), seen: map[string]bool{}}
	for {
		err := lines.print(ctx)
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

// logLines are the events of functions from a time on.
type logLines struct {
	session *session.Session
	client  control.Client
	groups  map[string]string // the log group of each function
	from    int64             // in milliseconds since 1970; what is older is not read again
	seen    map[string]bool   // the ids of what was printed since then
}

// print prints the events that were not seen yet, in order.
func (l *logLines) print(ctx context.Context) error {
	all, err := functions.Events(ctx, l.client, l.groups, l.from)
	if err != nil {
		return err
	}
	for _, e := range all {
		if l.seen[e.ID] {
			continue
		}
		if e.Timestamp > l.from {
			l.from = e.Timestamp
			clear(l.seen)
		}
		l.seen[e.ID] = true
		l.session.Term.Print(time.UnixMilli(e.Timestamp).Format("15:04:05.000 ") + e.Function + " | " + term.Clean(strings.TrimRight(e.Message, "\n")))
	}
	return nil
}

type invokeCommand struct {
	Function string  `arg:"" help:"A function's name, or a part of it that no other has."`
	Payload  *string `placeholder:"JSON" help:"The event; @FILE reads it from a file, @- from standard input. By default {}."`
	Async    bool    `help:"Put the event into the function's queue and do not wait."`
	Dir      string  `default:"." help:"The app's folder."`
}

// Run invokes a function and prints its answer.
func (c *invokeCommand) Run(ctx context.Context, s *session.Session) error {
	client, err := embedded.ClientOf(c.Dir)
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
		if payload, err = s.Argument(ctx, *c.Payload); err != nil {
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
		s.Term.Print(string(answer.Body))
	}
	if kind := answer.Header.Get("X-Amz-Function-Error"); kind != "" {
		return term.WithHint(fmt.Errorf("the function failed (%s)", kind), "\"roost logs "+name+"\" tells what it logged")
	}
	return nil
}
