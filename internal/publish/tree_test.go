package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

const canary = "this is not to be served"

// forest is a directory to be served, with files that hold their own path, beside
// a directory that is not to be served, with files that hold the canary.
func forest(t testing.TB) (inside, outside string) {
	t.Helper()
	dir := t.TempDir()
	inside, outside = filepath.Join(dir, "inside"), filepath.Join(dir, "outside")
	for _, path := range []string{"a", "b", "d/a", "d/e/a", "d/..a", "...", "..b", ".hidden", ".h/a", "d/.h", "a b", "ü", "a\nb", `a\b`, "-"} {
		write(t, inside, path, []byte(path))
	}
	for _, path := range []string{"a", "d/a", "secret", ".hidden"} {
		write(t, outside, path, []byte(canary))
	}
	for path, target := range map[string]string{
		"file":         "d/a",
		"dir":          "d",
		"d/up":         "../b",
		"d/upandup":    "../../inside/b", // leaves the directory on its way
		"twice":        "file",
		"loop":         "loop",
		"dangling":     "nothing",
		"out":          "../outside/secret",
		"outdir":       "../outside",
		"d/outdir":     "../../outside",
		"twiceout":     "out",
		"absolute":     filepath.Join(outside, "secret"),
		"absolutedir":  outside,
		"absolutein":   filepath.Join(inside, "a"), // os.Root follows no absolute link
		"null":         "/dev/null",
		"seemshidden":  ".hidden",
		".seemshidden": "a",
	} {
		check(t, os.Symlink(target, filepath.Join(inside, path)))
	}
	return inside, outside
}

func TestLookup(t *testing.T) {
	inside, _ := forest(t)
	const missing, failing = "", "!"
	for _, tt := range []struct {
		segments []string
		want     string // the file's content; missing, or failing
		hidden   string // the same with Hidden, where that differs
	}{
		{[]string{"a"}, "a", ""},
		{[]string{"d", "a"}, "d/a", ""},
		{[]string{"d", "e", "a"}, "d/e/a", ""},
		{[]string{"a b"}, "a b", ""},
		{[]string{"ü"}, "ü", ""},
		{[]string{"a\nb"}, "a\nb", ""},
		{[]string{`a\b`}, `a\b`, ""},
		{[]string{"-"}, "-", ""},

		{[]string{"file"}, "d/a", ""},
		{[]string{"twice"}, "d/a", ""},
		{[]string{"dir", "a"}, "d/a", ""},
		{[]string{"dir", "up"}, "b", ""},
		{[]string{"seemshidden"}, ".hidden", ""}, // its owner gave it that name

		{[]string{".hidden"}, missing, ".hidden"},
		{[]string{".h", "a"}, missing, ".h/a"},
		{[]string{"d", ".h"}, missing, "d/.h"},
		{[]string{"..."}, missing, "..."},
		{[]string{"..b"}, missing, "..b"},
		{[]string{"d", "..a"}, missing, "d/..a"},
		{[]string{".seemshidden"}, missing, "a"},

		{nil, missing, ""},
		{[]string{"d"}, missing, ""},
		{[]string{"d", "e"}, missing, ""},
		{[]string{"dir"}, missing, ""},
		{[]string{"nothing"}, missing, ""},
		{[]string{"d", "nothing"}, missing, ""},
		{[]string{"nothing", "a"}, missing, ""},
		{[]string{"a", "b"}, missing, ""}, // below a file
		{[]string{"dangling"}, missing, ""},
		{[]string{strings.Repeat("x", 256)}, missing, ""},
		{[]string{"d", strings.Repeat("x", 900)}, missing, ""},

		{[]string{""}, missing, ""},
		{[]string{"", "a"}, missing, ""},
		{[]string{"a", ""}, missing, ""},
		{[]string{"d", "", "a"}, missing, ""},
		{[]string{"."}, missing, ""},
		{[]string{".", "a"}, missing, ""},
		{[]string{"d", ".", "a"}, missing, ""},
		{[]string{".."}, missing, ""},
		{[]string{"..", "inside", "a"}, missing, ""},
		{[]string{"..", "outside", "secret"}, missing, ""},
		{[]string{"d", "..", "a"}, missing, ""},
		{[]string{"d", "..", "..", "outside", "secret"}, missing, ""},
		{[]string{"d/a"}, missing, ""},
		{[]string{"../outside/secret"}, missing, ""},
		{[]string{"/etc/passwd"}, missing, ""},
		{[]string{"/", "etc", "passwd"}, missing, ""},
		{[]string{"a/"}, missing, ""},
		{[]string{"a\x00"}, missing, ""},
		{[]string{"\x00"}, missing, ""},
		{[]string{"a\x00b", "c"}, missing, ""},

		{[]string{"out"}, failing, ""},
		{[]string{"twiceout"}, failing, ""},
		{[]string{"outdir", "secret"}, failing, ""},
		{[]string{"d", "outdir", "secret"}, failing, ""},
		{[]string{"d", "upandup"}, failing, ""},
		{[]string{"absolute"}, failing, ""},
		{[]string{"absolutedir", "secret"}, failing, ""},
		{[]string{"absolutein"}, failing, ""},
		{[]string{"null"}, failing, ""},
		{[]string{"loop"}, failing, ""},
	} {
		for _, hidden := range []bool{false, true} {
			tree := openTree(t, inside)
			tree.Hidden = hidden
			want := tt.want
			if hidden && tt.hidden != "" {
				want = tt.hidden
			}
			name := child(t, tree.prefix, tt.segments...)
			what := fmt.Sprintf("%q, hidden %v", tt.segments, hidden)
			for _, name := range []tlv.Name{name, name.WithChunk(0), name.WithChunk(1 << 40)} {
				f, err := tree.Lookup(name, newClock().Time)
				switch {
				case want == missing:
					notFound(t, what, err)
				case want == failing:
					if err == nil || errors.Is(err, ErrNotServed) {
						t.Errorf("%s: error %v, want another than %v", what, err, ErrNotServed)
					}
				case err != nil:
					t.Errorf("%s: %v", what, err)
				default:
					if got := all(t, f); string(got) != want {
						t.Errorf("%s: %q, want %q", what, got, want)
					}
				}
			}
			tree.Close()
		}
	}
}

// Only names below the prefix, and only plain segments, are files.
func TestLookupOtherNames(t *testing.T) {
	inside, _ := forest(t)
	tree := openTree(t, inside)
	tree.Hidden = true
	for _, uri := range []string{
		"ccnx:/demo", "ccnx:/dem/a", "ccnx:/demo2/a", "ccnx:/a", "ccnx:/", "ccnx:/d/emo/a", "ccnx:/demo/meta",
		"ccnx:/demo/App:0=a", "ccnx:/demo/0x0004=a", "ccnx:/demo/d/0x0002=a", "ccnx:/demo/App:7=d/a", "ccnx:/demo/0x0006=a", "ccnx:/App:0=demo/a",
	} {
		_, err := tree.Lookup(mustName(t, uri), newClock().Time)
		notFound(t, uri, err)
	}
	_, err := tree.Lookup(tlv.Name{}, newClock().Time)
	notFound(t, "no name", err)
}

// What is no regular file is not opened, and does not hold up anything.
func TestLookupSpecialFiles(t *testing.T) {
	inside, _ := forest(t)
	tree := openTree(t, inside)
	missing := func(name string) {
		t.Helper()
		done := make(chan error, 1)
		go func() {
			_, err := tree.Lookup(child(t, tree.prefix, name), newClock().Time)
			done <- err
		}()
		select {
		case err := <-done:
			notFound(t, name, err)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: Lookup is held up", name)
		}
	}
	check(t, unix.Mkfifo(filepath.Join(inside, "fifo"), 0o600))
	missing("fifo")
	check(t, os.Symlink("fifo", filepath.Join(inside, "tofifo")))
	missing("tofifo")

	t.Chdir(inside) // a socket's path must be short
	l, err := net.Listen("unix", "socket")
	check(t, err)
	defer l.Close()
	missing("socket")

	if err := unix.Mknod(filepath.Join(inside, "device"), unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3))); err != nil {
		t.Log("no device to try:", err)
		return
	}
	missing("device")
}

// A FIFO that takes the file's place between the look at the path and its opening
// is found out.
func TestNewFileOfFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	check(t, unix.Mkfifo(path, 0o600))
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	check(t, err)
	_, err = newFile(f, "f", newClock().Time)
	notFound(t, "a FIFO", err)
	if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("it was left open: %v", err)
	}
}

func TestLookupUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	inside, _ := forest(t)
	check(t, os.Chmod(filepath.Join(inside, "a"), 0))
	check(t, os.Chmod(filepath.Join(inside, "d"), 0))
	t.Cleanup(func() { check(t, os.Chmod(filepath.Join(inside, "d"), 0o700)) })
	tree := openTree(t, inside)
	for _, name := range []tlv.Name{child(t, tree.prefix, "a"), child(t, tree.prefix, "d", "a")} {
		if _, err := tree.Lookup(name, newClock().Time); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v, want %v", name, err, fs.ErrPermission)
		}
	}
	if _, err := OpenTree(tree.prefix, filepath.Join(inside, "a")); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("open tree of one: %v, want %v", err, fs.ErrPermission)
	}
}

// Whatever the segments, only files inside are ever opened, each under its own path.
func TestLookupStaysInside(t *testing.T) {
	inside, outside := forest(t)
	segment := rapid.OneOf(
		rapid.SampledFrom([]string{"a", "d", "dir", "file", "outdir", ".h"}),
		rapid.SampledFrom([]string{
			"a", "b", "d", "e", "file", "dir", "up", "out", "outdir", "twiceout", "absolute", "absolutedir", "upandup", "loop",
			".hidden", ".h", "..", ".", "", "...", "..a", "..b", "outside", "secret", "inside", "/", "\x00", "null",
			"../outside/secret", "d/a", outside, filepath.Join(outside, "secret"), "..\x00", "outdir/secret", "dev", "etc", "passwd",
		}),
		rapid.StringN(0, 4, 8),
		rapid.StringOfN(rapid.SampledFrom([]rune{'.', '/', 'a', 'd', 0}), 0, 5, -1),
	)
	types := rapid.SampledFrom([]tlv.SegmentType{tlv.SegmentName, tlv.SegmentName, tlv.SegmentName, tlv.SegmentName, tlv.SegmentVersion, tlv.SegmentAppFirst})
	opened := 0
	tree := openTree(t, inside)
	now := newClock()
	rapid.Check(t, func(t *rapid.T) {
		tree.Hidden = rapid.Bool().Draw(t, "hidden")
		for range 30 {
			name, path, plain := tree.prefix, "", true
			for range rapid.IntRange(0, 5).Draw(t, "segments") {
				s, typ := segment.Draw(t, "segment"), types.Draw(t, "type")
				var err error
				if name, err = name.Append(tlv.Segment{Type: typ, Value: []byte(s)}); err != nil {
					t.Fatal(err)
				}
				path, plain = path+"/"+s, plain && typ == tlv.SegmentName
			}
			f, err := tree.Lookup(name, now.past())
			if err != nil {
				continue
			}
			opened++
			got := make([]byte, f.size())
			if got, err = f.read(got, 0, len(got), 1); err != nil {
				t.Fatal(err)
			}
			// Every file inside holds its own path; links lead to others.
			at, err := filepath.EvalSymlinks(inside + path)
			if err != nil || string(got) == canary || at != filepath.Join(inside, string(got)) || !plain {
				t.Fatalf("%q is %q at %s (%v)", path, got, at, err)
			}
			if !tree.Hidden && strings.Contains(path, "/.") {
				t.Fatalf("%q is hidden", path)
			}
		}
	})
	t.Logf("%d files opened", opened)
	if opened == 0 {
		t.Error("no file was opened at all")
	}
	for path, f := range tree.open {
		if !strings.HasPrefix(f.Name(), inside+"/") {
			t.Errorf("%q is open as %s", path, f.Name())
		}
	}
}

// A directory on the way that becomes a link out of the tree leads nowhere, at
// whatever moment that happens.
func TestDirectoryReplacedByLink(t *testing.T) {
	inside, _ := forest(t)
	tree, now := openTree(t, inside), newClock()
	name := child(t, tree.prefix, "d", "a")
	holds(t, tree, name, now.Time, []byte("d/a"))
	d, away := filepath.Join(inside, "d"), filepath.Join(inside, "away")
	check(t, os.Rename(d, away))
	check(t, os.Symlink("../outside/d", d))
	if f, err := tree.Lookup(name, now.past()); err == nil {
		t.Errorf("%s is %q", name, all(t, f))
	}

	// Now back and forth, all the time.
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		spare := filepath.Join(inside, "spare")
		check(t, os.Rename(d, spare))
		for {
			for _, target := range []string{away, spare} {
				_ = os.Rename(target, d)
				_ = os.Rename(d, target)
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for range 3000 {
		f, err := tree.Lookup(name, now.past())
		if err != nil {
			continue
		}
		b := make([]byte, f.size())
		if b, err := f.read(b, 0, len(b), 1); err == nil && string(b) != "d/a" {
			t.Errorf("%s is %q", name, b)
			break
		}
	}
	close(done)
	wg.Wait()
}

// A file that stays what it was is not served under a path that names another now.
func TestDirectoryReplaced(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "d/file", []byte("old"))
	write(t, dir, "new/file", []byte("new"))
	tree, now := openTree(t, dir), newClock()
	name := child(t, tree.prefix, "d", "file")
	f := holds(t, tree, name, now.Time, []byte("old"))
	check(t, os.Rename(filepath.Join(dir, "d"), filepath.Join(dir, "away")))
	check(t, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "d")))
	holds(t, tree, name, now.past(), []byte("new"))
	if !f.retired {
		t.Error("the old file is not kept for its readers")
	}
}

func TestSingleFile(t *testing.T) {
	inside, _ := forest(t)
	for _, path := range []string{"d/a", "file", "absolutein", ".hidden", "out", "d/../b"} {
		t.Run(path, func(t *testing.T) {
			path := filepath.Join(inside, path)
			want, err := os.ReadFile(path)
			check(t, err)
			tree, now := openTree(t, path), newClock()
			if !tree.Single() {
				t.Error("it is no single file")
			}
			holds(t, tree, tree.prefix, now.Time, want)
			holds(t, tree, tree.prefix.WithChunk(7), now.past(), want)
			for _, segments := range [][]string{{""}, {"."}, {"a"}, {"secret"}, {"..", "b"}} {
				_, err := tree.Lookup(child(t, tree.prefix, segments...), now.Time)
				notFound(t, fmt.Sprintf("below it, %q", segments), err)
			}
			if n, ok := tree.Example(); !ok || !n.Equal(tree.prefix) {
				t.Errorf("example %s, %v", n, ok)
			}
		})
	}
	t.Run("in the working directory", func(t *testing.T) {
		t.Chdir(inside)
		tree := openTree(t, "a")
		holds(t, tree, tree.prefix, newClock().Time, []byte("a"))
	})
	t.Run("just written", func(t *testing.T) {
		path := write(t, t.TempDir(), "new", []byte("new"))
		tree := openTree(t, path)
		holds(t, tree, tree.prefix, newClock().Time, []byte("new"))
	})
}

func TestOpenTreeErrors(t *testing.T) {
	dir := t.TempDir()
	prefix := mustName(t, "ccnx:/demo")
	if _, err := OpenTree(prefix, filepath.Join(dir, "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v, want %v", err, fs.ErrNotExist)
	}
	fifo := filepath.Join(dir, "fifo")
	check(t, unix.Mkfifo(fifo, 0o600))
	for _, path := range []string{fifo, "/dev/null"} {
		if _, err := OpenTree(prefix, path); err == nil || !strings.Contains(err.Error(), "neither a directory nor a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestExample(t *testing.T) {
	for _, tt := range []struct {
		files  []string
		dirs   []string
		hidden bool
		want   string
	}{
		{},
		{dirs: []string{"d"}},
		{files: []string{"d/a"}},
		{files: []string{".hidden"}},
		{files: []string{".hidden", "b"}, hidden: true, want: "ccnx:/demo/.hidden"},
		{files: []string{"b", ".hidden", "c", "A/x"}, want: "ccnx:/demo/b"},
		{files: []string{"a b", "b"}, want: "ccnx:/demo/0x612062"},
	} {
		dir := t.TempDir()
		for _, f := range tt.files {
			write(t, dir, f, nil)
		}
		for _, d := range tt.dirs {
			check(t, os.Mkdir(filepath.Join(dir, d), 0o700))
		}
		check(t, unix.Mkfifo(filepath.Join(dir, "0"), 0o600))
		tree := openTree(t, dir)
		tree.Hidden = tt.hidden
		if n, ok := tree.Example(); ok != (tt.want != "") || n.String() != tt.want {
			t.Errorf("%q, hidden %v: %s, %v; want %s", tt.files, tt.hidden, n, ok, tt.want)
		}
	}
	// A name that leaves no room for a chunk number is no example.
	dir := t.TempDir()
	write(t, dir, strings.Repeat("a", 100), nil)
	write(t, dir, "b", nil)
	tree, err := OpenTree(mustName(t, "ccnx:/"+strings.Repeat("p", 912)), dir)
	check(t, err)
	defer tree.Close()
	if n, ok := tree.Example(); !ok || !strings.HasSuffix(n.String(), "/b") {
		t.Errorf("with a long prefix: %s, %v", n, ok)
	}
}

// The files held open are bounded; the ones used last stay.
func TestOpenFilesBounded(t *testing.T) {
	const files = 3 * maxOpen
	dir := t.TempDir()
	for i := range files {
		write(t, dir, fmt.Sprint(i), []byte(fmt.Sprint(i)))
	}
	before := openFiles(t)
	tree, now := openTree(t, dir), newClock()
	favourite := child(t, tree.prefix, "0")
	first := holds(t, tree, favourite, now.Time, []byte("0"))
	var last *file
	for i := 1; i < files; i++ {
		last = holds(t, tree, child(t, tree.prefix, fmt.Sprint(i)), now.Time, []byte(fmt.Sprint(i)))
		if f := holds(t, tree, favourite, now.Time, []byte("0")); f != first {
			t.Fatalf("after %d others, the file in use all the time was opened anew", i)
		}
		if len(tree.open) > maxOpen {
			t.Fatalf("%d files are open", len(tree.open))
		}
	}
	// One for the directory.
	if got := openFiles(t) - before; got > maxOpen+1 || got < maxOpen {
		t.Errorf("%d descriptors are open, want about %d", got, maxOpen)
	}
	// All of them can still be had.
	for i := range files {
		holds(t, tree, child(t, tree.prefix, fmt.Sprint(i)), now.Time, []byte(fmt.Sprint(i)))
	}
	if _, err := last.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a file that made room: %v, want it closed", err)
	}
	check(t, tree.Close())
	if got := openFiles(t); got > before {
		t.Errorf("%d descriptors more than before are open after Close", got-before)
	}
}

// openFiles is the number of this process's file descriptors.
func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	check(t, err)
	return len(entries)
}
