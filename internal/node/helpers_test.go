package node

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

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
	t    testing.TB
	f    *forwarder
	now  time.Time
	apps []*app
}

// begin is when every world begins: in the middle of a tick of the PIT's wheel.
var begin = time.Unix(1_800_000_000, 0).Add(wheelTick / 3)

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

// app is a connected application that keeps what it is sent.
type app struct {
	w   *world
	id  faceID
	got [][]byte
}

func (a *app) send(pkt []byte) { a.got = append(a.got, bytes.Clone(pkt)) }
func (a *app) close()          {}

func (w *world) app() *app {
	a := &app{w: w, id: w.f.newFaceID()}
	w.f.faces[a.id] = a
	w.apps = append(w.apps, a)
	return a
}

// pass lets d go by as the loop does, tick for tick.
func (w *world) pass(d time.Duration) {
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(min(wheelTick, end.Sub(w.now)))
		w.f.expire(w.now)
	}
}

// sends hands a packet to the forwarder and returns it.
func (a *app) sends(pkt []byte) []byte {
	was := bytes.Clone(pkt)
	a.w.f.onPacket(a.id, pkt, a.w.now)
	if !bytes.Equal(pkt, was) {
		a.w.t.Errorf("the forwarder wrote to the packet %x", was)
	}
	return pkt
}

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
func (a *app) leaves() { a.w.f.removeFace(a.id) }

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
}

// pending wants that many entries in the PIT.
func (w *world) pending(want int) {
	w.t.Helper()
	if got := w.f.pit.len(); got != want {
		w.t.Errorf("%d entries pending, want %d", got, want)
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
