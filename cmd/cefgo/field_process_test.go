//go:build linux

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ended is how a program ran.
type ended struct {
	code           int // -1: by a signal, or it did not start
	wall, cpu      time.Duration
	peak           int64 // bytes of memory, as wait4 tells
	stdout, stderr []byte
}

// String says how a program ended: its code, and where it failed its first and last word.
func (e *ended) String() string {
	if e.code == 0 {
		return "exit code 0"
	}
	said := bytes.TrimSpace(append(e.stdout[:len(e.stdout):len(e.stdout)], e.stderr...))
	first, _, more := strings.Cut(string(said), "\n")
	if more {
		first += " … " + lastLine(said)
	}
	return fmt.Sprintf("exit code %d: %s", e.code, first)
}

// program is one to be run to its end.
type program struct {
	env, args []string
	// within bounds how long it may run. Default is programPatience.
	within time.Duration
	// to, where set, is the file that its stdout goes to.
	to string
	// started, where set, is called with the running process, and what it returns as soon
	// as that has ended.
	started func(*os.Process) (done func())
}

const programPatience = 5 * time.Minute

// boundCommand is a program that cannot outlive the test.
func boundCommand(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (p program) run(t *testing.T) *ended {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), cmp.Or(p.within, programPatience))
	defer cancel()
	cmd := boundCommand(ctx, p.env, p.args...)
	var out, says bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &says
	if p.to != "" {
		f, err := os.Create(p.to)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		cmd.Stdout = f
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := func() {}
	if p.started != nil {
		done = p.started(cmd.Process)
	}
	err := cmd.Wait()
	e := endedBy(cmd, err, time.Since(begun))
	done()
	e.stdout, e.stderr = out.Bytes(), says.Bytes()
	if ctx.Err() != nil {
		e.stderr = fmt.Appendf(e.stderr, "\nnot done in %v", cmp.Or(p.within, programPatience))
	}
	return e
}

// endedBy reads what wait4 told of a program.
func endedBy(cmd *exec.Cmd, err error, wall time.Duration) *ended {
	e := &ended{code: -1, wall: wall}
	if s := cmd.ProcessState; s != nil {
		e.code = s.ExitCode()
		e.cpu = s.UserTime() + s.SystemTime()
		e.peak = s.SysUsage().(*syscall.Rusage).Maxrss << 10
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		e.stderr = []byte(err.Error())
	}
	return e
}

// beside is a program that runs beside the test until stop.
type beside struct {
	t    *testing.T
	cmd  *exec.Cmd
	says bytes.Buffer  // its stderr, to be read when it is done
	last []byte        // line of its stdout, likewise
	done chan struct{} // closed at its end
	left bool          // stop was called
}

// runBeside starts a program, and where ready is not empty waits until it has printed a
// line that holds that.
func runBeside(t *testing.T, env []string, ready string, args ...string) *beside {
	t.Helper()
	b := &beside{t: t, cmd: boundCommand(context.WithoutCancel(t.Context()), env, args...), done: make(chan struct{})}
	b.cmd.Stderr = &b.says
	out, err := b.cmd.StdoutPipe()
	if err == nil {
		err = b.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	isReady := make(chan struct{})
	go func() {
		defer close(b.done)
		waiting := ready != ""
		for lines := bufio.NewScanner(out); lines.Scan(); {
			b.last = append(b.last[:0], lines.Bytes()...)
			if waiting && strings.Contains(lines.Text(), ready) {
				close(isReady)
				waiting = false
			}
		}
		_, _ = io.Copy(io.Discard, out) // behind a line that is too long
		_ = b.cmd.Wait()
	}()
	t.Cleanup(b.stop)
	if ready == "" {
		return b
	}
	select {
	case <-isReady:
	case <-b.done:
		t.Fatalf("%v ended before it was ready: %s", args, b.said())
	case <-time.After(startPatience):
		t.Fatalf("%v was not ready in %v", args, startPatience)
	}
	return b
}

// said is the last of what a program that is done said.
func (b *beside) said() string { return string(b.last) + " " + lastLine(b.says.Bytes()) }

// startPatience bounds the wait for a program to come up.
const startPatience = 20 * time.Second

// stop ends the program by SIGTERM, and by SIGKILL if that does not help. It may be
// called twice.
func (b *beside) stop() { b.end(syscall.SIGTERM) }

// kill ends the program as a crash would.
func (b *beside) kill() { b.end(syscall.SIGKILL) }

func (b *beside) end(sig os.Signal) {
	if b.left {
		return
	}
	b.left = true
	_ = b.cmd.Process.Signal(sig)
	select {
	case <-b.done:
	case <-time.After(5 * time.Second):
		b.t.Logf("%s did not end by %v", b.cmd.Args[0], sig)
		_ = b.cmd.Process.Kill()
		<-b.done
	}
}

// cpu is the processor time that the program has used so far.
func (b *beside) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.cmd.Process.Pid))
	_, rest, ok := strings.Cut(string(stat), ") ")
	if err != nil || !ok {
		return 0
	}
	const utime, stime = 11, 12 // proc(5), counted behind the program's name
	const tick = 10 * time.Millisecond
	f := strings.Fields(rest)
	u, _ := strconv.Atoi(f[utime])
	s, _ := strconv.Atoi(f[stime])
	return time.Duration(u+s) * tick
}

// waitUntil looks until ok, for programs that do not tell when they are ready.
func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	if err := pollUntil(what, func() (bool, error) { return ok(), nil }); err != nil {
		t.Fatal(err)
	}
}

// pollUntil looks until look says yes or fails.
func pollUntil(what string, look func() (bool, error)) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(startPatience); ; <-tick.C {
		if ok, err := look(); ok || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s did not come up in %v", what, startPatience)
		}
	}
}
