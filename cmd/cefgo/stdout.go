package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
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
