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
		if leavesByUDP(string(at)) {
			return true
		}
	}
	for _, face := range r.Status.Faces {
		if leavesByUDP(face.Addr) {
			return true
		}
	}
	return false
}

// leavesByUDP reports whether uri is UDP at an address that is not of loopback.
func leavesByUDP(uri string) bool {
	host, isUDP := strings.CutPrefix(uri, "udp://")
	at, err := netip.ParseAddrPort(host)
	return isUDP && (err != nil || !at.Addr().IsLoopback())
}
