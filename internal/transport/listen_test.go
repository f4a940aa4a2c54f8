package transport

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// dead leaves a socket at path that nobody listens on.
func dead(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	l.Close()
}

// beside is what the directory of path holds.
func beside(t *testing.T, path string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// serves checks that a packet goes from path to l.
func serves(t *testing.T, l *Listener, path string) {
	t.Helper()
	a, err := Dial(t.Context(), Address{"unix", path})
	must(t, err)
	defer a.Close()
	b, err := l.Accept()
	must(t, err)
	defer b.Close()
	exchange(t, a, b, [][][]byte{{packet(100, 0)}})
	exchange(t, b, a, [][][]byte{{packet(100, 1)}})
}

func TestListenUnix(t *testing.T) {
	path := socketPath(t)
	for range 2 { // the second time where the first one was
		l, err := ListenUnix(path)
		must(t, err)
		if l.Path() != path || beside(t, path) != "s" {
			t.Errorf("Path %q, files %q", l.Path(), beside(t, path))
		}
		serves(t, l, path)
		must(t, l.Close())
		must(t, l.Close())
		if names := beside(t, path); names != "" {
			t.Errorf("Close leaves %q", names)
		}
	}
}

func TestListenUnixDead(t *testing.T) {
	path := socketPath(t)
	dead(t, path)
	l, err := ListenUnix(path)
	must(t, err)
	defer l.Close()
	if names := beside(t, path); names != "s" {
		t.Errorf("files %q", names)
	}
	serves(t, l, path)
}

// TestListenUnixLive: whoever listens keeps the socket, also where it looks dead
// to a careless eye.
func TestListenUnixLive(t *testing.T) {
	path := socketPath(t)
	l, err := ListenUnix(path)
	must(t, err)
	defer l.Close()
	if _, err := ListenUnix(path); !errors.Is(err, ErrInUse) {
		t.Fatalf("%v, want %v", err, ErrInUse)
	}
	probe, err := l.Accept() // by which it was found alive
	must(t, err)
	probe.Close()
	serves(t, l, path)
	if names := beside(t, path); names != "s" {
		t.Errorf("files %q", names)
	}
	full := fullBacklog(t)
	if _, err := ListenUnix(full); !errors.Is(err, ErrInUse) {
		t.Errorf("with a full backlog: %v, want %v", err, ErrInUse)
	}
}

// fullBacklog returns the path of a socket that takes no further connection until
// one is accepted.
func fullBacklog(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("a full backlog refuses connections here")
	}
	path := socketPath(t)
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	f := os.NewFile(uintptr(fd), path)
	t.Cleanup(func() { f.Close() })
	must(t, syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}))
	must(t, syscall.Listen(fd, 0))
	for {
		c, err := net.Dial("unix", path)
		if errors.Is(err, syscall.EAGAIN) {
			return path
		}
		must(t, err)
		t.Cleanup(func() { c.Close() })
	}
}

// TestListenUnixRace: of many at once over a dead socket, one wins.
func TestListenUnixRace(t *testing.T) {
	for round := range 60 {
		path := socketPath(t)
		if round%3 > 0 {
			dead(t, path)
		}
		start := make(chan struct{})
		var wg sync.WaitGroup
		var mu sync.Mutex
		var won []*Listener
		for range 20 {
			wg.Go(func() {
				<-start
				l, err := ListenUnix(path)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, l)
				} else if !errors.Is(err, ErrInUse) {
					t.Errorf("%v, want %v", err, ErrInUse)
				}
			})
		}
		close(start)
		wg.Wait()
		if len(won) != 1 || beside(t, path) != "s" {
			t.Fatalf("round %d: %d winners, files %q", round, len(won), beside(t, path))
		}
		for _, l := range won {
			must(t, l.Close())
		}
	}
}

// TestListenUnixLock: who holds the lock is about to listen; the lock file of one
// that died in between is in nobody's way.
func TestListenUnixLock(t *testing.T) {
	path := socketPath(t)
	dead(t, path)
	unlock, err := lockFile(path + ".lock")
	must(t, err)
	if _, err := ListenUnix(path); !errors.Is(err, ErrInUse) {
		t.Errorf("%v, want %v", err, ErrInUse)
	}
	unlock()
	must(t, os.WriteFile(path+".lock", nil, 0o600))
	l, err := ListenUnix(path)
	must(t, err)
	defer l.Close()
	if names := beside(t, path); names != "s" {
		t.Errorf("files %q", names)
	}
}

// TestLockFileExclusive: the holder removes the file that others may have opened
// already; a lock on what was removed is none.
func TestLockFileExclusive(t *testing.T) {
	path := socketPath(t) + ".lock"
	var holders, taken atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 300 {
				unlock, err := lockFile(path)
				if errors.Is(err, ErrInUse) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				taken.Add(1)
				if n := holders.Add(1); n > 1 {
					t.Errorf("%d holders", n)
				}
				runtime.Gosched()
				holders.Add(-1)
				unlock()
			}
		})
	}
	wg.Wait()
	if names := beside(t, path); names != "" || taken.Load() == 0 {
		t.Errorf("taken %d times, files %q", taken.Load(), names)
	}
}

// TestListenUnixForeign: what is no socket stays as it is.
func TestListenUnixForeign(t *testing.T) {
	kinds := map[string]func(path string) error{
		"file":      func(p string) error { return os.WriteFile(p, []byte("precious"), 0o600) },
		"directory": func(p string) error { return os.Mkdir(p, 0o700) },
		"fifo":      func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"link":      func(p string) error { return os.Symlink("nowhere", p) },
		"link to a dead socket": func(p string) error {
			dead(t, p+".other")
			return os.Symlink(p+".other", p)
		},
	}
	for kind, make := range kinds {
		path := socketPath(t)
		must(t, make(path))
		before, err := os.Lstat(path)
		must(t, err)
		names := beside(t, path)
		if _, err := ListenUnix(path); err == nil || errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want another error, with the path", kind, err)
		}
		after, err := os.Lstat(path)
		if err != nil || !os.SameFile(before, after) || beside(t, path) != names {
			t.Errorf("%s: not there any more: %v, files %q", kind, err, beside(t, path))
		}
		if kind == "file" {
			if b, err := os.ReadFile(path); !bytes.Equal(b, []byte("precious")) {
				t.Errorf("file: %q, %v", b, err)
			}
		}
	}
	if _, err := ListenUnix(filepath.Join(socketPath(t), "none", "s")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v, want %v", err, fs.ErrNotExist)
	}
}

// TestListenUnixLongPath: a path of any length that a socket can have will do,
// and the error for another one says what is wrong.
func TestListenUnixLongPath(t *testing.T) {
	dir := filepath.Dir(socketPath(t)) + "/"
	if cefore := dir + "cef_65535.0123456789abcdef"; len(cefore) <= maxSocketPath {
		dead(t, cefore)
		l, err := ListenUnix(cefore)
		must(t, err)
		must(t, l.Close())
	}
	longest := dir + strings.Repeat("x", maxSocketPath-len(dir))
	for range 2 { // the second time over a dead one
		l, err := ListenUnix(longest)
		must(t, err)
		serves(t, l, longest)
		must(t, l.Close())
		dead(t, longest)
	}
	must(t, os.Remove(longest))
	if _, err := ListenUnix(longest + "x"); err == nil || !strings.Contains(err.Error(), "path") {
		t.Errorf("one byte more: %v", err)
	}
	if names := beside(t, longest); names != "" {
		t.Errorf("files %q", names)
	}
}

// TestListenerCloseOthersSocket: Close removes no socket that took the place of
// its own.
func TestListenerCloseOthersSocket(t *testing.T) {
	path := socketPath(t)
	first, err := ListenUnix(path)
	must(t, err)
	must(t, os.Remove(path))
	second, err := ListenUnix(path)
	must(t, err)
	must(t, first.Close())
	serves(t, second, path)
	must(t, second.Close())
	// Its inode number may be given to the next: a second Close must not look.
	third, err := ListenUnix(path)
	must(t, err)
	defer third.Close()
	_ = first.Close()
	_ = second.Close()
	serves(t, third, path)
}

func TestListenerCloseUnblocksAccept(t *testing.T) {
	l, err := ListenUnix(socketPath(t))
	must(t, err)
	done := blocked(t, func() error { _, err := l.Accept(); return err })
	must(t, l.Close())
	if err := await(t, "Accept", done); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v, want %v", err, net.ErrClosed)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept again: %v, want %v", err, net.ErrClosed)
	}
}

// TestDialFullBacklog: cefnetd's backlog is 1, and full for a moment whenever
// several applications start at once.
func TestDialFullBacklog(t *testing.T) {
	path := fullBacklog(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := Dial(ctx, Address{"unix", path})
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Dial: %v, want %v", err, context.DeadlineExceeded)
	}
}
