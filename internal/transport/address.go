package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// DefaultPort is cefnetd's port (sheet a).
const DefaultPort = 9695

// Address is where a forwarder listens.
type Address struct {
	Network string // "unix", "tcp" or "udp"
	Addr    string // a path, or host:port
}

// ParseAddress reads unix:PATH, tcp://HOST[:PORT] or udp://HOST[:PORT].
func ParseAddress(s string) (Address, error) { return ParseAddressPort(s, DefaultPort) }

// ParseAddressPort is ParseAddress with another default for the port.
func ParseAddressPort(s string, port int) (Address, error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		return Address{"unix", path}, nil
	}
	for _, network := range []string{"tcp", "udp"} {
		host, ok := strings.CutPrefix(s, network+"://")
		if !ok {
			continue
		}
		return hostAddress(network, host, port)
	}
	return Address{}, fmt.Errorf("bad forwarder address %q: want unix:PATH, tcp://HOST[:PORT] or udp://HOST[:PORT]", s)
}

func hostAddress(network, host string, standard int) (Address, error) {
	h, port, err := splitHost(host, strconv.Itoa(standard))
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 || !validHost(h) {
		return Address{}, fmt.Errorf("bad forwarder address %q: want %s://HOST[:PORT]", network+"://"+host, network)
	}
	return Address{network, net.JoinHostPort(h, port)}, nil
}

// splitHost splits HOST[:PORT]. An IPv6 address without a port may go without
// brackets.
func splitHost(s, standard string) (host, port string, err error) {
	if _, err := netip.ParseAddr(s); err == nil {
		return s, standard, nil
	}
	if host, port, err = net.SplitHostPort(s); err != nil {
		host, port, err = net.SplitHostPort(s + ":" + standard)
	}
	return host, port, err
}

func validHost(h string) bool {
	if strings.Contains(h, ":") {
		_, err := netip.ParseAddr(h)
		return err == nil
	}
	return h != "" && !strings.ContainsAny(h, "/[] \t\r\n")
}

// String is the address as ParseAddress reads it.
func (a Address) String() string {
	if a.Network == "unix" {
		return "unix:" + a.Addr
	}
	return a.Network + "://" + a.Addr
}

// dialTimeout bounds one attempt to connect.
const dialTimeout = 5 * time.Second

// backlogPause is the time between two looks at a full backlog. cefnetd's is 1,
// and it accepts one connection per millisecond (sheet b).
const backlogPause = time.Millisecond

// Dial connects to a forwarder. A UDP Conn succeeds whoever listens; where
// nobody does, its Read or Write may fail with syscall.ECONNREFUSED later.
func Dial(ctx context.Context, a Address) (Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, a.Network, a.Addr)
	// A full backlog makes the blocking connect of Cefore's tools wait, and ours fail.
	for a.Network == "unix" && errors.Is(err, syscall.EAGAIN) {
		select {
		case <-time.After(backlogPause):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w (%w)", err, context.Cause(ctx))
		}
		c, err = d.DialContext(ctx, a.Network, a.Addr)
	}
	if err != nil {
		return nil, err
	}
	if u, ok := c.(*net.UDPConn); ok {
		return newUDP(u), nil
	}
	return newStream(c, strict), nil
}
