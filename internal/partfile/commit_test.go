package partfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func wantPerm(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	check(t, err)
	if info.Mode().Perm() != want {
		t.Errorf("%s has %v, want %v", path, info.Mode().Perm(), want)
	}
}

func TestCommitKeepsPermissions(t *testing.T) {
	for _, perm := range []fs.FileMode{0o600, 0o640, 0o755, 0o777} {
		target := inTemp(t, "out")
		put(t, target, "old")
		check(t, os.Chmod(target, perm))
		f := open(t, target, Options{})
		wantPerm(t, target+partSuffix, perm) // no wider than the target while it grows, either
		write(t, f, []byte("new"))
		check(t, f.Commit())
		wantPerm(t, target, perm)
	}
}

func TestCommitTakesPermissionsAtTheEnd(t *testing.T) {
	target := inTemp(t, "out")
	put(t, target, "old")
	f := open(t, target, Options{})
	check(t, os.Chmod(target, 0o500))
	check(t, f.Commit())
	wantPerm(t, target, 0o500)
}

func TestNewFileObeysUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	target := inTemp(t, "out")
	f := open(t, target, Options{})
	check(t, f.SaveState(testState()))
	wantPerm(t, target+stateSuffix, 0o640)
	check(t, f.Commit())
	wantPerm(t, target, 0o640)
}

func TestCommitSync(t *testing.T) {
	t.Chdir(t.TempDir())
	f := open(t, "out", Options{Sync: true})
	write(t, f, content(0))
	check(t, f.Commit())
	wantFile(t, "out", content(0))
}

func TestNoClobberAtCommit(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	f := open(t, target, Options{NoClobber: true})
	check(t, f.SaveState(testState()))
	write(t, f, content(0))
	put(t, target, "somebody was faster")
	err := f.Commit()
	if e, ok := errors.AsType[*ExistsError](err); !ok || e.Path != target {
		t.Errorf("Commit: %v", err)
	}
	check(t, f.Keep())
	wantFile(t, target, []byte("somebody was faster"))
	check(t, resumable(target, 1))
}

func TestNoClobberNewFile(t *testing.T) {
	dir := t.TempDir()
	f := open(t, filepath.Join(dir, "out"), Options{NoClobber: true})
	write(t, f, content(0))
	check(t, f.Commit())
	wantNames(t, dir, "out")
	wantFile(t, filepath.Join(dir, "out"), content(0))
}

// The check before the rename is only the polite one: the rename itself must refuse.
func TestNoClobberIsAtomic(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	f := open(t, target, Options{NoClobber: true})
	check(t, f.SaveState(testState()))
	write(t, f, content(0))
	check(t, f.Flush())
	check(t, f.prepare())
	put(t, target, "in the last moment")
	err := f.install()
	if _, ok := errors.AsType[*ExistsError](err); !ok {
		t.Errorf("install: %v", err)
	}
	wantFile(t, target, []byte("in the last moment"))
	check(t, f.Keep())
	check(t, resumable(target, 1)) // the state is back
}

func TestRenameNew(t *testing.T) {
	for name, rename := range map[string]func(from, to string) error{"rename": renameNew, "link": linkNew} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
			put(t, from, "new")
			put(t, to, "old")
			if err := rename(from, to); !errors.Is(err, fs.ErrExist) {
				t.Errorf("onto a file: %v", err)
			}
			wantFile(t, from, []byte("new"))
			wantFile(t, to, []byte("old"))
			check(t, os.Remove(to))
			check(t, rename(from, to))
			wantNames(t, dir, "to")
			wantFile(t, to, []byte("new"))
		})
	}
}

func TestCommitOntoSomethingElse(t *testing.T) {
	for name, tt := range map[string]struct {
		make func(path string) error
		is   error
	}{
		"directory": {func(path string) error { return os.Mkdir(path, 0o755) }, ErrIsDirectory},
		"FIFO":      {func(path string) error { return syscall.Mkfifo(path, 0o644) }, nil},
		"symlink":   {func(path string) error { return os.Symlink("elsewhere", path) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			target := inTemp(t, "out")
			f := open(t, target, Options{})
			check(t, f.SaveState(testState()))
			write(t, f, content(0))
			check(t, tt.make(target))
			before, err := os.Lstat(target)
			check(t, err)
			if err := f.Commit(); err == nil || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("Commit: %v", err)
			}
			after, err := os.Lstat(target)
			check(t, err)
			if !os.SameFile(before, after) {
				t.Error("it was replaced")
			}
			check(t, f.Keep())
			check(t, os.Remove(target))
			check(t, resumable(target, 1))
		})
	}
}

func TestCommitAgainAfterError(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	f := open(t, target, Options{NoClobber: true})
	write(t, f, content(0))
	put(t, target, "in the way")
	if f.Commit() == nil {
		t.Fatal("clobbered")
	}
	check(t, os.Remove(target))
	check(t, f.Commit())
	wantFile(t, target, content(0))
	wantNames(t, dir, "out")
}
