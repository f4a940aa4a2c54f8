package digest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/object"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errChanged = errors.New("the file changed")
	errNoFile  = errors.New("no such file")
)

// A fake is a Source in memory, and what happens when it is used.
type fake struct {
	*bytes.Reader
	onRead    func(n int)  // before each read of n bytes
	unchanged func() error // nil: it is
	closed    atomic.Int32
}

func (f *fake) ReadAt(p []byte, off int64) (int, error) {
	if f.onRead != nil {
		f.onRead(len(p))
	}
	return f.Reader.ReadAt(p, off)
}

func (f *fake) Unchanged() error {
	if f.unchanged != nil {
		return f.unchanged()
	}
	return nil
}

func (f *fake) Close() error {
	f.closed.Add(1)
	return nil
}

func newFake(content []byte) *fake { return &fake{Reader: bytes.NewReader(content)} }

func keyOf(name string) Key { return sha256.Sum256([]byte(name)) }

// job is for f, as long as it is.
func (f *fake) job(name string) Job {
	return Job{keyOf(name), f.Size(), func() (Source, error) { return f, nil }}
}

// notOpened is a job that fails the test when it comes to reading the file.
func notOpened(t *testing.T, name string, size int64) Job {
	return Job{keyOf(name), size, func() (Source, error) {
		t.Errorf("%s was opened", name)
		return nil, errNoFile
	}}
}

// gated is a file whose first read sends on entered, then waits for open.
func gated(size int, entered chan<- int, open <-chan struct{}) *fake {
	f := newFake(make([]byte, size))
	var once sync.Once
	f.onRead = func(n int) {
		once.Do(func() {
			entered <- n
			<-open
		})
	}
	return f
}

// random returns n bytes that do not repeat.
func random(seed byte, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// sumsOf is what the Sums of content must be, in the plainest way.
func sumsOf(content []byte) *Sums {
	s := &Sums{Size: int64(len(content)), Whole: sha256.Sum256(content)}
	for run := range slices.Chunk(content, RunSize) {
		s.Runs = append(s.Runs, sha256.Sum256(run))
	}
	return s
}

func equal(a, b *Sums) bool {
	return a != nil && b != nil && a.Size == b.Size && a.Whole == b.Whole && slices.Equal(a.Runs, b.Runs)
}

func open(t testing.TB, o Options) *Pool {
	p := New(o)
	t.Cleanup(p.Close)
	return p
}

// collect takes n outcomes.
func collect(t testing.TB, p *Pool, n int) []Outcome {
	t.Helper()
	var got []Outcome
	for late := time.After(time.Minute); len(got) < n; {
		select {
		case <-p.Ready():
			got = append(got, p.Take()...)
		case <-late:
			t.Fatalf("%d of %d jobs ended", len(got), n)
		}
	}
	return got
}

// one does j and returns its outcome.
func one(t testing.TB, p *Pool, j Job) Outcome {
	t.Helper()
	p.Want(j)
	got := collect(t, p, 1)
	if len(got) != 1 || got[0].Key != j.Key {
		t.Fatalf("outcomes %v", got)
	}
	return got[0]
}

// wantSums does j and checks its outcome.
func wantSums(t testing.TB, p *Pool, j Job, want *Sums) {
	t.Helper()
	if o := one(t, p, j); o.Err != nil || !equal(o.Sums, want) {
		t.Errorf("outcome %v, want %v", o, want)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A journal counts the lines logged.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) log() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func (j *journal) lines() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Collect(strings.Lines(j.text.String()))
}

const RunSize = object.RunSize
