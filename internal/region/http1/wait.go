package http1

import (
	"context"
	"io"
	"sync/atomic"
	"time"
)

// detachment is an answer that another goroutine will give. Its state is
// decided once: the answer is begun, or the client (or the server) has gone.
type detachment struct {
	state atomic.Int32
	sent  chan struct{} // one message: the answer is out, or there will be none
	gone  func()
}

const (
	pending int32 = iota
	taken
	gone
)

func (d *detachment) take() bool { return d.state.CompareAndSwap(pending, taken) }

func (d *detachment) leave() bool { return d.state.CompareAndSwap(pending, gone) }

func (d *detachment) signal() {
	select {
	case d.sent <- struct{}{}:
	default:
	}
}

// Detach lets the handler return before the answer is known: any goroutine may
// later answer by Begin and Send (or Stream and Close) on w. Until it begins to, gone
// is called if the client goes away or the server closes; then Send returns ErrGone.
// gone may be called before Detach returns to its caller's caller, from another
// goroutine, and never more than once. After Detach the request's slices are no longer valid.
func (w *Response) Detach(whenGone func()) error {
	if w.sent || w.stream.open {
		return ErrSent
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(&w.conn.req.body, drainedBytes)); err != nil {
		return err
	}
	if !w.conn.req.body.ended {
		return refusal(413, "the body is too large")
	}
	d := &w.detach
	if d.sent == nil {
		d.sent = make(chan struct{}, 1)
	}
	d.gone = whenGone
	d.state.Store(pending)
	w.began = false
	w.detached = d
	w.conn.longPoll.Store(d)
	return nil
}

// awaitDetached reads on, which is how the client's leaving is noticed, until the
// answer is out. It reports whether the connection can serve another request.
func (c *conn) awaitDetached() bool {
	d := &c.res.detach
	defer c.longPoll.Store(nil)
	c.shift()
	if c.srv.closing.Load() && d.leave() {
		d.gone()
		return false
	}
	if c.r == c.w {
		if !c.deadline.IsZero() {
			c.setDeadline(time.Time{})
		}
		if _, err := c.fill(); err != nil && d.leave() {
			d.gone()
			return false
		}
	}
	<-d.sent
	if d.state.Load() == gone {
		d.gone()
		return false
	}
	return c.works() && !c.res.close
}

// cancel ends what waits on the connection when the server closes.
func (c *conn) cancel() {
	if w := c.watching.Load(); w != nil {
		w.cancel()
	}
	if d := c.longPoll.Load(); d != nil && d.leave() {
		d.signal()
		c.nc.Close()
	}
}

// watcher reads ahead one buffer while a handler works.
type watcher struct {
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}
}

// watch starts to watch for the client's leaving, if the input allows.
func (c *conn) watch() context.Context {
	if w := c.watching.Load(); w != nil {
		return w.ctx
	}
	w := &watcher{}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	c.watching.Store(w)
	if c.srv.closing.Load() {
		w.cancel()
	}
	if c.req.body.ended && c.r == c.w {
		w.ended = make(chan struct{})
		c.setDeadline(time.Time{})
		if c.w == len(c.buf) {
			c.grow(c.w + bodyWindow)
		}
		go func() {
			defer close(w.ended)
			n, err := c.nc.Read(c.buf[c.w:])
			c.w += n
			if n == 0 && err != nil {
				w.cancel()
			}
		}()
	}
	return w.ctx
}

// unwatch ends the watch and leaves what it read in the buffer.
func (c *conn) unwatch() {
	w := c.watching.Load()
	if w == nil {
		return
	}
	c.watching.Store(nil)
	if w.ended != nil {
		c.setDeadline(time.Unix(1, 0))
		<-w.ended
		c.setDeadline(time.Time{})
	}
	w.cancel()
}
