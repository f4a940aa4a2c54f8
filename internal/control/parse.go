package control

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parse reads a status text. It takes what it knows and passes over the rest; only
// what does not begin as a status is an error, [ErrNoStatus].
func Parse(text string) (Status, error) {
	if !strings.HasPrefix(text, "CCNx Version") {
		return Status{}, fmt.Errorf("%w: it says %q", ErrNoStatus, text[:min(len(text), 80)])
	}
	p := parser{Status: Status{Text: text}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		if strings.HasPrefix(line, " ") {
			if p.entry != nil {
				p.entry(line)
			}
			continue
		}
		p.entry = nil // a table has ended
		if key, value, ok := strings.Cut(line, ":"); ok {
			p.field(strings.TrimSpace(key), strings.TrimSpace(value))
		}
	}
	p.nameHops()
	p.sort()
	return p.Status, nil
}

// parser is a status on its way.
type parser struct {
	Status
	entry func(line string) // takes an indented line of the table at hand; nil: of none
}

// field takes a line that is not indented: a value, or the head of a table, whose
// value is its number of entries.
func (p *parser) field(key, value string) {
	switch key {
	case "Port":
		p.Port = int(number(value, 16))
	case "Rx Interest":
		k := p.packets()
		k.RxInterests, k.RxRegular, k.RxSymbolic, k.RxSelective = interestCounts(value)
	case "Tx Interest":
		k := p.packets()
		k.TxInterests, k.TxRegular, k.TxSymbolic, k.TxSelective = interestCounts(value)
	case "Rx ContentObject":
		p.packets().RxData = number(value, 64)
	case "Tx ContentObject":
		p.packets().TxData = number(value, 64)
	case "Cache Mode":
		p.CacheMode = value
	case "Cache Size": // "N of M bytes, …"
		_, rest, _ := strings.Cut(value, " of ")
		bytes, _, _ := strings.Cut(rest, " bytes")
		p.CacheCapacity = int64(number(bytes, 63))
	case "FWD Strategy":
		p.Strategy = value
	case "Interest Return":
		on := value == "Enabled"
		p.Returns = &on
	case "Faces":
		p.Faces, p.entry = []StatusFace{}, p.face
	case "FIB(App)":
		p.Apps, p.entry = []App{}, p.app
	case "FIB":
		p.Routes, p.entry = []StatusRoute{}, p.route
		p.RouteNum = int(number(value, 31))
	case "PIT(App)":
		p.pending(&p.AppPIT, value)
	case "PIT":
		p.pending(&p.PIT, value)
	}
}

func (p *parser) packets() *StatusPackets {
	if p.Packets == nil {
		p.Packets = new(StatusPackets)
	}
	return p.Packets
}

// interestCounts reads "737 (RGL[731], SYM[6], SEL[0])".
func interestCounts(s string) (total, regular, symbolic, selective uint64) {
	first, _, _ := strings.Cut(s, " ")
	return number(first, 64), bracketed(s, "RGL["), bracketed(s, "SYM["), bracketed(s, "SEL[")
}

func bracketed(s, open string) uint64 {
	_, rest, _ := strings.Cut(s, open)
	digits, _, _ := strings.Cut(rest, "]")
	return number(digits, 64)
}

// face reads a line of Faces, such as
//
//	faceid =  75 : address = 127.0.0.1:9711 (udp) # down
//	faceid =   4 : IPv4 Listen face (udp)
func (p *parser) face(line string) {
	left, what, ok := strings.Cut(strings.TrimSpace(line), " : ")
	id, isFace := strings.CutPrefix(left, "faceid =")
	if !ok || !isFace {
		return
	}
	what, mark, _ := strings.Cut(what, " # ")
	f := StatusFace{ID: number(strings.TrimSpace(id), 32), Down: mark == "down"}
	addr, isPeer := strings.CutPrefix(what, "address = ")
	switch {
	case isPeer:
		addr, kind, _ := strings.Cut(addr, " (")
		f.Kind = strings.TrimSuffix(kind, ")")
		f.Addr = f.Kind + "://" + addr
	case strings.Contains(what, "Listen"):
		p.Listening = append(p.Listening, p.listening(what))
		return
	case what == "Local face" && f.ID == 0: // the local socket itself
		return
	case what == "Local face":
		f.Kind = "app"
	case strings.HasPrefix(what, "Local face"):
		f.Kind = "babel"
	default:
		return
	}
	p.Faces = append(p.Faces, f)
}

// listening reads "IPv4 Listen face (udp)", or "IPv6 Listen Face ([ADDR]:PORT/udp)".
func (p *parser) listening(what string) Addr {
	family, rest, _ := strings.Cut(what, " ")
	_, in, _ := strings.Cut(rest, "(")
	in = strings.TrimSuffix(in, ")")
	if host, proto, ok := strings.Cut(in, "/"); ok {
		return Addr(proto + "://" + host)
	}
	host := "0.0.0.0"
	if family == "IPv6" {
		host = "[::]"
	}
	return Addr(fmt.Sprintf("%s://%s:%d", in, host, p.Port))
}

// uriStart begins the line that opens an entry of a table.
const uriStart = "  ccnx:/"

// app reads a line of FIB(App): a prefix, then its face.
func (p *parser) app(line string) {
	switch {
	case strings.HasPrefix(line, uriStart):
		p.Apps = append(p.Apps, App{Prefix: line[2:], Faces: []uint64{}})
	case len(p.Apps) > 0:
		if ids, ok := strings.CutPrefix(strings.TrimSpace(line), "Faces :"); ok {
			last := &p.Apps[len(p.Apps)-1]
			last.Faces = append(last.Faces, faceIDs(ids)...)
		}
	}
}

// route reads a line of FIB: a prefix, then a line for each of its faces, each
// followed by that face's counter, then the prefix's own counter. Counters are there
// only where they were asked for.
func (p *parser) route(line string) {
	if strings.HasPrefix(line, uriStart) {
		p.Routes = append(p.Routes, StatusRoute{Prefix: line[2:], NextHops: []StatusHop{}})
		return
	}
	if len(p.Routes) == 0 {
		return
	}
	r := &p.Routes[len(p.Routes)-1]
	line = strings.TrimSpace(line)
	if s, ok := strings.CutPrefix(line, "RxInt : "); ok {
		n, _, _, _ := interestCounts(s)
		r.Interests = &n
		return
	}
	if s, ok := strings.CutPrefix(line, "TxInt="); ok {
		if k := len(r.NextHops); k > 0 {
			n, _, _, _ := interestCounts(s)
			r.NextHops[k-1].Interests = &n
		}
		return
	}
	r.hops(strings.TrimPrefix(line, "Faces : "))
}

// hops reads "75 (-s-) RtCost=0 keyid=0x…"; of cefgo's forwarder, several numbers.
func (r *StatusRoute) hops(line string) {
	for _, word := range strings.Fields(line) {
		if id, err := strconv.ParseUint(word, 10, 32); err == nil {
			r.NextHops = append(r.NextHops, StatusHop{Face: id})
			continue
		}
		if len(r.NextHops) == 0 {
			return
		}
		h := &r.NextHops[len(r.NextHops)-1]
		key, value, _ := strings.Cut(word, "=")
		switch {
		case strings.HasPrefix(word, "("):
			h.Origin = origin(word)
		case key == "RtCost":
			h.Cost, _ = strconv.Atoi(value)
		case key == "keyid":
			h.KeyID = value
		}
	}
}

// origin reads the flags "(csd)", of which a dash stands for one that is not set.
func origin(flags string) string {
	var set []string
	for _, o := range []string{"controller", "static", "dynamic"} {
		if strings.IndexByte(flags, o[0]) >= 0 {
			set = append(set, o)
		}
	}
	return strings.Join(set, "+")
}

// pending begins a PIT.
func (p *parser) pending(t *StatusPIT, count string) {
	t.Entries = int(number(count, 31))
	p.entry = func(line string) {
		if strings.HasPrefix(line, uriStart) {
			t.Pending = append(t.Pending, StatusPending{Name: line[2:], Down: []uint64{}, Up: []uint64{}})
			return
		}
		key, ids, ok := strings.Cut(line, ":")
		if !ok || len(t.Pending) == 0 {
			return
		}
		last := &t.Pending[len(t.Pending)-1]
		switch strings.TrimSpace(key) {
		case "DownFaces":
			last.Down = faceIDs(ids)
		case "UpFaces":
			last.Up = faceIDs(ids)
		}
	}
}

// nameHops puts the faces' addresses to the routes.
func (p *parser) nameHops() {
	addrs := make(map[uint64]string, len(p.Faces))
	for _, f := range p.Faces {
		addrs[f.ID] = f.Addr
	}
	for _, r := range p.Routes {
		for i := range r.NextHops {
			h := &r.NextHops[i]
			h.Addr = addrs[h.Face]
		}
	}
}

// sort brings cefnetd's hash tables into an order that lasts.
func (p *parser) sort() {
	slices.SortFunc(p.Listening, cmp.Compare[Addr])
	slices.SortStableFunc(p.Faces, func(a, b StatusFace) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(p.Apps, func(a, b App) int { return cmp.Compare(a.Prefix, b.Prefix) })
	slices.SortStableFunc(p.Routes, func(a, b StatusRoute) int { return cmp.Compare(a.Prefix, b.Prefix) })
	for _, t := range []*StatusPIT{&p.AppPIT, &p.PIT} {
		slices.SortStableFunc(t.Pending, func(a, b StatusPending) int { return cmp.Compare(a.Name, b.Name) })
	}
}

func faceIDs(s string) []uint64 {
	ids := []uint64{}
	for _, word := range strings.Fields(s) {
		if id, err := strconv.ParseUint(word, 10, 32); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// number reads a number of so many bits; what is none reads as 0.
func number(s string, bits int) uint64 {
	n, err := strconv.ParseUint(s, 10, bits)
	if err != nil {
		return 0
	}
	return n
}
