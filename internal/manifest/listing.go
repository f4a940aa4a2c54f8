package manifest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Page is one page of the list of what is in a directory. A decoded one owns its memory.
type Page struct {
	Name            tlv.Name // of the directory, without chunk
	Issued, Expires time.Time
	Version         []byte // of the list
	Number, Pages   int64  // of this page, from 0; of all
	// Entries are in ascending order of their names, from page to page too. A page may
	// have none.
	Entries []Entry
}

// Entry is what is in a directory.
type Entry struct {
	Status   Status // Object or Directory
	Size     int64  // of an object, in bytes; 0 of a directory
	Modified time.Time
	Name     []byte // the segment; 1 byte at least
}

const (
	typePage = 0xCEF3

	fieldNumber = 0x000F
	fieldEntry  = 0x0010

	entryHead = 1 + 8 + 8 // bytes of an entry before its name
	pageHead  = 8 * header
)

// PageOverhead is at most how many bytes a page of a directory of that name takes besides
// its entries and its signature, and EntryOverhead what an entry takes besides its name.
func PageOverhead(name tlv.Name) int {
	return pageHead + len(name.WithoutChunk().Bytes()) + 4*8 + MaxVersionLen
}

// EntryOverhead is what an entry takes besides its name, in bytes.
const EntryOverhead = header + entryHead

// pageContext stands before what is signed of a page.
const pageContext = "cefgo listing 1\r\n"

// Encode is the payload of the page's Content Object, as [Manifest.Encode] is a
// manifest's.
func (p *Page) Encode(sign func(message []byte) (Signature, error)) ([]byte, error) {
	if err := p.check(nil); err != nil {
		return nil, err
	}
	b := appendTLV(make([]byte, header, 1024), fieldName, p.Name.WithoutChunk().Bytes())
	b = append64(b, fieldIssued, uint64(p.Issued.UnixMilli()))
	b = append64(b, fieldExpires, uint64(p.Expires.UnixMilli()))
	b = appendTLV(b, fieldVersion, p.Version)
	b = append64(b, fieldPages, uint64(p.Pages))
	b = append64(b, fieldNumber, uint64(p.Number))
	for i := range p.Entries {
		b = p.Entries[i].appendTo(b)
	}
	return seal(b, typePage, pageContext, sign)
}

func (e *Entry) appendTo(b []byte) []byte {
	b = append(b, fieldEntry>>8, fieldEntry&0xff, byte((entryHead+len(e.Name))>>8), byte(entryHead+len(e.Name)), byte(e.Status))
	b = binary.BigEndian.AppendUint64(b, uint64(e.Size))
	var at uint64
	if !e.Modified.IsZero() {
		at = uint64(e.Modified.UnixNano())
	}
	b = binary.BigEndian.AppendUint64(b, at)
	return append(b, e.Name...)
}

// DecodePage reads a page, as [Decode] does a manifest.
func DecodePage(payload []byte) (p *Page, signed []byte, s *Signature, err error) {
	fields, signed, s, err := unseal(payload, typePage, pageContext)
	if err != nil {
		return nil, nil, nil, err
	}
	d := pageDecoder{p: new(Page)}
	if err := d.decode(fields); err != nil {
		return nil, nil, nil, err
	}
	return d.p, signed, s, nil
}

// pageDecoder reads the fields of a page.
type pageDecoder struct {
	p    *Page
	seen uint32 // a bit for each known field
}

func (d *pageDecoder) decode(b []byte) error {
	const want = 1<<fieldName | 1<<fieldIssued | 1<<fieldExpires | 1<<fieldVersion | 1<<fieldPages | 1<<fieldNumber
	last := 0
	for len(b) > 0 {
		typ, v, rest, ok := next(b)
		if !ok || int(typ) < last || int(typ) == last && typ != fieldEntry {
			return bad("fields")
		}
		last, b = int(typ), rest
		if typ >= critical || !d.field(typ, v) {
			return bad(fmt.Sprintf("field 0x%04x", typ))
		}
	}
	if d.seen != want {
		return bad("fields are missing, or too many")
	}
	return d.p.check(nil)
}

// field takes one field; one that is unknown is passed over.
func (d *pageDecoder) field(typ uint16, v []byte) bool {
	if typ < fieldEntry {
		d.seen |= 1 << typ
	}
	p := d.p
	switch typ {
	case fieldName:
		return nameField(&p.Name, v)
	case fieldIssued:
		return instant(&p.Issued, v, time.UnixMilli)
	case fieldExpires:
		return instant(&p.Expires, v, time.UnixMilli)
	case fieldVersion:
		p.Version = bytes.Clone(v)
	case fieldPages:
		return size(&p.Pages, v)
	case fieldNumber:
		return size(&p.Number, v)
	case fieldEntry:
		return d.entry(v)
	}
	return true
}

func (d *pageDecoder) entry(v []byte) bool {
	if len(v) <= entryHead {
		return false
	}
	e := Entry{Status: Status(v[0]), Name: bytes.Clone(v[entryHead:])}
	var at int64
	if !size(&e.Size, v[1:9]) || !size(&at, v[9:17]) {
		return false
	}
	if at > 0 {
		e.Modified = time.Unix(0, at)
	}
	d.p.Entries = append(d.p.Entries, e)
	return true
}

// check reports what of docs/objects.md p breaks; after is the name of the last entry of
// the page before it, nil where that is not known.
func (p *Page) check(after []byte) error {
	switch {
	case p.Name.IsZero():
		return bad("name")
	case p.Issued.UnixMilli() < 0 || p.Expires.UnixMilli() < 0:
		return bad("time")
	case len(p.Version) == 0 || len(p.Version) > MaxVersionLen:
		return bad("version")
	case p.Number < 0 || p.Number >= p.Pages || p.Pages > maxPages:
		return bad("pages")
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		if err := e.check(); err != nil {
			return err
		}
		if after != nil && bytes.Compare(after, e.Name) >= 0 {
			return bad("entries out of order")
		}
		after = e.Name
	}
	return nil
}

// Follows reports whether the entries of p come behind one of that name.
func (p *Page) Follows(name []byte) bool {
	return len(p.Entries) == 0 || bytes.Compare(name, p.Entries[0].Name) < 0
}

func (e *Entry) check() error {
	switch {
	case e.Status != Object && e.Status != Directory, e.Status == Directory && e.Size != 0:
		return bad("status of an entry")
	case e.Size < 0 || len(e.Name) == 0 || len(e.Name) > tlv.MaxNameLen:
		return bad("entry")
	case !e.Modified.IsZero() && !representable(e.Modified):
		return bad("modified")
	}
	return nil
}
