package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/cors"
	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/throttle"
)

// listen serves the API a1 on loopback and returns its address and server.
func listen(t *testing.T, g *Gateway, bound int) (string, *http1.Server) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http1.Server{Handler: g.HandlerFor("a1"), MaxHeaderBytes: MaxHeaderBytes, MaxConns: bound, Logf: t.Errorf}
	go s.Serve(l)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String(), s
}

// send writes raw bytes and returns all that comes back.
func send(t *testing.T, addr, raw string) string {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	go func() {
		io.WriteString(nc, raw)
		nc.(*net.TCPConn).CloseWrite()
	}()
	out, err := io.ReadAll(nc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestOnTheWire(t *testing.T) {
	w := &world{}
	g := w.gateway(t)
	put(t, g, one(definition.Route{Key: "ANY /{p+}", Integration: lambda("2.0")}))
	addr, _ := listen(t, g, 0)
	cases := []struct{ name, raw, head, body string }{
		{"plain", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nApigw-Requestid: ", "hi"},
		{"HEAD", "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n", ""},
		{"chunked body", "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\n", "hi"},
		{"no route", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n", `{"message":"Not Found"}`},
		{"headers over the limit", "GET /a HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 11000) + "\r\n\r\n", "HTTP/1.1 431 ", `{"message":"Request Header Fields Too Large"}`},
		{"headers over all limits", "GET /a HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 40000) + "\r\n\r\n", "HTTP/1.1 431 ", `{"message":"Request Header Fields Too Large"}`},
		{"body announced over the limit", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n", "HTTP/1.1 413 ", `{"message":"Request Entity Too Large"}`},
		{"smuggled", "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 400 ", `{"message":"Bad Request"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := send(t, addr, c.raw)
			if !strings.HasPrefix(got, c.head) || !strings.HasSuffix(got, "\r\n\r\n"+c.body) {
				t.Errorf("got %q", got)
			}
		})
	}
	send(t, addr, "GET /a HTTP/1.0\r\n\r\n")
	if v := at(w.decoded(t), "requestContext", "http", "protocol"); v != "HTTP/1.0" {
		t.Errorf("protocol %v", v)
	}
}

// TestGoodClientAmongBadOnes keeps a good client going while others drip, flood,
// pipeline and send too much.
func TestGoodClientAmongBadOnes(t *testing.T) {
	const bound = 256
	w := &world{}
	rate, burst := 1e9, 1_000_000_000
	g := w.gateway(t, func(c *Config) { c.AccountThrottle = throttle.Limit{Rate: &rate, Burst: &burst} }) // not what is tested here
	put(t, g, one(definition.Route{Key: "$default", Integration: lambda("2.0")}))
	addr, server := listen(t, g, bound)
	bad := []string{
		"GET / HTTP/1.1\r\nHo",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\nslow",
		"",
		strings.Repeat("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 50),
		"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 40000),
	}
	var group sync.WaitGroup
	stop := make(chan struct{})
	for _, raw := range bad {
		group.Go(func() {
			for range 3 * bound {
				nc, err := net.Dial("tcp", addr)
				if err != nil {
					continue
				}
				defer nc.Close() // all at the end: they are held
				io.WriteString(nc, raw)
				select {
				case <-stop:
					return
				default:
				}
			}
			<-stop
		})
	}
	// On a busy machine the good client's connection may be the oldest silent one
	// when room is made. Then it tries again, as clients do.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	for i := range 40 {
		served := false
		for range 100 {
			if served = hi(client, addr); served {
				break
			}
		}
		if !served {
			t.Errorf("request %d of the good client was never served", i)
		}
		if n := server.Conns(); n > bound {
			t.Fatalf("%d connections are open, the bound is %d", n, bound)
		}
	}
	close(stop)
	group.Wait()
}

// hi reports whether a request was answered as it should be.
func hi(client *http.Client, addr string) bool {
	response, err := client.Get("http://" + addr)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return err == nil && response.StatusCode == 200 && string(body) == "hi"
}

func FuzzGateway(f *testing.F) {
	f.Add([]byte("GET /dev/a%20b?c=d HTTP/1.1\r\nHost: x\r\nCookie: a\r\n\r\n"))
	f.Add([]byte("OPTIONS * HTTP/1.1\r\nHost: x\r\nOrigin: https://a.test\r\nAccess-Control-Request-Method: GET\r\n\r\n"))
	f.Add([]byte("POST /iam/x HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e\r\nContent-Length: 2\r\n\r\nhi"))
	w := &world{policy: `{"Version":"2012-10-17","Statement":[]}`}
	g := w.gateway(f)
	a := one(definition.Route{Key: "$default", Integration: lambda("2.0")}, definition.Route{Key: "ANY /one/{p+}", Integration: lambda("1.0")},
		definition.Route{Key: "ANY /iam/{p+}", AuthorizationType: definition.AuthorizationIAM, Integration: lambda("2.0")})
	crossOrigin(cors.Config{AllowOrigins: []string{"https://a.test"}})(&a)
	put(f, g, a)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &http1.Server{Handler: g.HandlerFor("a1"), Logf: t.Errorf, MaxHeaderBytes: MaxHeaderBytes}
		nc := &script{in: data}
		s.ServeConn(nc)
		if len(nc.out) > 0 && !bytes.HasPrefix(nc.out, []byte("HTTP/1.1 ")) {
			t.Errorf("the answer begins with %.40q", nc.out)
		}
		if w.event != nil && !json.Valid(w.event) {
			t.Errorf("the event is not JSON: %s", w.event)
		}
	})
}

// script is a connection whose client has said everything at once.
type script struct {
	net.Conn
	in, out []byte
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.in)
	s.in = s.in[n:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	s.out = append(s.out, p...)
	return len(p), nil
}

func (s *script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 999} }
func (s *script) Close() error                     { return nil }
func (s *script) SetReadDeadline(time.Time) error  { return nil }
func (s *script) SetWriteDeadline(time.Time) error { return nil }
