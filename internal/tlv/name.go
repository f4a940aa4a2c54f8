package tlv

import (
	"bytes"
	"iter"
)

// Name is a CCNx name: one or more segments and, where it names a chunk, a chunk
// number, which is always its last segment. The zero Name has no segments and
// stands in no packet; every other one was checked when it was built, so that
// encoding cannot fail.
//
// A Name is a small value to be passed by value. Its segments alias the packet
// it was decoded from; see [Name.Clone].
type Name struct {
	segs     []byte // TLVs of the segments, without the chunk
	chunk    uint64
	hasChunk bool
}

// Segment is one part of a name. Value aliases the name.
type Segment struct {
	Type  SegmentType
	Value []byte
}

// NewName builds a name of plain segments (type 0x0001).
func NewName(segments ...[]byte) (Name, error) {
	var n Name
	for _, s := range segments {
		var err error
		if n, err = n.Append(Segment{SegmentName, s}); err != nil {
			return Name{}, err
		}
	}
	return n, nil
}

// Append returns the name of the child s of n. It copies; n must carry no chunk
// number and s must not be a chunk segment (use [Name.WithChunk]).
func (n Name) Append(s Segment) (Name, error) {
	if n.hasChunk || s.Type == SegmentChunk {
		return Name{}, bad("name segment", ErrName)
	}
	if len(n.segs)+tlHeaderLen+len(s.Value) > MaxNameLen {
		return Name{}, bad("name", ErrTooLarge)
	}
	segs := make([]byte, 0, len(n.segs)+tlHeaderLen+len(s.Value))
	segs = append(segs, n.segs...)
	return Name{segs: appendTLV(segs, uint16(s.Type), s.Value)}, nil
}

// Child is [Name.Append] with a plain text segment.
func (n Name) Child(text string) (Name, error) {
	return n.Append(Segment{SegmentName, []byte(text)})
}

// decodeName reads the value of a Name TLV. segs alias val.
func decodeName(val []byte) (Name, error) {
	n := Name{segs: val}
	for rest := val; len(rest) > 0; {
		typ, v, r, ok := next(rest)
		if !ok {
			return Name{}, bad("name segment", ErrLength)
		}
		if SegmentType(typ) == SegmentChunk {
			if len(r) > 0 {
				return Name{}, bad("chunk segment before the end of the name", ErrName)
			}
			if n.chunk, ok = number(v); !ok {
				return Name{}, bad("chunk number", ErrLength)
			}
			n.hasChunk = true
			n.segs = val[: len(val)-len(rest) : len(val)-len(rest)]
		}
		rest = r
	}
	if len(n.segs) == 0 {
		return Name{}, bad("name without a segment", ErrName)
	}
	if n.WireLen() > MaxNameLen {
		return Name{}, bad("name", ErrTooLarge)
	}
	return n, nil
}

// AppendTo appends the Name TLV.
func (n Name) AppendTo(b []byte) []byte {
	b, at := open(b, msgName)
	b = append(b, n.segs...)
	if n.hasChunk {
		b = appendNumber(b, uint16(SegmentChunk), n.chunk)
	}
	shut(b, at)
	return b
}

// WireLen is the length of the Name TLV's value in bytes with the chunk segment
// counted as cefnetd counts it; at most [MaxNameLen].
func (n Name) WireLen() int {
	if n.hasChunk {
		return len(n.segs) + normalizedChunkLen
	}
	return len(n.segs)
}

// IsZero reports whether n is the zero Name.
func (n Name) IsZero() bool { return len(n.segs) == 0 }

// IsDefault reports whether n is ccnx:/, one empty plain segment.
func (n Name) IsDefault() bool {
	return bytes.Equal(n.segs, []byte{0, byte(SegmentName), 0, 0}) && !n.hasChunk
}

// Clone returns a Name that shares no memory with n.
func (n Name) Clone() Name {
	n.segs = bytes.Clone(n.segs)
	return n
}

// Chunk returns the chunk number. A number whose upper 33 bits are all ones is
// what Cefore's URI parser makes of a chunk number of 2^31 and more by extending
// its sign (sheet d), and is returned as the 32-bit number that was meant.
func (n Name) Chunk() (uint64, bool) {
	if n.chunk>>31 == 1<<33-1 {
		return n.chunk & 0xffffffff, n.hasChunk
	}
	return n.chunk, n.hasChunk
}

// WithChunk returns the name of chunk k of n. It does not allocate. The result
// may exceed [MaxNameLen] where n itself is at the limit; [Name.CanChunk] tells.
func (n Name) WithChunk(k uint64) Name {
	n.chunk, n.hasChunk = k, true
	return n
}

// CanChunk reports whether a chunk number fits behind n's segments.
func (n Name) CanChunk() bool { return len(n.segs)+normalizedChunkLen <= MaxNameLen }

// WithoutChunk returns n's segments alone.
func (n Name) WithoutChunk() Name {
	n.chunk, n.hasChunk = 0, false
	return n
}

// Bytes returns the segments' TLVs without the chunk: a key that two names share
// exactly when they differ in their chunk number at most. It aliases n.
func (n Name) Bytes() []byte { return n.segs }

// Equal reports whether two names have the same segments and the same chunk.
func (n Name) Equal(o Name) bool {
	nc, _ := n.Chunk()
	oc, _ := o.Chunk()
	return n.hasChunk == o.hasChunk && nc == oc && bytes.Equal(n.segs, o.segs)
}

// HasPrefix reports whether n is p or lies below it, segment by segment. p must
// carry no chunk.
func (n Name) HasPrefix(p Name) bool {
	// Segments are self-delimiting, and both are well formed: a common run of
	// bytes that ends where p ends, ends at a segment of n too.
	return bytes.HasPrefix(n.segs, p.segs)
}

// TrimPrefix returns the segments of n below p, as TLVs aliasing n.
func (n Name) TrimPrefix(p Name) (Name, bool) {
	if !n.HasPrefix(p) {
		return Name{}, false
	}
	n.segs = n.segs[len(p.segs):]
	return n, true
}

// Parent returns n without its last segment and without its chunk, and that
// segment. It reports false for a name of no segments.
func (n Name) Parent() (Name, Segment, bool) {
	var last Segment
	at := -1
	for off, s := range n.segments() {
		last, at = s, off
	}
	if at < 0 {
		return Name{}, last, false
	}
	return Name{segs: n.segs[:at:at]}, last, true
}

// Segments ranges over the segments without the chunk.
func (n Name) Segments() iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		for _, s := range n.segments() {
			if !yield(s) {
				return
			}
		}
	}
}

// segments ranges over the segments with the offset of each in n.segs.
func (n Name) segments() iter.Seq2[int, Segment] {
	return func(yield func(int, Segment) bool) {
		for rest := n.segs; len(rest) > 0; {
			typ, v, r, ok := next(rest)
			if !ok {
				panic("tlv: bug: a Name that was not checked")
			}
			if !yield(len(n.segs)-len(rest), Segment{SegmentType(typ), v}) {
				return
			}
			rest = r
		}
	}
}

// NameFromBytes reads what [Name.Bytes] returned. The name aliases segs.
func NameFromBytes(segs []byte) (Name, error) { return decodeName(segs) }
