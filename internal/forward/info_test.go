package forward

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// TestInfoCefnetd: along one node or two, each Request of ccninfo's gets the Reply that
// it got from cefnetd, byte for byte.
func TestInfoCefnetd(t *testing.T) {
	const self, b, a = "ccnx:/192.0.2.2", "ccnx:/node-b.example", "ccnx:/node-a.example/r1"
	tiny := func(w *world) {
		w.app().data("ccnx:/gold/tiny/Chunk=0")
		for range 4 {
			w.f.store.Lookup(mustName(t, "ccnx:/gold/tiny/Chunk=0"), w.now)
		}
	}
	doc := func(w *world) {
		for k := range 3 {
			w.app().data(fmt.Sprintf("ccnx:/far/doc/Chunk=%d", k))
		}
	}
	owned := func(w *world) { w.app().registers("ccnx:/far/pub") }
	nothing := func(*world) {}
	for _, c := range []struct {
		request, reply string
		nodes          []string
		last           func(*world) // what the last node has
	}{
		{"cached-1", "cached-2", []string{self}, tiny},
		{"c-1", "c-2", []string{self}, tiny},
		{"no-route-1", "no-route-2", []string{self}, tiny},
		{"via-second-node-1", "via-second-node-2", []string{self, self}, nothing},
		{"skip-hop-1", "skip-hop-2", []string{self, self}, nothing},
		{"full-discovery-1", "full-discovery-2", []string{self}, tiny},
		{"chunk-1", "chunk-2", []string{self}, tiny},
		{"cached-at-2nd-hop-c-1", "cached-at-2nd-hop-c-2", []string{b, a}, doc},
		{"cached-at-2nd-hop-1", "cached-at-2nd-hop-2", []string{b, a}, doc},
		{"2nd-hop-no-route-1", "2nd-hop-no-route-2", []string{b, a}, doc},
		{"skip-hop-1-1", "skip-hop-1-2", []string{b, a}, doc},
		{"hop-limit-1-1", "hop-limit-1-2", []string{b}, nothing},
		{"publisher-only-1", "publisher-only-2", []string{b, a}, doc},
		{"publisher-reply-1", "publisher-reply-2", []string{b, a}, owned},
		{"publisher-reply-no-flag-1", "publisher-reply-no-flag-2", []string{b, a}, owned},
		{"crc32c-request-1", "crc32c-request-2", []string{b, a}, doc},
	} {
		t.Run(c.request, func(t *testing.T) {
			all := vectorsByID(t)
			request, want := all["ccninfo-request/ccninfo/"+c.request], all["ccninfo-reply/ccninfo/"+c.reply]
			i := decodeInfo(t, want)
			var stamps []uint32 // of the nodes that say when
			for _, r := range i.Reports {
				stamps = append(stamps, r.Arrival)
			}
			if i.Reply.OK {
				stamps = append(stamps, i.Reply.V.Arrival)
			}
			skip := int(decodeInfo(t, request).SkipHop)
			if len(stamps)+skip != len(c.nodes) {
				t.Fatalf("%d stamps, %d nodes", len(stamps), len(c.nodes))
			}
			var down, up []*app
			for k, node := range c.nodes {
				w := newWorld(t, Options{NodeName: mustName(t, node)})
				if k >= skip {
					w.now = arrivedAt(t, stamps[k-skip])
				}
				asks, on := w.link(), w.link()
				if k == len(c.nodes)-1 {
					c.last(w)
				} else {
					w.route("ccnx:/far", on)
				}
				down, up = append(down, asks), append(up, on)
			}
			pkt := request
			for k, asks := range down {
				asks.sends(pkt)
				if k < len(down)-1 {
					pkt = up[k].takes(1)[0]
				}
			}
			for k := len(down) - 1; k > 0; k-- {
				up[k-1].sends(down[k].takes(1)[0])
			}
			down[0].gets(want)
		})
	}
}

// TestInfoRequest sends one Request to a node that has a route and, of ccnx:/a/cached
// and ccnx:/a/app, the Data or an application.
func TestInfoRequest(t *testing.T) {
	const (
		nothing = -1
		passed  = -2
		yes     = -3
	)
	cached, owned := infoName(t, "ccnx:/a/cached"), infoName(t, "ccnx:/a/app/x")
	full, publisher := infoFlags(tlv.InfoFlagFullDiscovery), infoFlags(tlv.InfoFlagPublisher)
	looped := reports(t, "ccnx:/b", "ccnx:/here")
	for _, c := range []struct {
		name  string
		opts  []func(*tlv.Info)
		want  int // a code of a refusal, or one of the above
		drops control.Drops
	}{
		{"passed on", nil, passed, control.Drops{}},
		{"passed on with a checksum", []func(*tlv.Info){infoCRC}, passed, control.Drops{}},
		{"here", []func(*tlv.Info){cached}, yes, control.Drops{}},
		{"a chunk", []func(*tlv.Info){infoName(t, "ccnx:/a/cached/Chunk=0")}, yes, control.Drops{}},
		{"a chunk beyond 32 bits", []func(*tlv.Info){infoName(t, "ccnx:/a/cached"), infoChunk(1 << 32)}, yes, control.Drops{}},
		{"another chunk", []func(*tlv.Info){infoName(t, "ccnx:/a/cached/Chunk=1")}, passed, control.Drops{}},
		{"below what is here", []func(*tlv.Info){infoName(t, "ccnx:/a/cached/x")}, passed, control.Drops{}},
		{"publisher only, cached", []func(*tlv.Info){cached, publisher}, passed, control.Drops{}},
		{"publisher only, published", []func(*tlv.Info){owned, publisher}, yes, control.Drops{}},
		{"published", []func(*tlv.Info){owned}, yes, control.Drops{}},
		{"no route", []func(*tlv.Info){infoName(t, "ccnx:/b")}, int(tlv.InfoNoRoute), control.Drops{NoRoute: 1}},
		{"no route, skipped", []func(*tlv.Info){infoName(t, "ccnx:/b"), infoHops(9, 1)}, nothing, control.Drops{NoRoute: 1}},
		{"hop limit 0", []func(*tlv.Info){infoHops(0, 0)}, int(tlv.InfoNoInfo), control.Drops{HopLimit: 1}},
		{"hop limit 0, cached", []func(*tlv.Info){infoHops(0, 0), cached}, int(tlv.InfoNoInfo), control.Drops{HopLimit: 1}},
		{"hop limit 1", []func(*tlv.Info){infoHops(1, 0)}, int(tlv.InfoNoInfo), control.Drops{HopLimit: 1}},
		{"hop limit 1, no route", []func(*tlv.Info){infoHops(1, 0), infoName(t, "ccnx:/b")}, int(tlv.InfoNoInfo), control.Drops{HopLimit: 1}},
		{"hop limit 1, cached", []func(*tlv.Info){infoHops(1, 0), cached}, yes, control.Drops{}},
		{"hop limit 2", []func(*tlv.Info){infoHops(2, 0)}, passed, control.Drops{}},
		{"hop limit 255", []func(*tlv.Info){infoHops(255, 0)}, passed, control.Drops{}},
		{"skipped", []func(*tlv.Info){infoHops(2, 1)}, passed, control.Drops{}},
		{"skipped 15", []func(*tlv.Info){infoHops(16, 15)}, passed, control.Drops{}},
		{"skipped, cached", []func(*tlv.Info){infoHops(9, 1), cached}, passed, control.Drops{}},
		{"skipped, published", []func(*tlv.Info){infoHops(9, 1), owned}, passed, control.Drops{}},
		{"as many skipped as hops", []func(*tlv.Info){infoHops(2, 2)}, nothing, control.Drops{HopLimit: 1}},
		{"skipped, no hop", []func(*tlv.Info){infoHops(0, 1), cached}, nothing, control.Drops{HopLimit: 1}},
		{"full discovery", []func(*tlv.Info){full}, int(tlv.InfoAdminProh), control.Drops{}},
		{"full discovery, cached", []func(*tlv.Info){full, cached}, int(tlv.InfoAdminProh), control.Drops{}},
		{"full discovery, skipped", []func(*tlv.Info){full, infoHops(9, 1)}, int(tlv.InfoAdminProh), control.Drops{}},
		{"reports of others", []func(*tlv.Info){reports(t, "ccnx:/b", "ccnx:/here/x", "ccnx:/")}, passed, control.Drops{}},
		{"loop", []func(*tlv.Info){looped}, int(tlv.InfoFatal), control.Drops{}},
		{"loop, skipped", []func(*tlv.Info){looped, infoHops(9, 1)}, int(tlv.InfoFatal), control.Drops{}},
		{"loop, no route", []func(*tlv.Info){looped, infoName(t, "ccnx:/b")}, int(tlv.InfoFatal), control.Drops{}},
		{"loop, hop limit 1", []func(*tlv.Info){looped, infoHops(1, 0)}, int(tlv.InfoFatal | tlv.InfoNoInfo), control.Drops{HopLimit: 1}},
		{"loop, full discovery", []func(*tlv.Info){looped, full}, int(tlv.InfoFatal | tlv.InfoAdminProh), control.Drops{}},
		{"loop, cached", []func(*tlv.Info){looped, cached}, yes, control.Drops{}},
		{"asked by a node of that name", []func(*tlv.Info){func(i *tlv.Info) { i.Request.Node = mustName(t, "ccnx:/here") }}, passed, control.Drops{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, kind := range []Kind{App, Link} {
				w := infoWorld(t)
				asks, on := w.face(FaceOptions{Kind: kind}), w.link()
				w.route("ccnx:/a", on)
				w.app().data("ccnx:/a/cached/Chunk=0")
				w.app().data("ccnx:/a/app/x/Chunk=0") // the publisher goes before the cache
				w.app().registers("ccnx:/a/app")
				pkt := asks.sends(infoRequest(t, c.opts...))
				switch c.want {
				case nothing:
				case passed:
					on.gets(w.hop(pkt))
					w.infos(1)
					r := asks.w.refusal(pkt, tlv.InfoNoRoute)
					on.sends(r)
					asks.gets(r)
				case yes:
					asks.gets(w.answer(pkt))
				default:
					asks.gets(w.refusal(pkt, tlv.InfoCode(c.want)))
				}
				w.infos(0)
				w.drops(c.drops)
				if w.f.count != (control.Packets{RxInfo: w.f.count.RxInfo, RxData: 2}) {
					t.Errorf("counted %+v", w.f.count)
				}
			}
		})
	}
}

// TestInfoBad: what does not decode, or is corrupt, leads to nothing.
func TestInfoBad(t *testing.T) {
	w := infoWorld(t)
	asks, on := w.app(), w.link()
	w.route("ccnx:/a", on)
	good := infoRequest(t, infoCRC)
	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1
	asks.sends(bad)
	w.drops(control.Drops{Corrupt: 1})
	for n := tlv.FixedHeaderLen; n < len(good); n++ {
		asks.sends(good[:n])
	}
	w.drops(control.Drops{Malformed: uint64(len(good) - tlv.FixedHeaderLen)})
	asks.sends(vectorOf(t, "bad-packets.json", "from-cefnetd-truncated-ccninfo-reply"))
	w.drops(control.Drops{Malformed: 1})
	w.quiet("bad")
	asks.sends(good)
	on.takes(1)
	reply := infoReply(t, infoCRC)
	bad = bytes.Clone(reply)
	bad[len(bad)-1] ^= 1
	on.sends(bad)
	w.drops(control.Drops{Corrupt: 1})
	w.infos(1)
	on.sends(reply)
	asks.gets(reply)
	if n := uint64(2 + len(good) - tlv.FixedHeaderLen + 3); w.f.count.RxInfo != n {
		t.Errorf("%d counted, want %d", w.f.count.RxInfo, n)
	}
}
