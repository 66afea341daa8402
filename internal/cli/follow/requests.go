// Package follow makes the lines that "roost start" prints while an app runs: one
// for each request that an API has answered, and what functions log.
//
//	requests := follow.New()
//	region.Start(ctx, region.Config{Served: requests.Served, …})
//	events, end := r.Follow()
//	stop := requests.Print(events, end, printer.Print)
package follow

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/logs"
	"github.com/seed-615d3599/roost/internal/term"
)

// waiting is how many answered requests wait for a slow terminal; those beyond
// are not printed.
const waiting = 1024

// Requests are those that APIs have answered and that have no line yet.
type Requests chan gateway.Served

// New returns a queue without requests.
func New() Requests { return make(Requests, waiting) }

// Print prints a line for each request and for each thing that a function logs,
// until stop is called. events are a region's, and end when end is called.
func (q Requests) Print(events <-chan logs.Event, end func(), print func(line string)) (stop func()) {
	var printing sync.WaitGroup
	printing.Go(func() {
		for {
			line, more := q.nextLine(events)
			if !more {
				return
			}
			if line != "" {
				print(line)
			}
		}
	})
	return func() {
		end()
		printing.Wait()
	}
}

// Served is told of a request by the gateway. It does not block.
func (q Requests) Served(r gateway.Served) {
	select {
	case q <- r:
	default:
	}
}

// nextLine waits for what is logged or answered next and returns its line, which
// may be empty. What functions log comes first, so that it stands above the line of the
// request that it belongs to. more is false once the region's events have ended.
func (q Requests) nextLine(events <-chan logs.Event) (line string, more bool) {
	select {
	case e, more := <-events:
		return logLine(e.Group, e.Stream, e.Message), more
	default:
	}
	select {
	case e, more := <-events:
		return logLine(e.Group, e.Stream, e.Message), more
	case r := <-q:
		return requestLine(r), true
	}
}

// requestLine is what start prints of a request: "GET /private 403 2 ms". Of one
// that failed on this side it also says why.
func requestLine(r gateway.Served) string {
	line := fmt.Sprintf("%s %s %d %d ms", r.Method, r.Path, r.Status, r.Took.Round(time.Millisecond).Milliseconds())
	if r.Status >= http.StatusInternalServerError && r.Reason != "" {
		line += ": " + r.Reason
	}
	return strings.ReplaceAll(term.Clean(line), "\n", "\uFFFD") // one line, whatever the path holds
}
