package session

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
)

// typed is standard input as long as ctx lasts: a ctrl-C ends the wait for
// somebody who types.
type typed struct {
	ctx context.Context
	in  io.Reader
}

// Typed returns standard input, which ends when ctx does.
func (s *Session) Typed(ctx context.Context) io.Reader { return typed{ctx, s.In} }

// Read reads. What is under way when ctx ends is left to the end of the program.
func (t typed) Read(p []byte) (int, error) {
	data, err := Await(t.ctx, func() ([]byte, error) {
		own := make([]byte, len(p))
		n, err := t.in.Read(own)
		return own[:n], err
	})
	return copy(p, data), err
}

// Await waits until read returns, or ctx ends.
func Await[T any](ctx context.Context, read func() (T, error)) (T, error) {
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

// ReadAll reads a text to its end.
func ReadAll(r io.Reader) (string, error) {
	data, err := io.ReadAll(r)
	return string(data), err
}

// ReadLine reads one line without its end.
func ReadLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(r).ReadString('\n')
	if line != "" {
		err = nil
	}
	return strings.TrimSpace(line), err
}

// Argument returns a value as it stands, or with @ the content of a file, or of
// standard input.
func (s *Session) Argument(ctx context.Context, value string) (string, error) {
	name, isFile := strings.CutPrefix(value, "@")
	if !isFile {
		return value, nil
	}
	if name == "-" {
		return ReadAll(s.Typed(ctx))
	}
	data, err := os.ReadFile(name)
	return string(data), err
}
