package testnet

import (
	"io"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

func mustName(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fetcher is the simplest fetch there is: a fixed window, and everything not answered
// within patience asked for again.
type fetcher struct {
	t        testing.TB
	c        *Consumer
	content  *Content
	window   int
	patience time.Duration

	out, in  tlv.Batch
	interest tlv.Interest
	encode   func([]byte) ([]byte, error)
	got      []bool
	late     map[uint64][]byte // payloads ahead of their turn
	next     uint64            // to be asked for
	base     uint64            // to be written
	flying   int
	asked    uint64
	resent   uint64
	relinks  []time.Time
	arrived  []uint64 // chunk numbers, where it is not nil
}

func newFetcher(t testing.TB, c *Consumer, content *Content, window int) *fetcher {
	f := &fetcher{t: t, c: c, content: content, window: window, patience: time.Second}
	f.interest.Lifetime, f.interest.HopLimit = tlv.Lifetime(time.Second), 32
	f.encode = f.interest.AppendTo
	f.got = make([]bool, content.Chunks)
	f.late = make(map[uint64][]byte)
	return f
}

func (f *fetcher) ask(k uint64) {
	f.interest.Name = f.content.Name.WithChunk(k)
	if err := f.out.Encode(f.encode); err != nil {
		f.t.Fatal(err)
	}
}

// run fetches all to w.
func (f *fetcher) run(w io.Writer) {
	timer := time.NewTimer(f.patience)
	defer timer.Stop()
	for f.base < f.content.Chunks {
		for ; f.flying < f.window && f.next < f.content.Chunks; f.next++ {
			f.ask(f.next)
			f.asked++
			f.flying++
		}
		f.send()
		select {
		case <-f.c.Ready():
			timer.Reset(f.patience)
		case <-timer.C:
			f.again()
			timer.Reset(f.patience)
		}
		f.receive(w)
	}
}

func (f *fetcher) send() {
	if f.out.Len() > 0 {
		f.c.TrySend(&f.out)
		f.out.Reset(1 << 20)
	}
}

func (f *fetcher) again() {
	for k := f.base; k < f.next; k++ {
		if !f.got[k] {
			f.ask(k)
			f.resent++
		}
	}
}

func (f *fetcher) receive(w io.Writer) {
	relinked, err := f.c.Receive(&f.in)
	if err != nil {
		f.t.Fatal(err)
	}
	if relinked {
		f.relinks = append(f.relinks, time.Now())
		f.again()
	}
	var o tlv.Object
	for i := range f.in.Len() {
		if o.Decode(f.in.Packet(i)) != nil {
			continue
		}
		k, _ := o.Name.Chunk()
		if f.arrived != nil {
			f.arrived = append(f.arrived, k)
		}
		if f.got[k] || o.Validation.Check() != nil {
			continue
		}
		f.got[k] = true
		f.flying--
		if k != f.base {
			f.late[k] = append([]byte(nil), o.Payload...)
			continue
		}
		f.write(w, o.Payload)
		for len(f.late) > 0 {
			p, ok := f.late[f.base]
			if !ok {
				break
			}
			delete(f.late, f.base)
			f.write(w, p)
		}
	}
}

func (f *fetcher) write(w io.Writer, p []byte) {
	if _, err := w.Write(p); err != nil {
		f.t.Fatal(err)
	}
	f.base++
}
