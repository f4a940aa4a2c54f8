package publish

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// answer appends the answer to one Interest, if it has one.
func (p *Publisher) answer(pkt []byte, data *tlv.Batch, now time.Time) {
	var i tlv.Interest
	if i.Decode(pkt) != nil || i.Validation.Check() != nil {
		return
	}
	p.count.Interests.Add(1)
	switch {
	case i.Lifetime == tlv.CancelLifetime:
		return // nobody waits for an answer any more (sheet f)
	case i.KeyID.Sum != nil || i.ObjectHash.Sum != nil:
		return // no packet here is signed, nor known by its hash
	}
	if object.IsPing(i.Name) {
		p.put(data, func(b []byte) ([]byte, error) { return object.AppendPong(b, i.Name, nil) })
		return
	}
	if err := p.answerKind(&i, data, now); err != nil && p.refuses(&i, err) && i.Mark {
		// Its sender takes a refusal for what it is; others would take it for
		// Data (sheet b).
		data.Append(tlv.AppendReturn(nil, pkt, tlv.ReturnNoRoute))
	}
}

// refuses takes note of why there is no answer, and reports whether that is all there is
// to say.
func (p *Publisher) refuses(i *tlv.Interest, err error) bool {
	switch {
	case errors.Is(err, errChanged):
		p.o.Log.Debug("the file is changing", "name", i.Name)
		return false // it is asked for again
	case errors.Is(err, ErrNotServed):
		p.count.NotFound.Add(1)
		p.o.Log.Debug("no file for Interest", "name", i.Name)
	default:
		p.fails(i.Name, err)
	}
	return true
}

// fails takes note of a file that cannot be read, once.
func (p *Publisher) fails(name tlv.Name, err error) {
	p.count.Failed.Add(1)
	if uri := name.WithoutChunk().String(); !p.failed[uri] && len(p.failed) < maxOpen {
		p.failed[uri] = true
		p.o.Log.Warn("file cannot be served", "name", uri, "err", err)
	}
}

// answerKind answers an Interest by what its name stands for. Its errors are those of
// [Tree.Lookup] and of reading.
func (p *Publisher) answerKind(i *tlv.Interest, data *tlv.Batch, now time.Time) error {
	if p.memo.holds(p.tree, i.Name, now) {
		return p.answerChunk(i, data, now)
	}
	part, ok := object.Split(i.Name)
	switch {
	case !ok:
		return ErrNotServed
	case part.Kind == object.KindManifest:
		return p.answerManifest(i, part.Of, data, now)
	case part.Kind == object.KindRuns:
		return p.answerRuns(i, part, data, now)
	case part.Kind == object.KindList:
		return p.answerList(i, part, data, now)
	}
	f, err := p.find(part, now)
	if k, hasChunk := i.Name.Chunk(); errors.Is(err, ErrNotServed) && hasChunk && k == 0 {
		return p.answerMeta(i.Name, data, now)
	}
	if err != nil {
		return err
	}
	p.memo.set(p.tree, i.Name, p.layout(i.Name.WithoutChunk().Clone(), f, part.Block), f, part.Kind == object.KindVersion)
	return p.answerChunk(i, data, now)
}

// find returns the file of a plain name, or of a version.
func (p *Publisher) find(part object.Part, now time.Time) (*file, error) {
	if part.Kind == object.KindPlain {
		return p.tree.Lookup(part.Of, now)
	}
	if !slices.Contains(p.o.Blocks, part.Block) {
		return nil, ErrNotServed // nobody was offered that
	}
	return p.tree.Version(part.Of, part.Version, now)
}

// answerChunk answers an Interest for a chunk of what the memo holds.
func (p *Publisher) answerChunk(i *tlv.Interest, data *tlv.Batch, now time.Time) error {
	f, l := p.memo.file, &p.memo.layout
	k, hasChunk := i.Name.Chunk()
	if !hasChunk {
		return nil // a chunkless Interest is not for a chunk (sheet g)
	}
	off, n, ok := l.Span(k)
	if !ok {
		return nil // beyond the end: whoever asks learns that from the chunks
	}
	payload, err := f.read(p.buf, off, n, p.round)
	if err != nil && p.tree.drop(f, now) && p.memo.version {
		payload, err = f.read(p.buf, off, n, p.round)
	}
	if err != nil {
		return err // the next Interest finds what there is then
	}
	p.put(data, func(b []byte) ([]byte, error) { return l.AppendChunk(b, k, payload, now) })
	p.count.Bytes.Add(uint64(n))
	return nil
}

// answerMeta answers an Interest for what is no file, but perhaps the meta of one.
func (p *Publisher) answerMeta(name tlv.Name, data *tlv.Batch, now time.Time) error {
	of, ok := object.IsMeta(name)
	if !ok {
		return ErrNotServed
	}
	f, err := p.tree.Lookup(of, now)
	if err != nil {
		return err
	}
	l := p.layout(of, f, 0)
	p.put(data, func(b []byte) ([]byte, error) { return l.AppendMeta(b, false, now) })
	return nil
}

// layout is how f is cut under name: in blocks of that many bytes as a version, or 0 as
// the file itself.
func (p *Publisher) layout(name tlv.Name, f *file, block int) object.Layout {
	l := object.Layout{
		Name: name, Size: f.size(), BlockSize: block,
		CacheTime: p.o.VersionCacheTime, Expiry: p.o.Expiry, Sum: p.o.Sum,
	}
	if block == 0 {
		l.BlockSize, l.CacheTime = p.o.Blocks[0], p.o.CacheTime
	}
	l.Version = f.markFor(l.BlockSize)
	return l
}

// memo is what the name of the latest Interest for a chunk stood for: most often the
// next one is for the same.
type memo struct {
	name   []byte // without chunk
	layout object.Layout
	file   *file
	// version: it stands for the file's version, not for what its path names.
	version bool
	closed  uint64 // Tree.closed then
}

func (m *memo) set(t *Tree, name tlv.Name, l object.Layout, f *file, version bool) {
	m.name = append(m.name[:0], name.Bytes()...)
	m.layout, m.file, m.version, m.closed = l, f, version, t.closed
}

// holds reports whether name stands for what the memo holds, still.
func (m *memo) holds(t *Tree, name tlv.Name, now time.Time) bool {
	ok := m.file != nil && m.closed == t.closed && now.Sub(m.file.checked) < recheck && bytes.Equal(m.name, name.Bytes())
	if ok {
		t.touch(m.file)
	}
	return ok
}
