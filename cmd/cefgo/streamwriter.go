package main

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// streamWriter writes to a stream in a goroutine of its own, so that whoever has more
// waits only where the stream is too slow: what comes during one write goes out with the
// next. It gives up when its context or its time ends, as the stream may be a pipe that
// nobody reads; what it was writing then may still be written. One goroutine uses it.
type streamWriter struct {
	w        io.Writer
	ctx      context.Context
	deadline time.Time     // zero: none
	ready    chan struct{} // holds a token when there may be something to write
	room     chan struct{} // holds a token when something was taken or has failed
	done     chan struct{} // closed when the goroutine has ended

	// mu protects the following.
	mu     sync.Mutex
	buf    []byte // to be written
	ending bool
	err    error // of the first write that failed
}

// gatherBytes is the most that waits to be written, in bytes, and the most of one write
// unless one Write brings more.
const gatherBytes = 256 << 10

// errDeadline: the time for the whole is over.
var errDeadline = errors.New("the deadline has passed")

func newStreamWriter(ctx context.Context, w io.Writer, deadline time.Time) *streamWriter {
	s := &streamWriter{
		w: w, ctx: ctx, deadline: deadline,
		ready: make(chan struct{}, 1), room: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go s.run()
	return s
}

func (s *streamWriter) run() {
	defer close(s.done)
	for spare := []byte(nil); ; {
		<-s.ready
		s.mu.Lock()
		b, end := s.buf, s.ending
		s.buf = spare[:0]
		s.mu.Unlock()
		if len(b) > 0 {
			put(s.room)
			if err := writeAll(s.w, b); err != nil {
				s.fail(err)
				return
			}
		}
		if end {
			return
		}
		spare = b
	}
}

func writeAll(w io.Writer, p []byte) error {
	n, err := w.Write(p)
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	return err
}

func (s *streamWriter) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	put(s.room)
}

// put makes c hold a token.
func put(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Write keeps a copy of p, which goes out at the latest after the next Flush. It waits
// where too much waits to be written. Its error may be that of an earlier write.
func (s *streamWriter) Write(p []byte) (int, error) {
	for {
		ok, err := s.add(p)
		if err != nil {
			return 0, err
		}
		if ok {
			return len(p), nil
		}
		put(s.ready)
		if err := s.wait(s.room); err != nil {
			return 0, err
		}
	}
}

// add appends p to what is to be written, where it fits.
func (s *streamWriter) add(p []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || len(s.buf) > 0 && len(s.buf)+len(p) > gatherBytes {
		return false, s.err
	}
	s.buf = append(s.buf, p...)
	return true, nil
}

// Flush has what Write took go out. It does not wait for that.
func (s *streamWriter) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buf) > 0 {
		put(s.ready)
	}
	return s.err
}

// lastWrite is how long what is there already may take to be written when the time is
// over, where the stream is read.
const lastWrite = 100 * time.Millisecond

// close waits until everything is written and the goroutine has ended. No Write may
// follow.
func (s *streamWriter) close() error {
	s.mu.Lock()
	s.ending = true
	s.mu.Unlock()
	put(s.ready)
	if err := s.wait(s.done); err != nil {
		select {
		case <-s.done:
		case <-time.After(lastWrite):
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// wait waits for c, no longer than the context and the deadline allow.
func (s *streamWriter) wait(c <-chan struct{}) error {
	select {
	case <-c:
		return nil
	default:
	}
	var late <-chan time.Time
	if !s.deadline.IsZero() {
		t := time.NewTimer(time.Until(s.deadline))
		defer t.Stop()
		late = t.C
	}
	select {
	case <-c:
		return nil
	case <-late:
		return errDeadline
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	}
}
