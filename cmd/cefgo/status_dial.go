package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/cefgo/cefgo/internal/control"
)

// dialControl connects to the control of the forwarder on this machine, and waits for
// it as long as --wait says.
func (f *forwarder) dialControl(ctx context.Context) (*control.Conn, error) {
	if f.addr.Network != "unix" {
		return nil, usage("run it on the forwarder's own machine, or there: ssh HOST cefgo "+f.a.cmd,
			"%s works over the forwarder's local socket only, not over %s", f.a.cmd, f.where())
	}
	return awaited(ctx, f, func() (*control.Conn, error) { return control.Dial(ctx, f.addr.Addr) })
}

// awaited tries dial until it succeeds, or --wait is over.
func awaited[T any](ctx context.Context, f *forwarder, dial func() (T, error)) (T, error) {
	deadline := time.Now().Add(f.a.global.wait.d)
	for {
		c, err := dial()
		if err == nil {
			return c, nil
		}
		var none T
		if cause := context.Cause(ctx); cause != nil {
			return none, cause
		}
		if !nobodyListens(err) || !time.Now().Before(deadline) {
			return none, f.noControl(err)
		}
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return none, context.Cause(ctx)
		}
	}
}

// noControl says why a forwarder could not be asked. An error of the command line, or
// of a signal, stays what it is.
func (f *forwarder) noControl(err error) error {
	var known *failure
	var sig *signalError
	var op *net.OpError
	switch {
	case errors.As(err, &known), errors.As(err, &sig):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return f.unreachable(errSilent)
	case errors.Is(err, control.ErrNoStatus):
		if errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
			err = errors.New("it closes the connection")
		}
		return &failure{
			code: exitForwarder, err: fmt.Errorf("no working forwarder at %s: %w", f.where(), err),
			hint: "see whether it still runs, and its log",
		}
	case errors.As(err, &op):
		return f.unreachable(err)
	}
	return err
}
