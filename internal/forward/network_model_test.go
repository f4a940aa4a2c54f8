package forward

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

// netModel is the rules between neighbours once more: routes whose strategy is to ask all,
// so that it is clear who is asked; no symbolic Interests, no restrictions, and no store,
// for which TestModel is. Neighbours may register.
type netModel struct {
	now    time.Time
	kinds  map[FaceID]Kind
	down   map[FaceID]bool
	breaks map[FaceID]int
	regs   map[string][]FaceID // by prefix
	routes map[string][]FaceID // by prefix
	pit    map[string]*netEntry
	out    map[FaceID][][]byte
}

type netEntry struct {
	waits    map[FaceID]netWait
	asked    map[FaceID]netQuestion
	held     []byte // the last that nobody was there to take
	hopLimit uint8
	passed   time.Time
}

type netQuestion struct {
	until    time.Time
	hopLimit uint8
	breaks   int
	route    bool // not by a registration
	refused  bool
	farther  bool // than it went before
}

type netWait struct {
	until   time.Time
	returns bool
}

func (m *netModel) send(to FaceID, pkt []byte) {
	if _, known := m.kinds[to]; known {
		m.out[to] = append(m.out[to], pkt)
	}
}

// entry is what is pending for a name and has not lapsed.
func (m *netModel) entry(name string) *netEntry {
	if e := m.pit[name]; e != nil {
		for _, w := range e.waits {
			if w.until.After(m.now) {
				return e
			}
		}
	}
	return nil
}

// stands reports whether an answer to what a face was asked may still come.
func (m *netModel) stands(to FaceID, q netQuestion) bool {
	_, known := m.kinds[to]
	return known && !m.down[to] && !q.refused && q.breaks == m.breaks[to] && q.until.After(m.now)
}

// asks notes what a face is asked.
func (m *netModel) asks(e *netEntry, to FaceID, q netQuestion) {
	q.breaks = m.breaks[to]
	was, before := e.asked[to]
	if before && m.stands(to, was) {
		q.farther = was.farther || q.hopLimit > was.hopLimit
		q.hopLimit = max(q.hopLimit, was.hopLimit)
		if was.until.After(q.until) {
			q.until = was.until
		}
	}
	e.asked[to] = q
}

// apps are those registered for a name but the one who asks.
func (m *netModel) apps(name string, from FaceID) []FaceID {
	return slices.DeleteFunc(slices.Clone(m.regs[netPrefixes(name)[0]]), func(f FaceID) bool { return f == from })
}

// handOver gives who has registered what nobody was there to take.
func (m *netModel) handOver(to FaceID, prefix string) {
	for name := range m.pit {
		e := m.entry(name)
		if e == nil || e.held == nil || len(e.asked) > 0 || netPrefixes(name)[0] != prefix {
			continue
		}
		var until time.Time // of all who wait
		takes := false
		for f, w := range e.waits {
			takes = takes || f != to && w.until.After(m.now)
			if w.until.After(until) {
				until = w.until
			}
		}
		if takes {
			m.send(to, e.held)
			m.asks(e, to, netQuestion{until: until, hopLimit: e.held[hopLimitAt]})
		}
	}
}

// netPrefixes are those of a name that may have a route, the longest first.
func netPrefixes(name string) []string {
	if name == "ccnx:/b" {
		return []string{name, "ccnx:/"}
	}
	return []string{"ccnx:/a", "ccnx:/"}
}

// hops are the next hops for a name; nil where it has no route.
func (m *netModel) hops(name string, from FaceID) []FaceID {
	for _, prefix := range netPrefixes(name) {
		if r := m.routes[prefix]; len(r) > 1 || len(r) == 1 && r[0] != from {
			return r
		}
	}
	return nil
}

func (m *netModel) interest(from FaceID, name string, pkt []byte, i *tlv.Interest, group bool) {
	link := m.kinds[from] == Link
	back := func(code tlv.ReturnCode) {
		if (link || i.Mark) && !group {
			m.send(from, returned(pkt, code))
		}
	}
	if i.HopLimit == 0 {
		back(tlv.ReturnHopLimit)
		return
	}
	e := m.entry(name)
	if i.LifetimeOf() == 0 {
		if e == nil {
			e = &netEntry{waits: map[FaceID]netWait{0: {}}}
		}
		delete(e.waits, from)
		if len(e.waits) == 0 {
			delete(m.pit, name)
		}
		applications := false
		for _, to := range m.apps(name, from) {
			applications = m.pass(to, link, pkt) || applications
		}
		if len(e.waits) == 0 && !applications {
			for to, q := range e.asked {
				if to != from && q.route {
					m.pass(to, link, pkt)
				}
			}
		}
		return
	}
	fresh := e == nil
	if fresh {
		e = &netEntry{waits: map[FaceID]netWait{}, asked: map[FaceID]netQuestion{}}
		m.pit[name] = e
	}
	was, again := e.waits[from]
	w := netWait{m.now.Add(i.LifetimeOf()), (link || i.Mark) && !group}
	if was.until.After(w.until) {
		w.until = was.until
	}
	similar := false // somebody else waits
	for f, w := range e.waits {
		similar = similar || f != from && w.until.After(m.now)
	}
	e.waits[from] = w
	q := netQuestion{until: m.now.Add(i.LifetimeOf()), hopLimit: i.HopLimit}
	apps, taken := m.apps(name, from), false
	for _, to := range apps {
		if m.pass(to, link, pkt) {
			m.asks(e, to, q)
			taken = true
		}
	}
	if taken {
		return
	}
	var open, long bool // somebody beyond this machine may still answer, and for how long
	reach := i.HopLimit
	if link {
		reach--
	}
	for to, was := range e.asked {
		if m.kinds[to] == Link && m.stands(to, was) {
			open = true
			long = long || was.hopLimit >= reach && was.until.Sub(m.now) >= i.LifetimeOf()/2
		}
	}
	circles := link && i.HopLimit < e.hopLimit && m.now.Sub(e.passed) < loopTime
	if len(apps) == 0 && (long && similar && !again || open && circles) {
		return
	}
	var to []FaceID
	for _, h := range m.hops(name, from) {
		if h != from && !m.down[h] {
			to = append(to, h)
		}
	}
	code := tlv.ReturnNoRoute
	switch {
	case len(apps) > 0:
		code = tlv.ReturnHopLimit
	case m.hops(name, from) == nil:
	case link && i.HopLimit == 1:
		code = tlv.ReturnHopLimit
	case len(to) == 0:
		code = tlv.ReturnPathError
	default:
		for _, h := range to {
			m.pass(h, link, pkt)
			q.route, q.hopLimit = true, i.HopLimit
			if link {
				q.hopLimit--
			}
			m.asks(e, h, q)
		}
		e.hopLimit, e.passed = max(e.hopLimit, i.HopLimit), m.now
		return
	}
	if link || i.Mark {
		delete(e.waits, from)
		if len(e.waits) == 0 {
			delete(m.pit, name)
		}
		back(code)
		return
	}
	e.held = pkt
}

// pass sends an Interest on, which link says a neighbour sent, and reports whether it has
// a hop left for it.
func (m *netModel) pass(to FaceID, link bool, pkt []byte) bool {
	if link && m.kinds[to] != App {
		if pkt[hopLimitAt] == 1 {
			return false
		}
		pkt = lower(pkt)
	}
	m.send(to, pkt)
	return true
}

func (m *netModel) data(from FaceID, name string, pkt []byte) {
	e := m.pit[name]
	if e == nil {
		return
	}
	_, asked := e.asked[from]
	if m.kinds[from] == Link && !asked {
		return
	}
	for to, w := range e.waits {
		if to != from && w.until.After(m.now) {
			m.send(to, pkt)
			delete(e.waits, to)
		}
	}
	if len(e.waits) == 0 {
		delete(m.pit, name)
	}
}

func (m *netModel) refuse(from FaceID, name string, pkt []byte) {
	e := m.entry(name)
	if e == nil {
		return
	}
	q, asked := e.asked[from]
	if !asked || q.refused {
		return
	}
	if q.farther && pkt[codeAt] == byte(tlv.ReturnHopLimit) {
		q.farther = false
		e.asked[from] = q
		return
	}
	q.refused = true
	e.asked[from] = q
	// Others of the route may have come up, or were added, since.
	var next []FaceID
	for _, prefix := range netPrefixes(name) {
		if r := m.routes[prefix]; slices.Contains(r, from) {
			for _, h := range r {
				_, asked := e.asked[h]
				_, waits := e.waits[h]
				if !asked && !waits && !m.down[h] {
					next = append(next, h)
				}
			}
			break
		}
	}
	if pkt[hopLimitAt] == 0 || !q.route {
		next = nil // it goes no farther
	}
	for _, h := range next {
		m.asks(e, h, netQuestion{until: q.until, hopLimit: pkt[hopLimitAt], route: true})
		i := bytes.Clone(pkt)
		i[typeAt], i[codeAt] = 0, 0
		m.send(h, i)
	}
	for to, q := range e.asked {
		if m.stands(to, q) {
			return
		}
	}
	for to, w := range e.waits {
		if to != from && w.returns && w.until.After(m.now) {
			m.send(to, pkt)
			delete(e.waits, to)
		}
	}
	if len(e.waits) == 0 {
		delete(m.pit, name)
	}
}

// TestNetworkModel: over random sequences of events between neighbours everybody is sent
// what the model says.
func TestNetworkModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: t, f: newForwarder(Options{Strategy: All, PITSize: 1000, CacheBytes: 1 << 20, AllowRemoteApps: true}), now: begin}
		m := &netModel{
			now: begin, kinds: map[FaceID]Kind{}, down: map[FaceID]bool{}, routes: map[string][]FaceID{},
			breaks: map[FaceID]int{}, regs: map[string][]FaceID{}, pit: map[string]*netEntry{}, out: map[FaceID][][]byte{},
		}
		faces := make(map[FaceID]*app)
		join := func(k Kind) {
			a := w.face(FaceOptions{Kind: k})
			faces[a.id], m.kinds[a.id] = a, k
		}
		face := func(rt *rapid.T) *app {
			return faces[rapid.SampledFrom(slices.Sorted(maps.Keys(m.kinds))).Draw(rt, "face")]
		}
		name := func(rt *rapid.T) string {
			return rapid.SampledFrom([]string{"ccnx:/a/x", "ccnx:/a/Chunk=1", "ccnx:/b"}).Draw(rt, "name")
		}
		seq := 0
		packet := func(rt *rapid.T, uri string, change func(*tlv.Interest)) []byte {
			seq++
			return interest(t, uri, func(i *tlv.Interest) {
				i.Payload = fmt.Append(nil, seq)
				i.HopLimit = rapid.SampledFrom([]uint8{32, 31, 33, 2, 1, 0, 255}).Draw(rt, "hop limit")
				i.Mark = rapid.Bool().Draw(rt, "mark")
			}, change)
		}
		join(App)
		for range 3 {
			join(Link)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"join": func(rt *rapid.T) {
				if len(m.kinds) < 6 {
					join(rapid.SampledFrom([]Kind{App, Link}).Draw(rt, "kind"))
				}
			},
			"leave": func(rt *rapid.T) {
				if len(m.kinds) < 4 {
					return
				}
				a := face(rt)
				a.leaves()
				delete(m.kinds, a.id)
				delete(m.down, a.id)
				for p, r := range m.routes {
					m.routes[p] = slices.DeleteFunc(r, func(f FaceID) bool { return f == a.id })
				}
				for p, r := range m.regs {
					m.regs[p] = slices.DeleteFunc(r, func(f FaceID) bool { return f == a.id })
				}
			},
			"register": func(rt *rapid.T) {
				a, p := face(rt), rapid.SampledFrom([]string{"ccnx:/a", "ccnx:/b"}).Draw(rt, "prefix")
				if !rapid.Bool().Draw(rt, "for good") {
					a.command(tlv.CommandDeregister, p)
					m.regs[p] = slices.DeleteFunc(m.regs[p], func(f FaceID) bool { return f == a.id })
					return
				}
				a.registers(p)
				if !slices.Contains(m.regs[p], a.id) {
					m.regs[p] = append(m.regs[p], a.id)
				}
				m.handOver(a.id, p)
			},
			"down": func(rt *rapid.T) {
				if a := face(rt); m.kinds[a.id] == Link {
					m.down[a.id] = !m.down[a.id]
					a.down(m.down[a.id])
					a.down(m.down[a.id]) // is told again
					if m.down[a.id] {
						m.breaks[a.id]++
					}
				}
			},
			"route": func(rt *rapid.T) {
				a, p := face(rt), rapid.SampledFrom([]string{"ccnx:/a", "ccnx:/", "ccnx:/b"}).Draw(rt, "prefix")
				if m.kinds[a.id] != Link {
					return
				}
				must(t, w.f.AddRoute(mustName(t, p), a.id, 0))
				if !slices.Contains(m.routes[p], a.id) {
					m.routes[p] = append(m.routes[p], a.id)
				}
			},
			"unroute": func(rt *rapid.T) {
				a, p := face(rt), rapid.SampledFrom([]string{"ccnx:/a", "ccnx:/", "ccnx:/b"}).Draw(rt, "prefix")
				if w.f.DelRoute(mustName(t, p), a.id) != slices.Contains(m.routes[p], a.id) {
					rt.Fatalf("route %s by %d", p, a.id)
				}
				m.routes[p] = slices.DeleteFunc(m.routes[p], func(f FaceID) bool { return f == a.id })
			},
			"interest": func(rt *rapid.T) {
				a, uri := face(rt), name(rt)
				pkt := packet(rt, uri, func(i *tlv.Interest) {
					i.Lifetime = tlv.Some(rapid.SampledFrom([]uint64{2000, 0, 1, 100, 3000, 4000, 60000}).Draw(rt, "lifetime"))
				})
				var i tlv.Interest
				must(t, i.Decode(pkt))
				group := m.kinds[a.id] == Link && rapid.IntRange(0, 4).Draw(rt, "group") == 0
				if group {
					a.multicasts(pkt)
				} else {
					a.sends(pkt)
				}
				m.interest(a.id, uri, pkt, &i, group)
			},
			"data": func(rt *rapid.T) {
				a, uri := face(rt), name(rt)
				seq++
				m.data(a.id, uri, a.uncacheable(uri, payload(fmt.Sprint(seq))))
			},
			"refuse": func(rt *rapid.T) {
				a, uri := face(rt), name(rt)
				pkt := returned(packet(rt, uri, func(*tlv.Interest) {}), rapid.SampledFrom([]tlv.ReturnCode{tlv.ReturnNoRoute, tlv.ReturnHopLimit}).Draw(rt, "code"))
				a.sends(pkt)
				m.refuse(a.id, uri, pkt)
			},
			"pass": func(rt *rapid.T) {
				w.pass(rapid.SampledFrom([]time.Duration{time.Millisecond, 49 * time.Millisecond, 50 * time.Millisecond, time.Second, 2 * time.Second}).Draw(rt, "time"))
				m.now = w.now
			},
			"": func(rt *rapid.T) {
				for id, a := range faces {
					got, want := a.got, m.out[id]
					slices.SortFunc(got, bytes.Compare)
					slices.SortFunc(want, bytes.Compare)
					if !slices.EqualFunc(got, want, bytes.Equal) {
						rt.Fatalf("face %d got%s, want%s", id, show(got...), show(want...))
					}
					a.got = nil
				}
				clear(m.out)
				w.f.sound(t)
				for n := range m.pit {
					if m.entry(n) != nil && w.f.pit.find(mustName(t, n), kindOf(&tlv.Interest{Name: mustName(t, n)})) == nil {
						rt.Fatalf("%s is not pending", n)
					}
				}
			},
		})
		for _, a := range faces {
			a.leaves()
		}
		if w.lan != nil {
			w.lan.leaves()
		}
		w.pass(maxLifetime + 2*Tick)
		w.f.sound(t)
		if w.f.pit.len()+w.f.pit.index.used+w.f.fib.len()+len(w.f.faces) != 0 {
			rt.Fatalf("left: %d entries, %d routes, %d faces", w.f.pit.len(), w.f.fib.len(), len(w.f.faces))
		}
	})
}
