package node

import (
	"fmt"
	"strings"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
)

// What a status text shows at most: as many pending Interests as cefnetd's, and more
// routes than anybody reads.
const (
	statusPITEntries = 128
	statusRoutes     = 10_000
)

// statusText is the forwarder's state in cefnetd's words, which cefstatus prints and
// scripts scrape (sheet j).
func (c *core) statusText() func() []byte {
	s := c.status(forward.StatusLimits{Pending: statusPITEntries, Apps: maxStatusApps, Routes: statusRoutes})
	return func() []byte { return []byte(statusText(s, c.n.o.Forward.ReturnToAll)) }
}

func statusText(s control.NodeStatus, returnsToAll bool) string {
	var b strings.Builder
	returns := "Disabled"
	if returnsToAll {
		returns = "Enabled"
	}
	p := &s.Packets
	fmt.Fprintf(&b, "CCNx Version     : %d\n", tlv.Version)
	fmt.Fprintf(&b, "Port             : %d\n", s.Port)
	fmt.Fprintf(&b, "Rx Interest      : %d (RGL[%d], SYM[%d], SEL[0])\n", p.RxInterests, p.RxInterests-p.RxSymbolic, p.RxSymbolic)
	fmt.Fprintf(&b, "Tx Interest      : %d (RGL[%d], SYM[0], SEL[0])\n", p.TxInterests, p.TxInterests)
	fmt.Fprintf(&b, "Rx ContentObject : %d\n", p.RxData)
	fmt.Fprintf(&b, "Tx ContentObject : %d\n", p.TxData)
	fmt.Fprintf(&b, "Cache Mode       : Localcache\n")
	fmt.Fprintf(&b, "%s%d of %d bytes, %d objects\n", control.CacheLine, s.Store.Bytes, s.Store.Capacity, s.Store.Objects)
	fmt.Fprintf(&b, "FWD Strategy     : None\n")
	fmt.Fprintf(&b, "Interest Return  : %s\n", returns)
	writeFaces(&b, s.Faces)
	writeApps(&b, &s)
	writeRoutes(&b, &s)
	b.WriteString("PIT(App) :\n  Entry is empty\n")
	writePending(&b, &s)
	return b.String()
}

func writeFaces(b *strings.Builder, faces []control.Face) {
	fmt.Fprintf(b, "Faces : %d\n", len(faces))
	for _, f := range faces {
		if f.Kind == kindApp {
			fmt.Fprintf(b, "  faceid = %3d : Local face\n", f.ID)
			continue
		}
		network, addr, _ := strings.Cut(f.Addr, "://")
		down := ""
		if f.Down {
			down = " # down"
		}
		fmt.Fprintf(b, "  faceid = %3d : address = %s (%s)%s\n", f.ID, addr, network, down)
	}
}

func writeApps(b *strings.Builder, s *control.NodeStatus) {
	table(b, "FIB(App) :", s.AppNum)
	for _, a := range s.Apps {
		fmt.Fprintf(b, "  %s\n    Faces : %s\n", a.Prefix, ids(a.Faces, " "))
	}
}

func writeRoutes(b *strings.Builder, s *control.NodeStatus) {
	table(b, "FIB :", s.RouteNum)
	for _, r := range s.Routes {
		fmt.Fprintf(b, "  %s\n", r.Prefix)
		lead := "    Faces : "
		for _, h := range r.NextHops {
			fmt.Fprintf(b, "%s%d (-s-) RtCost=%d \n", lead, h.Face, h.Cost)
			lead = "            "
		}
	}
	if s.RouteNum > len(s.Routes) {
		b.WriteString("and more...\n")
	}
}

func writePending(b *strings.Builder, s *control.NodeStatus) {
	table(b, "PIT :", s.PIT.Entries)
	for _, p := range s.Pending {
		fmt.Fprintf(b, "  %s\n    DownFaces : %s\n    UpFaces   : %s\n", p.Name, ids(p.Down, " ")+trail(p.Down), ids(p.Up, " ")+trail(p.Up))
	}
	if s.PIT.Entries > len(s.Pending) {
		b.WriteString("and more...\n")
	}
}

// trail is the blank that cefnetd ends a list with.
func trail(all []uint64) string {
	if len(all) == 0 {
		return ""
	}
	return " "
}

func ids(all []uint64, sep string) string {
	words := make([]string, len(all))
	for i, id := range all {
		words[i] = fmt.Sprint(id)
	}
	return strings.Join(words, sep)
}

func table(b *strings.Builder, title string, count int) {
	if count == 0 {
		b.WriteString(title + "\n  Entry is empty\n")
		return
	}
	fmt.Fprintf(b, "%s %d\n", title, count)
}
