package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// naive is the gateway that one writes first: net/http in front, net/http as the
// Runtime API, encoding/json for the events, and no check of anything.
type naive struct {
	calls   chan *invocation
	pending sync.Map // id → *invocation
	next    atomic.Int64
}

type invocation struct {
	id      string
	payload []byte
	answer  chan []byte
}

// startNaive serves with that many processes of the function and returns its URL.
func startNaive(ctx context.Context, function string, environments int) (string, error) {
	n := &naive{calls: make(chan *invocation)}
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", n.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", n.serveResponse)
	go http.Serve(api, mux)
	for range environments {
		cmd := exec.CommandContext(ctx, function)
		cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+api.Addr().String(), "_HANDLER=bootstrap")
		if err := cmd.Start(); err != nil {
			return "", err
		}
		go cmd.Wait()
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go http.Serve(front, http.HandlerFunc(n.serve))
	return "http://" + front.Addr().String(), nil
}

func (n *naive) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case i := <-n.calls:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(30*time.Second).UnixMilli(), 10))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:f")
		w.Header().Set("Content-Type", "application/json")
		w.Write(i.payload)
	case <-r.Context().Done():
	}
}

func (n *naive) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if i, ok := n.pending.LoadAndDelete(r.PathValue("id")); ok {
		i.(*invocation).answer <- body
	}
	w.WriteHeader(http.StatusAccepted)
}

// serve answers one request of a client.
func (n *naive) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	event := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "$default", RawPath: r.URL.Path, RawQueryString: r.URL.RawQuery,
		Headers: map[string]string{}, QueryStringParameters: map[string]string{}, Body: string(body),
	}
	for name, values := range r.Header {
		event.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	for name, values := range r.URL.Query() {
		event.QueryStringParameters[name] = strings.Join(values, ",")
	}
	now := time.Now()
	event.RequestContext = events.APIGatewayV2HTTPRequestContext{
		AccountID: "123456789012", APIID: "a", DomainName: r.Host, Stage: "$default", RouteKey: "$default",
		RequestID: strconv.FormatInt(n.next.Add(1), 36), Time: now.Format("02/Jan/2006:15:04:05 -0700"), TimeEpoch: now.UnixMilli(),
		HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
			Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: r.RemoteAddr, UserAgent: r.UserAgent()},
	}
	payload, _ := json.Marshal(event)
	i := &invocation{id: event.RequestContext.RequestID, payload: payload, answer: make(chan []byte, 1)}
	n.pending.Store(i.id, i)
	n.calls <- i
	var answer events.APIGatewayV2HTTPResponse
	if json.Unmarshal(<-i.answer, &answer) != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	w.WriteHeader(answer.StatusCode)
	io.WriteString(w, answer.Body)
}
