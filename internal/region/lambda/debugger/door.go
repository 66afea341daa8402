package debugger

import (
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// maxConnections is how many connections of debuggers there may be at once.
const maxConnections = 32

// Debugger debugs one function, through one port.
type Debugger struct {
	config   Config
	listener net.Listener
	ctx      context.Context // ends with Close
	end      context.CancelFunc
	serving  sync.WaitGroup

	mu          sync.Mutex
	current     *process      // runs and can be attached to; nil: none
	changed     chan struct{} // closed when current changes
	attached    int           // connections that reach a process
	connections int
}

// process is the processes of one version of the function, of which there is one
// at a time.
type process struct {
	debugger *Debugger
	addr     string // of the language's own debugger
}

var _ environment.Debug = (*process)(nil)

// Listen opens the port that debuggers attach to. The error names the port where
// it is taken. The caller closes the debugger.
func Listen(config Config) (*Debugger, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(config.Port))
	if err != nil {
		return nil, err
	}
	d := &Debugger{config: config, listener: listener, changed: make(chan struct{})}
	d.ctx, d.end = context.WithCancel(context.Background())
	d.serving.Go(d.serve)
	return d, nil
}

// Addr is where debuggers attach: 127.0.0.1 and the port.
func (d *Debugger) Addr() string { return d.listener.Addr().String() }

// Port is the port of Addr.
func (d *Debugger) Port() int { return d.listener.Addr().(*net.TCPAddr).Port }

// Close ends all connections and waits for them.
func (d *Debugger) Close() error {
	err := d.listener.Close()
	d.end()
	d.serving.Wait()
	return err
}

// HoldsFunction says whether a debugger holds a function, by its ARN with or
// without a qualifier: then what waits for its answer waits on.
func (d *Debugger) HoldsFunction(arn string) bool {
	parts := strings.SplitN(arn, ":", 8)
	return len(parts) > 6 && d.means(parts[6]) && d.holds()
}

// holds is true while a debugger is attached, and while the function starts.
func (d *Debugger) holds() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.attached > 0 || d.current == nil
}

// Holds implements environment.Debug.
func (p *process) Holds() bool { return p.debugger.holds() }

// Ready implements environment.Debug: connections may come.
func (p *process) Ready() { p.debugger.replace(nil, p) }

// Ended implements environment.Debug.
func (p *process) Ended() { p.debugger.replace(p, nil) }

// replace makes next the process that connections reach, if it was old; a nil old
// stands for any.
func (d *Debugger) replace(old, next *process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old != nil && d.current != old {
		return
	}
	d.current = next
	close(d.changed)
	d.changed = make(chan struct{})
}

// running waits for a process; nil after Close.
func (d *Debugger) running() *process {
	for {
		d.mu.Lock()
		p, changed := d.current, d.changed
		d.mu.Unlock()
		if p != nil {
			return p
		}
		select {
		case <-changed:
		case <-d.ctx.Done():
			return nil
		}
	}
}

func (d *Debugger) serve() {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return // it is closed
		}
		d.mu.Lock()
		full := d.connections == maxConnections
		if !full {
			d.connections++
		}
		d.mu.Unlock()
		if full {
			conn.Close()
			continue
		}
		d.serving.Go(func() { d.forward(conn) })
	}
}

// forward joins a debugger with the function's process, as soon as that runs.
func (d *Debugger) forward(client net.Conn) {
	defer d.count(&d.connections, -1)
	defer client.Close()
	p := d.running()
	if p == nil {
		return
	}
	server, err := (&net.Dialer{}).DialContext(d.ctx, "tcp", p.addr)
	if err != nil {
		return // it has just ended
	}
	d.count(&d.attached, 1)
	defer d.count(&d.attached, -1)
	both := func() { client.Close(); server.Close() }
	defer context.AfterFunc(d.ctx, both)()
	var copying sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		copying.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // whoever ends it, it is over
			both()
		})
	}
	copying.Wait()
}

func (d *Debugger) count(what *int, change int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*what += change
}
