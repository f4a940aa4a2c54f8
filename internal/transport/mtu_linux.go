package transport

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// pathMTU is what the system knows of the way to a: the MTU of the route's
// interface, or less where a router has complained. It sends nothing.
func pathMTU(a netip.Addr) (bytes int) {
	c, err := net.DialUDP(network("udp", a), nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, DefaultPort)))
	if err != nil {
		return 0
	}
	defer c.Close()
	_ = control(c, func(fd int) (err error) {
		if a.Is4() {
			bytes, err = unix.GetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU)
		} else {
			bytes, err = unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU)
		}
		return err
	})
	return bytes
}
