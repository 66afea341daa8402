package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/need"
	"golang.org/x/net/websocket"
)

// stops attaches to the debugger that .vscode/launch.json names, sets a
// breakpoint, asks for a path of the API, wants the function to stop there, lets
// it go on, and prints the answer: stops FILE:LINE OUTPUTS PATH.
func stops(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: stops FILE:LINE OUTPUTS PATH")
	}
	file, number, _ := strings.Cut(args[0], ":")
	line, err := strconv.Atoi(number)
	ts.Check(err)
	var launch struct {
		Configurations []struct {
			Type, Host, Address string
			Port                int
			Connect             struct{ Port int }
			PathMappings        []map[string]string
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(".vscode/launch.json")), &launch))
	c := launch.Configurations[0]
	var outputs config.Outputs
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &outputs))
	var page string
	for _, stack := range outputs {
		page = stack["ApiEndpoint"] + args[2]
	}
	at := breakpoint{file: ts.MkAbs(file), line: line}
	var session func(breakpoint, func()) error
	switch c.Type {
	case "go":
		session = dap(c.Port, map[string]any{"mode": "remote"})
	case "debugpy":
		for _, mapping := range c.PathMappings {
			mapping["localRoot"] = strings.Replace(mapping["localRoot"], "${workspaceFolder}", ts.MkAbs("."), 1)
		}
		session = dap(c.Connect.Port, map[string]any{"pathMappings": c.PathMappings, "justMyCode": false})
	default:
		session = inspector(c.Port)
	}
	answer := make(chan string, 1)
	ts.Check(session(at, func() { go ask(page, answer) }))
	fmt.Fprintln(ts.Stdout(), <-answer)
}

// ask gets a page.
func ask(page string, answer chan<- string) {
	resp, err := http.Get(page)
	if err != nil {
		answer <- err.Error()
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	answer <- fmt.Sprintf("%d %s %v", resp.StatusCode, body, err)
}

type breakpoint struct {
	file string
	line int
}

// debugTime is how long a session of a test may take, on a machine that has much
// else to do.
const debugTime = 4 * time.Minute

// hold stands at a breakpoint for longer than the function may take otherwise,
// which is three seconds: after the debugger has left it has so long to answer on
// a machine that has much else to do.
func hold() { <-time.After(4 * time.Second) }

// dial connects to a debugger as soon as it listens.
func dial(port int) (net.Conn, error) {
	deadline := time.Now().Add(debugTime)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return conn, conn.SetDeadline(deadline)
		}
		if time.Now().After(deadline) {
			return nil, err
		}
		<-tick.C
	}
}

// A dapClient speaks the Debug Adapter Protocol.
// https://microsoft.github.io/debug-adapter-protocol/specification
type dapClient struct {
	conn io.ReadWriter
	in   *bufio.Reader
	seq  int
	seen []dapMessage // events that nobody has waited for yet
}

type dapMessage struct {
	Type, Event, Command, Message string
	RequestSeq                    int `json:"request_seq"`
	Success                       bool
	Body                          json.RawMessage
}

func (c *dapClient) send(command string, arguments any) error {
	c.seq++
	data, err := json.Marshal(map[string]any{"seq": c.seq, "type": "request", "command": command, "arguments": arguments})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.conn, "Content-Length: %d\r\n\r\n%s", len(data), data)
	return err
}

func (c *dapClient) read() (dapMessage, error) {
	var m dapMessage
	header, err := textproto.NewReader(c.in).ReadMIMEHeader()
	if err != nil {
		return m, err
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		return m, err
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(c.in, data); err != nil {
		return m, err
	}
	return m, json.Unmarshal(data, &m)
}

// event waits for an event.
func (c *dapClient) event(name string) (dapMessage, error) {
	if i := slices.IndexFunc(c.seen, func(m dapMessage) bool { return m.Event == name }); i >= 0 {
		m := c.seen[i]
		c.seen = slices.Delete(c.seen, i, i+1)
		return m, nil
	}
	for {
		m, err := c.read()
		if err != nil || m.Event == name {
			return m, err
		}
		if m.Type == "event" {
			c.seen = append(c.seen, m)
		}
	}
}

// call sends a request and waits for its answer.
func (c *dapClient) call(command string, arguments, out any) error {
	if err := c.send(command, arguments); err != nil {
		return err
	}
	seq := c.seq
	for {
		m, err := c.read()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", command, err)
		case m.Type == "event":
			c.seen = append(c.seen, m)
		case m.RequestSeq != seq:
		case !m.Success:
			return fmt.Errorf("%s: %s %s", command, m.Message, m.Body)
		case out == nil:
			return nil
		default:
			return json.Unmarshal(m.Body, out)
		}
	}
}

// dap debugs by the Debug Adapter Protocol, as Visual Studio Code does with Go
// and Python.
func dap(port int, attach map[string]any) func(breakpoint, func()) error {
	return func(at breakpoint, request func()) error {
		conn, err := dial(port)
		if err != nil {
			return err
		}
		defer conn.Close()
		c := &dapClient{conn: conn, in: bufio.NewReader(conn)}
		if err := c.call("initialize", map[string]any{"adapterID": "test", "pathFormat": "path", "linesStartAt1": true}, nil); err != nil {
			return err
		}
		if err := c.send("attach", attach); err != nil { // it is answered when all is configured
			return err
		}
		if _, err := c.event("initialized"); err != nil {
			return err
		}
		var set struct{ Breakpoints []struct{ Verified bool } }
		err = c.call("setBreakpoints", map[string]any{"source": map[string]string{"path": at.file}, "breakpoints": []map[string]int{{"line": at.line}}}, &set)
		if err != nil || len(set.Breakpoints) != 1 || !set.Breakpoints[0].Verified {
			return fmt.Errorf("the breakpoint is not taken: %+v, %v", set, err)
		}
		if err := c.call("configurationDone", nil, nil); err != nil {
			return err
		}
		request()
		return c.stopped(at)
	}
}

// stopped waits until the function stands at the breakpoint, and lets it go on.
func (c *dapClient) stopped(at breakpoint) error {
	event, err := c.event("stopped")
	if err != nil {
		return err
	}
	var where struct{ ThreadID int }
	if err := json.Unmarshal(event.Body, &where); err != nil {
		return err
	}
	var stack struct {
		StackFrames []struct {
			Line   int
			Source struct{ Path string }
		}
	}
	if err := c.call("stackTrace", map[string]int{"threadId": where.ThreadID, "levels": 1}, &stack); err != nil {
		return err
	}
	if len(stack.StackFrames) == 0 || stack.StackFrames[0].Line != at.line || stack.StackFrames[0].Source.Path != at.file {
		return fmt.Errorf("it stops at %+v", stack)
	}
	hold()
	if err := c.call("setBreakpoints", map[string]any{"source": map[string]string{"path": at.file}}, nil); err != nil {
		return err
	}
	if err := c.call("continue", map[string]int{"threadId": where.ThreadID}, nil); err != nil {
		return err
	}
	return c.call("disconnect", map[string]bool{"terminateDebuggee": false}, nil)
}

// inspector debugs Node.js by the Chrome DevTools Protocol.
// https://chromedevtools.github.io/devtools-protocol/v8/Debugger/
func inspector(port int) func(breakpoint, func()) error {
	return func(at breakpoint, request func()) error {
		conn, err := dial(port)
		if err != nil {
			return err
		}
		conn.Close()
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/json/list", port))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		var targets []struct{ WebSocketDebuggerURL string }
		if err := json.NewDecoder(resp.Body).Decode(&targets); err != nil || len(targets) == 0 {
			return fmt.Errorf("nothing is to be debugged: %v", err)
		}
		socket, err := websocket.Dial(targets[0].WebSocketDebuggerURL, "", "http://127.0.0.1")
		if err != nil {
			return err
		}
		defer socket.Close()
		if err := socket.SetDeadline(time.Now().Add(debugTime)); err != nil {
			return err
		}
		return (&cdpClient{conn: socket}).debug(at, request)
	}
}

type cdpClient struct {
	conn *websocket.Conn
	id   int
}

type cdpMessage struct {
	ID     int
	Method string
	Params struct {
		URL, SourceMapURL, ScriptID string
		CallFrames                  []struct {
			Location struct {
				LineNumber int
				ScriptID   string
			}
		}
	}
	Error *struct{ Message string }
}

func (c *cdpClient) send(method string, params any) error {
	c.id++
	return websocket.JSON.Send(c.conn, map[string]any{"id": c.id, "method": method, "params": params})
}

// until reads messages until one is the wanted one.
func (c *cdpClient) until(wanted func(*cdpMessage) bool) (*cdpMessage, error) {
	for {
		var m cdpMessage
		if err := websocket.JSON.Receive(c.conn, &m); err != nil {
			return nil, err
		}
		if m.Error != nil {
			return nil, errors.New(m.Error.Message)
		}
		if wanted(&m) {
			return &m, nil
		}
	}
}

func (c *cdpClient) debug(at breakpoint, request func()) error {
	if err := c.send("Debugger.enable", struct{}{}); err != nil {
		return err
	}
	// The function's code is loaded already, or with the first call.
	generated := -1
	var script string
	find := func(m *cdpMessage) bool {
		if m.Method != "Debugger.scriptParsed" || m.Params.SourceMapURL == "" {
			return false
		}
		if line, err := mapped(m.Params.URL, m.Params.SourceMapURL, at); err == nil {
			generated, script = line, m.Params.URL
		}
		return generated >= 0
	}
	if _, err := c.until(find); err != nil {
		return err
	}
	if err := c.send("Debugger.setBreakpointByUrl", map[string]any{"url": script, "lineNumber": generated}); err != nil {
		return err
	}
	set := c.id
	if _, err := c.until(func(m *cdpMessage) bool { return m.ID == set }); err != nil {
		return err
	}
	request()
	paused, err := c.until(func(m *cdpMessage) bool { return m.Method == "Debugger.paused" })
	if err != nil {
		return err
	}
	if len(paused.Params.CallFrames) == 0 || paused.Params.CallFrames[0].Location.LineNumber != generated {
		return fmt.Errorf("it stops at %+v", paused.Params)
	}
	hold()
	if err := c.send("Debugger.disable", struct{}{}); err != nil {
		return err
	}
	disabled := c.id
	_, err = c.until(func(m *cdpMessage) bool { return m.ID == disabled })
	return err
}

// mapped returns the generated line, from 0, of a source's line by a script's
// source map ("ECMA-426, Source map format").
func mapped(script, sourceMap string, at breakpoint) (int, error) {
	text, err := readMap(script, sourceMap)
	if err != nil {
		return 0, err
	}
	var m struct {
		Sources              []string
		SourceRoot, Mappings string
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return 0, err
	}
	source := slices.IndexFunc(m.Sources, func(name string) bool {
		name = strings.TrimPrefix(m.SourceRoot+name, "file://")
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(strings.TrimPrefix(script, "file://")), name)
		}
		return name == at.file
	})
	if source < 0 {
		return 0, errors.New("the map does not name the source")
	}
	var file, line int
	for number, group := range strings.Split(m.Mappings, ";") {
		for _, segment := range strings.Split(group, ",") {
			fields := vlq(segment)
			if len(fields) < 4 {
				continue
			}
			file, line = file+fields[1], line+fields[2]
			if file == source && line == at.line-1 {
				return number, nil
			}
		}
	}
	return 0, errors.New("the map does not name the line")
}

func readMap(script, sourceMap string) ([]byte, error) {
	if _, data, inline := strings.Cut(sourceMap, "base64,"); inline {
		return base64.StdEncoding.DecodeString(data)
	}
	file := strings.TrimPrefix(script, "file://")
	return os.ReadFile(filepath.Join(filepath.Dir(file), filepath.Base(sourceMap)))
}

// vlq decodes numbers of base64 digits with a continuation bit.
func vlq(segment string) []int {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var all []int
	value, shift := 0, 0
	for _, r := range segment {
		digit := strings.IndexRune(digits, r)
		value |= digit & 31 << shift
		shift += 5
		if digit&32 != 0 {
			continue
		}
		sign := 1 - 2*(value&1)
		all = append(all, sign*(value>>1))
		value, shift = 0, 0
	}
	return all
}

// TestDebug attaches a debugger of each language to a function.
func TestDebug(t *testing.T) {
	bin := filepath.Join(need.Tools(t), "bin")
	venv := filepath.Dir(need.Tool(t, "debugpy"))
	need.Tool(t, "dlv")
	need.Tool(t, "node")
	path := bin + string(os.PathListSeparator) + venv + string(os.PathListSeparator) + os.Getenv("PATH")
	runScripts(t, "testdata/debug", map[string]string{"DEBUGPATH": path})
}
