package partfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWriteAndCommit(t *testing.T) {
	for _, size := range []uint64{0, 1, 3, 262, 263, 1000} { // 262 chunks fit the buffer
		dir := t.TempDir()
		target := filepath.Join(dir, "out")
		f := open(t, target, Options{})
		check(t, f.SaveState(testState()))
		for i := range size {
			write(t, f, content(i))
			if got := f.Size(); got != int64(i+1)*blockSize {
				t.Fatalf("size %d after %d chunks", got, i+1)
			}
		}
		wantNames(t, dir, "out.cefgo-part", "out.cefgo-state")
		check(t, f.Commit())
		wantFile(t, target, contents(size))
		wantNames(t, dir, "out")
	}
}

func TestOneLargeWrite(t *testing.T) {
	target := inTemp(t, "out")
	f := open(t, target, Options{})
	write(t, f, content(0))
	write(t, f, contents(2000))
	check(t, f.Commit())
	wantFile(t, target, append(content(0), contents(2000)...))
}

func TestWriteIsBuffered(t *testing.T) {
	target := inTemp(t, "out")
	f := open(t, target, Options{})
	write(t, f, contents(131))
	wantFile(t, target+partSuffix, nil)
	check(t, f.Flush())
	wantFile(t, target+partSuffix, contents(131))
}

func TestNoByteNoPartFile(t *testing.T) {
	for name, end := range map[string]func(*File) error{
		"Keep": (*File).Keep, "Discard": (*File).Discard, "Close": (*File).Close,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := open(t, filepath.Join(dir, "out"), Options{})
			check(t, f.SaveState(testState()))
			check(t, end(f))
			wantNames(t, dir)
		})
	}
}

func TestKeepAndResume(t *testing.T) {
	for _, chunks := range []uint64{1, 5, 700} {
		dir := t.TempDir()
		target := filepath.Join(dir, "out")
		put(t, target, "old")
		f := open(t, target, Options{})
		check(t, f.SaveState(testState()))
		write(t, f, contents(chunks))
		write(t, f, []byte("ragged"))
		check(t, f.Keep())
		check(t, f.Keep())
		wantFile(t, target, []byte("old"))
		wantNames(t, dir, "out", "out.cefgo-part", "out.cefgo-state")

		f = open(t, target, Options{Resume: true})
		s, got, ok := f.ResumeState()
		if want := testState(); !ok || got != chunks || s.Name != want.Name || s.Tag != want.Tag || s.BlockSize != blockSize {
			t.Fatalf("ResumeState = %+v, %d, %v", s, got, ok)
		}
		if f.Torn() != nil || f.Size() != int64(chunks)*blockSize {
			t.Fatalf("torn %v, size %d", f.Torn(), f.Size())
		}
		write(t, f, content(chunks))
		check(t, f.Commit())
		wantFile(t, target, contents(chunks+1))
		wantNames(t, dir, "out")
	}
}

func TestResumeNothing(t *testing.T) {
	for name, prepare := range map[string]func(target string){
		"no part file": func(target string) {},
		"only a state": func(target string) { put(t, target+stateSuffix, goodState()) },
		"empty":        func(target string) { left(t, target, 0, "", goodState()) },
		"half a chunk": func(target string) { left(t, target, 0, "half", goodState()) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			target := filepath.Join(dir, "out")
			prepare(target)
			f := open(t, target, Options{Resume: true})
			if _, chunks, ok := f.ResumeState(); ok || chunks != 0 || f.Torn() != nil || f.Size() != 0 {
				t.Errorf("ResumeState = %d, %v, torn %v, size %d", chunks, ok, f.Torn(), f.Size())
			}
			wantNames(t, dir, "out.cefgo-part")
			wantFile(t, target+partSuffix, nil)
		})
	}
}

func TestTorn(t *testing.T) {
	end := func(n uint64) string {
		s := testState()
		s.V, s.EndChunk = 1, new(n)
		return string(s.encode())
	}
	for name, state := range map[string]string{
		"no state":      "",
		"zeros":         strings.Repeat("\x00", 100),
		"truncated":     goodState()[:20],
		"two states":    goodState() + goodState(),
		"next version":  strings.Replace(goodState(), `"v":1`, `"v":2`, 1),
		"too few bytes": end(1),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			target := filepath.Join(dir, "out")
			left(t, target, 3, "", state)
			f := open(t, target, Options{Resume: true})
			e, ok := errors.AsType[*StateError](f.Torn())
			if !ok || e.Path != target+stateSuffix {
				t.Errorf("torn: %v", f.Torn())
			}
			if (state == "") != errors.Is(f.Torn(), fs.ErrNotExist) {
				t.Errorf("torn: %v", f.Torn())
			}
			if _, _, ok := f.ResumeState(); ok || f.Size() != 0 {
				t.Errorf("trusted, size %d", f.Size())
			}
			wantFile(t, target+partSuffix, nil)
			wantNames(t, dir, "out.cefgo-part")
			check(t, f.SaveState(testState()))
			write(t, f, content(7))
			check(t, f.Commit())
			wantFile(t, target, content(7))
		})
	}
}

func TestLastChunkIsTakenOverWhole(t *testing.T) {
	target := inTemp(t, "out")
	s := testState()
	s.V, s.EndChunk = 1, new(uint64(2))
	left(t, target, 3, "", string(s.encode()))
	f := open(t, target, Options{Resume: true})
	if s, chunks, ok := f.ResumeState(); !ok || chunks != 3 || *s.EndChunk != 2 {
		t.Errorf("ResumeState = %+v, %d, %v, torn %v", s, chunks, ok, f.Torn())
	}
}

func TestWithoutResumeLeftoverIsDropped(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	left(t, target, 3, "x", goodState())
	put(t, target+tmpSuffix, "half a state")
	f := open(t, target, Options{})
	if _, _, ok := f.ResumeState(); ok || f.Torn() != nil || f.Size() != 0 {
		t.Errorf("resumed: %v, torn %v, size %d", ok, f.Torn(), f.Size())
	}
	wantNames(t, dir, "out.cefgo-part")
	write(t, f, content(9))
	check(t, f.Commit())
	wantFile(t, target, content(9))
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	left(t, target, 3, "", goodState())
	f := open(t, target, Options{Resume: true})
	write(t, f, content(3)) // buffered
	check(t, f.Restart())
	if _, _, ok := f.ResumeState(); ok || f.Size() != 0 {
		t.Errorf("state is remembered, size %d", f.Size())
	}
	wantNames(t, dir, "out.cefgo-part")
	wantFile(t, target+partSuffix, nil)

	s := testState()
	s.Name = "ccnx:/other"
	check(t, f.SaveState(s))
	if _, _, ok := f.ResumeState(); ok {
		t.Error("a new state counts as resumed")
	}
	write(t, f, content(8))
	check(t, f.Restart())
	check(t, f.SaveState(testState()))
	write(t, f, content(9))
	check(t, f.Commit())
	wantFile(t, target, content(9))
}

func TestDropState(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	left(t, target, 3, "", goodState())
	f := open(t, target, Options{Resume: true})
	check(t, f.DropState())
	if _, _, ok := f.ResumeState(); ok || f.Size() != 3*blockSize {
		t.Errorf("state is remembered: %v, size %d", ok, f.Size())
	}
	if f.SaveState(testState()) == nil {
		t.Error("the bytes got a state again")
	}
	write(t, f, content(3))
	check(t, f.Keep())
	wantNames(t, dir, "out.cefgo-part")
	wantFile(t, target+partSuffix, contents(4))
	if f := open(t, target, Options{Resume: true}); f.Torn() == nil {
		t.Error("trusted without a state")
	}
}

func TestRestartAndNoByte(t *testing.T) {
	dir := t.TempDir()
	left(t, filepath.Join(dir, "out"), 3, "", goodState())
	f := open(t, filepath.Join(dir, "out"), Options{Resume: true})
	check(t, f.Restart())
	check(t, f.Keep())
	wantNames(t, dir)
}

func TestReadAt(t *testing.T) {
	target := inTemp(t, "out")
	left(t, target, 3, "ragged", goodState())
	f := open(t, target, Options{Resume: true})
	got := make([]byte, blockSize)
	for i := range uint64(4) {
		if i == 3 {
			write(t, f, content(3)) // still in the buffer
		}
		if _, err := f.ReadAt(got, int64(i)*blockSize); err != nil || !bytes.Equal(got, content(i)) {
			t.Errorf("chunk %d: %v", i, err)
		}
	}
	if n, err := f.ReadAt(got, 3*blockSize+1); n != blockSize-1 || err != io.EOF {
		t.Errorf("past the end: %d, %v", n, err)
	}
	write(t, f, content(4)) // reading has not moved the end
	check(t, f.Commit())
	wantFile(t, target, contents(5))
}

func TestDiscard(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	put(t, target, "old")
	f := open(t, target, Options{})
	check(t, f.SaveState(testState()))
	write(t, f, contents(500))
	check(t, f.Discard())
	check(t, f.Discard())
	check(t, f.Keep())
	wantNames(t, dir, "out")
	wantFile(t, target, []byte("old"))
}

func TestEndedFile(t *testing.T) {
	target := inTemp(t, "out")
	f := open(t, target, Options{})
	write(t, f, content(0))
	check(t, f.Commit())
	check(t, f.Close())
	check(t, f.Discard())
	wantFile(t, target, content(0))
	_, werr := f.Write([]byte("x"))
	_, rerr := f.ReadAt(make([]byte, 1), 0)
	for _, err := range []error{werr, rerr, f.Flush(), f.Commit(), f.Restart(), f.SaveState(testState())} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%v, want fs.ErrClosed", err)
		}
	}
}

func TestSymlinkIsWrittenThrough(t *testing.T) {
	t.Chdir(t.TempDir())
	check(t, os.Mkdir("dir", 0o755))
	put(t, "dir/file", "old")
	check(t, os.Symlink("dir/file", "link"))
	check(t, os.Symlink("link", "link2"))
	f := open(t, "link2", Options{})
	write(t, f, []byte("new"))
	wantNames(t, "dir", "file", "file.cefgo-part")
	if f.Path() != "dir/file" {
		t.Errorf("path %q", f.Path())
	}
	check(t, f.Commit())
	wantFile(t, "dir/file", []byte("new"))
	wantNames(t, ".", "dir", "link", "link2")
	if to, err := os.Readlink("link"); to != "dir/file" {
		t.Errorf("link is now %q, %v", to, err)
	}
}

func TestDirect(t *testing.T) {
	null := device(t, os.DevNull)
	f := open(t, null, Options{Resume: true})
	if !f.Direct() {
		t.Error("not direct")
	}
	check(t, f.SaveState(testState()))
	check(t, f.Restart())
	write(t, f, contents(500))
	if _, _, ok := f.ResumeState(); ok || f.Size() != 500*blockSize {
		t.Errorf("resumed %v, size %d", ok, f.Size())
	}
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("ReadAt: %v", err)
	}
	if err := f.Restart(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("Restart: %v", err)
	}
	check(t, f.Commit())
	info, err := os.Stat(null)
	check(t, err)
	if info.Mode()&fs.ModeCharDevice == 0 {
		t.Fatal("the device was replaced")
	}
	for _, suffix := range []string{partSuffix, stateSuffix, tmpSuffix} {
		if _, err := os.Lstat(null + suffix); err == nil {
			t.Error(null+suffix, "exists")
		}
	}
}

func TestDirectIsNotLocked(t *testing.T) {
	null := device(t, os.DevNull)
	open(t, null, Options{})
	open(t, null, Options{})
}

func TestDirectFIFO(t *testing.T) {
	for name, end := range map[string]func(*File) error{"Commit": (*File).Commit, "Keep": (*File).Keep} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			pipe := filepath.Join(dir, "pipe")
			check(t, syscall.Mkfifo(pipe, 0o644))
			read := make(chan []byte)
			go func() {
				b, _ := os.ReadFile(pipe)
				read <- b
			}()
			f := open(t, pipe, Options{})
			write(t, f, contents(300))
			check(t, end(f))
			if !bytes.Equal(<-read, contents(300)) {
				t.Error("bytes were lost")
			}
			wantNames(t, dir, "pipe")
		})
	}
}

// A link into /proc such as /dev/stdout names no path that could be resolved.
func TestDirectThroughProcLink(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("no /proc here")
	}
	r, w, err := os.Pipe()
	check(t, err)
	defer r.Close()
	link := inTemp(t, "link")
	check(t, os.Symlink(filepath.Join("/proc/self/fd", fmt.Sprint(w.Fd())), link))
	f := open(t, link, Options{})
	check(t, w.Close())
	write(t, f, []byte("through"))
	check(t, f.Commit())
	if got, err := io.ReadAll(r); string(got) != "through" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A directory in the place of one of our files is somebody's, even an empty one.
func TestForeignDirectoryStays(t *testing.T) {
	for _, suffix := range []string{".cefgo-state", ".cefgo-tmp"} {
		target := filepath.Join(t.TempDir(), "f")
		if err := os.Mkdir(target+suffix, 0o777); err != nil {
			t.Fatal(err)
		}
		if f, err := Open(target, Options{}); err == nil {
			_ = f.Discard()
		}
		if fi, err := os.Stat(target + suffix); err != nil || !fi.IsDir() {
			t.Errorf("%s: %v", suffix, err)
		}
	}
}
