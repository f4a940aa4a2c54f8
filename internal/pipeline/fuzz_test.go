package pipeline

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// fuzzProducer is what a fuzzed fetch asks for. how says where its end is told.
func fuzzProducer(how uint16) producer {
	p := chunked(6)
	p.end = endStyle(how % 4 % 3)
	if how%4 == 3 {
		p.end, p.meta = endNowhere, "6"
	}
	return p
}

// FuzzFetchPackets delivers any three packets in the midst of honest ones: a fetch
// never panics, and what it writes is, chunk by chunk, the payload of a sound Data
// for that chunk. Without an error it is all of them, up to an end that was told.
func FuzzFetchPackets(f *testing.F) {
	for _, pkt := range fuzzSeeds(f) {
		f.Add(pkt, []byte{}, []byte{}, uint16(0))
		f.Add(pkt, pkt, pkt, uint16(0x1231))
		f.Add(pkt, []byte{}, pkt, uint16(0x4403))
	}
	f.Fuzz(func(t *testing.T, a, b, c []byte, how uint16) {
		synctest.Test(t, func(t *testing.T) { fuzzFetch(t, [3][]byte{a, b, c}, how) })
	})
}

// fuzzFetch delivers each packet at the Interest that its digit of how tells.
func fuzzFetch(t *testing.T, pkts [3][]byte, how uint16) {
	n := newNetwork(t, fuzzProducer(how))
	n.off = true
	n.script = func(ask) ([][]byte, bool) {
		for i, p := range pkts {
			if int(how>>(4+4*i)&15) == len(n.asks)-1 && len(p) > 0 {
				n.deliver(p)
			}
		}
		return nil, false
	}
	before := [3][]byte{bytes.Clone(pkts[0]), bytes.Clone(pkts[1]), bytes.Clone(pkts[2])}
	var out bytes.Buffer
	start := time.Now()
	r, err := fetchAlone(t.Context(), n, n.name, &out, Options{})
	if d := time.Since(start); d > 3*time.Minute {
		t.Errorf("it took %v", d)
	}
	for i, p := range pkts {
		if !bytes.Equal(p, before[i]) {
			t.Errorf("packet %d was written to", i)
		}
	}
	payloads, ends := n.truths(pkts)
	if !composed(out.Bytes(), payloads, r.Chunks) {
		t.Errorf("%d chunks written are no payloads of theirs: %x; error %v", r.Chunks, out.Bytes(), err)
	}
	if err == nil && !ends[r.Chunks-1] {
		t.Errorf("%d chunks and no error; told ends are %v", r.Chunks, ends)
	}
}

// truths are the payloads that each chunk may have, and the ends that were told,
// by the producer or by a sound packet among pkts.
func (n *network) truths(pkts [3][]byte) (payloads map[uint64][][]byte, ends map[uint64]bool) {
	payloads, ends = make(map[uint64][][]byte), make(map[uint64]bool)
	for k, p := range n.chunks {
		payloads[uint64(k)] = [][]byte{p}
	}
	if n.producer.end != endNowhere || n.meta != "" {
		ends[uint64(len(n.chunks)-1)] = true
	}
	for _, pkt := range pkts {
		var o tlv.Object
		if o.Decode(pkt) != nil || o.Validation.Check() != nil {
			continue
		}
		k, ok := o.Name.Chunk()
		switch base := o.Name.WithoutChunk(); {
		case !ok:
		case base.Equal(n.name):
			payloads[k] = append(payloads[k], o.Payload)
			if o.EndChunk.OK {
				ends[o.EndChunk.V] = true
			}
		case base.Equal(n.metaName()):
			if count, ok := parseMeta(o.Payload); ok {
				ends[count-1] = true
			}
		}
	}
	return payloads, ends
}

// composed reports whether out is one payload of each of the first chunks.
func composed(out []byte, payloads map[uint64][][]byte, chunks uint64) bool {
	at := map[int]bool{0: true}
	for k := range chunks {
		to := make(map[int]bool)
		for i := range at {
			for _, p := range payloads[k] {
				if bytes.HasPrefix(out[i:], p) {
					to[i+len(p)] = true
				}
			}
		}
		at = to
	}
	return at[len(out)]
}

func fuzzSeeds(f *testing.F) (seeds [][]byte) {
	n := newNetwork(f, chunked(6).with(func(p *producer) { p.noCRC = true }))
	for k := range uint64(8) {
		seeds = append(seeds, n.data(k), n.data(k, changeEnd(k)), n.spoiledCRC(k))
	}
	v1 := func(o *tlv.Object) { o.Version = []byte("v1") }
	bare := func(o *tlv.Object) { o.EndChunk.OK = false }
	seeds = append(seeds, n.data(1, v1), n.data(1, bare), n.data(6, bare), n.data(0, changeEnd(1<<63)), n.data(0, changeEnd(1<<64-1)), n.data(1<<63))
	for _, m := range []string{"1", "3", "6", "20", "0", "4294967296", "x"} {
		seeds = append(seeds, n.encode(tlv.Object{Name: n.metaName().WithChunk(0), Payload: []byte(m)}))
	}
	i := tlv.Interest{Name: n.name.WithChunk(1), HopLimit: 1}
	pkt, err := i.AppendTo(nil)
	if err != nil {
		f.Fatal(err)
	}
	seeds = append(seeds, pkt, []byte(tlv.LinkReply))
	for code := range tlv.ReturnMalformed + 2 {
		seeds = append(seeds, tlv.AppendReturn(nil, pkt, code))
	}
	return append(seeds, badPackets(f)...)
}

// spoiledCRC is a Data for chunk k with other bytes and a checksum of noughts.
func (n *network) spoiledCRC(k uint64) []byte {
	return n.data(k, func(o *tlv.Object) {
		o.Payload, o.Validation = []byte("other"), tlv.Validation{Alg: tlv.AlgCRC32C, Payload: make([]byte, 4)}
	})
}

// badPackets are those that the codec is tested with.
func badPackets(t testing.TB) (pkts [][]byte) {
	var list []struct {
		Hex    string `json:"packet_hex"`
		Repeat int
	}
	b, err := os.ReadFile("../tlv/testdata/bad-packets.json")
	if err == nil {
		err = json.Unmarshal(b, &list)
	}
	if err != nil || len(list) == 0 {
		t.Fatalf("bad packets: %v, %d", err, len(list))
	}
	for _, p := range list {
		pkt, err := hex.DecodeString(p.Hex)
		if err != nil {
			t.Fatal(err)
		}
		if p.Repeat <= 1 {
			pkts = append(pkts, pkt)
		}
	}
	return pkts
}
