package forward

import (
	"slices"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// vectorsByID are the packets of vectors.json.
func vectorsByID(t testing.TB) map[string][]byte {
	t.Helper()
	m := make(map[string][]byte)
	for _, v := range load[vector](t, "vectors.json") {
		if v.Hex != "" {
			m[v.ID] = v.bytes(t)
		}
	}
	return m
}

// arrivedAt is an instant that CCNinfo states so.
func arrivedAt(t testing.TB, arrival uint32) time.Time {
	t.Helper()
	sec := begin.Unix()
	for uint16(sec+32384) != uint16(arrival>>16) {
		sec++
	}
	at := time.Unix(sec, (int64(arrival&0xffff)*1_000_000_000+65535)/65536)
	if got := tlv.InfoArrival(at); got != arrival {
		t.Fatalf("no instant for arrival %08x: %v is %08x", arrival, at, got)
	}
	return at
}

func decodeInfo(t testing.TB, pkt []byte) (i tlv.Info) {
	t.Helper()
	must(t, i.Decode(pkt))
	must(t, i.Validation.Check())
	return i
}

// takes returns and forgets the packets that came, of which there must be n.
func (a *app) takes(n int) [][]byte {
	a.w.t.Helper()
	got := a.got
	a.got = nil
	if len(got) != n {
		a.w.t.Fatalf("application %d got %d packets%s, want %d", a.id, len(got), show(got...), n)
	}
	return got
}

// infoRequest is a Request for ccnx:/a/x, changed by opts.
func infoRequest(t testing.TB, opts ...func(*tlv.Info)) []byte {
	t.Helper()
	i := tlv.Info{
		Type: tlv.PacketInfoRequest, HopLimit: 32, RequestID: 0x8181, Name: mustName(t, "ccnx:/a/x"),
		Request: tlv.InfoStamp{Arrival: 1, Node: mustName(t, "ccnx:/client")},
	}
	for _, o := range opts {
		o(&i)
	}
	pkt, err := i.AppendTo(nil)
	must(t, err)
	return pkt
}

// infoReply is a Reply, without error, to a Request as infoRequest makes it.
func infoReply(t testing.TB, opts ...func(*tlv.Info)) []byte {
	t.Helper()
	return infoRequest(t, append([]func(*tlv.Info){func(i *tlv.Info) {
		i.Type, i.Reply = tlv.PacketInfoReply, tlv.Some(tlv.InfoStamp{Arrival: 2, Node: mustName(t, "ccnx:/far")})
	}}, opts...)...)
}

func infoFlags(v uint8) func(*tlv.Info) { return func(i *tlv.Info) { i.Flags = v } }
func infoHops(limit, skip uint8) func(*tlv.Info) {
	return func(i *tlv.Info) { i.HopLimit, i.SkipHop = limit, skip }
}
func infoID(id uint16) func(*tlv.Info)        { return func(i *tlv.Info) { i.RequestID = id } }
func infoCode(c tlv.InfoCode) func(*tlv.Info) { return func(i *tlv.Info) { i.Code = c } }
func infoName(t testing.TB, uri string) func(*tlv.Info) {
	return func(i *tlv.Info) { i.Name = mustName(t, uri) }
}
func infoChunk(k uint64) func(*tlv.Info) {
	return func(i *tlv.Info) { i.Name = i.Name.WithChunk(k) }
}
func infoCRC(i *tlv.Info) { i.Validation.Alg = tlv.AlgCRC32C }
func reports(t testing.TB, uris ...string) func(*tlv.Info) {
	return func(i *tlv.Info) {
		for _, uri := range uris {
			i.Reports = append(i.Reports, tlv.InfoStamp{Arrival: 3, Node: mustName(t, uri)})
		}
	}
}

func infoWorld(t testing.TB) *world {
	return newWorld(t, Options{NodeName: mustName(t, "ccnx:/here"), AllowRemoteApps: true})
}

// stamp is what w's node says of itself now.
func (w *world) stamp() tlv.InfoStamp {
	return tlv.InfoStamp{Arrival: tlv.InfoArrival(w.now), Node: w.f.o.NodeName}
}

// hop is a Request as w's node passes it on.
func (w *world) hop(pkt []byte) []byte {
	w.t.Helper()
	b, err := tlv.AppendInfoHop(nil, pkt, w.stamp())
	must(w.t, err)
	return b
}

// refusal is the Reply by which w's node refuses pkt.
func (w *world) refusal(pkt []byte, code tlv.InfoCode) []byte {
	w.t.Helper()
	b, err := tlv.AppendInfoError(nil, pkt, code, w.stamp())
	must(w.t, err)
	return b
}

// answer is the Reply by which w's node says that it has what pkt asks for.
func (w *world) answer(pkt []byte, blocks ...tlv.InfoBlock) []byte {
	w.t.Helper()
	b, err := tlv.AppendInfoReply(nil, pkt, w.stamp(), blocks)
	must(w.t, err)
	return b
}

// infos wants that many Requests to be waited for.
func (w *world) infos(want int) {
	w.t.Helper()
	if got := w.f.infos.len(); got != want || w.f.Pending() != w.f.pit.len()+want {
		w.t.Errorf("%d Requests waited for, %d pending, want %d", got, w.f.Pending(), want)
	}
	w.f.infos.sound(w.t)
}

func vectorOf(t *testing.T, file, id string) []byte {
	t.Helper()
	vs := load[vector](t, file)
	k := slices.IndexFunc(vs, func(v vector) bool { return v.ID == id })
	if k < 0 {
		t.Fatalf("no %s in %s", id, file)
	}
	return vs[k].bytes(t)
}
