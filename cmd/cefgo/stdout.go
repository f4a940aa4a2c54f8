package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// outWriter is standard output: it remembers the first write that failed, so that
// no command ends with 0 whose output nobody got.
type outWriter struct {
	w      io.Writer
	onFail func(error)           // called once
	bad    atomic.Pointer[error] // a write that was given up may fail while main looks
}

func (o *outWriter) Write(p []byte) (int, error) {
	if err := o.err(); err != nil {
		return 0, err
	}
	n, err := o.w.Write(p)
	if err != nil && o.bad.CompareAndSwap(nil, &err) {
		o.onFail(err)
	}
	return n, err
}

func (o *outWriter) err() error {
	if err := o.bad.Load(); err != nil {
		return *err
	}
	return nil
}

// lostOutput is the failure of a command that could not write its output.
func lostOutput(err error) error {
	return &failure{code: exitLocal, err: fmt.Errorf("writing to standard output: %w", err)}
}

// terminal is the file to ask whether it is a terminal; nil where w is no file.
func terminal(w io.Writer) *os.File {
	if o, ok := w.(*outWriter); ok {
		w = o.w
	}
	f, _ := w.(*os.File)
	return f
}

// boundWriter writes to something that may block for ever, such as a pipe that nobody
// reads, and gives up when its context or its time ends. What it was writing then
// may still be written: the process is about to end.
type boundWriter struct {
	ctx      context.Context
	deadline time.Time // zero: none
	blocks   chan []byte
	done     chan error
}

// errDeadline: the time for the whole is over.
var errDeadline = errors.New("the deadline has passed")

func newBoundWriter(ctx context.Context, w io.Writer, deadline time.Time) *boundWriter {
	b := &boundWriter{ctx: ctx, deadline: deadline, blocks: make(chan []byte), done: make(chan error, 1)}
	go func() {
		for p := range b.blocks {
			_, err := w.Write(p)
			b.done <- err
		}
	}()
	return b
}

func (b *boundWriter) Write(p []byte) (int, error) {
	var late <-chan time.Time
	if !b.deadline.IsZero() {
		t := time.NewTimer(time.Until(b.deadline))
		defer t.Stop()
		late = t.C
	}
	b.blocks <- p
	select {
	case err := <-b.done:
		if err != nil {
			return 0, err
		}
		return len(p), nil
	case <-late:
		return 0, errDeadline
	case <-b.ctx.Done():
		return 0, context.Cause(b.ctx)
	}
}

// close ends the writer's goroutine, once what it may still be writing is written. No
// Write may follow.
func (b *boundWriter) close() { close(b.blocks) }
