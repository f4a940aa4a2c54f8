package forward

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

// model is the forwarder's rules once more, written for clarity: lists that are
// searched from end to end, and no wheel.
type model struct {
	now   time.Time
	faces []FaceID
	regs  []modelReg
	waits []modelWait
	asked map[string]map[FaceID]time.Time // by modelWait.key, until when an answer may come
	held  map[string][]byte               // Interests that nobody was there to take
	// passed are the pending ones that somebody was asked for.
	passed map[string]bool
	store  map[string]modelData
	out    map[FaceID][][]byte
}

type modelReg struct {
	face         FaceID
	name         string
	exact, route bool
}

type modelWait struct {
	face             FaceID
	key              string
	until            time.Time
	marked, longLife bool
}

type modelData struct {
	pkt   []byte
	until time.Time
}

// The names of the model: a URI, and one of these behind it.
var modelKinds = []string{"", "/Chunk=0", "/Chunk=1", " symbolic"}

func (m *model) send(to FaceID, pkt []byte) {
	if slices.Contains(m.faces, to) {
		m.out[to] = append(m.out[to], pkt)
	}
}

// owners are those an Interest for uri goes to: applications before routes, the
// longest name that has any but the one who asks.
func (m *model) owners(uri string, asking FaceID) []FaceID {
	for _, route := range []bool{false, true} {
		for p := uri; ; p = p[:strings.LastIndex(p, "/")] {
			var to []FaceID
			for _, r := range m.regs {
				if r.name == p && r.route == route && r.face != asking && (!r.exact || p == uri) {
					to = append(to, r.face)
				}
			}
			if len(to) > 0 {
				return to
			}
			if strings.Count(p, "/") == 1 {
				break
			}
		}
	}
	return nil
}

func (m *model) interest(from FaceID, uri, kind string, pkt []byte, i *tlv.Interest) {
	returns := func(code tlv.ReturnCode) {
		if i.Mark && kind != " symbolic" {
			m.send(from, returned(pkt, code))
		}
	}
	key := uri + kind
	to := m.owners(uri, from)
	pass := func() {
		for _, f := range to {
			m.send(f, pkt)
		}
	}
	switch d, stored := m.store[key]; {
	case i.HopLimit == 0:
		returns(tlv.ReturnHopLimit)
	case i.LifetimeOf() == 0:
		m.waits = slices.DeleteFunc(m.waits, func(w modelWait) bool { return w.face == from && w.key == key })
		pass()
	case stored && d.until.After(m.now):
		m.send(from, d.pkt)
		return
	case len(to) == 0 && i.Mark && kind != " symbolic":
		delete(m.store, key)
		m.waits = slices.DeleteFunc(m.waits, func(w modelWait) bool { return w.face == from && w.key == key })
		returns(tlv.ReturnNoRoute)
	default:
		if !m.live(key) {
			delete(m.held, key)
			delete(m.asked, key)
			m.passed[key] = false
		}
		if len(to) == 0 {
			m.held[key] = pkt
		} else {
			m.passed[key] = true
		}
		delete(m.store, key) // what the lookup found to be over
		w := modelWait{from, key, m.now.Add(i.LifetimeOf()), i.Mark, i.LongLife()}
		m.waits = slices.DeleteFunc(m.waits, func(o modelWait) bool {
			same := o.face == from && o.key == key
			if same && o.until.After(w.until) {
				w.until = o.until
			}
			return same
		})
		m.waits = append(m.waits, w)
		for _, f := range to {
			m.asks(key, f, m.now.Add(i.LifetimeOf()))
		}
		pass()
	}
}

func (m *model) asks(key string, to FaceID, until time.Time) {
	if m.asked[key] == nil {
		m.asked[key] = make(map[FaceID]time.Time)
	}
	if until.After(m.asked[key][to]) {
		m.asked[key][to] = until
	}
}

// live reports whether somebody waits for key.
func (m *model) live(key string) bool {
	return slices.ContainsFunc(m.waits, func(w modelWait) bool { return w.key == key && w.until.After(m.now) })
}

// handOver gives who has registered the Interests that nobody was there to take.
func (m *model) handOver(to FaceID) {
	for key, pkt := range m.held {
		if !m.live(key) {
			delete(m.held, key)
			m.passed[key] = false
		} else if !m.passed[key] && slices.ContainsFunc(m.waits, func(w modelWait) bool {
			uri, _, _ := strings.Cut(strings.TrimSuffix(key, " symbolic"), "/Chunk=")
			return w.key == key && w.until.After(m.now) && w.face != to && slices.Contains(m.owners(uri, w.face), to)
		}) {
			m.send(to, pkt)
			for _, w := range m.waits {
				if w.key == key {
					m.asks(key, to, w.until)
				}
			}
			m.passed[key] = true
		}
	}
}

func (m *model) data(from FaceID, uri, kind string, pkt []byte, until time.Time) {
	to := make(map[FaceID]bool) // once, where one waits for the chunk and for any chunk
	m.waits = slices.DeleteFunc(m.waits, func(w modelWait) bool {
		live := w.face != from && w.until.After(m.now)
		switch {
		case w.key == uri+kind && live:
			to[w.face] = true
			return !w.longLife
		case w.key == uri+" symbolic" && kind != "" && live:
			to[w.face] = true
		}
		return false
	})
	for f := range to {
		m.send(f, pkt)
	}
	if until.After(m.now) && !slices.Contains(m.owners(uri, 0), from) {
		m.supersede(uri, kind, until)
		m.store[uri+kind] = modelData{pkt, until}
	}
}

// supersede drops what is of an older content, see Forwarder.supersede: all Data of
// the model differs, and what states the same time is of one run.
func (m *model) supersede(uri, kind string, until time.Time) {
	first, replaces := m.store[uri+modelKinds[1]], false
	if kind != "" {
		_, replaces = m.store[uri+kind]
	}
	if !replaces || kind == modelKinds[2] && !first.until.Equal(until) {
		return
	}
	for _, k := range modelKinds[:3] {
		if !m.store[uri+k].until.Equal(until) {
			delete(m.store, uri+k)
		}
	}
}

// failsOver reports whether what a face refuses goes to another one of a route of which
// both are, that was added since: TestNetworkModel has that.
func (m *model) failsOver(from FaceID, uri, key string) bool {
	return slices.ContainsFunc(m.regs, func(g modelReg) bool {
		return g.route && g.face == from && strings.HasPrefix(uri+"/", g.name+"/") && slices.ContainsFunc(m.regs, func(o modelReg) bool {
			return o.route && o.name == g.name && m.asked[key][o.face].IsZero()
		})
	})
}

func (m *model) refuse(from FaceID, key string, pkt []byte) {
	if m.asked[key][from].IsZero() || !m.live(key) {
		return
	}
	delete(m.asked[key], from)
	for f, until := range m.asked[key] {
		if slices.Contains(m.faces, f) && until.After(m.now) {
			return
		}
	}
	if strings.HasSuffix(key, " symbolic") {
		return
	}
	m.waits = slices.DeleteFunc(m.waits, func(w modelWait) bool {
		if w.key != key || w.face == from || !w.marked || !w.until.After(m.now) {
			return false
		}
		m.send(w.face, pkt)
		return true
	})
}

// lapsed forgets what no longer waits.
func (m *model) lapsed() {
	m.waits = slices.DeleteFunc(m.waits, func(w modelWait) bool { return !w.until.After(m.now) })
}

// run is one random sequence of events, in the forwarder and in the model.
type run struct {
	*rapid.T
	w    *world
	m    *model
	apps map[FaceID]*app
	seq  int
}

func pick[T any](r *run, label string, from ...T) T {
	return rapid.SampledFrom(from).Draw(r.T, label)
}

func (r *run) name() (uri, kind string) {
	uri = pick(r, "name", "ccnx:/a", "ccnx:/b", "ccnx:/a/b", "ccnx:/a/a/a")
	return uri, pick(r, "kind", modelKinds...)
}

func (r *run) face() *app { return r.apps[pick(r, "face", r.m.faces...)] }

// packet makes an Interest of the kind, whose payload no other has.
func (r *run) packet(uri, kind string, change func(*tlv.Interest)) []byte {
	r.seq++
	return interest(r.w.t, strings.TrimSuffix(uri+kind, " symbolic"), func(i *tlv.Interest) {
		i.Payload = fmt.Append(nil, r.seq)
		if kind == " symbolic" {
			i.MsgVendor = tlv.VendorSymbolic
		}
	}, change)
}

func (r *run) events() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"join": func(*rapid.T) {
			if len(r.m.faces) < 4 {
				a := r.w.app()
				r.apps[a.id] = a
				r.m.faces = append(r.m.faces, a.id)
			}
		},
		"leave": func(*rapid.T) {
			if len(r.m.faces) < 2 {
				return
			}
			a := r.face()
			a.leaves()
			r.m.faces = slices.DeleteFunc(slices.Clone(r.m.faces), func(f FaceID) bool { return f == a.id })
			r.m.regs = slices.DeleteFunc(r.m.regs, func(g modelReg) bool { return g.face == a.id })
		},
		"register": func(*rapid.T) {
			a := r.face()
			uri, _ := r.name()
			g := modelReg{a.id, uri, false, false}
			c := pick(r, "command", tlv.CommandRegister, tlv.CommandRegPrefix, tlv.CommandRouteAdd)
			g.exact, g.route = c == tlv.CommandRegister, c == tlv.CommandRouteAdd
			a.command(c, uri)
			if !slices.Contains(r.m.regs, g) {
				r.m.regs = append(r.m.regs, g)
			}
			r.m.handOver(a.id)
		},
		"deregister": func(*rapid.T) {
			a := r.face()
			uri, _ := r.name()
			c := pick(r, "command", tlv.CommandDeregister, tlv.CommandRouteDel)
			a.command(c, uri)
			r.m.regs = slices.DeleteFunc(r.m.regs, func(g modelReg) bool {
				return g.face == a.id && g.name == uri && g.route == (c == tlv.CommandRouteDel)
			})
		},
		"interest": func(*rapid.T) {
			a := r.face()
			uri, kind := r.name()
			pkt := r.packet(uri, kind, func(i *tlv.Interest) {
				i.Mark = pick(r, "mark", false, true)
				i.HopLimit = pick[uint8](r, "hop limit", 32, 1, 32, 0)
				ms := pick[uint64](r, "lifetime", 2000, 0, 1, 49, 50, 51, 4000, 25550, 25600, 30000, 60000)
				i.Lifetime = tlv.Some(ms)
				if kind != " symbolic" && pick(r, "long life", false, false, true) {
					i.MsgVendor = tlv.VendorLongLife
				}
			})
			var i tlv.Interest
			must(r.w.t, i.Decode(pkt))
			a.sends(pkt)
			r.m.interest(a.id, uri, kind, pkt, &i)
		},
		"data": func(*rapid.T) {
			a := r.face()
			uri, kind := r.name()
			kind = strings.TrimSuffix(kind, " symbolic")
			r.seq++
			until := time.UnixMilli(r.w.now.Add(pick(r, "kept for", 0, 0, time.Second, time.Minute)).UnixMilli())
			a.sends(data(r.w.t, uri+kind, payload(fmt.Sprint(r.seq)), expires(until)))
			r.m.data(a.id, uri, kind, data(r.w.t, uri+kind, payload(fmt.Sprint(r.seq)), expires(until)), until)
		},
		"refuse": func(*rapid.T) {
			a := r.face()
			uri, kind := r.name()
			if r.m.failsOver(a.id, uri, uri+kind) {
				return
			}
			pkt := returned(r.packet(uri, kind, func(*tlv.Interest) {}), tlv.ReturnProhibited)
			a.sends(pkt)
			r.m.refuse(a.id, uri+kind, pkt)
		},
		"pass": func(*rapid.T) {
			d := pick(r, "time", time.Millisecond, 49*time.Millisecond, 50*time.Millisecond, time.Second, 2*time.Second, 13*time.Second)
			r.w.pass(d)
			r.m.now = r.w.now
			r.m.lapsed()
		},
		"jump": func(*rapid.T) {
			r.w.now = r.w.now.Add(pick(r, "time", time.Second, 26*time.Second, time.Hour))
			r.w.f.Expire(r.w.now)
			r.m.now = r.w.now
			r.m.lapsed()
		},
		"": func(*rapid.T) { r.check() },
	}
}

// check compares what everybody was sent, and the tables.
func (r *run) check() {
	for id, a := range r.apps {
		got, want := a.got, r.m.out[id]
		slices.SortFunc(got, bytes.Compare)
		slices.SortFunc(want, bytes.Compare)
		if !slices.EqualFunc(got, want, bytes.Equal) {
			r.Fatalf("application %d got%s, want%s", id, show(got...), show(want...))
		}
		a.got = nil
	}
	clear(r.m.out)
	f := r.w.f
	f.sound(r.w.t)
	for key := range r.m.asked { // whoever is asked is remembered as long as the entry
		kind := kindChunk
		uri, live := strings.CutSuffix(key, " symbolic")
		name := mustName(r.w.t, uri)
		if _, hasChunk := name.Chunk(); live {
			kind = kindSymbolic
		} else if !hasChunk {
			kind = kindBare
		}
		if f.pit.find(name, kind) == nil {
			delete(r.m.asked, key)
		}
	}
	keys := make(map[string]bool)
	for _, w := range r.m.waits {
		keys[w.key] = true
	}
	// The wheel may be two ticks late.
	if f.pit.len() < len(keys) {
		r.Fatalf("%d entries pending, want at least %v", f.pit.len(), slices.Sorted(maps.Keys(keys)))
	}
	if f.regs.count+f.fib.count != len(r.m.regs) {
		r.Fatalf("%d registrations and %d routes, want %d", f.regs.count, f.fib.count, len(r.m.regs))
	}
}

// TestModel: over random sequences of events everybody is sent what the model says,
// and when all has lapsed nothing is left in the tables.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: t, f: newForwarder(Options{PITSize: 1000, CacheBytes: 1 << 20}), now: begin}
		r := &run{T: rt, w: w, apps: map[FaceID]*app{}, m: &model{
			now: begin, asked: map[string]map[FaceID]time.Time{}, store: map[string]modelData{}, held: map[string][]byte{}, passed: map[string]bool{}, out: map[FaceID][][]byte{},
		}}
		r.events()["join"](rt)
		r.events()["join"](rt)
		rt.Repeat(r.events())
		for _, a := range w.apps {
			a.leaves()
		}
		w.pass(maxLifetime + 2*Tick)
		if w.f.pit.len() != 0 || w.f.pit.index.used != 0 || inWheel(w.f.pit) != 0 || w.f.regs.count+w.f.fib.count+len(w.f.fib.byName) != 0 || len(w.f.regs.byName) != 0 || len(w.f.faces) != 0 {
			rt.Fatalf("left: %d entries, %d names, %d in the wheel, %d registrations, %d faces",
				w.f.pit.len(), w.f.pit.index.used, inWheel(w.f.pit), w.f.regs.count, len(w.f.faces))
		}
	})
}
