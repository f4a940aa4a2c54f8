package forward

import (
	"cmp"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/tlv"
)

// StatusLimits bound the lists of a status.
type StatusLimits struct {
	Pending int
	Apps    int // prefixes
	Routes  int // prefixes
}

// Status tells what the forwarder holds and has done: everything but what its driver
// knows of itself, its faces' addresses and their queues. Where a table is much longer
// than its list may be, any part of it is shown.
func (f *Forwarder) Status(l StatusLimits, now time.Time) control.NodeStatus {
	at := f.at(now)
	l.Pending, l.Apps, l.Routes = max(0, l.Pending), max(0, l.Apps), max(0, l.Routes)
	st := f.store.Stats()
	s := control.NodeStatus{
		Faces:    f.statusFaces(at),
		Apps:     f.statusApps(l.Apps),
		AppNum:   f.regs.len(),
		Routes:   f.statusRoutes(l.Routes),
		RouteNum: f.fib.len(),
		PIT:      control.PIT{Entries: f.pit.len(), Size: f.o.PITSize, PerFace: f.o.FaceQuota, Expired: f.pit.expired},
		Store: control.Store{
			Objects: st.Objects, Bytes: st.Bytes, Capacity: st.Capacity, Policy: st.Policy,
			Hits: st.Hits, Misses: st.Misses, Evicted: st.Evicted,
		},
		Packets: f.count,
		Drops:   f.drops,
		Pending: f.statusPending(l.Pending, at),
	}
	return s
}

var kindWords = []string{App: "app", Link: "link", Group: "multicast"}

func (f *Forwarder) statusFaces(at instant) []control.Face {
	faces := make([]control.Face, 0, len(f.faces))
	for _, fc := range f.faces {
		c := control.Face{
			ID: uint64(fc.id), Kind: kindWords[fc.o.Kind], Down: fc.down, Marked: fc.marked,
			RxPackets: fc.rx, TxPackets: fc.tx, RxBytes: fc.rxBytes, TxBytes: fc.txBytes, Pending: fc.pending,
		}
		if fc.last != never {
			c.IdleMS = new(at.sub(fc.last).Milliseconds())
		}
		faces = append(faces, c)
	}
	slices.SortFunc(faces, func(a, b control.Face) int { return cmp.Compare(a.ID, b.ID) })
	return faces
}

func (f *Forwarder) statusApps(limit int) []control.App {
	apps := make([]control.App, 0, min(limit, f.regs.len()))
	for _, key := range someKeys(f.regs.byName, limit) {
		var byExact [2][]uint64
		for _, g := range f.regs.byName[key] {
			i := 0
			if g.exact {
				i = 1
			}
			byExact[i] = append(byExact[i], uint64(g.face.id))
		}
		for i, ids := range byExact {
			if len(ids) > 0 {
				apps = append(apps, control.App{Prefix: uriOf(key), Exact: i == 1, Faces: ids})
			}
		}
	}
	return apps
}

func (f *Forwarder) statusRoutes(limit int) []control.Route {
	routes := make([]control.Route, 0, min(limit, f.fib.len()))
	for _, key := range someKeys(f.fib.byName, limit) {
		r := f.fib.byName[key]
		c := control.Route{Prefix: uriOf(key), Strategy: r.strategy.String()}
		for _, h := range r.hops {
			c.NextHops = append(c.NextHops, control.NextHop{
				Face: uint64(h.face.id), Cost: h.cost, Down: h.face.down,
				RTTMS: float64(h.srtt) / float64(time.Millisecond), Interests: h.sent, Answered: h.answered,
			})
		}
		routes = append(routes, c)
	}
	return routes
}

func (f *Forwarder) statusPending(limit int, at instant) []control.Pending {
	most := atMost(limit, f.pit.len())
	if most == 0 {
		return []control.Pending{}
	}
	entries := make([]*entry, 0, min(most, f.pit.len()))
	f.pit.all(func(e *entry) bool {
		entries = append(entries, e)
		return len(entries) < most
	})
	slices.SortFunc(entries, func(a, b *entry) int {
		return cmp.Or(slices.Compare(a.segs, b.segs), cmp.Compare(b.kind, a.kind), cmp.Compare(a.chunk, b.chunk))
	})
	pending := make([]control.Pending, 0, min(limit, len(entries)))
	for _, e := range entries[:min(limit, len(entries))] {
		p := control.Pending{
			Name: e.name().String(), Symbolic: e.kind == kindSymbolic, ExpiresMS: e.until().sub(at).Milliseconds(),
			Down: []uint64{}, Up: []uint64{},
		}
		for _, d := range e.downs {
			if id := uint64(d.face.id); !slices.Contains(p.Down, id) {
				p.Down = append(p.Down, id)
			}
		}
		for _, u := range e.ups {
			if id := uint64(u.face.id); !u.refused && !slices.Contains(p.Up, id) {
				p.Up = append(p.Up, id)
			}
		}
		pending = append(pending, p)
	}
	return pending
}

// sortedUpTo is how long a table may be to be sorted for the sake of a shorter list.
const sortedUpTo = 1 << 13

// atMost is how much of a table of n to look at for a list of limit.
func atMost(limit, n int) int {
	if limit > 0 && n <= sortedUpTo {
		return n
	}
	return min(limit, n)
}

// someKeys are up to limit keys of m in order; of a long table, any of its keys.
func someKeys[V any](m map[string]V, limit int) []string {
	most := atMost(limit, len(m))
	keys := make([]string, 0, most)
	for k := range m {
		if len(keys) >= most {
			break
		}
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys[:min(limit, len(keys))]
}

func uriOf(segs string) string {
	n, err := tlv.NameFromBytes([]byte(segs))
	if err != nil {
		return "?"
	}
	return n.String()
}
