package forward

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/cs"
	"github.com/cefgo/cefgo/internal/tlv"
)

// TestStatus: everything that the forwarder holds and has counted.
func TestStatus(t *testing.T) {
	w := newWorld(t, Options{PITSize: 100, FaceQuota: 50, CacheBytes: 1 << 16, Policy: cs.FIFO, Strategy: RoundRobin})
	ours, _, up, lan := w.app(), w.app().registers("ccnx:/app", "ccnx:/b"), w.link(), w.group()
	peer := w.member(lan)
	ours.registers("ccnx:/app")
	ours.command(tlv.CommandRegister, "ccnx:/app")
	w.route("ccnx:/far", up, lan)
	w.route("ccnx:/", up)
	w.strategy("ccnx:/", LowestRTT)
	up.down(true)
	w.pass(time.Second)
	ours.interest("ccnx:/far/Chunk=7", marked)
	ours.interest("ccnx:/far", symbolic, lifetime(4*time.Second))
	ours.interest("ccnx:/app/x", lifetime(3*time.Second))
	up.down(false)
	sent := up.interest("ccnx:/far/Chunk=7", hopLimit(3))
	w.pass(300 * time.Millisecond)
	d := peer.data("ccnx:/far/Chunk=9", cacheUntil(w.now.Add(time.Minute)))
	ours.interest("ccnx:/far/Chunk=9")
	for _, a := range w.apps {
		a.got = nil
	}
	w.f.store.Lookup(mustName(t, "ccnx:/none"), w.now)

	s := w.f.Status(StatusLimits{Pending: 10, Apps: 10, Routes: 10}, w.now)
	if b, err := json.Marshal(s); err != nil {
		t.Error(err)
	} else {
		var back control.NodeStatus
		must(t, json.Unmarshal(b, &back))
		if !reflect.DeepEqual(back, s) {
			t.Errorf("%+v comes back as %+v", s, back)
		}
	}
	equal := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n%+v, want\n%+v", what, got, want)
		}
	}
	equal("pit", s.PIT, control.PIT{Entries: 3, Size: 100, PerFace: 50})
	equal("apps", s.Apps, []control.App{
		{Prefix: "ccnx:/b", Faces: []uint64{2}}, {Prefix: "ccnx:/app", Faces: []uint64{2, 1}}, {Prefix: "ccnx:/app", Exact: true, Faces: []uint64{1}},
	})
	equal("routes", s.Routes, []control.Route{
		{Prefix: "ccnx:/", Strategy: "lowest-rtt", NextHops: []control.NextHop{{Face: 3, Cost: 1}}},
		{Prefix: "ccnx:/far", Strategy: "round-robin", NextHops: []control.NextHop{{Face: 3, Cost: 1}, {Face: 4, Cost: 2, Interests: 2, Answered: 1, RTTMS: 300}}},
	})
	equal("prefixes", s.RouteNum, 2)
	equal("pending", s.Pending, []control.Pending{
		{Name: "ccnx:/app/x", Down: []uint64{1}, Up: []uint64{2}, ExpiresMS: 2700},
		{Name: "ccnx:/far", Symbolic: true, Down: []uint64{1}, Up: []uint64{4}, ExpiresMS: 3700},
		{Name: "ccnx:/far/Chunk=7", Down: []uint64{1, 3}, Up: []uint64{4}, ExpiresMS: 1700},
	})
	st := w.f.store.Stats()
	equal("store", s.Store, control.Store{Objects: 1, Bytes: st.Bytes, Capacity: 1 << 16, Policy: "fifo", Hits: 1, Misses: st.Misses})
	equal("packets", s.Packets, control.Packets{RxInterests: 5, TxInterests: 3, RxSymbolic: 1, RxData: 1, TxData: 2, Aggregated: 1})
	equal("drops", s.Drops, control.Drops{})
	if len(s.Faces) != 5 {
		t.Fatalf("%d faces", len(s.Faces))
	}
	equal("link", s.Faces[2], control.Face{
		ID: 3, Kind: "link", IdleMS: new(int64(300)), RxPackets: 1, RxBytes: uint64(len(sent)), Pending: 1,
	})
	equal("app", s.Faces[0].Marked, true)
	equal("app", s.Faces[0].Kind, "app")
	equal("app", s.Faces[0].Pending, 3)
	equal("app", s.Faces[0].TxPackets, uint64(2))
	equal("app", s.Faces[0].TxBytes, uint64(2*len(d)))
	equal("app", s.Faces[1].IdleMS, new(int64(1300)))
	equal("group", s.Faces[3].Kind, "multicast")
	equal("group", s.Faces[3].IdleMS, (*int64)(nil)) // nothing has ever come
	up.down(true)
	s = w.f.Status(StatusLimits{Routes: 1}, w.now)
	equal("down", []bool{s.Faces[2].Down, s.Faces[3].Down, s.Routes[0].NextHops[0].Down}, []bool{true, false, true})

	w.pass(10 * time.Second)
	s = w.f.Status(StatusLimits{Pending: 10}, w.now)
	equal("expired", s.PIT.Expired, uint64(3))
	equal("nothing pending", len(s.Pending), 0)
}

// TestStatusOfRefused: who has refused is not shown as asked.
func TestStatusOfRefused(t *testing.T) {
	w := newWorld(t, Options{Strategy: All})
	asks, one, two := w.app(), w.link(), w.link()
	w.route("ccnx:/a", one, two)
	asks.interest("ccnx:/a/x")
	one.sends(returned(interest(t, "ccnx:/a/x"), tlv.ReturnNoRoute))
	one.got, two.got = nil, nil
	if p := w.f.Status(StatusLimits{Pending: 1}, w.now).Pending; len(p) != 1 || !slices.Equal(p[0].Up, []uint64{3}) {
		t.Errorf("%+v", p)
	}
}

// TestStatusCounters: each reason to refuse is counted for itself; the field's name says
// which, and this test fails for a field that it does not know.
func TestStatusCounters(t *testing.T) {
	bad := data(t, "ccnx:/a/x", crc)
	bad[len(bad)-20] ^= 1
	for name, c := range map[string]struct {
		o  Options
		do func(w *world, peer, up *app)
	}{
		"Malformed":   {do: func(_ *world, peer, _ *app) { peer.sends([]byte("x")) }},
		"Corrupt":     {do: func(_ *world, peer, _ *app) { peer.sends(bad) }},
		"HopLimit":    {do: func(_ *world, peer, _ *app) { peer.interest("ccnx:/a", hopLimit(0)) }},
		"NoRoute":     {do: func(_ *world, peer, _ *app) { peer.interest("ccnx:/none") }},
		"PITFull":     {o: Options{PITSize: 1}, do: func(w *world, peer, _ *app) { w.app().interest("ccnx:/a"); peer.interest("ccnx:/a/b") }},
		"FaceQuota":   {o: Options{FaceQuota: -1}, do: func(_ *world, peer, _ *app) { peer.interest("ccnx:/a") }},
		"Unsolicited": {do: func(_ *world, peer, _ *app) { peer.data("ccnx:/a") }},
		"Unexpected":  {do: func(_ *world, peer, _ *app) { peer.interest("ccnx:/a"); peer.data("ccnx:/a") }},
		"RemoteApp":   {do: func(_ *world, peer, _ *app) { peer.registers("ccnx:/a") }},
		"Rejected":    {do: func(w *world, _, _ *app) { w.app().command(tlv.CommandPITReg, "ccnx:/a") }},
		"FacesFull":   {}, // by the driver
		"TooLarge": {do: func(w *world, _, _ *app) {
			w.app().data("ccnx:/s")
			w.face(FaceOptions{MaxPacket: 9}).interest("ccnx:/s")
		}},
		"RestrictFail": {do: func(_ *world, peer, up *app) { peer.interest("ccnx:/a", hash("x")); up.data("ccnx:/a") }},
	} {
		w := newWorld(t, c.o)
		peer, up := w.link(), w.link()
		w.route("ccnx:/a", up)
		if c.do != nil {
			c.do(w, peer, up)
		}
		d := reflect.ValueOf(w.f.Status(StatusLimits{}, w.now).Drops)
		for k := range d.NumField() {
			want := uint64(0)
			if d.Type().Field(k).Name == name && c.do != nil {
				want = 1
			}
			if got := d.Field(k).Uint(); got != want {
				t.Errorf("%s: %s is %d, want %d", name, d.Type().Field(k).Name, got, want)
			}
		}
		if _, known := d.Type().FieldByName(name); !known || d.NumField() != 13 {
			t.Errorf("%s of %d counters", name, d.NumField())
		}
		for _, a := range w.apps {
			a.got = nil
		}
	}
}

// TestStatusLimits: lists are as long as asked for, in order where the table is not much
// longer, and empty where the limit is none.
func TestStatusLimits(t *testing.T) {
	w := newWorld(t, Options{PITSize: 20_000, FaceQuota: 20_000})
	asks, up := w.app(), w.link()
	for _, n := range []int{10, sortedUpTo + 100} {
		base := mustName(t, "ccnx:/n")
		for k := range n {
			name, err := base.Child(fmt.Sprintf("%06d", k))
			must(t, err)
			must(t, w.f.AddRoute(name, up.id, k))
			asks.command(tlv.CommandRegPrefix, name.String())
			i := tlv.Interest{HopLimit: 9, Name: name}
			pkt, err := i.AppendTo(nil)
			must(t, err)
			w.f.OnPacket(asks.id, pkt, w.now)
		}
		up.got = nil
		for _, limit := range []int{-1, 0, 1, 7, n, n + 1, 1 << 40} {
			s := w.f.Status(StatusLimits{Pending: limit, Apps: limit, Routes: limit}, w.now)
			want := max(0, min(n, limit))
			if len(s.Pending) != want || len(s.Routes) != want || len(s.Apps) != want || s.RouteNum != n || s.AppNum != n || s.PIT.Entries != n {
				t.Errorf("limit %d: %d of %d pending, %d of %d routes, %d of %d for applications", limit, len(s.Pending), s.PIT.Entries, len(s.Routes), s.RouteNum, len(s.Apps), s.AppNum)
			}
			for k := range min(want, len(s.Pending), len(s.Routes)) {
				if first := fmt.Sprintf("ccnx:/n/%06d", k); n == 10 && (s.Pending[k].Name != first || s.Routes[k].Prefix != first) {
					t.Errorf("%s and %s in the place of %s", s.Pending[k].Name, s.Routes[k].Prefix, first)
				}
				if k > 0 && s.Pending[k].Name <= s.Pending[k-1].Name || k > 0 && s.Routes[k].Prefix <= s.Routes[k-1].Prefix {
					t.Fatalf("%d is out of order", k)
				}
			}
		}
	}
	if !strings.HasPrefix(uriOf("\x00\x01\x00\x01a"), "ccnx:/a") || uriOf("x") != "?" {
		t.Error("names of prefixes")
	}
}
