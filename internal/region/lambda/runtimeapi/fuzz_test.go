package runtimeapi_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/lambda/runtimeapi"
)

// What a function sends is foreign. Each endpoint is fuzzed from the state in
// which it is meant to be called; FuzzSession sends anything at any time.

func FuzzNext(f *testing.F) {
	f.Add([]byte("Host: x\r\n\r\n"))
	f.Add([]byte("Content-Length: 3\r\n\r\nabc"))
	f.Add([]byte("Connection: close\r\nExpect: 100-continue\r\n\r\n"))
	f.Add([]byte("Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, rest []byte) {
		c := start(t)
		fuzzed(c, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n", rest)
		if n := len(c.events.outcomes); n != 0 {
			t.Errorf("%d outcomes without an invocation", n)
		}
	})
}

func FuzzResponse(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\nContent-Type: text/plain\r\n\r\nhi"))
	f.Add([]byte("Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\n"))
	f.Add([]byte("Transfer-Encoding: chunked\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.X\r\nLambda-Runtime-Function-Error-Body: e30=\r\n\r\n"))
	f.Add([]byte("Content-Length: 18446744073709551617\r\n\r\n"))
	f.Fuzz(func(t *testing.T, rest []byte) {
		c := start(t)
		c.running(nil)
		const line = "POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\n"
		status := fuzzed(c, line, rest)
		out, some := one(c)
		if status == http.StatusAccepted && !some {
			t.Error("a response was taken and is gone")
		}
		if want, ok := body(line, rest); ok && status == http.StatusAccepted && !out.Failed && !bytes.Equal(out.Payload, want) {
			t.Errorf("got %q, and net/http reads %q", out.Payload, want)
		}
	})
}

func FuzzError(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\nLambda-Runtime-Function-Error-Type: Function.X\r\n\r\n{}"))
	f.Add([]byte("Lambda-Runtime-Function-Error-Type: what ever\r\n\r\n"))
	f.Add([]byte("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, rest []byte) {
		c := start(t)
		c.running(nil)
		status := fuzzed(c, "POST /2018-06-01/runtime/invocation/1/error HTTP/1.1\r\n", rest)
		if out, some := one(c); some && (!out.Failed || out.ErrorType == "") || status == http.StatusAccepted && !some {
			t.Errorf("got %d %+v", status, out)
		}
	})
}

func FuzzInitError(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\nLambda-Runtime-Function-Error-Type: Runtime.X\r\n\r\n{}"))
	f.Add([]byte("Content-Length: 2\r\n\r\n{"))
	f.Add([]byte("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"))
	f.Fuzz(func(t *testing.T, rest []byte) {
		c := start(t)
		status := fuzzed(c, "POST /2018-06-01/runtime/init/error HTTP/1.1\r\n", rest)
		if out, some := one(c); some && (!out.Failed || out.ErrorType == "") || status == http.StatusAccepted && !some {
			t.Errorf("got %d %+v", status, out)
		}
	})
}

// fuzzed sends a request line and anything behind it, and returns the status of
// the first answer, or 0 where there is none. Each answer must be HTTP.
func fuzzed(c *client, line string, rest []byte) (status int) {
	go func() {
		_, _ = c.conn.Write(append([]byte(line), rest...))
		_ = c.conn.(*net.TCPConn).CloseWrite()
	}()
	for {
		if _, err := c.in.Peek(1); errors.Is(err, os.ErrDeadlineExceeded) {
			c.t.Fatal("neither an answer nor an end")
		} else if err != nil {
			break
		}
		response, err := http.ReadResponse(c.in, nil)
		if err != nil {
			c.t.Fatalf("an answer is no HTTP: %v", err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			c.t.Fatalf("an answer ends early: %v", err)
		}
		if status == 0 {
			status = response.StatusCode
		}
	}
	c.session.Close()
	return status
}

// one returns what became of the invocation; there must not be more than one
// answer.
func one(c *client) (out runtimeapi.Outcome, some bool) {
	if n := len(c.events.outcomes); n > 1 {
		c.t.Errorf("%d outcomes", n)
	}
	select {
	case out := <-c.events.outcomes:
		return out, true
	default:
		return out, false
	}
}

// body is what net/http makes of the same bytes. ok is false where it refuses
// them.
func body(line string, rest []byte) (body []byte, ok bool) {
	request, err := http.ReadRequest(bufio.NewReader(io.MultiReader(bytes.NewReader([]byte(line)), bytes.NewReader(rest))))
	if err != nil {
		return nil, false
	}
	body, err = io.ReadAll(request.Body)
	return body, err == nil
}

func FuzzSession(f *testing.F) {
	f.Add([]byte(next + post("invocation/1/response", "x") + next))
	f.Add([]byte(post("init/error", "{}")))
	f.Add([]byte(next + post("invocation/1/error", "{}", "Lambda-Runtime-Function-Error-Type: Runtime.X\r\n")))
	f.Add([]byte(next + "POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := start(t)
		go func() {
			<-c.events.ready
			_ = c.session.Dispatch(&runtimeapi.Invocation{RequestID: "1", Payload: []byte("{}")})
		}()
		_, _ = c.conn.Write(data)
		_ = c.conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c.conn)
		c.session.Close()
		c.events.ready <- struct{}{}
		// Whatever was sent, an invocation gets one outcome at most.
		if n := len(c.events.outcomes); n > 2 {
			t.Errorf("%d outcomes", n)
		}
	})
}
