package follow

import (
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/httpapi/gateway"
	"github.com/seed-615d3599/roost/internal/region/logs"
)

func TestRequestLines(t *testing.T) {
	q := make(Requests, 2)
	events := make(chan logs.Event, 1)
	for range 3 { // the last finds no place, and does not block
		q.Served(gateway.Served{Method: "GET", Path: "/a\x1b[2J", Status: 403, Took: 1600 * time.Microsecond})
	}
	events <- logs.Event{Group: "/aws/lambda/f", Stream: "2026/11/22/[$LATEST]0", Message: "hello\n"}
	for _, want := range []string{"f | hello", "GET /a\uFFFD[2J 403 2 ms", "GET /a\uFFFD[2J 403 2 ms"} {
		if got, more := q.nextLine(events); got != want || !more {
			t.Errorf("got %q, %v; want %q", got, more, want)
		}
	}
	q.Served(gateway.Served{Method: "GET", Path: "/a\n", Status: 500, Reason: "no\x1b node"})
	if got, _ := q.nextLine(events); got != "GET /a\uFFFD 500 0 ms: no\uFFFD node" {
		t.Errorf("got %q of a failure", got)
	}
	close(events)
	if got, more := q.nextLine(events); got != "" || more {
		t.Errorf("got %q, %v after the end", got, more)
	}
}
