package pipeline

import (
	"context"
	"io"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// sendBatch bounds the Interests that go to the link at once.
const sendBatch = 64

// Fetch fetches the chunks of name over link and writes their payloads to w in
// order, with one Write for each, an empty one too. link must bring what arrives for
// name and for [object.MetaName] of it. Memory is bounded by the chunks that wait for
// one before them: a few windows, and about 16 MiB at most.
//
// It returns when all is written, or with one of this package's errors, the
// link's, or the context's cause; the Result's Stats hold in either case. What
// was written before an error is a right first part of one version of the content.
func Fetch(ctx context.Context, link Link, name tlv.Name, w io.Writer, o Options) (Result, error) {
	now := time.Now()
	f := fetch{link: link, name: name.WithoutChunk(), w: w, state: newState(o.withDefaults(), now)}
	f.appendTo = f.interest.AppendTo
	if !o.Last.OK {
		if meta, err := object.MetaName(name); err == nil && meta.CanChunk() {
			f.metaName, f.meta = meta, metaState{wanted: true, due: now}
		}
	}
	err := f.run(ctx)
	return f.result(), err
}

// fetch drives a state.
type fetch struct {
	*state
	link     Link
	name     tlv.Name
	metaName tlv.Name
	w        io.Writer
	in, out  tlv.Batch
	bytes    uint64

	interest tlv.Interest // the one to be encoded by appendTo
	appendTo func([]byte) ([]byte, error)
	begun    bool // Options.Begin has been told
}

func (f *fetch) run(ctx context.Context) error {
	if err := (&tlv.Interest{Name: f.name.WithChunk(0)}).CheckName(); err != nil {
		return err
	}
	if err := f.o.checkRange(); err != nil {
		return err
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !f.done() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		f.sendWhatFits(time.Now())
		f.count()
		due := f.wake()
		timer.Reset(time.Until(due))
		select {
		case <-f.link.Ready():
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if d := time.Since(due); d > asleep {
			f.onBlocked(d)
		}
		if err := f.receive(time.Now()); err != nil {
			return err
		}
	}
	return f.err
}

// sendWhatFits fills the window.
func (f *fetch) sendWhatFits(now time.Time) {
	for more := true; more; {
		f.out.Reset(1 << 20)
		if f.askMeta(now) {
			f.encode(f.metaName.WithChunk(0), false)
		}
		for f.out.Len() < sendBatch {
			var r request
			if r, more = f.nextRequest(now); !more {
				break
			}
			f.encode(f.name.WithChunk(r.chunk), r.longLife)
		}
		if f.out.Len() > 0 {
			f.link.TrySend(&f.out)
		}
	}
}

func (f *fetch) encode(name tlv.Name, longLife bool) {
	f.interest = tlv.Interest{HopLimit: f.o.HopLimit, Name: name}
	f.interest.Lifetime, f.interest.Mark = tlv.Lifetime(f.o.Lifetime), true
	if longLife {
		f.interest.MsgVendor = tlv.VendorLongLife
	}
	if err := f.out.Encode(f.appendTo); err != nil {
		panic("pipeline: bug: a checked name does not encode: " + err.Error())
	}
}

// asleep is from how much delay of its timer on a fetch was not running at all:
// suspended, or with its machine. That is no silence of the network.
const asleep = time.Second

// heldUp is from when on the time that the fetch takes for what has arrived counts
// as its writer's delay.
const heldUp = 20 * time.Millisecond

// receive takes all that has arrived, as of now; after that, it does what is due: an
// answer that waits here is not late.
func (f *fetch) receive(now time.Time) error {
	relinked, err := f.link.Receive(&f.in)
	if err != nil {
		return err
	}
	if relinked {
		f.onRelink(now)
	}
	for i := range f.in.Len() {
		f.takePacket(f.in.Packet(i), now)
		if err := f.write(); err != nil {
			return err
		}
	}
	f.onTime(now)
	if d := time.Since(now); d > heldUp {
		f.onBlocked(d)
	}
	return nil
}

// takePacket takes one packet.
func (f *fetch) takePacket(pkt []byte, now time.Time) {
	t, name, err := tlv.PeekName(pkt)
	if err != nil {
		f.stats.Corrupt++
		return
	}
	k, hasChunk := name.Chunk()
	isMeta := !f.metaName.IsZero() && name.WithoutChunk().Equal(f.metaName)
	if !hasChunk || !isMeta && !name.WithoutChunk().Equal(f.name) {
		f.stats.Unasked++
		return
	}
	switch t {
	case tlv.PacketObject:
		var o tlv.Object
		err := o.Decode(pkt)
		if err == nil {
			err = o.Validation.Check()
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
	case tlv.PacketReturn:
		h, err := tlv.ParseHeader(pkt)
		if err == nil && !isMeta {
			f.onReturn(k, h.ReturnCode, now)
		}
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
	r.Stats.RTTMin, r.Stats.RTTMax = f.rtt.min, f.rtt.max
	if f.rtt.count > 0 {
		r.Stats.RTTMean = f.rtt.sum / time.Duration(f.rtt.count)
	}
	return r
}
