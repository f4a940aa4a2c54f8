//go:build !linux

package transport

import (
	"net"
	"net/netip"
)

// pathMTU is the MTU of the interface by which the system would send to a. It sends
// nothing.
func pathMTU(a netip.Addr) int {
	c, err := net.DialUDP(network("udp", a), nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, DefaultPort)))
	if err != nil {
		return 0
	}
	defer c.Close()
	from := localAddr(c).Addr().WithZone("")
	interfaces, err := net.Interfaces()
	if err != nil {
		return 0
	}
	for _, ifi := range interfaces {
		addrs, _ := ifi.Addrs()
		for _, addr := range addrs {
			if prefix, err := netip.ParsePrefix(addr.String()); err == nil && prefix.Addr().Unmap() == from {
				return ifi.MTU
			}
		}
	}
	return 0
}
