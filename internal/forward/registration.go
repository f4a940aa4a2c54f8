package forward

import (
	"math"
	"slices"

	"github.com/cefgo/cefgo/internal/tlv"
)

// registration is an application's wish for the Interests of a name.
type registration struct {
	face  *face
	exact bool // the name itself only
}

// registrations is who asked for which names: real longest-prefix match, several
// owners of one name, and nothing left of an owner that is gone (cefnetd does none of
// these, sheet e).
type registrations struct {
	prefixes[[]registration]
	count int
}

func newRegistrations() registrations {
	return registrations{prefixes: newPrefixes[[]registration]()}
}

// maxRegistrations bounds the table, as FIB_SIZE_APP does in cefnetd (there 1024).
const maxRegistrations = 1 << 17

// add enters reg and reports whether there was room.
func (r *registrations) add(name tlv.Name, reg registration) bool {
	key := string(name.Bytes())
	// One for ccnx:/ matches nothing below it; that is for a route (sheet e).
	reg.exact = reg.exact || key == defaultName
	all, _ := r.get(key)
	if slices.Contains(all, reg) {
		return true
	}
	if r.count >= maxRegistrations {
		return false
	}
	r.set(key, append(all, reg))
	r.count++
	if reg.face.regs == nil {
		reg.face.regs = make(map[string]bool)
	}
	reg.face.regs[key] = true
	return true
}

// remove ends a face's own registrations of name; nobody else's.
func (r *registrations) remove(name tlv.Name, fc *face) { r.filter(string(name.Bytes()), fc) }

// drop ends all of a face's registrations.
func (r *registrations) drop(fc *face) {
	for key := range fc.regs {
		r.filter(key, fc)
	}
}

func (r *registrations) filter(key string, gone *face) {
	all, _ := r.get(key)
	rest := slices.DeleteFunc(all, func(g registration) bool { return g.face == gone })
	r.count -= len(all) - len(rest)
	delete(gone.regs, key)
	if len(rest) == 0 {
		r.delete(key)
	} else {
		r.set(key, rest)
	}
}

// matchApps appends the faces registered under the longest prefix of a name, but for
// the one that asks.
func (f *Forwarder) matchApps(dst []*face, name tlv.Name, asking *face) []*face {
	if f.regs.len() == 0 {
		return dst
	}
	segs := withoutReflexive(name).Bytes()
	f.ends = segmentEnds(f.ends[:0], segs)
	before := len(dst)
	f.regs.match(segs, f.ends, func(all []registration, whole bool) bool {
		for _, g := range all {
			if g.face != asking && (whole || !g.exact) {
				dst = append(dst, g.face)
			}
		}
		return len(dst) > before
	})
	return dst
}

// narrow is name as the tables have it: Cefore knows the low 32 bits of a chunk
// number only, so that 2^32+9 is asked for as 9 is (sheet c).
func narrow(name tlv.Name) tlv.Name {
	if k, ok := name.Chunk(); ok {
		return name.WithChunk(k & math.MaxUint32)
	}
	return name
}

// withoutReflexive strips reflexive segments, which play no part in finding an
// application (sheet k).
func withoutReflexive(name tlv.Name) tlv.Name {
	if !hasReflexive(name.Bytes()) {
		return name
	}
	var out tlv.Name
	for s := range name.Segments() {
		if s.Type != tlv.SegmentReflexive {
			out, _ = out.Append(s) // shorter than name, which fits
		}
	}
	return out
}

// onCommand takes an application's command. There is no answer (sheet e).
func (f *Forwarder) onCommand(from *face, i *tlv.Interest, at instant) {
	if !from.local() && !f.o.AllowRemoteApps {
		f.drops.RemoteApp++
		return
	}
	name := i.Name.WithoutChunk()
	took := true
	switch i.Command {
	case tlv.CommandRegister:
		took = f.regs.add(name, registration{from, true})
	case tlv.CommandRegPrefix:
		took = f.regs.add(name, registration{from, false})
	case tlv.CommandDeregister:
		f.regs.remove(name, from)
	case tlv.CommandRouteAdd:
		took = f.fib.add(string(name.Bytes()), from, 0, f.o.Strategy) == nil
	case tlv.CommandRouteDel:
		f.fib.remove(string(name.Bytes()), from)
	default:
		took = false
	}
	switch {
	case !took:
		f.drops.Rejected++
	case i.Command != tlv.CommandDeregister && i.Command != tlv.CommandRouteDel && len(f.pit.held) > 0:
		f.handOver(name, from, at)
	}
}
