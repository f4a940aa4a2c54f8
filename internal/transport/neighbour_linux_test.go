package transport

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNeighbourOptions: what is written goes at once, and a neighbour that is gone
// is found out.
func TestNeighbourOptions(t *testing.T) {
	a, b := neighbours(t, "127.0.0.1:0")
	for _, n := range []NeighbourConn{a, b} {
		c := n.(*neighbour).c.(*net.TCPConn)
		for option, want := range map[[2]int]int{
			{unix.IPPROTO_TCP, unix.TCP_NODELAY}: 1, {unix.SOL_SOCKET, unix.SO_KEEPALIVE}: 1,
			{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}: 30, {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}: 10, {unix.IPPROTO_TCP, unix.TCP_KEEPCNT}: 3,
		} {
			must(t, control(c, func(fd int) error {
				got, err := unix.GetsockoptInt(fd, option[0], option[1])
				if got != want {
					t.Errorf("option %v is %d, want %d", option, got, want)
				}
				return err
			}))
		}
	}
}
