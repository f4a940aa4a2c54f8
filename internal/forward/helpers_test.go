package forward

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustName(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	must(t, err)
	return n
}

// vector is an entry of vectors.json.
type vector struct {
	ID  string `json:"id"`
	Hex string `json:"packet_hex"`
}

func (v vector) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(v.Hex)
	must(t, err)
	return b
}

func load[T any](t testing.TB, file string) (v []T) {
	t.Helper()
	b, err := os.ReadFile("../tlv/testdata/" + file)
	must(t, err)
	must(t, json.Unmarshal(b, &v))
	return v
}

// world is a forwarder without sockets, at a time that only the test moves.
type world struct {
	lan  *app // what multicasts sends to
	t    testing.TB
	f    *Forwarder
	now  time.Time
	apps []*app
}

// begin is when every world begins: in the middle of a tick of the PIT's wheel.
var begin = time.Unix(1_800_000_000, 0)

func newWorld(t testing.TB, o Options) *world {
	if o.PITSize == 0 {
		o.PITSize = DefaultPITSize
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 1 << 20
	}
	w := &world{t: t, f: newForwarder(o), now: begin}
	t.Cleanup(func() { w.quiet("at the end") })
	return w
}

// app is a connected application, a neighbour or a group that keeps what it is sent.
type app struct {
	w    *world
	id   FaceID
	full bool // has no room for more
	got  [][]byte
}

func (a *app) Send(pkt []byte) bool {
	if !a.full {
		a.got = append(a.got, bytes.Clone(pkt))
	}
	return !a.full
}

func newForwarder(o Options) *Forwarder { return New(o, begin.Add(-Tick/3)) }

func (w *world) app() *app   { return w.face(FaceOptions{Kind: App}) }
func (w *world) link() *app  { return w.face(FaceOptions{Kind: Link}) }
func (w *world) group() *app { return w.face(FaceOptions{Kind: Group}) }

// member is a neighbour that is spoken to by a group's socket.
func (w *world) member(of *app) *app { return w.face(FaceOptions{Kind: Link, Group: of.id}) }

func (w *world) face(o FaceOptions) *app {
	a := &app{w: w}
	a.id = w.f.AddFace(a, o)
	w.apps = append(w.apps, a)
	return a
}

// route makes next hops of a prefix, with costs 1, 2, 3 and so on.
func (w *world) route(uri string, by ...*app) {
	w.t.Helper()
	for k, a := range by {
		must(w.t, w.f.AddRoute(mustName(w.t, uri), a.id, k+1))
	}
}

// strategy sets how the route of a prefix picks.
func (w *world) strategy(uri string, s Strategy) {
	w.t.Helper()
	if !w.f.SetStrategy(mustName(w.t, uri), s) {
		w.t.Errorf("no route for %s", uri)
	}
}

// pass lets d go by as the loop does, tick for tick.
func (w *world) pass(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(min(Tick, end.Sub(w.now)))
		w.f.Expire(w.now)
	}
}

// sends hands a packet to the forwarder and returns it.
func (a *app) sends(pkt []byte) []byte {
	was := bytes.Clone(pkt)
	a.w.f.OnPacket(a.id, pkt, a.w.now)
	if !bytes.Equal(pkt, was) {
		a.w.t.Errorf("the forwarder wrote to the packet %x", was)
	}
	return pkt
}

// multicasts sends a packet to a group that the forwarder is in.
func (a *app) multicasts(pkt []byte) []byte {
	if a.w.lan == nil {
		a.w.lan = a.w.group()
	}
	a.w.f.OnGroupPacket(a.id, a.w.lan.id, pkt, a.w.now)
	return pkt
}

// down says that for now nothing gets through to a neighbour, or that it does again.
func (a *app) down(is bool) { a.w.f.SetDown(a.id, is) }

// interest sends an Interest, changed by opts.
func (a *app) interest(uri string, opts ...func(*tlv.Interest)) []byte {
	a.w.t.Helper()
	return a.sends(interest(a.w.t, uri, opts...))
}

func interest(t testing.TB, uri string, opts ...func(*tlv.Interest)) []byte {
	t.Helper()
	i := tlv.Interest{HopLimit: tlv.DefaultHopLimit, Name: mustName(t, uri)}
	for _, o := range opts {
		o(&i)
	}
	pkt, err := i.AppendTo(nil)
	must(t, err)
	return pkt
}

func marked(i *tlv.Interest)   { i.Mark = true }
func symbolic(i *tlv.Interest) { i.MsgVendor = tlv.VendorSymbolic }
func longLife(i *tlv.Interest) { i.MsgVendor = tlv.VendorLongLife }
func lifetime(d time.Duration) func(*tlv.Interest) {
	return func(i *tlv.Interest) { i.Lifetime = tlv.Some(uint64(d / time.Millisecond)) }
}
func hopLimit(n uint8) func(*tlv.Interest) { return func(i *tlv.Interest) { i.HopLimit = n } }

var cancel = lifetime(0)

// data sends a Content Object, changed by opts.
func (a *app) data(uri string, opts ...func(*tlv.Object)) []byte {
	a.w.t.Helper()
	return a.sends(data(a.w.t, uri, opts...))
}

func data(t testing.TB, uri string, opts ...func(*tlv.Object)) []byte {
	t.Helper()
	o := tlv.Object{Name: mustName(t, uri), Payload: []byte("payload")}
	for _, opt := range opts {
		opt(&o)
	}
	pkt, err := o.AppendTo(nil)
	must(t, err)
	return pkt
}

// uncacheable is Data that no cache may keep.
func (a *app) uncacheable(uri string, opts ...func(*tlv.Object)) []byte {
	a.w.t.Helper()
	return a.data(uri, append(opts, expires(a.w.now))...)
}

func expires(at time.Time) func(*tlv.Object) {
	return func(o *tlv.Object) { o.Expiry = tlv.Some(tlv.TimestampOf(at)) }
}
func cacheUntil(at time.Time) func(*tlv.Object) {
	return func(o *tlv.Object) { o.CacheTime = tlv.Some(tlv.TimestampOf(at)) }
}
func payload(s string) func(*tlv.Object) { return func(o *tlv.Object) { o.Payload = []byte(s) } }
func crc(o *tlv.Object)                  { o.Validation.Alg = tlv.AlgCRC32C }

// command sends a command.
func (a *app) command(c tlv.Command, uri string) {
	a.w.t.Helper()
	pkt, err := tlv.AppendCommand(nil, c, mustName(a.w.t, uri))
	must(a.w.t, err)
	a.sends(pkt)
}

func (a *app) registers(uris ...string) *app {
	a.w.t.Helper()
	for _, uri := range uris {
		a.command(tlv.CommandRegPrefix, uri)
	}
	return a
}

// leaves ends the application's connection.
func (a *app) leaves() { a.w.f.RemoveFace(a.id) }

// gets wants the application to have been sent exactly these packets since it was
// last asked, byte for byte.
func (a *app) gets(want ...[]byte) {
	a.w.t.Helper()
	got := a.got
	a.got = nil
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(got[i], want[i]) {
			a.w.t.Errorf("application %d got %s, want %s", a.id, show(got...), show(want...))
			return
		}
	}
	if len(got) != len(want) {
		a.w.t.Errorf("application %d got %d packets%s, want %d%s", a.id, len(got), show(got...), len(want), show(want...))
	}
}

// quiet wants nobody to have been sent anything that no gets asked for.
func (w *world) quiet(when string) {
	w.t.Helper()
	for _, a := range w.apps {
		if len(a.got) > 0 {
			w.t.Errorf("%s: application %d got%s", when, a.id, show(a.got...))
			a.got = nil
		}
	}
	w.f.sound(w.t)
}

// pending wants that many entries in the PIT.
func (w *world) pending(want int) {
	w.t.Helper()
	if got := w.f.pit.len(); got != want {
		w.t.Errorf("%d entries pending, want %d", got, want)
	}
}

// drops wants these to be all that was refused since it was last asked.
func (w *world) drops(want control.Drops) {
	w.t.Helper()
	if w.f.drops != want {
		w.t.Errorf("dropped %+v, want %+v", w.f.drops, want)
	}
	w.f.drops = control.Drops{}
}

// sound checks that the forwarder's tables agree with each other and with its faces.
func (f *Forwarder) sound(t testing.TB) {
	t.Helper()
	f.pit.sound(t)
	for e := range f.pit.held {
		if f.pit.find(e.name(), e.kind) != e {
			t.Errorf("%v is held and not pending", e.name())
		}
	}
	waits := make(map[*face]int)
	f.pit.all(func(e *entry) bool {
		for _, d := range e.downs {
			waits[d.face]++
		}
		return true
	})
	for id, fc := range f.faces {
		if fc.pending != waits[fc] || fc.gone || fc.id != id {
			t.Errorf("face %d waits %d times, %d counted: %+v", id, waits[fc], fc.pending, fc)
		}
	}
	hops := make(map[*face]int)
	n := 0
	for key, r := range f.fib.byName {
		if len(r.hops) == 0 || r.key != key {
			t.Errorf("route %x under %x has %d next hops", r.key, key, len(r.hops))
		}
		for i, h := range r.hops {
			if f.faces[h.face.id] != h.face || r.hop(h.face) != r.hops[i] {
				t.Errorf("route %x by face %d, which is gone or has two", key, h.face.id)
			}
			hops[h.face]++
			n++
		}
	}
	if n != f.fib.count {
		t.Errorf("%d next hops, counted %d", n, f.fib.count)
	}
	for _, fc := range f.faces {
		listed := 0
		for h := fc.hops; h != nil; h = h.next {
			listed++
			if h.face != fc || h.route.hop(fc) != h || h.next != nil && h.next.prev != h || (h.prev == nil) != (h == fc.hops) {
				t.Errorf("face %d: %+v stands in its list", fc.id, h)
			}
		}
		if listed != hops[fc] {
			t.Errorf("face %d has %d next hops, %d in its list", fc.id, hops[fc], listed)
		}
	}
	n = 0
	regs := make(map[*face]map[string]bool)
	for key, all := range f.regs.byName {
		if len(all) == 0 {
			t.Errorf("nobody is registered under %x", key)
		}
		for _, g := range all {
			if regs[g.face] == nil {
				regs[g.face] = make(map[string]bool)
			}
			regs[g.face][key] = true
			if f.faces[g.face.id] != g.face {
				t.Errorf("face %d is registered under %x and gone", g.face.id, key)
			}
			n++
		}
	}
	if n != f.regs.count {
		t.Errorf("%d registrations, %d counted", n, f.regs.count)
	}
	for id, fc := range f.faces {
		if !maps.Equal(fc.regs, regs[fc]) {
			t.Errorf("face %d is registered under %v, it knows of %v", id, regs[fc], fc.regs)
		}
	}
	f.fib.sound(t)
	f.regs.sound(t)
}

// sound checks the counters of depths.
func (p *prefixes[V]) sound(t interface {
	Helper()
	Errorf(format string, args ...any)
}) {
	t.Helper()
	var depths [maxSegments + 1]int
	for key := range p.byName {
		n := 0
		if name, err := tlv.NameFromBytes([]byte(key)); err != nil {
			t.Errorf("prefix %x: %v", key, err)
		} else if !name.IsDefault() {
			for range name.Segments() {
				n++
			}
		}
		depths[n]++
	}
	if depths != p.depths {
		t.Errorf("prefixes by depth: %v, counted %v", depths, p.depths)
	}
}

// show is packets for people: type, name and, of those that have one, return code
// or payload.
func show(pkts ...[]byte) string {
	var b strings.Builder
	for _, p := range pkts {
		t, n, err := tlv.PeekName(p)
		h, _ := tlv.ParseHeader(p)
		var o tlv.Object
		switch {
		case err != nil:
			fmt.Fprintf(&b, " {%x: %v}", p, err)
		case t == tlv.PacketObject && o.Decode(p) == nil:
			fmt.Fprintf(&b, " {%v %v %q}", t, n, o.Payload)
		default:
			fmt.Fprintf(&b, " {%v %d %v}", t, h.ReturnCode, n)
		}
	}
	return b.String()
}

// returned is an Interest as it comes back.
func returned(pkt []byte, code tlv.ReturnCode) []byte { return tlv.AppendReturn(nil, pkt, code) }
