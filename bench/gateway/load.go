package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// result is what one round measured.
type result struct {
	requests int
	took     time.Duration
	median   time.Duration
	p99      time.Duration
}

func (r result) perSecond() float64 { return float64(r.requests) / r.took.Seconds() }

// load sends requests over that many connections for that long. next returns the
// bytes of a request.
func load(addr string, connections int, d time.Duration, next func() []byte) (result, error) {
	var mu sync.Mutex
	var all []time.Duration
	var failed error
	var group sync.WaitGroup
	begun := time.Now()
	for range connections {
		group.Go(func() {
			times, err := client(addr, begun.Add(d), next)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, times...)
			failed = errors.Join(failed, err)
		})
	}
	group.Wait()
	r := result{requests: len(all), took: time.Since(begun)}
	if len(all) > 0 {
		slices.Sort(all)
		r.median, r.p99 = all[len(all)/2], all[len(all)*99/100]
	}
	return r, failed
}

// client is one connection, one request at a time. It does as little as it can,
// because it runs on the processors that are being measured.
func client(addr string, until time.Time, next func() []byte) ([]time.Duration, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	in := bufio.NewReaderSize(nc, 8<<10)
	var times []time.Duration
	for {
		start := time.Now()
		if start.After(until) {
			return times, nil
		}
		if _, err := nc.Write(next()); err != nil {
			return times, err
		}
		if err := readAnswer(in); err != nil {
			return times, err
		}
		times = append(times, time.Since(start))
	}
}

// readAnswer reads an answer with a Content-Length, which must be a 200.
func readAnswer(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the answer is %q", line)
	}
	length := -1
	for {
		if line, err = in.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		if http.CanonicalHeaderKey(string(name)) == "Content-Length" {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("the answer has no Content-Length")
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return err
}
