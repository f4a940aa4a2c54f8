package partfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// The parent kills at whatever instant its signal arrives, while the child writes without a pause.
func TestKilledWhileWriting(t *testing.T) {
	for _, notices := range []int64{1, 2, 3, 5, 8, 13, 21, 34, 55, 89} {
		t.Run(fmt.Sprint(notices), func(t *testing.T) {
			target := inTemp(t, "out")
			put(t, target, "old")
			cmd := child(t, "stream", target)
			out, err := cmd.StdoutPipe()
			check(t, err)
			check(t, cmd.Start())
			_, err = io.CopyN(io.Discard, out, notices)
			check(t, err)
			check(t, cmd.Process.Signal(syscall.SIGKILL))
			wantKilled(t, cmd.Wait())
			wantFile(t, target, []byte("old"))
			check(t, resumable(target, -1))
		})
	}
}

// streamChild writes, and tells of every 300th chunk, until it is killed.
func streamChild(args []string) error {
	f, err := Open(args[0], Options{})
	if err != nil {
		return err
	}
	if err := f.SaveState(testState()); err != nil {
		return err
	}
	for i := range uint64(1 << 20) {
		if _, err := f.Write(content(i)); err != nil {
			return err
		}
		if i%300 == 299 {
			notice()
		}
	}
	return errors.New("nobody killed me")
}

// Each line is an instant at which the process dies, and what the next run may then trust.
func TestKilledBetweenSteps(t *testing.T) {
	for _, tt := range []struct {
		steps  string
		chunks int64 // that can be resumed
	}{
		{"open", 0},
		{"open state", 0},
		{"open state write", 0},
		{"open state write flush", 5},
		{"open write flush", 0},
		{"open state write flush state", 5},
		{"open state write keep", 5},
		{"resume", 3},
		{"resume write flush", 8},
		{"resume restart", 0},
		{"resume restart state", 0},
		{"resume restart state write flush", 5},
		{"resume restart write flush", 0},
		{"resume write discard", 0},
		{"resume write commit", 0},
	} {
		t.Run(tt.steps, func(t *testing.T) {
			target := inTemp(t, "out")
			left(t, target, 3, "ragged", goodState())
			wantKilled(t, child(t, "crash", target, tt.steps).Run())
			if tt.chunks > 0 {
				check(t, resumable(target, tt.chunks))
				return
			}
			f := open(t, target, Options{Resume: true})
			if s, chunks, ok := f.ResumeState(); ok {
				t.Errorf("ResumeState = %+v, %d", s, chunks)
			}
		})
	}
}

func crashChild(args []string) error {
	var f *File
	var next uint64
	run := map[string]func() (err error){
		"open": func() (err error) { f, err = Open(args[0], Options{}); return err },
		"resume": func() (err error) {
			f, err = Open(args[0], Options{Resume: true})
			_, next, _ = f.ResumeState()
			return err
		},
		"state": func() error { return f.SaveState(testState()) },
		"write": func() (err error) {
			for range 5 {
				_, err = f.Write(content(next))
				next++
			}
			return err
		},
		"flush":   func() error { return f.Flush() },
		"restart": func() error { next = 0; return f.Restart() },
		"keep":    func() error { return f.Keep() },
		"discard": func() error { return f.Discard() },
		"commit":  func() error { return f.Commit() },
	}
	for step := range strings.FieldsSeq(args[1]) {
		if err := run[step](); err != nil {
			return err
		}
	}
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// Killed at any instant between runs over changing content, a state never describes other content than
// the chunks beside it, and the target is whole.
func TestKilledWhileContentChanges(t *testing.T) {
	resumed := 0
	for notices := range int64(40) {
		target := inTemp(t, "out")
		cmd := child(t, "churn", target)
		out, err := cmd.StdoutPipe()
		check(t, err)
		check(t, cmd.Start())
		_, err = io.CopyN(io.Discard, out, 2*notices+1)
		check(t, err)
		check(t, cmd.Process.Signal(syscall.SIGKILL))
		wantKilled(t, cmd.Wait())

		if got, err := os.ReadFile(target); err == nil && (len(got) != churnChunks*blockSize || !uniform(got)) {
			t.Errorf("the target holds %d bytes, uniform: %v", len(got), uniform(got))
		}
		f := open(t, target, Options{Resume: true})
		s, chunks, ok := f.ResumeState()
		if !ok {
			continue
		}
		resumed++
		got := make([]byte, chunks*blockSize)
		_, err = f.ReadAt(got, 0)
		check(t, err)
		if want := fmt.Sprintf("%02x", got[0]); s.Tag != want || !uniform(got) {
			t.Errorf("the state of %s stands beside the content of %s, uniform: %v", s.Tag, want, uniform(got))
		}
	}
	t.Logf("%d of 40 could be resumed", resumed)
	if resumed == 0 {
		t.Error("nothing was ever resumed: nothing was tested")
	}
}

const churnChunks = 300 // a little more than the buffer

func uniform(b []byte) bool { return bytes.Count(b, b[:1]) == len(b) }

// churnChild fetches one content after the other, each all of one byte that is its tag too, until it
// is killed. It gives notice at many points of each fetch, so that the signal can find it at any.
func churnChild(args []string) error {
	for i := range 1 << 20 {
		if err := churn(args[0], i); err != nil {
			return err
		}
	}
	return errors.New("nobody killed me")
}

func churn(target string, i int) error {
	f, err := Open(target, Options{Resume: i%2 == 1})
	if err != nil {
		return err
	}
	notice()
	if err := f.Restart(); err != nil {
		return err
	}
	s := testState()
	s.Tag = fmt.Sprintf("%02x", byte(i))
	if err := f.SaveState(s); err != nil {
		return err
	}
	chunk := bytes.Repeat([]byte{byte(i)}, blockSize)
	for j := range churnChunks {
		if j%30 == 0 {
			notice()
		}
		if _, err := f.Write(chunk); err != nil {
			return err
		}
	}
	ends := []func(*File) error{(*File).Keep, (*File).Commit, (*File).Keep, (*File).Discard}
	return ends[i%len(ends)](f)
}

func notice() { os.Stdout.Write([]byte(".")) }

func wantKilled(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*exec.ExitError](err)
	if !ok || e.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("child: %v, want killed", err)
	}
}
