package forward

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// route is where Interests below a prefix go when no application here takes them.
type route struct {
	key      string
	strategy Strategy
	hops     []*nextHop
	turn     int     // round-robin
	explored instant // lowest-rtt
}

// nextHop is one way of a route.
type nextHop struct {
	face  *face
	cost  int
	route *route
	// The list of all next hops of the face.
	prev, next *nextHop

	srtt           time.Duration // smoothed round trip; 0 before the first
	sent, answered uint64
	// silentSince is when the first Interest went that nothing has come after.
	silentSince instant
	probed      instant
}

// fib is the routes.
type fib struct {
	prefixes[*route]
	max   int // next hops
	count int
}

func newFIB(max int) fib { return fib{prefixes: newPrefixes[*route](), max: max} }

// ErrFIBFull: the table of routes has no room.
var ErrFIBFull = errors.New("the FIB is full")

// add makes a next hop, or changes its cost.
func (t *fib) add(key string, fc *face, cost int, s Strategy) error {
	r, had := t.get(key)
	if had {
		if h := r.hop(fc); h != nil {
			h.cost = cost
			return nil
		}
	}
	if t.count >= t.max {
		return fmt.Errorf("%w: it holds %d next hops", ErrFIBFull, t.max)
	}
	if !had {
		r = &route{key: key, strategy: s, explored: never}
		t.set(key, r)
	}
	h := &nextHop{face: fc, cost: cost, route: r, silentSince: never, probed: never, next: fc.hops}
	if fc.hops != nil {
		fc.hops.prev = h
	}
	fc.hops = h
	r.hops = append(r.hops, h)
	t.count++
	return nil
}

func (r *route) hop(fc *face) *nextHop {
	i := slices.IndexFunc(r.hops, func(h *nextHop) bool { return h.face == fc })
	if i < 0 {
		return nil
	}
	return r.hops[i]
}

// remove ends a next hop of key and reports whether there was one.
func (t *fib) remove(key string, fc *face) bool {
	r, ok := t.get(key)
	if !ok {
		return false
	}
	h := r.hop(fc)
	if h == nil {
		return false
	}
	t.endHop(h)
	return true
}

// endHop takes h out of its route, which ends with its last one.
func (t *fib) endHop(h *nextHop) {
	if h.next != nil {
		h.next.prev = h.prev
	}
	if h.prev != nil {
		h.prev.next = h.next
	} else {
		h.face.hops = h.next
	}
	r := h.route
	r.hops = slices.DeleteFunc(r.hops, func(o *nextHop) bool { return o == h })
	t.count--
	if len(r.hops) == 0 {
		t.delete(r.key)
	}
}

// drop ends all routes by a face.
func (t *fib) drop(fc *face) {
	for fc.hops != nil {
		t.endHop(fc.hops)
	}
}

func (t *fib) uses(fc *face) bool { return fc.hops != nil }

// routeFor is the route of the longest prefix of name that leads anywhere but back to
// asking; nil where there is none.
func (f *Forwarder) routeFor(name tlv.Name, asking *face) *route {
	return f.matchRoute(name, func(r *route) bool { return len(r.hops) > 1 || r.hops[0].face != asking })
}

// routeBy is the route for name that leads to fc; nil where it is gone.
func (f *Forwarder) routeBy(name tlv.Name, fc *face) *route {
	return f.matchRoute(name, func(r *route) bool { return r.hop(fc) != nil })
}

// matchRoute is the route of the longest prefix of name that is of use.
func (f *Forwarder) matchRoute(name tlv.Name, use func(*route) bool) (found *route) {
	if f.fib.len() == 0 {
		return nil
	}
	segs := name.Bytes()
	f.ends = segmentEnds(f.ends[:0], segs)
	f.fib.match(segs, f.ends, func(r *route, _ bool) bool {
		if use(r) {
			found = r
		}
		return found != nil
	})
	return found
}

// keyOf is a prefix as the table has it.
func keyOf(prefix tlv.Name) string { return string(prefix.WithoutChunk().Bytes()) }

// AddRoute makes a next hop of prefix by a face, or changes its cost: lower ones come
// first. It fails with [ErrFIBFull], or where there is no such face.
func (f *Forwarder) AddRoute(prefix tlv.Name, id FaceID, cost int) error {
	fc, err := f.face(id)
	if err != nil {
		return err
	}
	return f.fib.add(keyOf(prefix), fc, cost, f.o.Strategy)
}

// DelRoute ends a next hop and reports whether there was one.
func (f *Forwarder) DelRoute(prefix tlv.Name, id FaceID) bool {
	fc := f.faces[id]
	return fc != nil && f.fib.remove(keyOf(prefix), fc)
}

// NextHops are the faces that a prefix's route leads to.
func (f *Forwarder) NextHops(prefix tlv.Name) (ids []FaceID) {
	if r, ok := f.fib.get(keyOf(prefix)); ok {
		for _, h := range r.hops {
			ids = append(ids, h.face.id)
		}
	}
	return ids
}

// SetStrategy sets how a prefix's route picks among its next hops, and reports whether
// there is such a route.
func (f *Forwarder) SetStrategy(prefix tlv.Name, s Strategy) bool {
	r, ok := f.fib.get(keyOf(prefix))
	if ok {
		r.strategy = s
	}
	return ok
}
