package node

import (
	"math"
	"slices"

	"github.com/cefgo/cefgo/internal/tlv"
)

// registration is an application's wish for the Interests of a name.
type registration struct {
	face  faceID
	exact bool // the name itself only
	route bool // ROUTE ADD: after all applications
}

// registrations is the applications' FIB: real longest-prefix match, several
// owners of one name, and nothing left of an owner that is gone (cefnetd does none
// of these, sheet e).
type registrations struct {
	byName map[string][]registration
	count  int
	// longest bounds the search, in bytes of name; it never shrinks.
	longest int
}

func newRegistrations() registrations {
	return registrations{byName: make(map[string][]registration)}
}

// maxRegistrations bounds the table, as FIB_SIZE_APP does in cefnetd (there 1024).
const maxRegistrations = 1 << 17

// add enters reg and reports whether there was room.
func (r *registrations) add(name tlv.Name, reg registration) bool {
	key := string(name.Bytes())
	if slices.Contains(r.byName[key], reg) {
		return true
	}
	if r.count >= maxRegistrations {
		return false
	}
	r.byName[key] = append(r.byName[key], reg)
	r.count++
	r.longest = max(r.longest, len(key))
	return true
}

// remove ends face's own registrations or routes of name; nobody else's.
func (r *registrations) remove(name tlv.Name, face faceID, route bool) {
	r.filter(string(name.Bytes()), func(g registration) bool { return g.face == face && g.route == route })
}

// drop ends all of face's registrations.
func (r *registrations) drop(face faceID) {
	for key := range r.byName {
		r.filter(key, func(g registration) bool { return g.face == face })
	}
}

func (r *registrations) filter(key string, gone func(registration) bool) {
	all := r.byName[key]
	rest := slices.DeleteFunc(all, gone)
	r.count -= len(all) - len(rest)
	if len(rest) == 0 {
		delete(r.byName, key)
	} else {
		r.byName[key] = rest
	}
}

// match appends the faces under the longest prefix of name, but for the asking
// face: applications first, else those that asked for a route.
func (r *registrations) match(dst []faceID, name tlv.Name, asking faceID) []faceID {
	name = withoutReflexive(name)
	for _, route := range []bool{false, true} {
		for p := name; ; {
			if len(p.Bytes()) <= r.longest {
				whole := len(p.Bytes()) == len(name.Bytes())
				for _, g := range r.byName[string(p.Bytes())] {
					if g.face != asking && g.route == route && (whole || !g.exact) {
						dst = append(dst, g.face)
					}
				}
			}
			if len(dst) > 0 {
				return dst
			}
			up, _, ok := p.Parent()
			if !ok {
				break
			}
			p = up
		}
		if route {
			// A route for ccnx:/ is the default route (sheet e).
			for _, g := range r.byName[defaultName] {
				if g.face != asking && g.route {
					dst = append(dst, g.face)
				}
			}
		}
	}
	return dst
}

// defaultName is ccnx:/ as its TLVs.
const defaultName = "\x00\x01\x00\x00"

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
	has := false
	for s := range name.Segments() {
		has = has || s.Type == tlv.SegmentReflexive
	}
	if !has {
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
