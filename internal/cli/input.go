package cli

import (
	"context"
	"io"
)

// typed is standard input as long as ctx lasts: a ctrl-C ends the wait for
// somebody who types.
type typed struct {
	ctx context.Context
	in  io.Reader
}

func (s *session) typed(ctx context.Context) io.Reader { return typed{ctx, s.in} }

// Read reads. What is under way when ctx ends is left to the end of the program.
func (t typed) Read(p []byte) (int, error) {
	data, err := await(t.ctx, func() ([]byte, error) {
		own := make([]byte, len(p))
		n, err := t.in.Read(own)
		return own[:n], err
	})
	return copy(p, data), err
}

// await waits until read returns, or ctx ends.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
