package transport

import (
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// shareGroup prepares a socket that is bound to a group's address next: others may
// be bound there too, and only what comes by ifi is for this one.
func shareGroup(fd int, group netip.Addr, ifi *net.Interface) error {
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) // for others that have only this
	// Else what any other process has joined elsewhere would come here too.
	if group.Is4() {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0)
		return os.NewSyscallError("setsockopt", err)
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL, 0) // since Linux 4.20
	if ifi != nil {
		_ = unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, ifi.Name) // anybody may since Linux 5.7
	}
	return nil
}
