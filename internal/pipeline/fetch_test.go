package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// run fetches from n, writing to w besides what it returns, and checks what holds
// for every fetch.
func run(ctx context.Context, n *network, o Options, w io.Writer) ([]byte, Result, error) {
	n.t.Helper()
	n.expect(o)
	var out bytes.Buffer
	if w != nil {
		w = io.MultiWriter(w, &out)
	} else {
		w = &out
	}
	sess := NewSession(n, n.path)
	defer sess.Close()
	r, err := sess.Fetch(ctx, n.name, w, o)
	n.checkStats(r.Stats)
	got := out.Bytes()
	if r.Bytes != uint64(len(got)) {
		n.t.Errorf("Result.Bytes %d, but %d were written", r.Bytes, len(got))
	}
	if want := n.wanted(o); err == nil && !bytes.Equal(got, want) {
		n.t.Errorf("no error, but %d bytes written that are not the %d of the content", len(got), len(want))
	} else if !bytes.HasPrefix(want, got) {
		n.t.Errorf("the %d bytes written are no first part of the content's %d; error: %v", len(got), len(want), err)
	}
	return got, r, err
}

// fetchAlone fetches over a session of its own.
func fetchAlone(ctx context.Context, l Link, name tlv.Name, w io.Writer, o Options) (Result, error) {
	s := NewSession(l, Path{})
	defer s.Close()
	return s.Fetch(ctx, name, w, o)
}

// wanted is what the whole of a fetch brings.
func (n *network) wanted(o Options) []byte {
	first, last := min(o.First, uint64(len(n.chunks))), uint64(len(n.chunks))
	if o.Last.OK && o.Last.V < last {
		last = o.Last.V + 1
	}
	return bytes.Join(n.chunks[first:max(first, last)], nil)
}

// checkStats holds s against what was sent.
func (n *network) checkStats(s Stats) {
	again := 0
	for _, a := range n.asks {
		if a.nth > 1 {
			again++
		}
	}
	if s.Interests != uint64(len(n.asks)) || s.Retransmits != uint64(again) {
		n.t.Errorf("Stats say %d Interests, %d re-sent; sent were %d, %d re-sent", s.Interests, s.Retransmits, len(n.asks), again)
	}
	for _, a := range n.asks {
		if a.longLife && a.nth == 1 {
			n.t.Errorf("the first Interest for chunk %d has the LONGLIFE flag", a.chunk)
		}
	}
}

// once answers the first Interest for chunk k with pkts, once it is asked.
func once(k uint64, pkts func() [][]byte) func(ask) ([][]byte, bool) {
	return upTo(1, k, pkts)
}

// upTo answers the first times Interests for chunk k with pkts.
func upTo(times int, k uint64, pkts func() [][]byte) func(ask) ([][]byte, bool) {
	return func(a ask) ([][]byte, bool) {
		if a.meta || a.chunk != k || a.nth > times {
			return nil, false
		}
		return pkts(), true
	}
}

func (n *network) returned(a ask, code tlv.ReturnCode) [][]byte {
	return [][]byte{tlv.AppendReturn(nil, a.pkt, code)}
}

func changeEnd(e uint64) func(*tlv.Object) {
	return func(o *tlv.Object) { o.EndChunk = tlv.Some(e) }
}

// A scenario is one fetch. All checks of run apply besides what it states.
type scenario struct {
	name     string
	producer producer
	faults   faults
	options  Options
	window   int // fixed; 0: the usual
	prepare  func(*network)
	want     string // a part of the error; "": none
	as       error  // what the error is, by errors.As or equal; a zero value of its type
	written  int    // bytes; -1: all of the content
	end      EndSource
	took     time.Duration // 0: not checked
	check    func(*testing.T, *network, Result, error)
}

const all = -1

// cefapp is a producer of n chunks and a meta.
func cefapp(n int, meta string) producer {
	return chunked(n).with(func(p *producer) { p.end, p.meta = endNowhere, meta })
}

// style is a producer of n chunks that tells its end there.
func style(n int, e endStyle) producer {
	return chunked(n).with(func(p *producer) { p.end = e })
}

var v1, v2 = []byte("v1"), []byte("v2")

// Ways to prepare a network.

// distrust says that the meta is not right.
func distrust(n *network) { n.trusts = false }

// silentAfter leaves the chunks behind last unanswered.
func silentAfter(last uint64) func(*network) {
	return func(n *network) {
		n.script = func(a ask) ([][]byte, bool) { return nil, a.chunk > last && !a.meta }
	}
}

// answered answers by f.
func answered(f func(*network, ask) ([][]byte, bool)) func(*network) {
	return func(n *network) { n.script = func(a ask) ([][]byte, bool) { return f(n, a) } }
}

// replaced answers the first times Interests for chunk k by f.
func replaced(times int, k uint64, f func(n *network) []byte) func(*network) {
	return func(n *network) { n.script = upTo(times, k, func() [][]byte { return [][]byte{f(n)} }) }
}

// corrupt is a spoiled chunk k.
func corrupt(k uint64) func(*network) []byte {
	return func(n *network) []byte { return n.spoiled(k) }
}

// meta answers the meta by o, which is not right.
func meta(o tlv.Object) func(*network) {
	return func(n *network) {
		n.trusts = false
		n.script = func(a ask) ([][]byte, bool) {
			o.Name = n.metaName().WithChunk(0)
			return [][]byte{n.encode(o)}, a.meta
		}
	}
}

// twice doubles the last TLV, the payload, of a Data packet without a trailer. Its
// payload has ten bytes.
func twice(t testing.TB, pkt []byte) []byte {
	const tlvLen = 4 + 10
	pkt = append(pkt, pkt[len(pkt)-tlvLen:]...)
	h, err := tlv.ParseHeader(pkt)
	if err != nil {
		t.Fatal(err)
	}
	pkt[3] += tlvLen
	pkt[h.HeaderLen+3] += tlvLen
	return pkt
}

func TestFetch(t *testing.T) {
	for _, s := range slices.Concat(
		sizeScenarios(), endScenarios(), metaScenarios(), rangeScenarios(),
		networkScenarios(), badInputScenarios(), changeScenarios(), returnScenarios(),
	) {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { s.run(t) })
		})
	}
}

func (s scenario) run(t *testing.T) {
	n := newNetwork(t, s.producer)
	n.path.Window = s.window
	if s.faults != (faults{}) {
		n.faults = s.faults
	}
	if s.prepare != nil {
		s.prepare(n)
	}
	got, r, err := run(t.Context(), n, s.options, nil)
	s.checkError(t, err)
	want := s.written
	if want == all {
		want = len(n.content())
	}
	if len(got) != want {
		t.Errorf("%d bytes written, want %d", len(got), want)
	}
	if r.EndSource != s.end && err == nil {
		t.Errorf("end from %q, want %q", r.EndSource, s.end)
	}
	if r.Checksummed && !n.high.OK {
		t.Error("Checksummed, but nothing arrived")
	}
	if err != nil && r.EndSource == EndSilence {
		t.Errorf("end from silence, but %v", err)
	}
	if s.took != 0 && (r.Duration < s.took || r.Duration > s.took+s.took/4+50*time.Millisecond) {
		t.Errorf("took %v, want %v", r.Duration, s.took)
	}
	if s.check != nil {
		s.check(t, n, r, err)
	}
}

func (s scenario) checkError(t *testing.T, err error) {
	switch {
	case s.want == "" && err != nil:
		t.Fatalf("error %v, want none", err)
	case s.want == "":
	case err == nil:
		t.Fatalf("no error, want %q", s.want)
	case !strings.Contains(err.Error(), s.want):
		t.Errorf("error %q, want %q", err, s.want)
	case s.as != nil && s.as != ErrTimeout && reflect.TypeOf(err) != reflect.TypeOf(s.as), s.as == ErrTimeout && !errors.Is(err, ErrTimeout):
		t.Errorf("error of type %T, want %T", err, s.as)
	}
}
