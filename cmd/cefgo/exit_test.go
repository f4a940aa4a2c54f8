package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/cefgo/cefgo/internal/cefore"
	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/partfile"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/publish"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// TestClassify holds every error that a command may end with against its exit code,
// wrapped as it comes.
func TestClassify(t *testing.T) {
	for _, c := range []struct {
		err  error
		want exitCode
	}{
		{errors.New("something else"), exitFailed},
		{&tlv.NameError{URI: "x", Reason: "y"}, exitUsage},
		{&cefore.ConfigError{Path: "x"}, exitUsage},
		{client.ErrPrefix, exitUsage},
		{pipeline.ErrTimeout, exitTimeout},
		{client.ErrTimeout, exitTimeout},
		{context.DeadlineExceeded, exitTimeout},
		{&pipeline.ReturnError{Code: tlv.ReturnNoRoute}, exitReturned},
		{&client.ReturnError{Code: tlv.ReturnNoRoute}, exitReturned},
		{client.ErrTaken, exitRegister},
		{client.ErrNotRegistered, exitRegister},
		{transport.ErrInUse, exitRegister},
		{&pipeline.IntegrityError{Chunk: 1, Err: tlv.ErrChecksum}, exitIntegrity},
		{fmt.Errorf("%w: %w", client.ErrTimeout, tlv.ErrChecksum), exitIntegrity},
		{&pipeline.PartialError{}, exitPartial},
		{&publish.PushError{Err: pipeline.ErrTimeout}, exitPartial},
		{client.ErrClosed, exitForwarder},
		{&pipeline.WriteError{Err: syscall.ENOSPC}, exitLocal},
		{&partfile.WriteError{Path: "x", Err: syscall.EDQUOT}, exitLocal},
		{&partfile.LockedError{Path: "x"}, exitLocal},
		{&partfile.ExistsError{Path: "x"}, exitLocal},
		{&partfile.UnsafeNameError{Reason: "x"}, exitLocal},
		{&fs.PathError{Op: "open", Path: "x", Err: fs.ErrPermission}, exitLocal},
		{&pipeline.ChangedError{What: "x"}, exitChanged},
		{&partfile.StateError{Path: "x", Err: fs.ErrNotExist}, exitChanged},
		{keys.ErrSignature, exitIntegrity},
		{keys.ErrUntrusted, exitIntegrity},
		{&keys.TrustError{File: "x", Err: keys.ErrNoTrust}, exitLocal},
		{&keys.TrustError{File: "x", Err: &tlv.NameError{URI: "x"}}, exitLocal},
		{&keys.NameError{Name: "x"}, exitUsage},
		{&keys.MissingError{Name: "x"}, exitLocal},
		{&keys.ExistsError{Path: "x"}, exitLocal},
		{&keys.PermissionError{Path: "x"}, exitLocal},
		{&keys.FormatError{Reason: "x"}, exitLocal},
		{&signalError{syscall.SIGINT}, exitInterrupt},
		{&signalError{syscall.SIGTERM}, exitTerminate},
	} {
		f, ok := failed("get", "ccnx:/a", fmt.Errorf("wrapped: %w", c.err)).(*failure)
		if !ok || f.code != c.want {
			t.Errorf("%T %v: got %v, want %d", c.err, c.err, f, c.want)
		}
		if f.code.kind() == "failed" && f.code != exitFailed {
			t.Errorf("exit code %d has no name", f.code)
		}
	}
}
