package node

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
)

// TestFlood has Interests for what does not exist come from many addresses, more than the
// node keeps as peers, to a publisher that answers none of them: they fill what the network
// may have of the PIT, and an application that asks another notices nothing. With
// CEFGO_SOAK=1 it is a million, with CEFGO_SOAK=100000 so many.
func TestFlood(t *testing.T) {
	total := soak(20_000, 1_000_000)
	const pit, each = 4000, 10 // Interests of one address
	n := startNear(t, Options{Forward: forward.Options{PITSize: pit}})
	asks, has := dial(t, n), dial(t, n).registers("ccnx:/good")
	registersAndIgnores(t, n, "ccnx:/nothing")
	to := n.port(t, "udp")
	before := heap()
	for k := range total / each {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 127<<24+1<<16+uint32(k%(1<<16))))), 0)
		c, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(from), net.UDPAddrFromAddrPort(to))
		must(t, err)
		for i := range each {
			_, err := c.Write(interest(t, fmt.Sprintf("ccnx:/nothing/%d/%d", k, i)))
			must(t, err)
		}
		c.Close()
		if k%20 == 0 {
			exchange(t, asks, has, fmt.Sprintf("ccnx:/good/%d", k))
		}
	}
	exchange(t, asks, has, "ccnx:/good/last")
	s := n.status(t)
	t.Logf("heap %d KiB before, %d after; %d pending, %d faces; %+v; dropped %+v", before>>10, heap()>>10, s.PIT.Entries, len(s.Faces), s.Packets, s.Drops)
	if s.PIT.Entries != pit-pit/4 || s.Drops.FaceQuota == 0 || s.Drops.PITFull != 0 {
		t.Errorf("%d pending of %d; %+v", s.PIT.Entries, pit, s.Drops)
	}
	if len(s.Faces) > maxPeers+3 {
		t.Errorf("%d faces", len(s.Faces))
	}
	if after := heap(); after > before+(64<<20) {
		t.Errorf("the heap has grown from %d to %d bytes", before, after)
	}
}

// registersAndIgnores is an application that reads what it is asked and answers nothing.
func registersAndIgnores(t *testing.T, n *Node, uri string) {
	c, err := net.Dial("unix", n.Socket())
	must(t, err)
	pkt, err := tlv.AppendCommand(nil, tlv.CommandRegPrefix, mustName(t, uri))
	must(t, err)
	_, err = c.Write(pkt)
	must(t, err)
	n.until(t, "registered", func(c *core) bool { return c.f.Status(forward.StatusLimits{}, time.Now()).AppNum == 2 })
	done := make(chan struct{})
	go func() { defer close(done); _, _ = io.Copy(io.Discard, c) }()
	t.Cleanup(func() { c.Close(); <-done })
}
