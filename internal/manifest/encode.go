package manifest

import (
	"encoding/binary"
	"fmt"

	"github.com/cefgo/cefgo/internal/object"
)

// Types of the TLVs.
const (
	typeManifest  = 0xCEF1
	typeSignature = 0xCEF2

	fieldStatus    = 0x0001
	fieldName      = 0x0002
	fieldIssued    = 0x0003
	fieldExpires   = 0x0004
	fieldVersion   = 0x0005
	fieldSize      = 0x0006
	fieldBlocks    = 0x0007
	fieldModified  = 0x0008
	fieldMediaType = 0x0009
	fieldWhole     = 0x000A
	fieldRuns      = 0x000B
	fieldList      = 0x000C
	fieldDone      = 0x000D
	fieldPages     = 0x000E
	fieldPlainOnly = 0x0011
	critical       = 0x8000 // what a reader must not pass over
)

// header is of a TLV, in bytes.
const header = 4

func bad(what string) error { return fmt.Errorf("%w: %s", ErrFormat, what) }

// Encode is the payload of the manifest's Content Object, signed by sign, which may be
// nil: see [Signature]. It fails with [ErrFormat] where m makes no sense, with
// [ErrTooLarge], or as sign does.
func (m *Manifest) Encode(sign func(message []byte) (Signature, error)) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	return seal(m.appendFields(make([]byte, header, 512)), typeManifest, context, sign)
}

// seal makes a TLV of that type of b, which begins with room for its header, and appends
// a signature.
func seal(b []byte, typ uint16, context string, sign func(message []byte) (Signature, error)) ([]byte, error) {
	if len(b) > MaxLen {
		return nil, ErrTooLarge
	}
	binary.BigEndian.PutUint16(b, typ)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-header))
	if sign != nil {
		s, err := sign(message(context, b))
		if err != nil {
			return nil, err
		}
		b = s.appendTo(b)
	}
	if len(b) > MaxLen {
		return nil, ErrTooLarge
	}
	return b, nil
}

func (m *Manifest) appendFields(b []byte) []byte {
	b = appendTLV(b, fieldStatus, []byte{byte(m.Status)})
	b = appendTLV(b, fieldName, m.Name.WithoutChunk().Bytes())
	b = append64(b, fieldIssued, uint64(m.Issued.UnixMilli()))
	b = append64(b, fieldExpires, uint64(m.Expires.UnixMilli()))
	switch {
	case m.Status == Absent:
		return b
	case m.Status == Directory && m.Version == nil:
		return append64(b, fieldDone, uint64(m.Done))
	case m.Status == Directory:
		return append64(appendTLV(b, fieldVersion, m.Version), fieldPages, uint64(m.Pages))
	}
	b = appendTLV(b, fieldVersion, m.Version)
	b = append64(b, fieldSize, uint64(m.Size))
	b = append(b, fieldBlocks>>8, fieldBlocks&0xff, 0, byte(2*len(m.Blocks)))
	for _, n := range m.Blocks {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	if !m.Modified.IsZero() {
		b = append64(b, fieldModified, uint64(m.Modified.UnixNano()))
	}
	if m.MediaType != "" {
		b = appendTLV(b, fieldMediaType, []byte(m.MediaType))
	}
	if m.Digests == nil {
		b = append64(b, fieldDone, uint64(m.Done))
	} else {
		b = m.Digests.appendTo(b, m.Size)
	}
	if m.PlainOnly {
		b = appendTLV(b, fieldPlainOnly, nil)
	}
	return b
}

func (d *Digests) appendTo(b []byte, size int64) []byte {
	b = appendTLV(b, fieldWhole, d.Whole[:])
	switch n := object.Runs(size); {
	case n == 0:
	case n <= MaxInline:
		b = append(b, fieldRuns>>8, fieldRuns&0xff, byte(len(d.Runs)*len(Digest{})>>8), byte(len(d.Runs)*len(Digest{})))
		for i := range d.Runs {
			b = append(b, d.Runs[i][:]...)
		}
	default:
		b = appendTLV(b, fieldList, d.List[:])
	}
	return b
}

func appendTLV(b []byte, typ uint16, v []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, typ)
	b = binary.BigEndian.AppendUint16(b, uint16(len(v)))
	return append(b, v...)
}

func append64(b []byte, typ uint16, v uint64) []byte {
	b = append(b, byte(typ>>8), byte(typ), 0, 8)
	return binary.BigEndian.AppendUint64(b, v)
}
