package digest

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
)

// filled returns a cache directory that has the Sums of content under name.
func filled(t *testing.T, name string, content []byte) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "of cefgo", "digests")
	p := New(Options{Dir: dir})
	wantSums(t, p, newFake(content).job(name), sumsOf(content))
	p.Close() // waits until they are stored
	return dir
}

// files returns the paths of all files below dir.
func files(t *testing.T, dir string) (paths []string) {
	t.Helper()
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}

func TestDiskHit(t *testing.T) {
	for _, size := range []int{diskFrom, hugeFrom + 1} {
		content := random(1, size)
		p := open(t, Options{Dir: filled(t, "a", content)})
		wantSums(t, p, notOpened(t, "a", int64(size)), sumsOf(content))
		if _, ok := p.Lookup(keyOf("a")); !ok {
			t.Error("not remembered")
		}
	}
}

// TestNothingSmallOnDisk: it is neither put there nor looked for.
func TestNothingSmallOnDisk(t *testing.T) {
	content := random(1, diskFrom-1)
	dir := filled(t, "a", content)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory was made: %v", err)
	}
	other := sumsOf(random(2, diskFrom-1))
	check(t, writeEntry(newDisk(dir, nil).path(keyOf("a")), encodeEntry(keyOf("a"), other)))
	wantSums(t, open(t, Options{Dir: dir}), newFake(content).job("a"), sumsOf(content))
}

func TestDiskLayout(t *testing.T) {
	dir := filled(t, "a", random(1, diskFrom))
	name := fmt.Sprintf("%x", keyOf("a"))
	want := filepath.Join(dir, name[:2], name)
	if got := files(t, dir); len(got) != 1 || got[0] != want {
		t.Errorf("files %q, want %q", got, want)
	}
	for path, mode := range map[string]fs.FileMode{want: 0o600, filepath.Dir(want): 0o700, dir: 0o700, filepath.Dir(dir): 0o700} {
		if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, fi.Mode(), err)
		}
	}
}

// TestDiskHitPassesHuge: what is on disk does not wait until a huge file is read.
func TestDiskHitPassesHuge(t *testing.T) {
	content := random(1, hugeFrom+1)
	p := open(t, Options{Dir: filled(t, "a", content), Workers: 2})
	entered, gate := make(chan int), make(chan struct{})
	defer close(gate)
	p.Want(gated(hugeFrom+1, entered, gate).job("huge"))
	<-entered
	wantSums(t, p, notOpened(t, "a", hugeFrom+1), sumsOf(content))
}

// TestMissIsHugeAgain: a huge file that is not on disk keeps to the workers for huge ones.
func TestMissIsHugeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := open(t, Options{Dir: t.TempDir(), Workers: 2})
		entered, gate := make(chan int, 2), make(chan struct{})
		defer close(gate)
		for _, name := range []string{"a", "b"} {
			p.Want(gated(hugeFrom+1, entered, gate).job(name))
		}
		synctest.Wait()
		if len(entered) != 1 {
			t.Errorf("%d are read at once", len(entered))
		}
	})
}

// TestWrongEntry: what is wrong in any way is removed, and the file is read.
func TestWrongEntry(t *testing.T) {
	content := random(1, diskFrom)
	dir := filled(t, "a", content)
	want := sumsOf(content)
	d := newDisk(dir, nil)
	path := d.path(keyOf("a"))
	good, err := os.ReadFile(path)
	check(t, err)
	put := func(b []byte) func() error { return func() error { return os.WriteFile(path, b, 0o600) } }
	for name, place := range map[string]func() error{
		"empty":       put(nil),
		"cut":         put(good[:len(good)-1]),
		"longer":      put(append(good[:len(good):len(good)], 0)),
		"zeros":       put(make([]byte, len(good))),
		"foreign key": put(encodeEntry(keyOf("b"), want)),
		"other size":  put(encodeEntry(keyOf("a"), &Sums{Size: diskFrom - 1, Runs: want.Runs})),
		"huge":        func() error { return cmp.Or(put(good)(), os.Truncate(path, 1<<43)) },
		"directory":   func() error { return os.Mkdir(path, 0o700) },
		"symlink": func() error {
			other := filepath.Join(t.TempDir(), "other")
			return cmp.Or(os.WriteFile(other, good, 0o600), os.Symlink(other, path))
		},
		"FIFO": func() error { return syscall.Mkfifo(path, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			check(t, os.Remove(path))
			check(t, place())
			if s := d.load(keyOf("a"), diskFrom); s != nil {
				t.Errorf("loaded %v", s)
			}
			if _, err := os.Lstat(path); !os.IsNotExist(err) {
				t.Errorf("it is there still: %v", err)
			}
			check(t, place())
			p := New(Options{Dir: dir})
			wantSums(t, p, newFake(content).job("a"), want)
			p.Close()
			if b, err := os.ReadFile(path); err != nil || string(b) != string(good) {
				t.Errorf("what is stored then: %d bytes, %v", len(b), err)
			}
		})
	}
}

// TestUnusableDir: whatever stands in the way of the directory costs one warning.
func TestUnusableDir(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(file, nil, 0o600))
	inTheWay := t.TempDir()
	for i := range 256 {
		check(t, os.WriteFile(filepath.Join(inTheWay, fmt.Sprintf("%02x", i)), nil, 0o600))
	}
	for _, dir := range []string{file, filepath.Join(file, "sub"), inTheWay} {
		var j journal
		p := New(Options{Dir: dir, Log: j.log()})
		for i := range 3 {
			content := random(byte(i), diskFrom)
			wantSums(t, p, newFake(content).job(fmt.Sprint(i)), sumsOf(content))
		}
		p.Close()
		if got := j.lines(); len(got) != 1 || !strings.Contains(got[0], "level=WARN") || !strings.Contains(got[0], dir) {
			t.Errorf("%s: logged %q", dir, got)
		}
	}
}

// TestFailedWriteLeavesNothing: here the rename fails.
func TestFailedWriteLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	check(t, os.MkdirAll(filepath.Join(dir, "entry", "sub"), 0o700))
	if err := writeEntry(filepath.Join(dir, "entry"), []byte("x")); err == nil {
		t.Error("no error")
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
}

// TestTooLargeForDisk: an entry that prune would remove at once is not written.
func TestTooLargeForDisk(t *testing.T) {
	d := newDisk("", nil)
	for size, want := range map[int64]bool{-1: false, 4<<20 - 1: false, 4 << 20: true, 7 << 38: true, 9 << 38: false, 1<<63 - 1: false} {
		if d.keeps(size) != want {
			t.Errorf("%d bytes: %v", size, !want)
		}
	}
}
