package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cefgo/cefgo/internal/control"
)

// nodeReport is the state of a forwarder of cefgo, with rates since prev if there is
// one.
func (s *statusSample) nodeReport(prev *statusSample) *report {
	n := s.node
	head := []string{fmt.Sprintf("cefgo %s at %s, pid %d, up %s", n.Version, n.Socket, n.PID, briefly(n.UptimeMS))}
	if n.NodeName != "" {
		head = append(head, "node "+n.NodeName)
	}
	if len(n.Listening) > 0 {
		at := make([]string, len(n.Listening))
		for i, l := range n.Listening {
			at[i] = string(l)
		}
		head = append(head, "listening on "+strings.Join(at, ", "))
	}
	head = append(head, storeLine(&n.Store), pitLine(&n.PIT))
	if line := dropLine(n); line != "" {
		head = append(head, line)
	}
	if line := socketLine(n.Sockets); line != "" {
		head = append(head, line)
	}
	for i := range head {
		head[i] = printable(head[i])
	}
	return &report{head: head, tables: []*section{
		s.nodeTraffic(prev), s.nodeFaces(prev), appSection(n.Apps, n.AppNum), nodeRoutes(n), nodePending(n),
	}}
}

func storeLine(s *control.Store) string {
	line := fmt.Sprintf("content store: %s, %s of %s", plural(uint64(s.Objects), "object"), bytesText(uint64(s.Bytes)), bytesText(uint64(s.Capacity)))
	if s.Policy != "" {
		line += ", " + s.Policy
	}
	if looked := s.Hits + s.Misses; looked > 0 {
		line += fmt.Sprintf("; %d of %d look-ups hit (%.0f%%)", s.Hits, looked, 100*float64(s.Hits)/float64(looked))
	}
	if s.Evicted > 0 {
		line += fmt.Sprintf(", %d evicted", s.Evicted)
	}
	return line
}

func pitLine(p *control.PIT) string {
	line := fmt.Sprintf("pending Interests: %d of %d", p.Entries, p.Size)
	if p.PerFace > 0 {
		line += fmt.Sprintf(", at most %d of a face", p.PerFace)
	}
	return line + fmt.Sprintf("; %d expired", p.Expired)
}

// dropLine names the reasons for which anything was dropped.
func dropLine(s *control.NodeStatus) string {
	all := fields{}
	addStruct(all, &s.Drops)
	var parts []string
	for reason, n := range all {
		if text := string(n.(json.RawMessage)); text != "0" {
			parts = append(parts, strings.ReplaceAll(reason, "_", " ")+" "+text)
		}
	}
	if s.Garbage > 0 {
		parts = append(parts, "garbage "+bytesText(s.Garbage))
	}
	if len(parts) == 0 {
		return ""
	}
	slices.Sort(parts)
	return "dropped: " + strings.Join(parts, ", ")
}

// socketLine tells what did not go over the UDP sockets, or not in one piece.
func socketLine(sockets []control.Socket) string {
	var refused, tooLarge, fragmented, lost uint64
	for _, s := range sockets {
		refused, tooLarge, fragmented, lost = refused+s.Refused, tooLarge+s.TooLarge, fragmented+s.Fragmented, lost+s.QueueDrops
	}
	if refused+tooLarge+fragmented+lost == 0 {
		return ""
	}
	return fmt.Sprintf("datagrams: %d refused, %d too large, %d fragmented, %d lost to a full queue", refused, tooLarge, fragmented, lost)
}

// idleText is how long nothing has come; where nothing ever has, a dash.
func idleText(millis *int64) string {
	if millis == nil {
		return "–"
	}
	return briefly(*millis)
}

// briefly is so many milliseconds, to two units.
func briefly(millis int64) string {
	d := time.Duration(millis) * time.Millisecond
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", millis)
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

func (s *statusSample) nodeTraffic(prev *statusSample) *section {
	p, was := &s.node.Packets, &control.Packets{}
	if prev != nil && prev.node != nil {
		was = &prev.node.Packets
	}
	t, d := newTraffic(prev != nil), s.since(prev)
	line := func(what string, rx, rxWas, tx, txWas uint64) {
		t.line(what, rx, tx, d.per(rx, rxWas), d.per(tx, txWas))
	}
	line("Interests", p.RxInterests, was.RxInterests, p.TxInterests, was.TxInterests)
	line("Data", p.RxData, was.RxData, p.TxData, was.TxData)
	if p.RxReturns+p.TxReturns > 0 {
		line("Interest Returns", p.RxReturns, was.RxReturns, p.TxReturns, was.TxReturns)
	}
	rx, tx := s.bytes()
	rxWas, txWas := prev.bytes()
	t.bytes(rx, tx, 8*d.per(rx, rxWas), 8*d.per(tx, txWas))
	return t.section
}

// bytes are what all faces of a forwarder of cefgo have received and sent.
func (s *statusSample) bytes() (rx, tx uint64) {
	if s == nil || s.node == nil {
		return 0, 0
	}
	for i := range s.node.Faces {
		rx += s.node.Faces[i].RxBytes
		tx += s.node.Faces[i].TxBytes
	}
	return rx, tx
}

// faceBefore finds a face of an earlier sample; nil where it was not there.
func (s *statusSample) faceBefore(id uint64) *control.Face {
	if s == nil || s.node == nil {
		return nil
	}
	i := slices.IndexFunc(s.node.Faces, func(f control.Face) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return &s.node.Faces[i]
}

func (s *statusSample) nodeFaces(prev *statusSample) *section {
	faces := s.node.Faces
	cols := []column{{name: "ID", right: true}, {name: "KIND"}, {name: "ADDRESS", gives: true}, {name: "STATE"}, {name: "IDLE", right: true},
		{name: "RX", right: true}, {name: "TX", right: true}, {name: "LOST", right: true}, {name: "PENDING", right: true}}
	t := &section{title: "Faces", count: len(faces), total: len(faces), empty: "none", cols: cols}
	for i := range faces {
		f := &faces[i]
		cells := []string{strconv.FormatUint(f.ID, 10), f.Kind, hostOf(f.Addr), stateText(f.Down), idleText(f.IdleMS)}
		if prev == nil {
			cells = append(cells, strconv.FormatUint(f.RxPackets, 10), strconv.FormatUint(f.TxPackets, 10))
		} else {
			rx, tx := s.faceRates(prev, f)
			cells = append(cells, rateText(rx), rateText(tx))
		}
		t.add(append(cells, strconv.FormatUint(f.QueueDrops, 10), strconv.Itoa(f.Pending))...)
	}
	return t
}

// faceRates are bits per second that f received and sent since prev.
func (s *statusSample) faceRates(prev *statusSample, f *control.Face) (rx, tx float64) {
	was := prev.faceBefore(f.ID)
	if was == nil {
		was = &control.Face{}
	}
	d := s.since(prev)
	return 8 * d.per(f.RxBytes, was.RxBytes), 8 * d.per(f.TxBytes, was.TxBytes)
}

func nodeRoutes(n *control.NodeStatus) *section {
	t := &section{title: "Routes", count: n.RouteNum, empty: "none", cols: []column{
		{name: "PREFIX", gives: true}, {name: "VIA", gives: true}, {name: "COST", right: true}, {name: "STRATEGY"},
		{name: "RTT", right: true}, {name: "SENT", right: true}, {name: "BACK", right: true},
	}}
	for _, r := range n.Routes {
		prefix, strategy := r.Prefix, r.Strategy
		for _, h := range r.NextHops {
			t.add(prefix, viaText(&h), strconv.Itoa(h.Cost), strategy, rttText(&h), strconv.FormatUint(h.Interests, 10), backText(&h))
			prefix, strategy = "", ""
		}
		if len(r.NextHops) == 0 {
			t.add(prefix, "", "", strategy, "", "", "")
		}
	}
	t.total = len(t.rows) + max(n.RouteNum-len(n.Routes), 0)
	return t
}

func viaText(h *control.NextHop) string {
	if h.Addr == "" {
		return fmt.Sprintf("face %d", h.Face)
	}
	return h.Addr
}

func rttText(h *control.NextHop) string {
	switch {
	case h.Down:
		return down
	case h.RTTMS == 0:
		return ""
	}
	return fmt.Sprintf("%.3gms", h.RTTMS)
}

// backText is the share of the Interests that came back answered.
func backText(h *control.NextHop) string {
	if h.Interests == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f%%", 100*float64(h.Answered)/float64(h.Interests))
}

func nodePending(n *control.NodeStatus) *section {
	t := &section{title: "Pending Interests", count: n.PIT.Entries, total: n.PIT.Entries, empty: "none", cols: []column{
		{name: "NAME", gives: true}, {name: "FROM FACES"}, {name: "TO FACES"}, {name: "EXPIRES", right: true},
	}}
	for _, p := range n.Pending {
		name := p.Name
		if p.Symbolic {
			name += " (symbolic)"
		}
		t.add(name, idList(p.Down), idList(p.Up), briefly(p.ExpiresMS))
	}
	return t
}

// nodeRates are the rates since prev, as JSON; nil without prev.
func (s *statusSample) nodeRates(prev *statusSample) fields {
	d := s.since(prev)
	if d == 0 || prev.node == nil {
		return nil
	}
	p, was := &s.node.Packets, &prev.node.Packets
	rx, tx := s.bytes()
	rxWas, txWas := prev.bytes()
	faces := []fields{}
	for i := range s.node.Faces {
		f := &s.node.Faces[i]
		old := prev.faceBefore(f.ID)
		if old == nil {
			continue // a face that is new has no rate yet
		}
		rxBits, txBits := s.faceRates(prev, f)
		faces = append(faces, fields{
			"id": f.ID, "rx_packets_per_s": d.per(f.RxPackets, old.RxPackets), "tx_packets_per_s": d.per(f.TxPackets, old.TxPackets),
			"rx_bps": rxBits, "tx_bps": txBits,
		})
	}
	return fields{
		"interval_ms":        d.ms(),
		"rx_interests_per_s": d.per(p.RxInterests, was.RxInterests),
		"tx_interests_per_s": d.per(p.TxInterests, was.TxInterests),
		"rx_data_per_s":      d.per(p.RxData, was.RxData),
		"tx_data_per_s":      d.per(p.TxData, was.TxData),
		"rx_bps":             8 * d.per(rx, rxWas),
		"tx_bps":             8 * d.per(tx, txWas),
		"faces":              faces,
	}
}
