package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// PushError: the content is not, or not wholly, in the cache.
type PushError struct {
	Cause string
	Err   error // of the reading back; nil where that got another content whole
}

func (e *PushError) Error() string { return e.Cause }

// Unwrap returns what the reading back ended with.
func (e *PushError) Unwrap() error { return e.Err }

// Content is what is pushed, and what goes along.
type Content struct {
	object.Layout
	Manifest []byte // payload of the manifest; nil: there is none
	Runs     []byte // the list of digests that it names; nil: it names none
}

// Push sends all chunks of src, its meta and its manifest, as Data that nobody asked for, at
// most rate bits per second (0: as fast as out takes them). Whether a cache kept
// them only [ReadBack] tells. sent is called after each batch with the bytes of
// content sent so far. whole, where it is not nil, is asked before the last chunk is
// sent: its error ends the push, and what was sent never becomes a whole content.
func Push(ctx context.Context, out Outlet, l Content, src io.ReaderAt, rate float64, sent func(int64), whole func() error) error {
	pace := pacer{rate: rate}
	batch := pace.batch(sendBytes / 4)
	buf := make([]byte, l.BlockSize)
	var b tlv.Batch
	flush := func() error {
		if err := pace.wait(ctx, b.Size()); err != nil {
			return err
		}
		err := out.Send(ctx, &b)
		b.Reset(4 * sendBytes)
		return err
	}
	for k := range l.Chunks() {
		if k == l.Chunks()-1 && whole != nil {
			if err := whole(); err != nil {
				return err
			}
		}
		off, n, _ := l.Span(k)
		if err := readFull(src, buf[:n], off); err != nil {
			return fmt.Errorf("reading the content at byte %d: %w", off, err)
		}
		err := b.Encode(func(p []byte) ([]byte, error) { return l.AppendChunk(p, k, buf[:n], time.Now()) })
		if err != nil {
			return err
		}
		if b.Size() >= batch {
			if err := flush(); err != nil {
				return err
			}
			sent(off + int64(n))
		}
	}
	err := b.Encode(func(p []byte) ([]byte, error) { return l.AppendMeta(p, true, time.Now()) })
	if err != nil && !errors.Is(err, tlv.ErrTooLarge) { // a name too long for a meta has none
		return err
	}
	for _, encode := range l.along() {
		if err := b.Encode(encode); err != nil {
			return err
		}
		if b.Size() >= batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	sent(l.Size)
	return nil
}

// along are the packets of the manifest and of the list that it names, to be encoded.
func (l *Content) along() (all []func([]byte) ([]byte, error)) {
	if runs, ok := l.runs(); ok {
		for k := range runs.Chunks() {
			off, n, _ := runs.Span(k)
			all = append(all, func(p []byte) ([]byte, error) { return runs.AppendChunk(p, k, l.Runs[off:off+int64(n)], time.Now()) })
		}
	}
	if m, ok := l.manifest(); ok {
		all = append(all, func(p []byte) ([]byte, error) { return m.AppendChunk(p, 0, l.Manifest, time.Now()) })
	}
	return all
}

// runs is how the list of digests is cut; false where there is none.
func (l *Content) runs() (object.Layout, bool) {
	version := l.Version[:max(len(l.Version)-object.MarkLen, 0)]
	name, err := object.RunsName(l.Name, version)
	r := l.Layout
	r.Name, r.Size = name, int64(len(l.Runs))
	return r, err == nil && len(l.Runs) > 0
}

// manifest is the layout of the manifest, which is one chunk; false where there is none.
func (l *Content) manifest() (object.Layout, bool) {
	name, err := object.ManifestName(l.Name)
	m := l.Layout
	m.Name, m.Size, m.BlockSize, m.Version = name, int64(len(l.Manifest)), object.MaxBlock, nil
	return m, err == nil && l.Manifest != nil
}

// readFull fills b from off. Content that has become shorter is an unexpected EOF.
func readFull(src io.ReaderAt, b []byte, off int64) error {
	n, err := src.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

// ReadBack fetches the content from a session over a connection other than the one that
// pushed, and compares every byte with src. It fails with a *[PushError] that says
// what is missing or different; or with an error of [pipeline.Session.Fetch] of other kinds.
func ReadBack(ctx context.Context, from *pipeline.Session, l object.Layout, src io.ReaderAt, o pipeline.Options) (pipeline.Result, error) {
	o.LongLife = true
	c := &comparer{src: src, size: l.Size}
	res, err := from.Fetch(ctx, l.Name, c, o)
	var partial *pipeline.PartialError
	var changed *pipeline.ChangedError
	var returned *pipeline.ReturnError
	switch {
	case errors.Is(err, errDiffers), errors.As(err, &changed), err == nil && c.off != l.Size,
		res.Version != nil && !bytes.Equal(res.Version, l.Version):
		return res, &PushError{"a cache still holds another content under this name, and keeps it until that expires: use a new name", err}
	case errors.Is(err, pipeline.ErrTimeout), errors.As(err, &returned):
		return res, &PushError{"nothing of it can be read back: no cache on the way keeps it", err}
	case errors.As(err, &partial):
		return res, &PushError{fmt.Sprintf("only a part of it can be read back (%v)", err), err}
	}
	return res, err
}

// ReadBackAlong fetches the manifest and the list that it names, and reports whether both
// are what was pushed. Its error is the context's cause.
func ReadBackAlong(ctx context.Context, from *pipeline.Session, c *Content, o pipeline.Options) (bool, error) {
	o.LongLife = true
	same := func(l object.Layout, want []byte) bool {
		o.Last, o.Counters = tlv.Some(l.Chunks()-1), nil
		var got bytes.Buffer
		_, err := from.Fetch(ctx, l.Name, &got, o)
		return err == nil && bytes.Equal(got.Bytes(), want)
	}
	m, there := c.manifest()
	ok := there && same(m, c.Manifest)
	if runs, named := c.runs(); ok && named {
		ok = same(runs, c.Runs)
	}
	return ok, context.Cause(ctx)
}

// errDiffers: what was read back is not what was pushed.
var errDiffers = errors.New("what was read back differs")

// comparer is a writer that fails where what is written is not src.
type comparer struct {
	src  io.ReaderAt
	size int64 // of src
	off  int64
	buf  []byte
}

func (c *comparer) Write(p []byte) (int, error) {
	if int64(len(p)) > c.size-c.off {
		return 0, errDiffers
	}
	if cap(c.buf) < len(p) {
		c.buf = make([]byte, len(p))
	}
	want := c.buf[:len(p)]
	if err := readFull(c.src, want, c.off); err != nil {
		return 0, fmt.Errorf("reading the content at byte %d: %w", c.off, err)
	}
	if !bytes.Equal(want, p) {
		return 0, errDiffers
	}
	c.off += int64(len(p))
	return len(p), nil
}
