package pipeline

import (
	"context"
	"io"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// fetch is one fetch of a session: its state, and what that is for.
type fetch struct {
	*state
	ctx      context.Context
	name     tlv.Name
	metaName tlv.Name // zero: it has none
	w        io.Writer
	number   int // in its session, from 0
	bytes    uint64
	begun    bool   // Options.Begin has been told
	flushed  uint64 // base when the writer was flushed

	// done is closed when the following are set.
	done chan struct{}
	res  Result
	err  error
}

// submission is a fetch on its way to the session's goroutine, without its state.
type submission struct {
	*fetch
	o Options
}

// checkName refuses a name that no chunk can be asked for under.
func checkName(name tlv.Name) error {
	return (&tlv.Interest{Name: name.WithChunk(0)}).CheckName()
}

// names are the names that the fetch listens to.
func (f *fetch) names() []tlv.Name {
	if f.metaName.IsZero() {
		return []tlv.Name{f.name}
	}
	return []tlv.Name{f.name, f.metaName}
}

// finish tells the caller how it went.
func (f *fetch) finish(r Result, err error) {
	f.res, f.err = r, err
	close(f.done)
}

// concerns reports whether a packet of that name is for this fetch, where others have
// its name too.
func (f *fetch) concerns(name tlv.Name) bool {
	k, ok := name.Chunk()
	return ok && f.o.First <= k && k < f.asked || !name.WithoutChunk().Equal(f.name)
}

// take takes a packet for one of the fetch's names.
func (f *fetch) take(t tlv.PacketType, name tlv.Name, pkt []byte, now time.Time) {
	k, hasChunk := name.Chunk()
	isMeta := !f.metaName.IsZero() && !name.WithoutChunk().Equal(f.name)
	if !hasChunk {
		f.stats.Unasked++
		return
	}
	switch t {
	case tlv.PacketObject:
		f.takeData(k, isMeta, pkt, now)
	case tlv.PacketReturn:
		h, err := tlv.ParseHeader(pkt)
		if err == nil && !isMeta {
			f.onReturn(k, h.ReturnCode, now)
		}
	}
}

func (f *fetch) takeData(k uint64, isMeta bool, pkt []byte, now time.Time) {
	var o tlv.Object
	err := o.Decode(pkt)
	if err == nil {
		err = o.Check()
	}
	switch {
	case isMeta && err == nil && k == 0:
		f.onMeta(&o, now)
	case isMeta && err != nil:
		f.stats.Corrupt++
	case isMeta:
		f.stats.Unasked++
	case err != nil:
		f.onCorrupt(k, err)
	default:
		f.onData(k, &o, len(pkt), now)
	}
}

// flusher is a writer that gathers what it is given.
type flusher interface{ Flush() error }

// flush has the chunks that were written since the last flush go out together.
func (f *fetch) flush() {
	w, gathers := f.w.(flusher)
	if !gathers || f.flushed == f.base {
		return
	}
	f.flushed = f.base
	if err := w.Flush(); err != nil {
		f.fail(&WriteError{err})
	}
}

// write writes the chunks that are next in order.
func (f *fetch) write() error {
	for {
		p, ok := f.ready()
		if !ok {
			return nil
		}
		if err := f.begin(p); err != nil {
			return err
		}
		n, err := f.w.Write(p)
		f.bytes += uint64(max(n, 0))
		if err == nil && n != len(p) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return &WriteError{err}
		}
		f.written()
	}
}

// count shows the state to others.
func (f *fetch) count() {
	c := f.o.Counters
	c.Bytes.Store(f.bytes)
	c.Chunks.Store(f.base - f.o.First)
	c.Retransmits.Store(f.stats.Retransmits)
	c.InFlight.Store(int64(f.flying))
	c.Window.Store(int64(f.path.window()))
	c.SmoothedRTT.Store(int64(f.rtt.srtt))
	c.LargestPayload.Store(uint64(f.largest))
	total := uint64(0)
	if k, ok := f.last(); ok {
		total = k - f.o.First + 1
	}
	c.Total.Store(total)
}

func (f *fetch) result() Result {
	f.count()
	r := Result{
		Bytes:       f.bytes,
		Chunks:      f.base - f.o.First,
		Checksummed: f.summed && f.have > 0,
		EndSource:   f.endSource(),
		Version:     f.version,
		Duration:    time.Since(f.start),
		Stats:       f.stats,
	}
	if k, ok := f.contentEnd(); ok && !f.silent {
		r.End = tlv.Some(k)
	}
	r.Stats.WindowMax, r.Stats.WindowMean, r.Stats.Decreases = f.path.stats.figures()
	return r
}
