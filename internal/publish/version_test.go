package publish

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cefgo/cefgo/internal/tlv"
)

// What happens to a file while it is served: from recheck on, Lookup gives the new
// content and another version, and the old one is never read again.
func TestFileChanges(t *testing.T) {
	old := random(1, 1000)
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, path string)
		want   []byte // nil: gone
	}{
		{"replaced by rename", func(t *testing.T, path string) {
			check(t, os.Rename(write(t, filepath.Dir(path), "new", random(2, 1000)), path))
		}, random(2, 1000)},
		{"overwritten in place, as long as it was", func(t *testing.T, path string) {
			overwrite(t, path, random(2, 1000), 0)
		}, random(2, 1000)},
		{"one byte changed in place", func(t *testing.T, path string) {
			overwrite(t, path, []byte{^old[999]}, 999)
		}, append(bytes.Clone(old[:999]), ^old[999])},
		{"overwritten, and its time set back", func(t *testing.T, path string) {
			fi, err := os.Stat(path)
			check(t, err)
			overwrite(t, path, random(2, 1000), 0)
			check(t, os.Chtimes(path, time.Time{}, fi.ModTime()))
		}, random(2, 1000)},
		{"truncated", func(t *testing.T, path string) {
			check(t, os.Truncate(path, 10))
		}, old[:10]},
		{"truncated to nothing", func(t *testing.T, path string) {
			check(t, os.Truncate(path, 0))
		}, []byte{}},
		{"grown", func(t *testing.T, path string) {
			overwrite(t, path, []byte("more"), 1000)
		}, append(bytes.Clone(old), "more"...)},
		{"written anew by truncation", func(t *testing.T, path string) {
			check(t, os.WriteFile(path, random(2, 1000), 0o600))
		}, random(2, 1000)},
		{"replaced by a link to another", func(t *testing.T, path string) {
			write(t, filepath.Dir(path), "new", []byte("new"))
			check(t, os.RemoveAll(path))
			check(t, os.Symlink("new", path))
		}, []byte("new")},
		{"removed", func(t *testing.T, path string) { check(t, os.RemoveAll(path)) }, nil},
		{"replaced by a directory", func(t *testing.T, path string) {
			check(t, os.RemoveAll(path))
			check(t, os.Mkdir(path, 0o700))
		}, nil},
		{"replaced by a FIFO", func(t *testing.T, path string) {
			check(t, os.RemoveAll(path))
			check(t, unix.Mkfifo(path, 0o600))
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, "file", old)
			tree, now := openTree(t, dir), newClock()
			name := child(t, tree.prefix, "file")
			f := holds(t, tree, name, now.Time, old)
			version := bytes.Clone(f.version)
			tick(t, path)
			tt.change(t, path)

			// The path is trusted for a moment, the content not.
			if _, err := f.read(make([]byte, 5), 0, 5, 2); !errors.Is(err, errChanged) {
				t.Errorf("a read of the old version: %v, want %v", err, errChanged)
			}
			if _, err := f.read(make([]byte, 1000), 0, 1000, 2); !errors.Is(err, errChanged) {
				t.Errorf("a read of all of the old version: %v, want %v", err, errChanged)
			}
			if g, err := tree.Lookup(name, now.Add(recheck-1)); err != nil || g != f {
				t.Errorf("within %v: %v, %v; want the same file", recheck, g, err)
			}
			if tt.want == nil {
				_, err := tree.Lookup(name, now.past())
				notFound(t, "after "+recheck.String(), err)
				if len(tree.open) > 0 {
					t.Error("it is open still")
				}
				return
			}
			f = holds(t, tree, name, now.past(), tt.want)
			if bytes.Equal(f.version, version) {
				t.Errorf("the version is %x still", version)
			}
		})
	}
}

// What could not be read ahead is not served, not in the same round either.
func TestReadAheadFails(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", random(1, 3*readAhead))
	tree, now := openTree(t, dir), newClock()
	f, err := tree.Lookup(child(t, tree.prefix, "file"), now.Time)
	check(t, err)
	const n = 1000
	b := make([]byte, n)
	for off := int64(0); off+n <= readAhead; off += n {
		_, err := f.read(b, off, n, 1)
		check(t, err)
	}
	tick(t, path)
	overwrite(t, path, random(2, 2*readAhead), readAhead)
	for range 2 {
		if _, err := f.read(b, readAhead/n*n, n, 1); !errors.Is(err, errChanged) {
			t.Errorf("error %v, want %v", err, errChanged)
		}
	}
}

// A version is the file's for as long as the file stays what it is.
func TestVersionLasts(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", []byte("content"))
	write(t, dir, "other", []byte("content"))
	tree, now := openTree(t, dir), newClock()
	name, other := child(t, tree.prefix, "file"), child(t, tree.prefix, "other")
	f := holds(t, tree, name, now.Time, []byte("content"))
	version := bytes.Clone(f.version)
	if len(version) == 0 || len(version) > tlv.MaxVersionLen {
		t.Fatalf("version %x", version)
	}
	if bytes.Equal(version, holds(t, tree, other, now.Time, []byte("content")).version) {
		t.Error("another file has the same version")
	}
	_, err := os.ReadFile(path) // being read is no change
	check(t, err)
	if g := holds(t, tree, name, now.past(), []byte("content")); g != f {
		t.Error("an unchanged file was opened anew")
	}
	for what, again := range map[string]func() *Tree{
		"after Rescan":    func() *Tree { tree.Rescan(); return tree },
		"in another tree": func() *Tree { return openTree(t, dir) },
	} {
		g := holds(t, again(), name, now.Time, []byte("content"))
		if g == f || !bytes.Equal(g.version, version) {
			t.Errorf("%s: opened anew %v, version %x; want %x", what, g != f, g.version, version)
		}
	}
}

// Rescan finds at once what recheck would find later.
func TestRescan(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", []byte("old"))
	tree, now := openTree(t, dir), newClock()
	name := child(t, tree.prefix, "file")
	f := holds(t, tree, name, now.Time, []byte("old"))
	check(t, os.Rename(write(t, dir, "new", []byte("new")), path))
	tree.Rescan()
	holds(t, tree, name, now.Time, []byte("new"))
	if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the old file: %v, want it closed", err)
	}
}

// A file is served only when it has been left alone for a while: two writes within
// one tick of the kernel's clock look like one.
func TestFileSettles(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", []byte("content"))
	tree := openTree(t, dir)
	name := child(t, tree.prefix, "file")
	var st unix.Stat_t
	check(t, unix.Stat(path, &st))
	written := time.Unix(0, st.Ctim.Nano())
	for d, want := range map[time.Duration]error{-settle: nil, -settle + 1: errChanged, 0: errChanged, settle - 1: errChanged, settle: nil} {
		tree.Rescan()
		if _, err := tree.Lookup(name, written.Add(d)); !errors.Is(err, want) {
			t.Errorf("%v after the last change: %v, want %v", d, err, want)
		}
	}
}

// While a file is overwritten in place again and again, from its start to its end,
// each version that is read is what the file was at one moment.
func TestVersionsNeverMix(t *testing.T) {
	const chunks, block, generations = 64, 4096, 12
	dir := t.TempDir()
	path := write(t, dir, "file", make([]byte, chunks*block))
	tree := openTree(t, dir)
	name := child(t, tree.prefix, "file")

	reading := make(chan struct{}, 1) // a token when a version has been read half-way
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		for g := range generations {
			<-reading
			for k := range int64(chunks) { // not in one go
				overwrite(t, path, bytes.Repeat([]byte{byte(g + 1)}, block), k*block)
			}
		}
	})
	versions := make(map[string]*[chunks]int) // generation + 1 of each chunk; 0: not read
	buf := make([]byte, block)
	for n := 0; ; n++ {
		select {
		case <-done:
			wg.Wait()
			if len(versions) < generations/2 {
				t.Errorf("%d versions were read of %d", len(versions), generations)
			}
			return
		default:
		}
		k := n % chunks
		var got []byte
		f, err := tree.Lookup(name, time.Now())
		if err == nil {
			got, err = f.read(buf, int64(k*block), len(buf), uint64(k)+1)
		}
		if errors.Is(err, errChanged) {
			if f != nil {
				tree.drop(f, time.Now())
			}
			runtime.Gosched()
			continue
		}
		check(t, err)
		v := versions[string(f.version)]
		if v == nil {
			v = new([chunks]int)
			versions[string(f.version)] = v
		}
		was, is := v[k], int(got[0])+1
		v[k] = is
		if was != 0 && was != is || !snapshot(v[:]) {
			t.Fatalf("version %x: chunk %d was %d and is %d, of %v", f.version, k, was, is, v)
		}
		if k == chunks/2 {
			select {
			case reading <- struct{}{}:
			default:
			}
		}
	}
}

// snapshot reports whether a file that is overwritten from its start, one generation
// after the other, can have had these chunks at one moment. 0 stands for any.
func snapshot(generations []int) bool {
	first, last := 0, 0
	for _, g := range generations {
		switch {
		case g == 0:
		case first == 0:
			first, last = g, g
		case g > last || g < first-1:
			return false
		default:
			last = g
		}
	}
	return true
}
