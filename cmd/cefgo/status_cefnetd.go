package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cefgo/cefgo/internal/control"
)

// daemonReport is a cefnetd's state, with rates since prev if there is one.
func (s *statusSample) daemonReport(prev *statusSample, socket string) *report {
	st := s.daemon
	head := []string{fmt.Sprintf("cefnetd at %s, port %d", socket, st.Port)}
	about := []string{}
	say := func(what, value string) {
		if value != "" {
			about = append(about, what+" "+printable(value))
		}
	}
	say("cache", st.CacheMode)
	say("forwarding strategy", st.Strategy)
	if st.Returns != nil {
		say("Interest Return", map[bool]string{false: "off", true: "on"}[*st.Returns])
	}
	head = append(head, strings.Join(about, ", "))
	return &report{head: head, tables: []*section{
		s.daemonTraffic(prev), daemonFaces(st), appSection(st.Apps, len(st.Apps)), daemonRoutes(st), daemonPIT("Pending Interests", &st.PIT),
	}}
}

func (s *statusSample) daemonTraffic(prev *statusSample) *section {
	t := newTraffic(prev != nil)
	p := s.daemon.Packets
	if p == nil {
		return t.section
	}
	var was control.StatusPackets
	if prev != nil && prev.daemon != nil && prev.daemon.Packets != nil {
		was = *prev.daemon.Packets
	}
	d := s.since(prev)
	t.line("Interests", p.RxInterests, p.TxInterests, d.per(p.RxInterests, was.RxInterests), d.per(p.TxInterests, was.TxInterests))
	if p.RxSymbolic+p.TxSymbolic > 0 {
		t.line("  symbolic", p.RxSymbolic, p.TxSymbolic, d.per(p.RxSymbolic, was.RxSymbolic), d.per(p.TxSymbolic, was.TxSymbolic))
	}
	t.line("Data", p.RxData, p.TxData, d.per(p.RxData, was.RxData), d.per(p.TxData, was.TxData))
	return t.section
}

func daemonFaces(st *control.Status) *section {
	s := &section{title: "Faces", count: len(st.Faces), total: len(st.Faces), empty: "none", cols: []column{{name: "ID", right: true}, {name: "KIND"}, {name: "ADDRESS", gives: true}, {name: "STATE"}}}
	for _, f := range st.Faces {
		s.add(strconv.FormatUint(f.ID, 10), f.Kind, hostOf(f.Addr), stateText(f.Down))
	}
	return s
}

// hostOf is an address without its scheme, which stands beside it.
func hostOf(addr string) string {
	_, host, ok := strings.Cut(addr, "://")
	if !ok {
		return addr
	}
	return host
}

func stateText(isDown bool) string {
	if isDown {
		return down
	}
	return ""
}

// appSection lists what applications are registered for: of count prefixes, perhaps not
// all.
func appSection(apps []control.App, count int) *section {
	s := &section{title: "Prefixes of applications", count: count, total: max(count, len(apps)), empty: "none", cols: []column{{name: "PREFIX", gives: true}, {name: "FACES"}}}
	for _, a := range apps {
		prefix := a.Prefix
		if a.Exact {
			prefix += " (exact)"
		}
		s.add(prefix, idList(a.Faces))
	}
	return s
}

func idList(ids []uint64) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strconv.FormatUint(id, 10))
	}
	return b.String()
}

func daemonRoutes(st *control.Status) *section {
	s := &section{title: "Routes", count: st.RouteNum, empty: "none", cols: []column{
		{name: "PREFIX", gives: true}, {name: "VIA", gives: true}, {name: "COST", right: true}, {name: "ORIGIN"}, {name: "INTERESTS", right: true},
	}}
	for _, r := range st.Routes {
		prefix := r.Prefix
		for _, h := range r.NextHops {
			via := h.Addr
			if via == "" {
				via = fmt.Sprintf("face %d", h.Face)
			}
			if h.KeyID != "" {
				via += " for key " + cut(h.KeyID, keyShown)
			}
			s.add(prefix, via, strconv.Itoa(h.Cost), h.Origin, optional(h.Interests))
			prefix = ""
		}
	}
	s.total = len(s.rows)
	return s
}

// keyShown is how much of a key's id a table shows, in characters.
const keyShown = 16

func optional(n *uint64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(*n, 10)
}

func daemonPIT(title string, t *control.StatusPIT) *section {
	s := &section{title: title, count: t.Entries, total: t.Entries, empty: "none", cols: []column{{name: "NAME", gives: true}, {name: "FROM FACES"}, {name: "TO FACES"}}}
	for _, p := range t.Pending {
		s.add(p.Name, idList(p.Down), idList(p.Up))
	}
	return s
}

// daemonRates are the rates since prev, as JSON; nil without prev.
func (s *statusSample) daemonRates(prev *statusSample) fields {
	d := s.since(prev)
	if d == 0 || prev.daemon == nil || s.daemon.Packets == nil || prev.daemon.Packets == nil {
		return nil
	}
	p, was := s.daemon.Packets, prev.daemon.Packets
	return fields{
		"interval_ms":        float64(d.ms()),
		"rx_interests_per_s": d.per(p.RxInterests, was.RxInterests),
		"tx_interests_per_s": d.per(p.TxInterests, was.TxInterests),
		"rx_data_per_s":      d.per(p.RxData, was.RxData),
		"tx_data_per_s":      d.per(p.TxData, was.TxData),
	}
}
