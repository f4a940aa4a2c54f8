package forward

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// FuzzInfo: whatever comes as CCNinfo, from whomever, the node keeps its bounds, sends
// whole packets only, a Request never back, and waits for nothing in the end.
func FuzzInfo(f *testing.F) {
	for _, v := range load[vector](f, "vectors.json") {
		if b := v.bytes(f); len(b) > 1 && b[0] == tlv.Version && (b[1] == byte(tlv.PacketInfoRequest) || b[1] == byte(tlv.PacketInfoReply)) {
			f.Add(record(0, b))
		}
	}
	ask, reply := infoRequest(f), infoReply(f)
	both := func(op byte, pkts ...[]byte) (s []byte) {
		for k, p := range pkts {
			s = append(s, record(op+byte(k), p)...)
		}
		return s
	}
	f.Add(both(0, ask, reply))
	f.Add(both(0, infoRequest(f, infoName(f, "ccnx:/all/x"), infoCRC), reply, infoReply(f, infoName(f, "ccnx:/all/x"))))
	f.Add(append(both(0, ask), both(4, nil, ask)...))
	f.Fuzz(func(t *testing.T, script []byte) {
		script = bytes.Clone(script)
		w := infoWorld(t)
		faces := []*app{w.app(), w.link(), w.face(FaceOptions{Kind: Link, MaxPacket: 100}), w.group()}
		w.route("ccnx:/a", faces[1])
		w.route("ccnx:/all", faces...)
		w.strategy("ccnx:/all", All)
		w.app().registers("ccnx:/all/mine").data("ccnx:/a/cached/Chunk=3")
		const ops = 6
		for len(script) >= 3 {
			op := script[0] % ops
			n := min(int(binary.BigEndian.Uint16(script[1:])), len(script)-3)
			val := script[3 : 3+n]
			script = script[3+n:]
			if len(val) > 1 {
				val[1] = byte(tlv.PacketInfoReply) - val[1]&1 // other types have a target of their own
			}
			var from *app
			switch op {
			case ops - 1:
				from = faces[1]
				from.multicasts(val)
			case ops - 2:
				w.now = w.now.Add(time.Duration(n) * time.Millisecond)
				w.f.Expire(w.now)
			default:
				from = faces[op]
				from.sends(val)
			}
			for _, a := range w.apps {
				for _, pkt := range a.got {
					h, err := tlv.ParseHeader(pkt)
					if err != nil || h.Length != len(pkt) {
						t.Fatalf("sent %x: %v", pkt, err)
					}
					var i tlv.Info
					if i.Decode(pkt) != nil || i.Validation.Check() != nil || i.Type == tlv.PacketInfoRequest && a == from {
						t.Fatalf("to %d goes %x", a.id, pkt)
					}
				}
				a.got = nil
			}
			w.f.infos.sound(t)
		}
		w.now = w.now.Add(infoTimeout)
		w.f.Expire(w.now)
		w.infos(0)
	})
}
