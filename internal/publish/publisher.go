package publish

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Options of a [Publisher].
type Options struct {
	BlockSize         int           // bytes; default object.DefaultBlock
	CacheTime, Expiry time.Duration // stated in every chunk; 0: not stated
	Sum               object.Sum
	Rate              float64 // bits per second; 0: as fast as asked
	Log               *slog.Logger
}

// Counters of a publisher, for others to read while it runs.
type Counters struct {
	Interests, Data, Bytes atomic.Uint64
	NotFound, Failed       atomic.Uint64 // Interests for no file; for one that could not be read
}

// Publisher answers Interests for the files of a tree.
type Publisher struct {
	o      Options
	tree   *Tree
	count  Counters
	pace   pacer
	buf    []byte
	round  uint64          // of Interests taken at once
	failed map[string]bool // paths whose trouble was logged
	rescan chan struct{}
}

// New returns a publisher of tree.
func New(tree *Tree, o Options) *Publisher {
	if o.BlockSize == 0 {
		o.BlockSize = object.DefaultBlock
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Publisher{
		o: o, tree: tree, pace: pacer{rate: o.Rate},
		buf:    make([]byte, o.BlockSize),
		failed: make(map[string]bool),
		rescan: make(chan struct{}, 1),
	}
}

// Counters returns p's counters.
func (p *Publisher) Counters() *Counters { return &p.count }

// Rescan makes p look at every file anew. It may be called from any goroutine.
func (p *Publisher) Rescan() {
	select {
	case p.rescan <- struct{}{}:
	default:
	}
}

// sendBytes is how much Data goes to the outlet at once at most.
const sendBytes = 128 << 10

// Serve answers what comes from in until ctx ends (then its cause is returned) or
// in or out fails. Memory does not grow with what is served.
func (p *Publisher) Serve(ctx context.Context, in Inlet, out Outlet) error {
	var asked, data tlv.Batch
	batch := p.pace.batch(sendBytes)
	for {
		if err := in.Receive(&asked); err != nil {
			return err
		}
		p.round++
		for i := range asked.Len() {
			p.answer(asked.Packet(i), &data, time.Now())
			if data.Size() >= batch {
				if err := p.flush(ctx, &data, out); err != nil {
					return err
				}
			}
		}
		if err := p.flush(ctx, &data, out); err != nil {
			return err
		}
		select {
		case <-in.Ready():
		case <-p.rescan:
			p.tree.Rescan()
			clear(p.failed)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (p *Publisher) flush(ctx context.Context, data *tlv.Batch, out Outlet) error {
	if data.Len() == 0 {
		return nil
	}
	if err := p.pace.wait(ctx, data.Size()); err != nil {
		return err
	}
	err := out.Send(ctx, data)
	data.Reset(4 * sendBytes)
	return err
}

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
		return // nothing here is signed, nor known by its hash
	}
	if object.IsPing(i.Name) {
		p.put(data, func(b []byte) ([]byte, error) { return object.AppendPong(b, i.Name, nil) })
		return
	}
	err := p.answerFile(&i, data, now)
	switch {
	case err == nil:
		return
	case errors.Is(err, errChanged):
		p.o.Log.Debug("the file is changing", "name", i.Name)
		return // it is asked for again
	case errors.Is(err, ErrNotServed):
		p.count.NotFound.Add(1)
		p.o.Log.Debug("no file for Interest", "name", i.Name)
	default:
		p.count.Failed.Add(1)
		if uri := i.Name.WithoutChunk().String(); !p.failed[uri] && len(p.failed) < maxOpen {
			p.failed[uri] = true
			p.o.Log.Warn("file cannot be served", "name", uri, "err", err)
		}
	}
	if i.Mark {
		// Its sender takes a refusal for what it is; others would take it for
		// Data (sheet b).
		data.Append(tlv.AppendReturn(nil, pkt, tlv.ReturnNoRoute))
	}
}

// answerFile answers an Interest for a chunk of a file, or for the meta of one. Its
// errors are those of [Tree.Lookup] and of reading.
func (p *Publisher) answerFile(i *tlv.Interest, data *tlv.Batch, now time.Time) error {
	k, hasChunk := i.Name.Chunk()
	f, err := p.tree.Lookup(i.Name, now)
	if errors.Is(err, ErrNotServed) && hasChunk && k == 0 {
		return p.answerMeta(i.Name, data, now)
	}
	if err != nil {
		return err
	}
	if !hasChunk {
		return nil // a chunkless Interest is not for a chunk (sheet g)
	}
	l := p.layout(i.Name.WithoutChunk(), f)
	off, n, ok := l.Span(k)
	if !ok {
		return nil // beyond the end: whoever asks learns that from the chunks
	}
	payload, err := f.read(p.buf, off, n, p.round)
	if err != nil {
		p.tree.drop(f) // the next Interest finds what there is then
		return err
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
	l := p.layout(of, f)
	p.put(data, func(b []byte) ([]byte, error) { return l.AppendMeta(b, false, now) })
	return nil
}

func (p *Publisher) layout(name tlv.Name, f *file) object.Layout {
	return object.Layout{
		Name: name, Size: f.size(), BlockSize: p.o.BlockSize, Version: f.markFor(p.o.BlockSize),
		CacheTime: p.o.CacheTime, Expiry: p.o.Expiry, Sum: p.o.Sum,
	}
}

// put encodes one packet into data.
func (p *Publisher) put(data *tlv.Batch, encode func([]byte) ([]byte, error)) {
	if err := data.Encode(encode); err != nil {
		p.count.Failed.Add(1)
		p.o.Log.Warn("answer does not encode", "err", err)
		return
	}
	p.count.Data.Add(1)
}
