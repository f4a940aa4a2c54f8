package node

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Verbs of Cefore's control protocol (sheet j).
const (
	verbStatus = tlv.ControlText + "STATUS"
	verbPIT    = tlv.ControlText + "STATUSPIT"
	verbRoute  = tlv.ControlText + "ROUTE"
)

// onText takes a text that a face sent between packets and reports whether the
// face stays: only the closing text, or a first part of it, ends it.
func (n *Node) onText(f *forwarder, fc *face, text []byte) bool {
	t := string(text)
	switch {
	case strings.HasPrefix(tlv.CloseText, t):
		return false
	case strings.HasPrefix(t, verbPIT): // cefnetd answers with a file, not a text
	case strings.HasPrefix(t, verbStatus):
		fc.reply([]byte(f.status(n.o)))
	case strings.HasPrefix(t, verbRoute):
		fc.reply([]byte("failed. (cefroute)\n")) // there are no network faces
	default:
		f.count.malformed++
	}
	return true
}

// reply sends text between packets. Where one waits already, its sender does not
// read; it gets no second one.
func (fc *face) reply(text []byte) {
	select {
	case fc.text <- text:
	default:
	}
}

// statusPITEntries is how many pending Interests a status shows, as cefnetd does.
const statusPITEntries = 128

// status is the forwarder's state in cefnetd's words, which cefstatus prints and
// scripts scrape (sheet j).
func (f *forwarder) status(o Options) string {
	var b strings.Builder
	c := &f.count
	returns := "Disabled"
	if f.returnToAll {
		returns = "Enabled"
	}
	fmt.Fprintf(&b, "CCNx Version     : %d\n", tlv.Version)
	fmt.Fprintf(&b, "Port             : %d\n", o.Port)
	fmt.Fprintf(&b, "Rx Interest      : %d (RGL[%d], SYM[%d], SEL[0])\n", c.rxInterest, c.rxRegular, c.rxSymbolic)
	fmt.Fprintf(&b, "Tx Interest      : %d (RGL[%d], SYM[0], SEL[0])\n", c.txInterest, c.txInterest)
	fmt.Fprintf(&b, "Rx ContentObject : %d\n", c.rxData)
	fmt.Fprintf(&b, "Tx ContentObject : %d\n", c.txData)
	fmt.Fprintf(&b, "Cache Mode       : Localcache\n")
	st := f.store.Stats()
	fmt.Fprintf(&b, "%s%d of %d bytes, %d objects\n", CacheLine, st.Bytes, st.Capacity, st.Objects)
	fmt.Fprintf(&b, "FWD Strategy     : None\n")
	fmt.Fprintf(&b, "Interest Return  : %s\n", returns)
	fmt.Fprintf(&b, "Faces : %d\n", len(f.faces))
	for _, id := range sortedKeys(f.faces) {
		fmt.Fprintf(&b, "  faceid = %3d : Local face\n", id)
	}
	f.statusFIB(&b, "FIB(App) :", false)
	f.statusFIB(&b, "FIB :", true)
	b.WriteString("PIT(App) :\n  Entry is empty\n")
	f.statusPIT(&b)
	return b.String()
}

// CacheLine starts the status line that tells what the content store holds and
// can hold; cefnetd has none like it.
const CacheLine = "Cache Size       : "

func (f *forwarder) statusFIB(b *strings.Builder, title string, routes bool) {
	var lines []string
	for _, key := range sortedKeys(f.regs.byName) {
		var faces []string
		for _, g := range f.regs.byName[key] {
			if g.route == routes {
				faces = append(faces, fmt.Sprintf("%d", g.face))
			}
		}
		if len(faces) > 0 {
			lines = append(lines, fmt.Sprintf("  %s\n    Faces : %s\n", uriOf(key), strings.Join(faces, " ")))
		}
	}
	table(b, title, len(lines), lines)
}

func (f *forwarder) statusPIT(b *strings.Builder) {
	var lines []string
	total := f.pit.len()
	add := func(e *pitEntry) {
		if e == nil || len(lines) > statusPITEntries {
			return
		}
		if len(lines) == statusPITEntries {
			lines = append(lines, "and more...\n")
			return
		}
		name := uriOf(e.name.segs)
		if e.kind == kindChunk {
			name = fmt.Sprintf("%s/Chunk=%d", name, e.chunk)
		}
		var downs, ups strings.Builder
		for _, d := range e.downs {
			fmt.Fprintf(&downs, "%d ", d.face)
		}
		for _, id := range e.asked {
			fmt.Fprintf(&ups, "%d ", id)
		}
		lines = append(lines, fmt.Sprintf("  %s\n    DownFaces : %s\n    UpFaces   : %s\n", name, downs.String(), ups.String()))
	}
	for _, key := range sortedKeys(f.pit.names) {
		n := f.pit.names[key]
		add(n.symbolic)
		add(n.bare)
		for _, k := range sortedKeys(n.chunks) {
			add(n.chunks[k])
		}
	}
	table(b, "PIT :", total, lines)
}

func table(b *strings.Builder, title string, count int, lines []string) {
	if count == 0 {
		b.WriteString(title + "\n  Entry is empty\n")
		return
	}
	fmt.Fprintf(b, "%s %d\n", title, count)
	for _, l := range lines {
		b.WriteString(l)
	}
}

func uriOf(segs string) string {
	n, err := tlv.NameFromBytes([]byte(segs))
	if err != nil {
		return "?"
	}
	return n.String()
}

func sortedKeys[K interface{ ~string | ~uint64 }, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
