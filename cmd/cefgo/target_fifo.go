package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// fifo is a FIFO, or the pipe behind /dev/stdout, whose reader may stop reading at any
// time: no write lasts longer than the context and the deadline.
type fifo struct {
	f    *os.File
	ctx  context.Context
	stop func() bool // watching ctx
}

func isFIFO(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeNamedPipe != 0
}

// lookForReader lies between two looks for the reader of a FIFO: nothing tells when it
// comes but an open that cannot be ended.
const lookForReader = 10 * time.Millisecond

// openFIFO waits for the reader, no longer than wait. Writes fail with exit code 7 from
// deadline on, if that is not zero, and with the context's cause.
func openFIFO(ctx context.Context, path string, deadline time.Time, wait time.Duration) (*fifo, error) {
	late := time.NewTimer(wait)
	defer late.Stop()
	look := time.NewTicker(lookForReader)
	defer look.Stop()
	for {
		f, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
		if err == nil {
			return newFIFO(ctx, f, deadline)
		}
		if !errors.Is(err, syscall.ENXIO) {
			return nil, err
		}
		select {
		case <-look.C:
		case <-late.C:
			return nil, fmt.Errorf("%s: nobody reads it", path)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func newFIFO(ctx context.Context, f *os.File, deadline time.Time) (*fifo, error) {
	if err := f.SetWriteDeadline(deadline); err != nil {
		f.Close()
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetWriteDeadline(time.Unix(0, 1)) })
	return &fifo{f, ctx, stop}, nil
}

func (o *fifo) Write(p []byte) (int, error) {
	n, err := o.f.Write(p)
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return n, err
	case o.ctx.Err() != nil:
		return n, context.Cause(o.ctx)
	}
	return n, &failure{code: exitPartial, err: errDeadline, hint: "whoever reads " + o.f.Name() + " is too slow, or reads nothing"}
}

func (o *fifo) close() error {
	o.stop()
	return o.f.Close()
}
