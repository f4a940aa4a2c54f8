// Command cefgo is Information-Centric Networking (CCNx 1.0 over Cefore) from the
// command line. This package owns the commands, their flags, what people and
// scripts read, the signals and the exit codes; all else is in internal.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	os.Exit(int(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)))
}

// signalError is the cause of a context that a signal ended.
type signalError struct{ sig syscall.Signal }

func (e *signalError) Error() string { return fmt.Sprintf("ended by %v", e.sig) }

// drain is how long the clean-up after a signal may take; with what the commands
// themselves wait for, they are through well before.
const drain = 2 * time.Second

// run is the program without its process: it returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) exitCode {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	// A file that reaches its limit (ulimit -f) is an error of the write, not the
	// end of the process.
	signal.Ignore(syscall.SIGXFSZ)
	// Nor is a reader of the messages that has gone.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	go func() {
		sig := (<-signals).(syscall.Signal) // on unix every signal is one
		cancel(&signalError{sig})
		// A second signal ends at once, and so does a clean-up that takes too long.
		select {
		case <-signals:
		case <-time.After(drain):
			fmt.Fprintf(stderr, "cefgo: ended by %v, before everything was cleaned up\n", sig)
		}
		os.Exit(128 + int(sig))
	}()
	out := &outWriter{w: stdout, onFail: func(err error) {
		// Whatever the command does, nobody gets it any more.
		cancel(lostOutput(err))
	}}
	a := &app{args: args, stdin: stdin, stdout: out, stderr: stderr, getenv: os.Getenv}
	root := newRootCommand(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if lost := out.err(); err == nil && lost != nil {
		err = lostOutput(lost)
	}
	return a.report(err)
}
