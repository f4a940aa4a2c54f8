package forward

import (
	"encoding/binary"

	"github.com/cefgo/cefgo/internal/tlv"
)

// maxSegments is the most segments that a name can have: each takes 4 bytes.
const maxSegments = tlv.MaxNameLen / 4

// prefixes is a table of name prefixes with longest-prefix match, segment by segment.
type prefixes[V any] struct {
	byName map[string]V
	// depths counts the prefixes of each number of segments, so that a search looks
	// only where there are any.
	depths [maxSegments + 1]int
}

func newPrefixes[V any]() prefixes[V] { return prefixes[V]{byName: make(map[string]V)} }

// defaultName is ccnx:/ as its TLVs: one empty segment. It is above all names.
const defaultName = "\x00\x01\x00\x00"

// depthOf is how many segments a key has; the default name has none.
func depthOf(key string) int {
	if key == defaultName {
		return 0
	}
	var ends [16]int
	return len(segmentEnds(ends[:0], []byte(key)))
}

func (p *prefixes[V]) get(key string) (V, bool) {
	v, ok := p.byName[key]
	return v, ok
}

func (p *prefixes[V]) set(key string, v V) {
	if _, had := p.byName[key]; !had {
		p.depths[depthOf(key)]++
	}
	p.byName[key] = v
}

func (p *prefixes[V]) delete(key string) {
	if _, had := p.byName[key]; had {
		p.depths[depthOf(key)]--
		delete(p.byName, key)
	}
}

func (p *prefixes[V]) len() int { return len(p.byName) }

// match calls use with the prefixes of a name, the longest first, until one is of
// use; whole says that the prefix is the name itself. ends are the name's segments,
// of [segmentEnds].
func (p *prefixes[V]) match(segs []byte, ends []int, use func(v V, whole bool) bool) bool {
	for d := len(ends); d > 0; d-- {
		if p.depths[d] == 0 {
			continue
		}
		if v, ok := p.byName[string(segs[:ends[d-1]])]; ok && use(v, d == len(ends)) {
			return true
		}
	}
	if p.depths[0] == 0 {
		return false
	}
	v, ok := p.byName[defaultName]
	return ok && use(v, string(segs) == defaultName)
}

// segmentEnds appends where each segment of a name ends, in bytes of segs.
func segmentEnds(dst []int, segs []byte) []int {
	for at := 0; at < len(segs); {
		at += 4 + int(binary.BigEndian.Uint16(segs[at+2:]))
		dst = append(dst, at)
	}
	return dst
}

// hasReflexive reports whether a segment of the name is reflexive.
func hasReflexive(segs []byte) bool {
	for at := 0; at < len(segs); at += 4 + int(binary.BigEndian.Uint16(segs[at+2:])) {
		if tlv.SegmentType(binary.BigEndian.Uint16(segs[at:])) == tlv.SegmentReflexive {
			return true
		}
	}
	return false
}
