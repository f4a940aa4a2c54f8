package publish

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/cefgo/cefgo/internal/tlv"
)

var errDone = errors.New("no more Interests")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustName(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	check(t, err)
	return n
}

// child is the name below n with these plain segments.
func child(t testing.TB, n tlv.Name, segments ...string) tlv.Name {
	t.Helper()
	var err error
	for _, s := range segments {
		n, err = n.Child(s)
		check(t, err)
	}
	return n
}

// interest is an Interest for name, changed by changes.
func interest(t testing.TB, name tlv.Name, changes ...func(*tlv.Interest)) []byte {
	t.Helper()
	i := tlv.Interest{HopLimit: tlv.DefaultHopLimit, Name: name}
	i.Lifetime = tlv.Lifetime(tlv.DefaultLifetime)
	for _, change := range changes {
		change(&i)
	}
	pkt, err := i.AppendTo(nil)
	check(t, err)
	return pkt
}

func marked(i *tlv.Interest) { i.Mark = true }

// random returns n bytes that do not repeat.
func random(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed, byte(n), byte(n >> 8)}).Read(b)
	return b
}

// write writes a file below dir, with the directories to it.
func write(t testing.TB, dir, path string, content []byte) string {
	t.Helper()
	path = filepath.Join(dir, path)
	check(t, os.MkdirAll(filepath.Dir(path), 0o700))
	check(t, os.WriteFile(path, content, 0o600))
	return path
}

func openTree(t testing.TB, path string) *Tree {
	t.Helper()
	tree, err := OpenTree(mustName(t, "ccnx:/demo"), path)
	check(t, err)
	t.Cleanup(func() { tree.Close() })
	return tree
}

// clock is the time as Lookup is told it. It starts long after the files were
// written, so that they count as settled.
type clock struct{ time.Time }

func newClock() *clock { return &clock{time.Now().Add(time.Hour)} }

// past moves on beyond the time for which a path is trusted.
func (c *clock) past() time.Time {
	c.Time = c.Add(recheck)
	return c.Time
}

// all reads a file that Lookup returned.
func all(t testing.TB, f *file) []byte {
	t.Helper()
	b := make([]byte, f.size())
	b, err := f.read(b, 0, len(b), 1)
	check(t, err)
	return bytes.Clone(b)
}

// tick waits until the kernel's clock, by which it stamps files, has moved on since
// the file at path was changed: only then does the next change show.
func tick(t testing.TB, path string) {
	t.Helper()
	stamp := func(path string) int64 {
		var st unix.Stat_t
		check(t, unix.Stat(path, &st))
		return st.Ctim.Nano()
	}
	for dir, was := t.TempDir(), stamp(path); stamp(write(t, dir, "tick", []byte("x"))) <= was; {
	}
}

// overwrite changes bytes of a file in place.
func overwrite(t testing.TB, path string, content []byte, off int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	check(t, err)
	defer f.Close()
	_, err = f.WriteAt(content, off)
	check(t, err)
}

// settled waits until the file has been left alone for long enough to be served.
func settled(t testing.TB, tree *Tree, name tlv.Name) {
	t.Helper()
	for {
		_, err := tree.Lookup(name, time.Now())
		if err == nil {
			return
		}
		if !errors.Is(err, errChanged) {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

// notFound checks that err says that there is no such file.
func notFound(t testing.TB, what string, err error) {
	t.Helper()
	if !errors.Is(err, ErrNotServed) {
		t.Errorf("%s: error %v, want %v", what, err, ErrNotServed)
	}
}

// holds checks that the file of that name has that content.
func holds(t testing.TB, tree *Tree, name tlv.Name, now time.Time, want []byte) *file {
	t.Helper()
	f, err := tree.Lookup(name, now)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if got := all(t, f); !bytes.Equal(got, want) {
		t.Fatalf("%s: %.40q, want %.40q", name, got, want)
	}
	return f
}
