package http1

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// echo answers with what it was asked, so that a test sees how it was read.
func echo(w *Response, r *Request) {
	body, err := r.ReadBody(1 << 20)
	if err != nil {
		w.Refuse(err)
		return
	}
	w.Begin(200)
	w.Header("X-Fields", fmt.Sprint(len(r.Fields)))
	w.Send(fmt.Appendf(nil, "%s %s host=%s body=%s", r.Method, r.Target, r.Host, body))
}

// serve runs s on a loopback listener and returns its address.
func serve(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if s.Logf == nil {
		s.Logf = t.Errorf
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := <-ended; !errors.Is(err, ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

// dial connects for as long as the test runs.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	return nc
}

// exchange sends raw bytes, ends the sending, and returns all that comes back.
func exchange(t *testing.T, addr, raw string) string {
	t.Helper()
	nc := dial(t, addr)
	go func() {
		io.WriteString(nc, raw)
		nc.(*net.TCPConn).CloseWrite()
	}()
	answer, err := io.ReadAll(nc)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return string(answer)
}

func TestRequestsThatAreRead(t *testing.T) {
	addr := serve(t, &Server{Handler: echo})
	cases := []struct{ name, raw, want string }{
		{"plain", "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a?b=c host=x body="},
		{"method", "PURGE / HTTP/1.1\r\nHost: x\r\n\r\n", "PURGE / host=x body="},
		{"old version", "GET / HTTP/1.0\r\n\r\n", "GET / host= body="},
		{"absolute target", "GET http://y:80/p?q HTTP/1.1\r\nHost: x\r\n\r\n", "GET /p?q host=y:80 body="},
		{"absolute without path", "GET http://y?q HTTP/1.1\r\nHost: x\r\n\r\n", "GET /?q host=y body="},
		{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * host=x body="},
		{"utf-8 in the target", "GET /ሴ HTTP/1.1\r\nHost: x\r\n\r\n", "GET /ሴ host=x body="},
		{"empty line first", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET / host=x body="},
		{"white space round a value", "GET / HTTP/1.1\r\nHost: \t x \t\r\n\r\n", "GET / host=x body="},
		{"length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", "POST / host=x body=abc"},
		{"chunks", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n" +
			"3;a=b\r\nabc\r\nA \r\n0123456789\r\n0\r\nT: v\r\n\r\n", "POST / host=x body=abc0123456789"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := exchange(t, addr, c.raw)
			if !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(got, "\r\n\r\n"+c.want) {
				t.Errorf("got %q, want 200 with %q", got, c.want)
			}
		})
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	addr := serve(t, &Server{Handler: echo, MaxHeaderBytes: 4096})
	head := "POST / HTTP/1.1\r\nHost: x\r\n"
	chunked := head + "Transfer-Encoding: chunked\r\n\r\n"
	cases := []struct {
		name, raw string
		status    int
	}{
		{"bare line feed", "GET / HTTP/1.1\nHost: x\n\n", 400},
		{"bare line feed among good lines", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400},
		{"bare carriage return", "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", 400},
		{"folded line", "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", 400},
		{"space before the colon", "GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400},
		{"no colon", "GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n", 400},
		{"NUL in a value", "GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400},
		{"no host", "GET / HTTP/1.1\r\n\r\n", 400},
		{"two hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400},
		{"host with a path", "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n", 400},
		{"space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"tab in the target", "GET /a\tb HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"fragment", "GET /a#b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"no target", "GET HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"relative target", "GET a HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"authority form", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"no version", "GET /\r\nHost: x\r\n\r\n", 400},
		{"length twice", head + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
		{"length list", head + "Content-Length: 1, 1\r\n\r\na", 400},
		{"length signed", head + "Content-Length: +1\r\n\r\na", 400},
		{"length hexadecimal", head + "Content-Length: 0x1\r\n\r\na", 400},
		{"length and chunked", head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"chunked twice", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"another coding", head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
		{"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"unknown expectation", head + "Expect: tea\r\n\r\n", 417},
		{"long head", head + "A: " + strings.Repeat("a", 5000) + "\r\n\r\n", 431},
		{"many fields", head + strings.Repeat("a:\r\n", 300) + "\r\n", 431},
		{"large body", head + "Content-Length: 1048577\r\n\r\n", 413},
		{"large chunks", chunked + "100001\r\n" + strings.Repeat("a", 0x100001) + "\r\n0\r\n\r\n", 413},
		{"short body", head + "Content-Length: 300\r\n\r\na", 400},
		{"chunk without size", chunked + "\r\n\r\n", 400},
		{"chunk size signed", chunked + "-1\r\n\r\n", 400},
		{"chunk size huge", chunked + "ffffffffffffffffffff\r\n", 400},
		{"chunk longer than said", chunked + "1\r\nabc\r\n0\r\n\r\n", 400},
		{"chunk with bare line feed", chunked + "1\na\n0\n\n", 400},
		{"chunk line without end", chunked + strings.Repeat("0", 600), 400},
		{"bad trailer", chunked + "0\r\nno field\r\n\r\n", 400},
		{"many trailers", chunked + "0\r\n" + strings.Repeat("a:b\r\n", 100) + "\r\n", 431},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := exchange(t, addr, c.raw+"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
			if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", c.status)) {
				t.Errorf("got %q, want %d", got, c.status)
			}
			if strings.Count(got, "HTTP/1.1 ") != 1 || !strings.Contains(got, "Connection: close\r\n") {
				t.Errorf("the connection went on: %q", got)
			}
		})
	}
}

func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	addr := serve(t, &Server{Handler: echo})
	var raw strings.Builder
	for i := range 200 {
		fmt.Fprintf(&raw, "POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", i)
	}
	in := bufio.NewReader(strings.NewReader(exchange(t, addr, raw.String())))
	for i := range 200 {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if want := fmt.Sprintf("POST /%d host=x body=hi", i); string(body) != want {
			t.Fatalf("got %q, want %q", body, want)
		}
	}
}

func TestKeepAliveAndClose(t *testing.T) {
	addr := serve(t, &Server{Handler: echo})
	cases := []struct {
		name, raw string
		answers   int
	}{
		{"1.1 stays", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 2},
		{"1.1 closes", "GET / HTTP/1.1\r\nHost: x\r\nConnection: foo, Close\r\n\r\n", 1},
		{"1.0 closes", "GET / HTTP/1.0\r\n\r\n", 1},
		{"1.0 stays", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := exchange(t, addr, c.raw+c.raw)
			if n := strings.Count(got, "HTTP/1.1 200"); n != c.answers {
				t.Errorf("%d answers, want %d: %q", n, c.answers, got)
			}
		})
	}
}

func TestContinueIsSentOnlyWhenTheBodyIsRead(t *testing.T) {
	s := &Server{Handler: func(w *Response, r *Request) {
		if string(r.Target) == "/no" {
			w.Begin(403)
			w.Send(nil)
			return
		}
		echo(w, r)
	}}
	addr := serve(t, s)
	nc := dial(t, addr)
	in := bufio.NewReader(nc)
	io.WriteString(nc, "POST /yes HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	if line, _ := in.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q", line)
	}
	in.ReadString('\n')
	io.WriteString(nc, "hi")
	if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 200 {
		t.Fatalf("got %v, %v", res, err)
	}
	got := exchange(t, addr, "POST /no HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 403 ") {
		t.Errorf("got %q", got)
	}
}

func TestAnswersWithoutBody(t *testing.T) {
	addr := serve(t, &Server{Handler: func(w *Response, r *Request) {
		status := 200
		fmt.Sscanf(string(r.Target), "/%d", &status)
		w.Begin(status)
		w.Send([]byte("body"))
	}})
	cases := []struct{ method, target, length string }{
		{"HEAD", "/200", "Content-Length: 4\r\n"},
		{"GET", "/204", ""},
		{"GET", "/304", ""},
	}
	for _, c := range cases {
		got := exchange(t, addr, c.method+" "+c.target+" HTTP/1.1\r\nHost: x\r\n\r\n")
		if !strings.HasSuffix(got, "\r\n\r\n") {
			t.Errorf("%s %s has a body: %q", c.method, c.target, got)
		}
		if c.length != "" && !strings.Contains(got, c.length) || c.length == "" && strings.Contains(got, "Content-Length") {
			t.Errorf("%s %s: %q", c.method, c.target, got)
		}
	}
}

func TestHeaderRefusesWhatWouldBreakTheHead(t *testing.T) {
	addr := serve(t, &Server{Handler: func(w *Response, r *Request) {
		w.Begin(200)
		for _, f := range [][2]string{{"A", "b\r\nC: d"}, {"A b", "c"}, {"", "c"}, {"A", "\x00"},
			{"content-length", "9"}, {"Transfer-Encoding", "chunked"}, {"CONNECTION", "close"}} {
			if w.Header(f[0], f[1]) == nil {
				t.Errorf("%q: %q was taken", f[0], f[1])
			}
		}
		w.Send(nil)
	}})
	got := exchange(t, addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	head, _, _ := strings.Cut(got, "Date: ")
	if head != "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" {
		t.Errorf("got %q", got)
	}
}

func TestCloseWaitsForHandlers(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s := &Server{Handler: func(w *Response, r *Request) {
		close(entered)
		<-leave
		w.Begin(200)
		w.Send([]byte("done"))
	}}
	addr := serve(t, s)
	slow := dial(t, addr)
	idle := dial(t, addr)
	io.WriteString(slow, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-entered
	closed := make(chan error)
	go func() { closed <- s.Close(context.Background()) }()
	if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the idle connection: %v", err)
	}
	select {
	case err := <-closed:
		t.Fatalf("Close returned %v while a handler ran", err)
	default:
	}
	close(leave)
	answer, _ := io.ReadAll(slow)
	if !strings.Contains(string(answer), "Connection: close") || !strings.HasSuffix(string(answer), "done") {
		t.Errorf("got %q", answer)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestSlowClientsAreCutOff(t *testing.T) {
	cases := []struct{ name, first, drip, status string }{
		{"idle", "", "", ""},
		{"head", "GET / HTTP/1.1\r\nHost: x\r\nA: ", "a", "HTTP/1.1 408 "},
		{"body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n", "a", "HTTP/1.1 408 "},
		{"chunks", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", "HTTP/1.1 408 "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{Handler: echo, Logf: t.Errorf}
				here, there := net.Pipe()
				go s.ServeConn(there)
				var drips sync.WaitGroup
				defer drips.Wait()
				drips.Go(func() {
					io.WriteString(here, c.first)
					for c.drip != "" {
						time.Sleep(time.Second) // the fake clock's
						if _, err := io.WriteString(here, c.drip); err != nil {
							return
						}
					}
				})
				start := time.Now()
				answer, _ := io.ReadAll(here)
				if !strings.HasPrefix(string(answer), c.status) {
					t.Errorf("got %q, want %q", answer, c.status)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("it took %v", took)
				}
				here.Close()
			})
		})
	}
}

func TestFloodLeavesRoomForAGoodClient(t *testing.T) {
	const bound = 8
	s := &Server{Handler: echo, MaxConns: bound}
	addr := serve(t, s)
	for i := range 10 * bound {
		io.WriteString(dial(t, addr), "GET / HTTP/1.1\r\nHos")
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get("http://" + addr)
		if err != nil {
			t.Fatalf("flood of %d: %v", i, err)
		}
		res.Body.Close()
		if n := s.Conns(); n > bound {
			t.Fatalf("%d connections are open, the bound is %d", n, bound)
		}
	}
}

func TestPanicEndsOnlyItsConnection(t *testing.T) {
	told := make(chan struct{}, 1)
	addr := serve(t, &Server{
		Logf: func(string, ...any) { told <- struct{}{} },
		Handler: func(w *Response, r *Request) {
			if string(r.Target) == "/bad" {
				panic("a mistake")
			}
			echo(w, r)
		},
	})
	if got := exchange(t, addr, "GET /bad HTTP/1.1\r\nHost: x\r\n\r\n"); got != "" {
		t.Errorf("got %q", got)
	}
	<-told
	if got := exchange(t, addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200") {
		t.Errorf("got %q", got)
	}
}

func TestTLS(t *testing.T) {
	borrowed := httptest.NewTLSServer(nil) // for its certificate
	defer borrowed.Close()
	addr := serve(t, &Server{TLS: &tls.Config{Certificates: borrowed.TLS.Certificates}, Handler: func(w *Response, r *Request) {
		if secure := string(r.Target) == "/https"; secure != (r.TLS() != nil) {
			t.Errorf("%s: TLS is %v", r.Target, r.TLS())
		}
		echo(w, r)
	}})
	for _, scheme := range []string{"https", "http", "https", "http"} {
		res, err := borrowed.Client().Post(scheme+"://"+addr+"/"+scheme, "text/plain", strings.NewReader("hi"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !strings.HasSuffix(string(body), "body=hi") {
			t.Errorf("got %q", body)
		}
	}
}

func FuzzServer(f *testing.F) {
	f.Add([]byte("GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.0\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &Server{Handler: echo, Logf: t.Errorf, MaxHeaderBytes: 8192}
		nc := &scripted{in: data}
		s.ServeConn(nc)
		in := bufio.NewReader(strings.NewReader(string(nc.out)))
		for { // whatever came in, what goes out are whole answers
			if _, err := in.Peek(1); err == io.EOF {
				return
			}
			res, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatalf("%v in %q", err, nc.out)
			}
			if res.StatusCode == 100 || strings.HasPrefix(string(data), "HEAD") || strings.Contains(string(data), "\nHEAD") {
				return // the reader cannot tell which request was HEAD
			}
			if _, err := io.Copy(io.Discard, res.Body); err != nil {
				t.Fatalf("%v in %q", err, nc.out)
			}
		}
	})
}

// scripted is a connection whose client has said everything at once.
type scripted struct {
	net.Conn
	in, out []byte
}

func (s *scripted) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.in)
	s.in = s.in[n:]
	return n, nil
}
func (s *scripted) Write(p []byte) (int, error)      { s.out = append(s.out, p...); return len(p), nil }
func (s *scripted) Close() error                     { return nil }
func (s *scripted) SetReadDeadline(time.Time) error  { return nil }
func (s *scripted) SetWriteDeadline(time.Time) error { return nil }
