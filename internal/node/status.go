package node

import (
	"cmp"
	"os"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
)

// Kinds of faces in a status.
const (
	kindApp   = "app"
	kindUDP   = "udp"
	kindTCP   = "tcp"
	kindGroup = "multicast"
)

// status is what the forwarder says of itself, with what the node knows of it.
func (c *core) status(l forward.StatusLimits) control.NodeStatus {
	now := time.Now()
	s := c.f.Status(l, now)
	s.Version = c.n.o.Version
	s.PID = os.Getpid()
	s.UptimeMS = now.Sub(c.n.begun).Milliseconds()
	s.NodeName = c.n.o.Forward.NodeName.String()
	s.Socket = c.n.Socket()
	s.Port = c.n.o.Port
	s.Listening = c.n.net.addrs()
	s.Sockets = c.sockets()
	s.Drops.FacesFull += c.peers.full + c.full
	s.Drops.Malformed += c.badTexts
	s.Garbage = c.n.garbage.Load()
	addrs := make(map[uint64]string, len(s.Faces))
	for i := range s.Faces {
		f := &s.Faces[i]
		c.describe(f)
		addrs[f.ID] = f.Addr
	}
	for _, r := range s.Routes {
		for i := range r.NextHops {
			r.NextHops[i].Addr = addrs[r.NextHops[i].Face]
		}
	}
	return s
}

// describe adds to a face what is behind it.
func (c *core) describe(f *control.Face) {
	id := forward.FaceID(f.ID)
	if s := c.streams[id]; s != nil {
		f.Kind, f.QueueDrops = kindApp, s.out.Lost()
		if s.remote.IsValid() {
			f.Kind, f.Addr = kindTCP, "tcp://"+s.remote.String()
		}
		return
	}
	if u := c.peers.byID[id]; u != nil {
		f.Kind, f.Addr, f.Static, f.QueueDrops = kindUDP, "udp://"+u.addr.String(), u.static, u.drops
		return
	}
	for _, g := range c.groups {
		if g.id == id {
			f.Kind, f.Addr, f.Static, f.QueueDrops = kindGroup, groupURL(g.addr), true, g.drops
		}
	}
	for _, l := range c.links {
		if l.id == id {
			f.Kind, f.Addr, f.Static, f.QueueDrops = kindTCP, "tcp://"+l.addr.Addr, true, l.lost
			if l.stream != nil {
				f.QueueDrops += l.stream.out.Lost()
			}
		}
	}
}

// sockets is what the UDP sockets have counted, by address.
func (c *core) sockets() (all []control.Socket) {
	for _, p := range slices.Concat(c.n.net.ports, c.n.net.outs()) {
		st := p.sock.Stats()
		all = append(all, control.Socket{
			Addr: control.Addr("udp://" + p.sock.LocalAddr().String()), Refused: st.Refused, TooLarge: st.TooLarge,
			Fragmented: st.Fragmented, QueueDrops: p.out.Lost(),
		})
	}
	slices.SortFunc(all, func(a, b control.Socket) int { return cmp.Compare(a.Addr, b.Addr) })
	return all
}
