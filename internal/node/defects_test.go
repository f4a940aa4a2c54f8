package node

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// TestDefects provokes what cefnetd 0.12.0 does wrong (sheet m, by its numbers): none
// of it happens here. The others are elsewhere: 2 and 3 in TestBadPackets, 5 and 13 in
// the tests of peers and links, 12 in TestSlowReader, 15 is cefpyco's own.
func TestDefects(t *testing.T) {
	n := start(t, Options{})
	has := dial(t, n).registers("ccnx:/m")

	t.Run("1 many faces wait for one name", func(t *testing.T) {
		i, d := interest(t, "ccnx:/m/1"), data(t, "ccnx:/m/1")
		var all []*peer
		for range 100 {
			p := dial(t, n)
			p.sends(i)
			has.gets(i)
			all = append(all, p)
		}
		has.sends(d)
		for _, p := range all {
			p.gets(d)
		}
	})

	t.Run("4 the last route of an application", func(t *testing.T) {
		p, q := dial(t, n), dial(t, n)
		command(p, tlv.CommandRouteAdd, "ccnx:/m4")
		p.settled()
		i := interest(t, "ccnx:/m4/x")
		q.sends(i)
		p.gets(i)
		command(p, tlv.CommandRouteDel, "ccnx:/m4")
		p.settled() // its connection holds
		dial(t, n).settled()
	})

	t.Run("6 stale registrations and routes", func(t *testing.T) {
		dead := dial(t, n).registers("ccnx:/m6")
		command(dead, tlv.CommandRouteAdd, "ccnx:/m6")
		dead.settled()
		must(t, dead.conn.Close())
		n.until(t, "face gone", func(c *core) bool { return len(c.owners("ccnx:/m6")) == 0 })
		exchange(t, dial(t, n), dial(t, n).registers("ccnx:/m6"), "ccnx:/m6/x")
	})

	t.Run("7 cache-blind re-sends", func(t *testing.T) {
		asks, puts := dial(t, n), dial(t, n)
		i := interest(t, "ccnx:/m7/Chunk=0", longLived)
		asks.sends(i) // nobody has it yet, and it stays pending
		asks.settled()
		d := data(t, "ccnx:/m7/Chunk=0")
		puts.sends(d)
		asks.gets(d)
		asks.sends(interest(t, "ccnx:/m7/Chunk=0"))
		asks.gets(d)
	})

	t.Run("8 the wrong face cancelled", func(t *testing.T) {
		one, two := dial(t, n), dial(t, n)
		sym := interest(t, "ccnx:/m", symbolic)
		for _, p := range []*peer{one, two} {
			p.sends(sym)
			has.gets(sym)
		}
		cancel := interest(t, "ccnx:/m", symbolic, lifetime(0))
		one.sends(cancel)
		has.gets(cancel)
		d := data(t, "ccnx:/m/Chunk=1")
		has.sends(d)
		two.gets(d)
		one.settled() // and nothing before that
	})

	t.Run("9 false no-route", func(t *testing.T) {
		far := start(t, Options{Listen: anyPort(loopbacks[0])})
		near := start(t, Options{Forward: forward.Options{ReturnToAll: true}, Routes: []Route{{Prefix: mustName(t, "ccnx:/m9"), Via: string(far.Listening()[0])}}})
		source := dial(t, far).registers("ccnx:/m9")
		one, two := dial(t, near), dial(t, near)
		one.sends(interest(t, "ccnx:/m9/x"))
		source.next()
		two.sends(interest(t, "ccnx:/m9/x")) // joins the first one
		two.settled()
		d := data(t, "ccnx:/m9/x")
		source.sends(d)
		one.gets(d)
		two.gets(d)
	})

	t.Run("10 object hash restriction", func(t *testing.T) {
		asks := dial(t, n)
		d := data(t, "ccnx:/m/10")
		h, err := tlv.ParseHeader(d)
		must(t, err)
		sum := sha256.Sum256(d[h.HeaderLen:])
		only := func(i *tlv.Interest) { i.ObjectHash = tlv.Hash{Type: tlv.HashSHA256, Sum: sum[:]} }
		asks.sends(interest(t, "ccnx:/m/10", only))
		has.next()
		has.sends(data(t, "ccnx:/m/10", payload("another")))
		has.sends(d)
		asks.gets(d)
	})

	t.Run("11 a regular Interest starves nobody", func(t *testing.T) {
		follows, asks := dial(t, n), dial(t, n)
		sym := interest(t, "ccnx:/m/11", symbolic)
		follows.sends(sym)
		has.gets(sym)
		asks.sends(interest(t, "ccnx:/m/11/Chunk=3"))
		has.next()
		d := data(t, "ccnx:/m/11/Chunk=3")
		has.sends(d)
		asks.gets(d)
		follows.gets(d)
	})

	t.Run("14 nothing unasked for", func(t *testing.T) {
		tool := dial(t, n) // without cefgo's mark
		tool.sends(interest(t, "ccnx:/nobody/14"), interest(t, "ccnx:/m/14", hopLimit(0)))
		tool.sends(data(t, "ccnx:/m/14/pushed"))
		d := data(t, "ccnx:/m/14/x")
		tool.sends(interest(t, "ccnx:/m/14/x"))
		has.next()
		has.sends(d)
		tool.gets(d)
	})

	t.Run("17 control from the network, or by a claim", func(t *testing.T) {
		net := start(t, Options{Listen: anyPort(loopbacks[0]), OnStop: func() { t.Error("stopped from the network") }})
		a := net.Listening()[1] // tcp
		address, err := transport.ParseAddress(string(a))
		must(t, err)
		c, err := transport.DialNeighbour(t.Context(), address)
		must(t, err)
		p := newPeer(t, c)
		var b tlv.Batch
		for _, text := range []string{verbStop + "root", "/CTRLCEFGO{\"op\":\"route-add\",\"prefix\":\"ccnx:/x\",\"via\":[\"udp://127.0.0.1:1\"]}"} {
			b.Append([]byte(text))
		}
		reg, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, "ccnx:/taken"))
		must(t, err)
		b.Append(reg)
		must(t, c.Write(&b))
		p.sends([]byte(tlv.LinkRequest))
		p.gets([]byte(tlv.LinkReply))
		s, err := net.Status(forward.StatusLimits{Routes: 10})
		must(t, err)
		if len(s.Apps)+s.RouteNum != 0 || s.Drops.RemoteApp != 1 {
			t.Errorf("the network has changed something: %+v %+v %+v", s.Apps, s.Routes, s.Drops)
		}
	})

	t.Run("18 CCNinfo with validation", func(t *testing.T) {
		asks := dial(t, n)
		me := mustName(t, "ccnx:/me")
		q := tlv.Info{
			Type: tlv.PacketInfoRequest, HopLimit: 32, RequestID: 0x8081, Flags: tlv.InfoFlagValidate, Name: mustName(t, "ccnx:/m/18"),
			Request: tlv.InfoStamp{Arrival: 1, Node: me}, Validation: tlv.Validation{Alg: tlv.AlgCRC32C},
		}
		pkt, err := q.AppendTo(nil)
		must(t, err)
		asks.sends(pkt)
		var r tlv.Info
		must(t, r.Decode(bytes.Clone(asks.next())))
		if r.Code != tlv.InfoNoError || r.RequestID != q.RequestID || r.Validation.Alg != tlv.AlgCRC32C || r.Validation.Check() != nil {
			t.Errorf("%+v: %v", r, r.Validation.Check())
		}
	})
	dial(t, n).settled()
}

func command(p *peer, c tlv.Command, uri string) {
	p.t.Helper()
	pkt, err := tlv.AppendCommand(nil, c, mustName(p.t, uri))
	must(p.t, err)
	p.sends(pkt)
}

func symbolic(i *tlv.Interest)  { i.MsgVendor = tlv.VendorSymbolic }
func longLived(i *tlv.Interest) { i.Lifetime = tlv.Some(uint64(time.Minute / time.Millisecond)) }

func hopLimit(n uint8) func(*tlv.Interest) { return func(i *tlv.Interest) { i.HopLimit = n } }
