package manifest

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Decode reads the payload of a manifest's Content Object. signed is what the signature,
// nil where there is none, has to cover. The error wraps [ErrFormat].
func Decode(payload []byte) (m *Manifest, signed []byte, s *Signature, err error) {
	fields, signed, s, err := unseal(payload, typeManifest, context)
	if err != nil {
		return nil, nil, nil, err
	}
	d := decoder{m: new(Manifest)}
	if err := d.decode(fields); err != nil {
		return nil, nil, nil, err
	}
	return d.m, signed, s, nil
}

// unseal takes apart what seal made.
func unseal(payload []byte, want uint16, context string) (fields, signed []byte, s *Signature, err error) {
	typ, fields, rest, ok := next(payload)
	if !ok || typ != want || len(payload) > MaxLen {
		return nil, nil, nil, bad("another TLV, or none")
	}
	if len(rest) > 0 {
		if s, err = decodeSignature(rest); err != nil {
			return nil, nil, nil, err
		}
	}
	return fields, message(context, payload[:header+len(fields)]), s, nil
}

// decoder reads the fields of a manifest.
type decoder struct {
	m    *Manifest
	seen uint32 // a bit for each known field
}

func (d *decoder) decode(b []byte) error {
	last := 0
	for len(b) > 0 {
		typ, v, rest, ok := next(b)
		if !ok || int(typ) <= last {
			return bad("fields")
		}
		last, b = int(typ), rest
		if typ >= critical {
			return bad(fmt.Sprintf("unknown field 0x%04x", typ))
		}
		if typ <= fieldPages || typ == fieldPlainOnly {
			if !d.field(typ, v) {
				return bad(fmt.Sprintf("field 0x%04x", typ))
			}
			d.seen |= 1 << typ
		}
	}
	return d.complete()
}

// field takes one known field.
func (d *decoder) field(typ uint16, v []byte) bool {
	m := d.m
	switch typ {
	case fieldStatus:
		return d.status(v)
	case fieldName:
		return nameField(&m.Name, v)
	case fieldIssued:
		return instant(&m.Issued, v, time.UnixMilli)
	case fieldExpires:
		return instant(&m.Expires, v, time.UnixMilli)
	case fieldVersion:
		m.Version = append([]byte(nil), v...)
	case fieldSize:
		return size(&m.Size, v)
	case fieldBlocks:
		for ; len(v) >= 2; v = v[2:] {
			m.Blocks = append(m.Blocks, int(binary.BigEndian.Uint16(v)))
		}
		return len(v) == 0
	case fieldModified:
		return instant(&m.Modified, v, func(n int64) time.Time { return time.Unix(0, n) })
	case fieldMediaType:
		m.MediaType = string(v)
		return len(v) > 0
	case fieldDone:
		return size(&m.Done, v)
	case fieldPages:
		return size(&m.Pages, v)
	case fieldPlainOnly:
		m.PlainOnly = true
		return len(v) == 0
	default:
		return d.digest(typ, v)
	}
	return true
}

func (d *decoder) status(v []byte) bool {
	if len(v) == 1 {
		d.m.Status = Status(v[0])
	}
	return len(v) == 1
}

func (d *decoder) digest(typ uint16, v []byte) bool {
	const n = len(Digest{})
	if d.m.Digests == nil {
		d.m.Digests = new(Digests)
	}
	g := d.m.Digests
	switch {
	case typ == fieldRuns:
		for ; len(v) >= n; v = v[n:] {
			g.Runs = append(g.Runs, Digest(v[:n]))
		}
		return len(v) == 0 && len(g.Runs) > 0
	case len(v) != n:
		return false
	case typ == fieldWhole:
		g.Whole = Digest(v)
	default:
		g.List = Digest(v)
	}
	return true
}

// What has to be there, as bits.
const (
	seenAlways = 1<<fieldStatus | 1<<fieldName | 1<<fieldIssued | 1<<fieldExpires
	seenObject = seenAlways | 1<<fieldVersion | 1<<fieldSize | 1<<fieldBlocks
	seenMaybe  = 1<<fieldModified | 1<<fieldMediaType | 1<<fieldPlainOnly
)

// complete reports what is missing, or too much.
func (d *decoder) complete() error {
	if want := d.wanted(); d.seen != want {
		return bad(fmt.Sprintf("fields %015b where %015b belong", d.seen, want))
	}
	return d.m.check()
}

// wanted are the fields that have to be there, as bits.
func (d *decoder) wanted() uint32 {
	pending := d.seen&(1<<fieldDone) != 0
	switch {
	case d.m.Status == Object:
		return seenObject | d.seen&seenMaybe | d.digestsWanted()
	case d.m.Status == Directory && pending:
		return seenAlways | 1<<fieldDone
	case d.m.Status == Directory:
		return seenAlways | 1<<fieldVersion | 1<<fieldPages
	}
	return seenAlways
}

// digestsWanted are the fields that tell of digests, as bits.
func (d *decoder) digestsWanted() uint32 {
	if d.seen&(1<<fieldDone) != 0 {
		return 1 << fieldDone
	}
	switch n := object.Runs(d.m.Size); {
	case n == 0:
		return 1 << fieldWhole
	case n <= MaxInline:
		return 1<<fieldWhole | 1<<fieldRuns
	}
	return 1<<fieldWhole | 1<<fieldList
}

// nameField reads a name, which has no chunk.
func nameField(to *tlv.Name, v []byte) bool {
	n, err := tlv.NameFromBytes(v)
	_, chunked := n.Chunk()
	*to = n.Clone()
	return err == nil && !chunked
}

// instant reads a time that of makes of a number.
func instant(t *time.Time, v []byte, of func(int64) time.Time) bool {
	var n int64
	if !size(&n, v) {
		return false
	}
	*t = of(n)
	return true
}

// size reads a number of 8 bytes that is at most 2⁶³−1.
func size(to *int64, v []byte) bool {
	if len(v) != 8 {
		return false
	}
	n := binary.BigEndian.Uint64(v)
	*to = int64(n & math.MaxInt64)
	return n <= math.MaxInt64
}

func next(b []byte) (typ uint16, val, rest []byte, ok bool) {
	if len(b) < header {
		return 0, nil, nil, false
	}
	n := header + int(binary.BigEndian.Uint16(b[2:]))
	if len(b) < n {
		return 0, nil, nil, false
	}
	return binary.BigEndian.Uint16(b), b[header:n:n], b[n:], true
}
