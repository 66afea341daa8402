// Package process is what execution environments need of processes: the reading
// of what they write, and runtimes that are started ahead of the function that
// they will run.
//
//	out, err := process.NewOutput(pipe, process.Lines(log), log)
//	go out.Follow()
//	out.Drain() // what was written before now has been logged
//
//	ahead := process.NewAhead(process.Config{Delay: 200 * time.Millisecond, …})
//	ahead.Prepare(command, dir)      // in a while one process waits
//	w := ahead.Take(command)         // nil where none does
//	err = w.Tell(taskRoot, variables) // now it is that function's
//	ahead.Close()
package process

import (
	"bytes"
	"encoding/binary"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxLine bounds a log event in bytes (CloudWatch Logs: 256 KiB for a message).
const maxLine = 256 << 10

// Output reads what a function writes to one of its pipes. A goroutine waits
// for data; Drain takes at once what has been written so far, so that a line
// which the function wrote before it answered is logged before END.
type Output struct {
	file  *os.File
	raw   syscall.RawConn
	split func(data []byte) (rest []byte) // hands on whole messages
	rest  func(message string)            // takes a line without an end; nil: none do

	mu    sync.Mutex
	buf   []byte // read and not yet split
	ended bool
	read  func(fd uintptr) // bound once, to save the closure for each call
}

// NewOutput reads from the end of a pipe. split is given what has come and returns
// what of it is not a whole message yet.
func NewOutput(file *os.File, split func([]byte) []byte, rest func(string)) (*Output, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, err
	}
	o := &Output{file: file, raw: raw, split: split, rest: rest}
	o.read = func(fd uintptr) { o.take(int(fd)) }
	return o, nil
}

// Follow reads until the last writer has closed its end.
func (o *Output) Follow() {
	_ = o.raw.Read(func(fd uintptr) bool { return o.take(int(fd)) })
	o.file.Close()
}

// Drain reads what is there, and hands on a line without an end as it is.
func (o *Output) Drain() {
	_ = o.raw.Control(o.read)
	if o.rest == nil {
		return
	}
	o.mu.Lock()
	if len(o.buf) > 0 {
		o.rest(string(o.buf))
		o.buf = o.buf[:0]
	}
	o.mu.Unlock()
}

// take reads until nothing is there and returns whether the pipe has ended.
func (o *Output) take(fd int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.ended {
		if cap(o.buf)-len(o.buf) < 1024 {
			o.buf = append(make([]byte, 0, 2*cap(o.buf)+4096), o.buf...)
		}
		n, err := syscall.Read(fd, o.buf[len(o.buf):cap(o.buf)])
		switch {
		case n > 0:
			o.buf = o.buf[:len(o.buf)+n]
			o.keep(o.split(o.buf))
			if len(o.buf) < cap(o.buf)/2 && n < 1024 {
				return false // a short read: the pipe is empty now
			}
		case err == syscall.EAGAIN:
			return false
		case err == syscall.EINTR:
		default:
			o.ended = true
			if len(o.buf) > 0 {
				o.split(append(o.buf, '\n'))
			}
		}
	}
	return true
}

// Close stops the reading.
func (o *Output) Close() error { return o.file.Close() }

// keep moves what split left to the beginning of the buffer.
func (o *Output) keep(rest []byte) {
	n := copy(o.buf, rest)
	o.buf = o.buf[:n]
}

// Lines hands on each line with its line break.
func Lines(emit func(message string)) func([]byte) []byte {
	return func(data []byte) []byte {
		for {
			at := bytes.IndexByte(data, '\n')
			if at < 0 {
				if len(data) > maxLine {
					emit(string(data))
					return nil
				}
				return data
			}
			emit(string(data[:at+1]))
			data = data[at+1:]
		}
	}
}

// Frames hands on the messages of the framed log of managed runtimes
// (_LAMBDA_TELEMETRY_LOG_FD): four bytes of type that begin with A5 5A, four of
// length, eight of time in microseconds, then the message. Such a message may
// have several lines. Bytes that are no frame are dropped.
func Frames(emit func(at time.Time, message string)) func([]byte) []byte {
	const head = 16
	return func(data []byte) []byte {
		for len(data) >= head {
			if data[0] != 0xa5 || data[1] != 0x5a {
				return nil
			}
			length := int(binary.BigEndian.Uint32(data[4:8]))
			if length > 16<<20 {
				return nil
			}
			if len(data) < head+length {
				return data
			}
			micros := int64(binary.BigEndian.Uint64(data[8:16]))
			emit(time.UnixMicro(micros), string(data[head:head+min(length, maxLine)]))
			data = data[head+length:]
		}
		return data
	}
}
