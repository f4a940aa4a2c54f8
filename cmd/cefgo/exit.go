package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/cefgo/cefgo/internal/cefore"
	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/partfile"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/publish"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// exitCode is what the process ends with. A code is never used for two meanings;
// 0 to 5 equal those of ndnpeek and ndnpoke.
type exitCode int

const (
	exitOK        exitCode = 0
	exitFailed    exitCode = 1
	exitUsage     exitCode = 2
	exitTimeout   exitCode = 3
	exitReturned  exitCode = 4
	exitRegister  exitCode = 5
	exitIntegrity exitCode = 6
	exitPartial   exitCode = 7
	exitForwarder exitCode = 8
	exitLocal     exitCode = 9
	exitRemote    exitCode = 10
	exitThreshold exitCode = 11
	exitChanged   exitCode = 12
	exitInterrupt exitCode = 130
	exitTerminate exitCode = 143
	// exitPipe is what a shell shows of a program that SIGPIPE ended: whoever read
	// standard output has gone, and there is nobody to tell.
	exitPipe exitCode = 141
)

// exitCodes is the table of "cefgo help exit-codes".
var exitCodes = []struct {
	code    exitCode
	name    string
	meaning string
}{
	{exitOK, "ok", "complete and, where asked for, verified"},
	{exitFailed, "failed", "not classified below"},
	{exitUsage, "usage", "bad flag, argument, name or config value"},
	{exitTimeout, "timeout", "nothing arrived at all before --timeout"},
	{exitReturned, "returned", "nothing arrived but an Interest Return (its code and reason are shown)"},
	{exitRegister, "register", "prefix or socket could not be taken"},
	{exitIntegrity, "integrity", "checksum, signature or manifest mismatch; or proof asked for and absent"},
	{exitPartial, "partial", "something arrived, but chunks or files are missing (stalled, deadline)"},
	{exitForwarder, "forwarder", "no forwarder could be reached"},
	{exitLocal, "local", "disk full, permission, target refused by --no-clobber"},
	{exitRemote, "remote", "the responder answered with an application error"},
	{exitThreshold, "threshold", "a --fail-if condition held (ping loss, bench floor)"},
	{exitChanged, "changed", "the content changed during the fetch, or is not the one the resume state describes"},
	{exitInterrupt, "signal", "ended by SIGINT after cleaning up; state kept"},
	{exitTerminate, "signal", "ended by SIGTERM after cleaning up; state kept"},
}

func (c exitCode) kind() string {
	for _, e := range exitCodes {
		if e.code == c {
			return e.name
		}
	}
	return "failed"
}

// failure is an error as its user meets it.
type failure struct {
	code exitCode
	// cmd and name are what failed ("get", "ccnx:/a"); empty: nothing in particular.
	cmd, name string
	err       error
	hint      string // what to do, if there is more to say than the error does
	resume    string // the command that goes on where this one ended
	ret       *tlv.ReturnCode
	more      fields // for --json
}

func (f *failure) Error() string {
	switch {
	case f.cmd == "":
		return f.err.Error()
	case f.name == "":
		return f.cmd + ": " + f.err.Error()
	}
	return fmt.Sprintf("%s %s: %v", f.cmd, printable(f.name), f.err)
}

func (f *failure) Unwrap() error { return f.err }

// usage is an error of the command line.
func usage(hint, format string, args ...any) error {
	return &failure{code: exitUsage, err: fmt.Errorf(format, args...), hint: hint}
}

// failed turns the error of a command about a name into a failure; nil stays nil.
func failed(cmd, name string, err error) error {
	if err == nil {
		return nil
	}
	f := newFailure(err)
	if f.cmd == "" {
		f.cmd, f.name = cmd, name
	}
	return f
}

// newFailure classifies err, about nothing in particular. What is a failure already
// stays what it is.
func newFailure(err error) *failure {
	var known *failure
	if errors.As(err, &known) {
		f := *known
		return &f
	}
	f := &failure{err: err}
	f.code, f.hint = classify(err)
	var ret *pipeline.ReturnError
	var cret *client.ReturnError
	switch {
	case errors.As(err, &ret):
		f.ret = &ret.Code
	case errors.As(err, &cret):
		f.ret = &cret.Code
	}
	return f
}

// classify finds the exit code of an error, and what to advise.
func classify(err error) (exitCode, string) {
	var (
		sig      *signalError
		nameErr  *tlv.NameError
		confErr  *cefore.ConfigError
		ret      *pipeline.ReturnError
		cret     *client.ReturnError
		corrupt  *pipeline.IntegrityError
		partial  *pipeline.PartialError
		changed  *pipeline.ChangedError
		push     *publish.PushError
		write    *pipeline.WriteError
		stored   *partfile.WriteError
		unsafe   *partfile.UnsafeNameError
		exists   *partfile.ExistsError
		locked   *partfile.LockedError
		stateErr *partfile.StateError
		pathErr  *fs.PathError
		linkErr  *os.LinkError
	)
	if code, hint := classifyKey(err); code != exitFailed {
		return code, hint
	}
	switch {
	case errors.As(err, &sig):
		return exitCode(128 + int(sig.sig)), ""
	case errors.As(err, &nameErr), errors.As(err, &confErr), errors.Is(err, cefore.ErrOption), errors.Is(err, client.ErrPrefix):
		return exitUsage, ""
	case errors.As(err, &unsafe):
		return exitLocal, "choose the file yourself with -o FILE"
	case errors.As(err, &exists):
		return exitLocal, "without --no-clobber it is replaced once the new one is complete"
	case errors.As(err, &locked):
		return exitLocal, "another get is writing the same file; wait for it or use -o FILE"
	case errors.As(err, &stateErr):
		return exitChanged, "start over without --resume"
	case errors.As(err, &push):
		return exitPartial, ""
	case errors.As(err, &changed):
		return exitChanged, "run it again; caches may hold the old version for a while"
	case errors.As(err, &corrupt), errors.Is(err, tlv.ErrChecksum):
		return exitIntegrity, "something on the path damages the data, or the publisher does"
	case errors.As(err, &partial):
		return exitPartial, ""
	case errors.Is(err, pipeline.ErrTimeout), errors.Is(err, client.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return exitTimeout, "is somebody publishing it? cefgo ping NAME tells whether a publisher answers"
	case errors.As(err, &ret) && ret.Code != tlv.ReturnNoRoute, errors.As(err, &cret) && cret.Code != tlv.ReturnNoRoute:
		return exitReturned, ""
	case errors.As(err, &ret), errors.As(err, &cret):
		return exitReturned, "no application publishes it here, or its publisher has no such file"
	case errors.Is(err, client.ErrTaken), errors.Is(err, client.ErrNotRegistered), errors.Is(err, transport.ErrInUse):
		return exitRegister, ""
	case errors.Is(err, errDeadline):
		return exitPartial, "whoever reads standard output is too slow, or reads nothing"
	case errors.Is(err, errUneven):
		return exitFailed, "fetch it whole, or by --chunks"
	case errors.As(err, &write), errors.As(err, &stored), errors.As(err, &pathErr), errors.As(err, &linkErr), errors.Is(err, partfile.ErrIsDirectory):
		return exitLocal, localHint(err)
	case errors.Is(err, client.ErrClosed):
		return exitForwarder, ""
	}
	return exitFailed, ""
}

// classifyKey is classify for the errors of package keys.
func classifyKey(err error) (exitCode, string) {
	var (
		trust  *keys.TrustError // which may wrap all the others
		name   *keys.NameError
		none   *keys.MissingError
		exists *keys.ExistsError
		perm   *keys.PermissionError
		format *keys.FormatError
	)
	switch {
	case errors.Is(err, keys.ErrSignature), errors.Is(err, keys.ErrUntrusted):
		return exitIntegrity, ""
	case errors.Is(err, keys.ErrNoTrust):
		return exitLocal, "cefgo keys trust PREFIX KEYFILE makes it"
	case errors.As(err, &trust):
		return exitLocal, "nothing is trusted until that is mended"
	case errors.As(err, &name):
		return exitUsage, ""
	case errors.As(err, &none):
		return exitLocal, "cefgo keys list shows them, cefgo keys generate makes one"
	case errors.As(err, &exists) && exists.Kept:
		return exitLocal, "choose another name"
	case errors.As(err, &exists):
		return exitLocal, "choose another name; --force replaces it for good"
	case errors.As(err, &perm), errors.As(err, &format):
		return exitLocal, ""
	}
	return exitFailed, ""
}

func localHint(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "free some space, or write elsewhere with -o"
	case errors.Is(err, partfile.ErrIsDirectory):
		return "name the file: -o DIR/FILE"
	}
	return ""
}
