package main

import (
	"bytes"
	"context"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A publisher that is told to end while it waits for its prefix, at a forwarder that says
// nothing, ends well and tells what it served, as one does that has it.
func TestServeInterrupted(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if _, err := c.Read(make([]byte, 1)); err == nil {
			cancel(&signalError{syscall.SIGTERM}) // it is registering
		}
		<-t.Context().Done()
	}()
	var out, says bytes.Buffer
	a := &app{stdout: &out, stderr: &says, getenv: func(string) string { return "" }}
	root := newRootCommand(a)
	root.SetArgs([]string{"serve", "--json", "--forwarder", "unix:" + l.Addr().String(), "ccnx:/demo", t.TempDir()})
	if err := root.ExecuteContext(ctx); err != nil {
		t.Errorf("error %v", err)
	}
	if got := out.String(); !strings.Contains(got, `"type":"result"`) || strings.Count(got, "\n") != 1 {
		t.Errorf("it printed %q, want one result; messages: %s", got, says.String())
	}
}
