//go:build !linux

package transport

import (
	"net"
	"net/netip"
	"os"
	"syscall"
)

// shareGroup prepares a socket that is bound to a group's address next: others may
// be bound there too.
func shareGroup(fd int, _ netip.Addr, _ *net.Interface) error {
	for _, option := range []int{syscall.SO_REUSEADDR, syscall.SO_REUSEPORT} {
		if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, option, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}
