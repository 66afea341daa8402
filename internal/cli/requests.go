package cli

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/logs"
	"github.com/seed-615d3599/roost/internal/term"
)

// followedRequests is how many answered requests wait for a slow terminal; those
// beyond are not printed.
const followedRequests = 1024

// requests are those that APIs have answered and that have no line yet.
type requests chan gateway.Served

// served is told of a request by the gateway. It does not block.
func (q requests) served(r gateway.Served) {
	select {
	case q <- r:
	default:
	}
}

// nextLine waits for what is logged or answered next and returns its line, which
// may be empty. What functions log comes first, so that it stands above the line of the
// request that it belongs to. more is false once the region's events have ended.
func (q requests) nextLine(events <-chan logs.Event) (line string, more bool) {
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
