package main

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/cefgo/cefgo/internal/control"
)

// askPatience bounds a question whose answer only makes for a better message.
const askPatience = 500 * time.Millisecond

// overUDP reports whether what is published goes out over UDP, as far as that is known:
// because the forwarder is spoken to over it, or is one of cefgo's that has neighbours
// there.
func (f *forwarder) overUDP(ctx context.Context) bool {
	f.mu.Lock()
	own, node := f.own != nil, f.peer != nil && f.peer.Node
	f.mu.Unlock()
	switch {
	case f.addr.Network == "udp":
		return true
	case f.addr.Network != "unix" || own || !node:
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	c, err := control.Dial(ctx, f.addr.Addr)
	if err != nil {
		return false
	}
	defer c.Close()
	r, err := c.Ask(ctx, control.NodeRequest{Op: control.OpStatus})
	if err != nil || r.Status == nil {
		return false
	}
	for _, at := range r.Status.Listening {
		host, isUDP := strings.CutPrefix(string(at), "udp://")
		if ap, err := netip.ParseAddrPort(host); isUDP && (err != nil || !ap.Addr().IsLoopback()) {
			return true
		}
	}
	for _, face := range r.Status.Faces {
		if host, isUDP := strings.CutPrefix(face.Addr, "udp://"); isUDP && !strings.HasPrefix(host, "127.") && !strings.HasPrefix(host, "[::1]") {
			return true
		}
	}
	return false
}
