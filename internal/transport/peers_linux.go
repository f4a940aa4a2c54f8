package transport

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/cefgo/cefgo/internal/tlv"
)

// The system calls that move several datagrams are made here and not by x/net,
// which makes a *net.UDPAddr of every sender.

// mmsghdr is struct mmsghdr.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32 // bytes received or sent
}

// messages are datagrams with the memory that recvmmsg and sendmmsg want.
type messages struct {
	raw   syscall.RawConn
	msgs  [datagrams]mmsghdr
	iovs  [datagrams]unix.Iovec
	addrs [datagrams]unix.RawSockaddrInet6 // large enough for IPv4's
	zones zones

	// What call was asked for and what it found.
	nr       uintptr
	from, to int // which messages
	done     int
	errno    syscall.Errno
	try      func(fd uintptr) bool // call, made a value once
}

func newMessages(c *net.UDPConn, nr uintptr) (*messages, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	m := &messages{raw: raw, nr: nr, zones: newZones()}
	m.try = m.call
	for i := range m.msgs {
		h := &m.msgs[i].hdr
		h.Name = (*byte)(unsafe.Pointer(&m.addrs[i]))
		h.Iov = &m.iovs[i]
		h.SetIovlen(1)
	}
	return m, nil
}

// call moves the messages from m.from to m.to, or as many as can be without
// waiting. It is false where the socket is to be waited for.
func (m *messages) call(fd uintptr) bool {
	for {
		n, _, errno := unix.Syscall6(m.nr, fd, uintptr(unsafe.Pointer(&m.msgs[m.from])),
			uintptr(m.to-m.from), unix.MSG_DONTWAIT, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		m.done, m.errno = 0, errno
		if errno == 0 {
			m.done = int(n)
		}
		return errno != unix.EAGAIN
	}
}

// result is what call found, where err is that of waiting for it.
func (m *messages) result(name string, err error) (int, error) {
	if err == nil && m.errno != 0 {
		err = os.NewSyscallError(name, m.errno)
	}
	if err != nil {
		return 0, err
	}
	return m.done, nil
}

// receiver receives up to [datagrams] datagrams at a time.
type receiver struct {
	*messages
	bufs [datagrams][]byte
}

func newReceiver(c *net.UDPConn) (*receiver, error) {
	m, err := newMessages(c, unix.SYS_RECVMMSG)
	if err != nil {
		return nil, err
	}
	r := &receiver{messages: m}
	for i := range r.bufs {
		r.bufs[i] = make([]byte, tlv.MaxPacketLen)
		m.iovs[i].Base = &r.bufs[i][0]
		m.iovs[i].SetLen(len(r.bufs[i]))
	}
	return r, nil
}

// receive waits for datagrams and returns how many have come.
func (r *receiver) receive() (int, error) {
	for i := range r.msgs {
		r.msgs[i].hdr.Namelen = uint32(unsafe.Sizeof(r.addrs[i]))
	}
	r.from, r.to = 0, len(r.msgs)
	return r.result("recvmmsg", r.raw.Read(r.try))
}

// datagram is what receive brought as number i.
func (r *receiver) datagram(i int) ([]byte, netip.AddrPort) {
	return r.bufs[i][:r.msgs[i].n], r.zones.addrPort(&r.addrs[i])
}

// sender sends up to [datagrams] datagrams at a time.
type sender struct {
	*messages
	n int
}

func newSender(c *net.UDPConn) (*sender, error) {
	m, err := newMessages(c, unix.SYS_SENDMMSG)
	return &sender{messages: m}, err
}

// reset forgets all packets.
func (s *sender) reset() {
	for i := range s.n {
		s.iovs[i].Base = nil
	}
	s.n = 0
}

// waiting is the number of packets added since reset.
func (s *sender) waiting() int { return s.n }

// add appends a packet, which is not copied.
func (s *sender) add(pkt []byte, to netip.AddrPort) {
	s.iovs[s.n].Base = unsafe.SliceData(pkt)
	s.iovs[s.n].SetLen(len(pkt))
	s.msgs[s.n].hdr.Namelen = s.zones.put(&s.addrs[s.n], to)
	s.n++
}

// send sends packets from the one with number at on, and returns how many the
// system has taken. An error is about the first of them, and nothing was sent.
func (s *sender) send(at int) (int, error) {
	s.from, s.to = at, s.n
	return s.result("sendmmsg", s.raw.Write(s.try))
}

// zones knows the interfaces that link-local addresses name.
type zones struct {
	names   map[uint32]string
	indexes map[string]uint32
	until   time.Time
}

// zoneAge is how long an interface is thought to keep its name.
const zoneAge = time.Minute

func newZones() zones { return zones{names: map[uint32]string{}, indexes: map[string]uint32{}} }

func (z *zones) refresh() {
	if now := time.Now(); now.After(z.until) {
		clear(z.names)
		clear(z.indexes)
		z.until = now.Add(zoneAge)
	}
}

func (z *zones) name(index uint32) string {
	z.refresh()
	name, ok := z.names[index]
	if !ok {
		name = strconv.FormatUint(uint64(index), 10)
		if ifi, err := net.InterfaceByIndex(int(index)); err == nil {
			name = ifi.Name
		}
		z.names[index] = name
	}
	return name
}

// noZone is an interface that does not exist. The system refuses it, whereas it
// would choose one by itself where none is named.
const noZone = 1<<31 - 1

// index is noZone where there is no such interface.
func (z *zones) index(name string) uint32 {
	z.refresh()
	index, ok := z.indexes[name]
	if !ok {
		index = noZone
		if n, err := strconv.ParseUint(name, 10, 31); err == nil {
			index = uint32(n)
		} else if ifi, err := net.InterfaceByName(name); err == nil {
			index = uint32(ifi.Index)
		}
		z.indexes[name] = index
	}
	return index
}

// addrPort reads what the system wrote to a.
func (z *zones) addrPort(a *unix.RawSockaddrInet6) netip.AddrPort {
	if a.Family == unix.AF_INET {
		a4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(a))
		return netip.AddrPortFrom(netip.AddrFrom4(a4.Addr), port(&a4.Port))
	}
	ip := netip.AddrFrom16(a.Addr).Unmap()
	if a.Scope_id != 0 && ip.Is6() {
		ip = ip.WithZone(z.name(a.Scope_id))
	}
	return netip.AddrPortFrom(ip, port(&a.Port))
}

// put writes to for the system and returns its length there, in bytes.
func (z *zones) put(a *unix.RawSockaddrInet6, to netip.AddrPort) uint32 {
	if to.Addr().Is4() {
		a4 := (*unix.RawSockaddrInet4)(unsafe.Pointer(a))
		*a4 = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4()}
		setPort(&a4.Port, to.Port())
		return unix.SizeofSockaddrInet4
	}
	*a = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: to.Addr().As16()}
	if zone := to.Addr().Zone(); zone != "" {
		a.Scope_id = z.index(zone)
	}
	setPort(&a.Port, to.Port())
	return unix.SizeofSockaddrInet6
}

// port and setPort turn a port in network byte order into a number and back.
func port(p *uint16) uint16       { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(p))[:]) }
func setPort(p *uint16, n uint16) { binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(p))[:], n) }

// allowFragments makes the system send what exceeds the MTU as fragments, and not
// refuse it once a router has said that it is too large.
func allowFragments(c *net.UDPConn, local netip.Addr) error {
	return control(c, func(fd int) error {
		if local.Is4() {
			return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
		}
		return unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DONT)
	})
}
