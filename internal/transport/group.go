package transport

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// Group receives what is sent to a multicast group, and nothing else: datagrams to
// one of the host's own addresses do not come here, though their port be the same.
// Any number of processes of a host may be members at the same time. One goroutine
// calls Read; Close may run at any time.
type Group struct {
	inbox
	c     *net.UDPConn
	local netip.AddrPort
}

// JoinGroup becomes a member of group on the interface ifi, or on one of the
// system's choice where ifi is nil. The port may be 0. On Linux, what arrives by
// another interface is left out; elsewhere the system may let it through where
// another process is a member there.
func JoinGroup(group netip.AddrPort, ifi *net.Interface) (*Group, error) {
	group = unmapped(group)
	if !group.Addr().IsMulticast() {
		return nil, fmt.Errorf("join %v: not a multicast address", group)
	}
	c, err := bindGroup(group, ifi)
	if err != nil {
		return nil, fmt.Errorf("join %v: %w", group, err)
	}
	g := &Group{c: c, local: localAddr(c)}
	to := &net.UDPAddr{IP: group.Addr().AsSlice()}
	if group.Addr().Is4() {
		err = ipv4.NewPacketConn(c).JoinGroup(ifi, to)
	} else {
		err = ipv6.NewPacketConn(c).JoinGroup(ifi, to)
	}
	if err == nil {
		g.inbox, err = newInbox(c)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("join %v: %w", group, err)
	}
	return g, nil
}

// bindGroup makes a socket whose address is the group's own. Package net would give
// it the unspecified address, to which everything is sent.
func bindGroup(group netip.AddrPort, ifi *net.Interface) (*net.UDPConn, error) {
	family := syscall.AF_INET
	var sa syscall.Sockaddr = &syscall.SockaddrInet4{Port: int(group.Port())}
	if a := group.Addr(); a.Is4() {
		sa.(*syscall.SockaddrInet4).Addr = a.As4()
	} else {
		sa6 := &syscall.SockaddrInet6{Port: int(group.Port()), Addr: a.As16()}
		if ifi != nil && (a.IsLinkLocalMulticast() || a.IsInterfaceLocalMulticast()) {
			sa6.ZoneId = uint32(ifi.Index)
		}
		family, sa = syscall.AF_INET6, sa6
	}
	syscall.ForkLock.RLock() // no child may get it before it is marked
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "group")
	defer f.Close() // the connection has a descriptor of its own
	if err := shareGroup(fd, group.Addr(), ifi); err != nil {
		return nil, err
	}
	if err := syscall.Bind(fd, sa); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UDPConn)
	if !ok {
		c.Close()
		return nil, errors.New("not a UDP socket")
	}
	return u, nil
}

// LocalAddr is the group's address, with the port that the system chose.
func (g *Group) LocalAddr() netip.AddrPort { return g.local }

// Close leaves the group and unblocks Read; it may be called more than once.
func (g *Group) Close() error { return g.c.Close() }
