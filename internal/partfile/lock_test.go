package partfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

func wantLocked(t *testing.T, target string) {
	t.Helper()
	f, err := Open(target, Options{Resume: true})
	if err == nil {
		f.Close()
		t.Fatal("locked twice")
	}
	if e, ok := errors.AsType[*LockedError](err); !ok || e.Path != target+partSuffix {
		t.Fatalf("second Open: %v", err)
	}
}

func TestLock(t *testing.T) {
	for name, end := range map[string]func(*File) error{
		"Commit": (*File).Commit, "Keep": (*File).Keep, "Discard": (*File).Discard, "Close": (*File).Close,
	} {
		for _, data := range []string{"", "data"} {
			t.Run(fmt.Sprintf("%s/%q", name, data), func(t *testing.T) {
				target := inTemp(t, "out")
				f := open(t, target, Options{})
				wantLocked(t, target)
				write(t, f, []byte(data))
				check(t, f.Flush())
				wantLocked(t, target)
				check(t, end(f))
				if err := f.fd.Close(); !errors.Is(err, os.ErrClosed) {
					t.Error("the descriptor was left open")
				}
				check(t, open(t, target, Options{}).Discard())
			})
		}
	}
}

func TestLockedOpenChangesNothing(t *testing.T) {
	target := inTemp(t, "out")
	f := open(t, target, Options{})
	check(t, f.SaveState(testState()))
	write(t, f, content(0))
	check(t, f.Flush())
	if _, err := Open(target, Options{}); err == nil {
		t.Fatal("locked twice")
	}
	wantFile(t, target+partSuffix, content(0))
	wantFile(t, target+stateSuffix, []byte(goodState()))
	check(t, f.Commit())
}

func TestLockThroughSymlink(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "file", "old")
	check(t, os.Symlink("file", "link"))
	f := open(t, "file", Options{})
	if _, err := Open("link", Options{}); err == nil {
		t.Error("the link leads around the lock")
	}
	check(t, f.Keep())
}

// The three ways in which a part file can go while somebody has it open and waits for the lock.
func TestLockNoticesThatNameMovedOn(t *testing.T) {
	for name, move := range map[string]func(f *File) error{
		"removed": (*File).Discard,
		"renamed": (*File).Commit,
		"replaced": func(f *File) error {
			return errors.Join(f.Discard(), os.WriteFile(f.Path()+partSuffix, nil, 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			target := inTemp(t, "out")
			f := open(t, target, Options{})
			late, err := openPart(target + partSuffix)
			check(t, err)
			defer late.Close()
			check(t, move(f))
			if held, err := lock(late, target+partSuffix); held || err != nil {
				t.Errorf("lock = %v, %v, want a retry", held, err)
			}
		})
	}
}

// A Commit without exclusive rename links and then unlinks; one that died between leaves the part file
// as a second name of the finished target.
func TestPartFileLinkedElsewhere(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "out", "complete")
	check(t, os.Link("out", "out"+partSuffix))
	f := open(t, "out", Options{})
	write(t, f, []byte("new"))
	check(t, f.Flush())
	wantFile(t, "out", []byte("complete"))
	check(t, f.Discard())
	wantFile(t, "out", []byte("complete"))
}

func TestOneHolderAtATime(t *testing.T) {
	target := inTemp(t, "out")
	var holders, held atomic.Int32
	var wg sync.WaitGroup
	ends := []func(*File) error{(*File).Commit, (*File).Keep, (*File).Discard}
	for worker := range 8 {
		wg.Go(func() {
			for i := range 300 {
				f, err := Open(target, Options{Resume: i%2 == 0})
				if _, ok := errors.AsType[*LockedError](err); ok {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if holders.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				held.Add(1)
				err = f.Restart()
				if err == nil {
					err = f.SaveState(testState())
				}
				_, werr := f.Write(content(0))
				if _, serr := os.Stat(target + stateSuffix); errors.Join(err, werr, serr) != nil {
					t.Error(err, werr, serr)
				}
				holders.Add(-1)
				if err := ends[(worker+i)%len(ends)](f); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if held.Load() < 8 {
		t.Errorf("only %d times locked: nothing was tested", held.Load())
	}
	wantFile(t, target, content(0))
}

func TestPartReplacedByHand(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	f := open(t, target, Options{})
	write(t, f, []byte("mine"))
	check(t, os.Remove(target+partSuffix))
	put(t, target+partSuffix, "theirs")
	if f.Commit() == nil {
		t.Error("committed a stranger's file")
	}
	if f.Discard() == nil {
		t.Error("removed a stranger's file")
	}
	wantNames(t, dir, "out.cefgo-part")
	wantFile(t, target+partSuffix, []byte("theirs"))
}

func TestLockDiesWithProcess(t *testing.T) {
	target := inTemp(t, "out")
	cmd := child(t, "stream", target)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	_, err = out.Read(make([]byte, 1))
	check(t, err)
	wantLocked(t, target)
	check(t, cmd.Process.Signal(syscall.SIGKILL))
	cmd.Wait()
	check(t, open(t, target, Options{}).Discard())
}
