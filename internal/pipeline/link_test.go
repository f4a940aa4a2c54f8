package pipeline

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/object"
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

// endStyle is where a producer tells the end of its content.
type endStyle int

const (
	endInAll  endStyle = iota // cefgo serve
	endInLast                 // cefputfile
	endNowhere
)

// producer answers the Interests for one content.
type producer struct {
	chunks  [][]byte
	end     endStyle
	meta    string // payload of NAME/meta, as cefapp's producer answers it; "": none
	version []byte
	noCRC   bool
}

// split makes a producer of content in blocks; no content is one empty chunk.
func split(content []byte, block int) producer {
	p := producer{}
	for len(content) > block {
		p.chunks = append(p.chunks, content[:block])
		content = content[block:]
	}
	p.chunks = append(p.chunks, content)
	return p
}

// random returns n bytes that do not repeat.
func random(seed uint64, n int) []byte {
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(n)})
	b := make([]byte, n)
	_, _ = rng.Read(b)
	return b
}

// chunked is a producer of n chunks of 10 bytes, each of its own bytes.
func chunked(n int) producer { return split(random(7, 10*n), 10) }

func (p producer) with(f func(*producer)) producer { f(&p); return p }

func (p *producer) content() []byte { return bytes.Join(p.chunks, nil) }

// object is the Data of chunk k, to be changed at will.
func (p *producer) object(name tlv.Name, k uint64) tlv.Object {
	o := tlv.Object{Name: name.WithChunk(k), Version: p.version}
	if k < uint64(len(p.chunks)) {
		o.Payload = p.chunks[k]
	}
	last := uint64(len(p.chunks) - 1)
	if p.end == endInAll || p.end == endInLast && k == last {
		o.EndChunk = tlv.Some(last)
	}
	if !p.noCRC {
		o.Validation.Alg = tlv.AlgCRC32C
	}
	return o
}

// faults are what a network does to packets, each with a probability.
type faults struct {
	latency, jitter time.Duration // jitter reorders
	loss            float64       // of Interests, and of answers
	duplicate       float64
	corrupt         float64 // one byte of the answer
}

// ask is one Interest that the fetch sent.
type ask struct {
	at       time.Duration
	chunk    uint64
	nth      int // of this chunk, from 1
	meta     bool
	longLife bool
	pkt      []byte
}

// network is a [Link] to a producer over a network with faults. It holds each
// Interest against the fetcher's promises; see promises.
type network struct {
	producer
	faults
	t     testing.TB
	rng   *rand.Rand // of the goroutine that fetches
	name  tlv.Name
	path  Path // of the session
	start time.Time
	// script, where set, may answer an Interest (or leave it unanswered) in the
	// producer's stead.
	script func(ask) (pkts [][]byte, handled bool)
	asks   []ask
	nth    map[uint64]int
	cancels
	promises

	// mu protects the following.
	mu       sync.Mutex
	in       tlv.Batch
	ready    chan struct{}
	relinked bool
	err      error
	underWay []parcel
}

// parcel is a packet under way.
type parcel struct {
	at  time.Time
	pkt []byte
}

func newNetwork(t testing.TB, p producer) *network {
	n := &network{
		producer: p, t: t, rng: rand.New(rand.NewPCG(1, 2)), name: mustName(t, "ccnx:/demo/file"), path: Path{CC: congestion.Fixed},
		faults: faults{latency: 5 * time.Millisecond}, start: time.Now(),
		nth: make(map[uint64]int), ready: make(chan struct{}, 1),
	}
	n.promises = newPromises(n)
	return n
}

func (n *network) Want(...tlv.Name)   {}
func (n *network) Forget(...tlv.Name) {}

func (n *network) TrySend(b *tlv.Batch) {
	for i := range b.Len() {
		pkt := bytes.Clone(b.Packet(i))
		var in tlv.Interest
		if err := in.Decode(pkt); err != nil {
			n.t.Errorf("the fetch sent %x: %v", pkt, err)
			continue
		}
		if in.Lifetime == tlv.CancelLifetime {
			n.cancelled(&in)
			continue
		}
		if in.Symbolic() {
			n.t.Errorf("the fetch sent a symbolic Interest for %s", in.Name)
		}
		k, ok := in.Name.Chunk()
		a := ask{at: time.Since(n.start), chunk: k, meta: !in.Name.WithoutChunk().Equal(n.name), longLife: in.LongLife(), pkt: pkt}
		if !ok || a.meta && (k != 0 || !in.Name.WithoutChunk().Equal(n.metaName())) {
			n.t.Errorf("the fetch sent an Interest for %s", in.Name)
		}
		if !a.meta {
			n.nth[k]++
			a.nth = n.nth[k]
		}
		n.asks = append(n.asks, a)
		n.sent(a)
		n.pends(a)
		n.answer(a)
	}
}

func (n *network) metaName() tlv.Name {
	m, err := object.MetaName(n.name)
	if err != nil {
		n.t.Fatal(err)
	}
	return m
}

func (n *network) answer(a ask) {
	if n.rng.Float64() < n.loss {
		return
	}
	if n.script != nil {
		if pkts, handled := n.script(a); handled {
			for _, p := range pkts {
				n.deliver(p)
			}
			return
		}
	}
	switch {
	case a.meta && n.meta != "":
		o := tlv.Object{Name: n.metaName().WithChunk(0), Payload: []byte(n.meta), Version: n.version}
		if !n.noCRC {
			o.Validation.Alg = tlv.AlgCRC32C
		}
		n.deliver(n.encode(o))
	case !a.meta && a.chunk < uint64(len(n.chunks)):
		n.deliver(n.data(a.chunk))
	}
}

func (n *network) encode(o tlv.Object) []byte {
	pkt, err := o.AppendTo(nil)
	if err != nil {
		n.t.Fatal(err)
	}
	return pkt
}

// data is the Data packet of chunk k, changed by changes.
func (n *network) data(k uint64, changes ...func(*tlv.Object)) []byte {
	o := n.object(n.name, k)
	for _, change := range changes {
		change(&o)
	}
	return n.encode(o)
}

// spoiled is the Data packet of chunk k with its last byte, of the checksum, changed.
func (n *network) spoiled(k uint64) []byte {
	pkt := n.data(k)
	pkt[len(pkt)-1] ^= 1
	return pkt
}

// deliver brings pkt to the fetch by way of the network.
func (n *network) deliver(pkt []byte) {
	if n.rng.Float64() < n.loss {
		return
	}
	if n.rng.Float64() < n.corrupt {
		pkt = bytes.Clone(pkt)
		pkt[n.rng.IntN(len(pkt))] ^= byte(1 + n.rng.IntN(255))
	}
	n.later(pkt)
	if n.rng.Float64() < n.duplicate {
		n.later(pkt)
	}
}

func (n *network) later(pkt []byte) {
	d := n.latency
	if n.jitter > 0 {
		d += time.Duration(n.rng.Int64N(int64(n.jitter)))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.underWay = append(n.underWay, parcel{time.Now().Add(d), pkt})
	time.AfterFunc(d, n.arrive)
}

// arrive hands over what is due by now, in the order in which it was sent: what
// arrives at one instant arrives at once, so that a run repeats exactly.
func (n *network) arrive() {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	n.underWay = slices.DeleteFunc(n.underWay, func(p parcel) bool {
		due := !p.at.After(now)
		if due {
			n.in.Append(p.pkt)
			n.signal()
		}
		return due
	})
}

func (n *network) signal() {
	select {
	case n.ready <- struct{}{}:
	default:
	}
}

// relink loses what is under way and makes the connection anew.
func (n *network) relink() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.underWay = nil
	n.relinked = true
	n.in.Reset(0)
	n.signal()
}

var errLink = errors.New("the link is gone")

func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.err = errLink
	n.signal()
}

func (n *network) Ready() <-chan struct{} { return n.ready }

func (n *network) Receive(b *tlv.Batch) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b.Reset(1 << 20)
	if n.err != nil {
		return false, n.err
	}
	relinked := n.relinked
	n.relinked = false
	*b, n.in = n.in, *b
	for i := range b.Len() {
		n.received(b.Packet(i))
	}
	return relinked, nil
}
