// Package verify compares content with its digests on its way to where it is written:
// the hashing and the writing are done on goroutines of their own, while more arrives.
// It imports the standard library only.
package verify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// Digest is a SHA-256.
type Digest = [sha256.Size]byte

// MismatchError: the bytes of a run are not those that its digest was made of.
type MismatchError struct {
	Run    int   // from 0, of the content
	Offset int64 // where it begins in the content, in bytes
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("the bytes from %d on are not what the manifest says", e.Offset)
}

// Options of a [Writer].
type Options struct {
	Run   int // bytes of a run
	First int // the run that the content written begins with
	// Hold writes no byte before the run that it is in has proved right.
	Hold bool
	// Workers hash. Default is 2.
	Workers int
}

// Writer takes content in order and passes it on, a run at a time. Write is for one
// goroutine, which ends it with Close or Abort. It holds Workers+6 runs at most.
type Writer struct {
	to   io.Writer
	o    Options
	cur  *block
	free chan *block
	work chan *block // to be hashed
	line chan *block // to be written, in order
	wg   sync.WaitGroup
	quit chan struct{} // closed by Abort
	once sync.Once
	next int

	known    chan struct{} // closed when expected is set
	expected []Digest

	failed atomic.Pointer[error] // what ended the writing
	sums   []Digest              // the writing goroutine's, until it has ended
}

// block is one run on its way.
type block struct {
	run    int
	data   []byte
	sum    Digest
	hashed chan struct{} // holds a token when sum is right
}

// NewWriter returns a writer of content to to.
func NewWriter(to io.Writer, o Options) *Writer {
	if o.Workers <= 0 {
		o.Workers = 2
	}
	n := o.Workers + 6
	w := &Writer{
		to: to, o: o, next: o.First,
		free: make(chan *block, n), work: make(chan *block, n), line: make(chan *block, n),
		quit: make(chan struct{}), known: make(chan struct{}),
	}
	for range n {
		w.free <- &block{hashed: make(chan struct{}, 1)}
	}
	for range o.Workers {
		w.wg.Go(w.hash)
	}
	w.wg.Go(w.write)
	return w
}

// Expect says what the digests of the content's runs are, from its first on. It may be
// called once, from any goroutine.
func (w *Writer) Expect(runs []Digest) {
	w.expected = runs
	close(w.known)
}

// Write takes p over. Its error is what ended the writing of what came before.
func (w *Writer) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if w.cur == nil && !w.begin() {
			return len(p) - len(rest), w.err()
		}
		b := w.cur
		n := min(len(rest), w.o.Run-len(b.data))
		b.data = append(b.data, rest[:n]...)
		rest = rest[n:]
		if len(b.data) == w.o.Run {
			w.hand()
		}
	}
	return len(p), w.err()
}

// begin gets room for the next run.
func (w *Writer) begin() bool {
	if w.err() != nil {
		return false
	}
	w.cur = <-w.free
	if w.cur.data == nil {
		w.cur.data = make([]byte, 0, w.o.Run)
	}
	w.cur.run, w.cur.data = w.next, w.cur.data[:0]
	w.next++
	return true
}

// hand gives the run to those who hash and write it. There is room for all runs.
func (w *Writer) hand() {
	w.work <- w.cur
	w.line <- w.cur
	w.cur = nil
}

func (w *Writer) hash() {
	for b := range w.work {
		b.sum = sha256.Sum256(b.data)
		b.hashed <- struct{}{}
	}
}

// write passes the runs on in order.
func (w *Writer) write() {
	for b := range w.line {
		if w.o.Hold {
			<-b.hashed
			w.fail(w.check(b))
		}
		if w.err() == nil {
			n, err := w.to.Write(b.data)
			if err == nil && n < len(b.data) {
				err = io.ErrShortWrite
			}
			w.fail(err)
		}
		if !w.o.Hold {
			<-b.hashed
		}
		w.sums = append(w.sums, b.sum)
		w.free <- b
	}
}

// check compares a run before it is written, once the digests are known.
func (w *Writer) check(b *block) error {
	select {
	case <-w.known:
		return w.compare(b.run, b.sum)
	case <-w.quit:
		return ErrAborted
	}
}

func (w *Writer) compare(run int, sum Digest) error {
	if run >= len(w.expected) || sum != w.expected[run] {
		return &MismatchError{run, int64(run) * int64(w.o.Run)}
	}
	return nil
}

func (w *Writer) fail(err error) {
	if err != nil {
		w.failed.CompareAndSwap(nil, &err)
	}
}

func (w *Writer) err() error {
	if err := w.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// ErrAborted: the writing was ended by Abort.
var ErrAborted = errors.New("aborted")

// Close passes on what is left and waits for all of it, a writer with Hold for
// [Writer.Expect] too. The error is what ended the
// writing, or a *[MismatchError] where [Writer.Expect] was called and a run differs or is
// missing.
func (w *Writer) Close() error {
	w.end()
	if err := w.err(); err != nil {
		return err
	}
	select {
	case <-w.known:
	default:
		return nil
	}
	return w.compareAll()
}

func (w *Writer) compareAll() error {
	for i, sum := range w.sums {
		if err := w.compare(w.o.First+i, sum); err != nil {
			return err
		}
	}
	return nil
}

// end hands over the last run and waits.
func (w *Writer) end() {
	w.once.Do(func() {
		if w.cur != nil && len(w.cur.data) > 0 {
			w.hand()
		}
		close(w.work)
		close(w.line)
	})
	w.wg.Wait()
}

// Runs are the digests of what was written, after Close.
func (w *Writer) Runs() []Digest { return w.sums }

// Abort ends the writing without waiting for digests: what was handed over before is
// still written, unless it is held. It may be called after Close, and does nothing then.
func (w *Writer) Abort() {
	select {
	case <-w.quit:
	default:
		close(w.quit)
	}
	w.end()
}
