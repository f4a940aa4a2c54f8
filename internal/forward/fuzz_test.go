package forward

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// script is the fuzzer's input: records of an operation, a length and so many bytes.
// Operations below five are a packet from that face, an application or a neighbour; the
// next one lets time pass; the next five end a face and make a new one in its place; the
// last ones are a packet that a neighbour sends to a group.
const (
	scriptFaces = 5
	scriptApps  = 3 // the first faces; the others are neighbours
	scriptPass  = scriptFaces
	scriptGroup = scriptFaces + 1 + scriptFaces
	scriptOps   = scriptGroup + scriptFaces - scriptApps
)

// scriptFace is a new face in the k-th place. The last two have a route.
func scriptFace(w *world, k int) *app {
	if k < scriptApps {
		return w.app()
	}
	a := w.link()
	w.route([]string{"ccnx:/", "ccnx:/a"}[k-scriptApps], a)
	return a
}

func record(op byte, val []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{op}, uint16(len(val))), val...)
}

func fuzzSeeds(t testing.TB) [][]byte {
	var seeds [][]byte
	var all, fetch []byte
	for k, v := range load[vector](t, "vectors.json") {
		if strings.HasPrefix(v.ID, "control") || strings.HasPrefix(v.ID, "close") {
			continue
		}
		r := record(byte(k%scriptFaces), v.bytes(t))
		seeds = append(seeds, r)
		all = append(all, r...)
	}
	reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/a"))
	must(t, err)
	for _, r := range [][]byte{
		record(1, reg), record(2, reg), record(0, interest(t, "ccnx:/a/Chunk=0", marked)), record(0, interest(t, "ccnx:/a", symbolic)),
		record(1, returned(interest(t, "ccnx:/a/Chunk=0"), tlv.ReturnNoRoute)), record(2, data(t, "ccnx:/a/Chunk=0", crc)),
		record(3, interest(t, "ccnx:/a/Chunk=1")), record(4, data(t, "ccnx:/a/Chunk=1")), record(3, interest(t, "ccnx:/a/Chunk=2", hopLimit(2))),
		record(4, returned(interest(t, "ccnx:/a/Chunk=2", hopLimit(1)), tlv.ReturnNoRoute)), record(scriptGroup, interest(t, "ccnx:/a/Chunk=3", hash("x"))),
		record(scriptPass, []byte{9, 9}), record(scriptPass+1, nil), record(scriptPass+scriptFaces, nil), record(0, interest(t, "ccnx:/a/Chunk=0", longLife, lifetime(time.Minute))),
	} {
		fetch = append(fetch, r...)
	}
	return append(seeds, all, fetch)
}

// FuzzForwarder: whatever three applications and two neighbours send, the forwarder keeps
// its bounds, sends only whole packets, an Interest never to its sender, nor to a neighbour
// with no hop left, and has nothing pending in the end.
func FuzzForwarder(f *testing.F) {
	for _, s := range fuzzSeeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		w := &world{t: t, f: newForwarder(Options{PITSize: 16, CacheBytes: 8 << 10}), now: begin}
		var faces [scriptFaces]*app
		for i := range faces {
			faces[i] = scriptFace(w, i)
		}
		for len(script) >= 3 {
			op := script[0] % scriptOps
			n := min(int(binary.BigEndian.Uint16(script[1:])), len(script)-3)
			val := script[3 : 3+n]
			script = script[3+n:]
			switch {
			case op < scriptFaces:
				faces[op].sends(val)
				checkSent(t, w, faces[op])
			case op == scriptPass:
				var ms [8]byte
				copy(ms[5:], val)
				w.now = w.now.Add(time.Duration(binary.BigEndian.Uint64(ms[:])) * time.Millisecond)
				w.f.Expire(w.now)
			case op >= scriptGroup:
				faces[scriptApps+op-scriptGroup].multicasts(val)
				checkSent(t, w, faces[scriptApps+op-scriptGroup])
			default:
				k := int(op - scriptPass - 1)
				faces[k].leaves()
				faces[k] = scriptFace(w, k)
			}
			w.f.sound(t)
			if st := w.f.store.Stats(); st.Bytes > st.Capacity || st.Objects > 0 != (st.Bytes > 0) {
				t.Fatalf("store %+v", st)
			}
			if s := w.f.Status(StatusLimits{Pending: 4, Routes: 4}, w.now); s.PIT.Entries != w.f.pit.len() || len(s.Pending) != min(4, s.PIT.Entries) || len(s.Routes) != min(4, s.RouteNum) {
				t.Fatalf("status %+v", s)
			}
		}
		w.now = w.now.Add(maxLifetime + 2*Tick)
		w.f.Expire(w.now)
		w.f.sound(t)
		w.pending(0)
		for _, a := range faces {
			a.leaves()
		}
		if w.f.regs.count != 0 || len(w.f.regs.byName) != 0 {
			t.Errorf("%d registrations of %d names are left", w.f.regs.count, len(w.f.regs.byName))
		}
	})
}

// checkSent looks at what a packet from an application led to, and forgets it.
func checkSent(t *testing.T, w *world, from *app) {
	for _, a := range w.apps {
		for _, pkt := range a.got {
			h, err := tlv.ParseHeader(pkt)
			if err != nil || h.Length != len(pkt) {
				t.Fatalf("sent %x: %v", pkt, err)
			}
			if a == from && h.Type == tlv.PacketInterest {
				t.Fatalf("its own Interest comes back to %d: %x", a.id, pkt)
			}
			if fc := w.f.faces[a.id]; h.Type == tlv.PacketInterest && h.HopLimit == 0 && fc != nil && !fc.local() {
				t.Fatalf("an Interest without a hop left goes to %d: %x", a.id, pkt)
			}
		}
		a.got = nil
	}
}
