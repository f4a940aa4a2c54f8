package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

func listenTCP(t testing.TB, a string) *TCPListener {
	t.Helper()
	l, err := ListenTCP(netip.MustParseAddrPort(a))
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// neighbours are the two ends of a connection between forwarders.
func neighbours(t testing.TB, addr string) (dialled, accepted NeighbourConn) {
	t.Helper()
	l := listenTCP(t, addr)
	defer l.Close()
	dialled, err := DialNeighbour(t.Context(), Address{"tcp", l.LocalAddr().String()})
	must(t, err)
	accepted, err = l.Accept()
	must(t, err)
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	return dialled, accepted
}

func TestNeighbourAddresses(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		l := listenTCP(t, addr)
		a := l.LocalAddr()
		if a.Addr() != netip.MustParseAddrPort(addr).Addr() || a.Port() == 0 {
			t.Errorf("%s: LocalAddr %v", addr, a)
		}
		if _, err := ListenTCP(a); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s again: %v, want %v", addr, err, syscall.EADDRINUSE)
		}
		dialled, err := DialNeighbour(t.Context(), Address{"tcp", a.String()})
		must(t, err)
		defer dialled.Close()
		accepted, err := l.Accept()
		must(t, err)
		defer accepted.Close()
		local := dialled.(*neighbour).c.LocalAddr().(*net.TCPAddr).AddrPort()
		if dialled.RemoteAddr() != a || accepted.RemoteAddr() != local {
			t.Errorf("%s: dialled %v, accepted %v, want %v and %v", addr, dialled.RemoteAddr(), accepted.RemoteAddr(), a, local)
		}
	}
	l6 := listenTCP(t, "[::]:0")
	l4 := listenTCP(t, netip.AddrPortFrom(netip.IPv4Unspecified(), l6.LocalAddr().Port()).String()) // each for its family
	_ = l4
	mapped := listenTCP(t, "[::ffff:127.0.0.1]:0")
	if !mapped.LocalAddr().Addr().Is4() {
		t.Errorf("a mapped address is %v", mapped.LocalAddr())
	}
	if _, err := ListenTCP(netip.AddrPort{}); err == nil {
		t.Error("ListenTCP without an address succeeds")
	}
	for _, network := range []string{"unix", "udp"} {
		if _, err := DialNeighbour(t.Context(), Address{network, mapped.LocalAddr().String()}); err == nil {
			t.Errorf("a neighbour is dialled by %s", network)
		}
	}
	mapped.Close()
	if _, err := DialNeighbour(t.Context(), Address{"tcp", mapped.LocalAddr().String()}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody listens: %v, want %v", err, syscall.ECONNREFUSED)
	}
}

// TestNeighbourGarbage: what is no packet costs nothing but itself, at either end,
// and a text is no packet.
func TestNeighbourGarbage(t *testing.T) {
	for _, garbage := range [][]byte{
		[]byte("/CTRLSTATUS"), []byte(tlv.CloseText), []byte("/"), []byte(tlv.BusyText + "x\n"), []byte("GET / HTTP/1.1\r\n\r\n"),
		bytes.Repeat([]byte{0xff}, 1000), bytes.Repeat([]byte{0}, 1000),
	} {
		for _, toDialled := range []bool{false, true} {
			l := listenTCP(t, "127.0.0.1:0")
			var raw net.Conn
			var c NeighbourConn
			var err error
			if toDialled {
				c, err = DialNeighbour(t.Context(), Address{"tcp", l.LocalAddr().String()})
				must(t, err)
				raw, err = l.l.Accept()
				must(t, err)
			} else {
				raw, err = net.Dial("tcp", l.LocalAddr().String())
				must(t, err)
				c, err = l.Accept()
				must(t, err)
			}
			defer c.Close()
			// Alone in what is written, where a text could be told apart.
			_, err = raw.Write(garbage)
			must(t, err)
			done := blocked(t, func() error {
				got, err := readPackets(c, 2)
				samePackets(t, fmt.Sprintf("%.20q", garbage), got, [][]byte{packet(100, 0), packet(100, 1)})
				return err
			})
			_, err = raw.Write(bytes.Join([][]byte{packet(100, 0), garbage, packet(100, 1), garbage}, nil))
			must(t, err)
			raw.Close()
			if err := await(t, "Read", done); err != nil {
				t.Errorf("%.20q: %v", garbage, err)
			}
			if _, err := readPackets(c, 1); err != io.EOF {
				t.Errorf("%.20q: %v, want %v", garbage, err, io.EOF)
			}
		}
	}
}

func TestTCPListenerCloseUnblocksAccept(t *testing.T) {
	l := listenTCP(t, "127.0.0.1:0")
	done := blocked(t, func() error { _, err := l.Accept(); return err })
	must(t, l.Close())
	if err := await(t, "Accept", done); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v, want %v", err, net.ErrClosed)
	}
}
