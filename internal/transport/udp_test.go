package transport

import (
	"bytes"
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// rawUDP is a socket and a Conn that is connected to it.
func rawUDP(t *testing.T, host string) (*net.UDPConn, Conn) {
	t.Helper()
	raw, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host)})
	must(t, err)
	c, err := Dial(t.Context(), Address{"udp", raw.LocalAddr().String()})
	must(t, err)
	t.Cleanup(func() { raw.Close(); c.Close() })
	return raw, c
}

// TestDatagrams: several packets in one, and bad ones, each of which costs what
// is behind the bad place in it and nothing else.
func TestDatagrams(t *testing.T) {
	p := func(seq int) []byte { return packet(100, seq) }
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	garbage := bytes.Repeat([]byte{0xff}, 50)
	tests := []struct {
		name     string
		datagram []byte
		want     [][]byte
	}{
		{"one", p(0), [][]byte{p(0)}},
		{"several", join(p(1), p(2), packet(minPacket, 3)), [][]byte{p(1), p(2), packet(minPacket, 3)}},
		{"full", join(p(1), packet(maxDatagram-100, 2)), [][]byte{p(1), packet(maxDatagram-100, 2)}},
		{"empty", nil, nil},
		{"garbage", garbage, nil},
		{"text", []byte(tlv.CloseText), nil},
		{"a packet, garbage, a packet", join(p(4), garbage, p(5)), [][]byte{p(4)}},
		{"garbage, a packet", join(garbage, p(6)), nil},
		{"truncated", p(7)[:99], nil},
		{"a header", p(7)[:tlv.FixedHeaderLen], nil},
		{"a packet, a truncated one", join(p(8), p(9)[:50]), [][]byte{p(8)}},
		{"the rest of it", p(9)[50:], nil},
	}
	for _, host := range []string{"127.0.0.1", "::1"} {
		raw, c := rawUDP(t, host)
		to := c.(*udp).c.LocalAddr()
		for i, tt := range tests {
			_, err := raw.WriteTo(tt.datagram, to)
			must(t, err)
			good := packet(200, i)
			_, err = raw.WriteTo(good, to)
			must(t, err)
			want := append(tt.want, good)
			got, err := readPackets(c, len(want))
			must(t, err)
			samePackets(t, host+" "+tt.name, got, want)
		}
		for range 2 * datagrams { // more than one system call brings
			_, err := raw.WriteTo(garbage, to)
			must(t, err)
		}
		_, err := raw.WriteTo(p(0), to)
		must(t, err)
		got, err := readPackets(c, 1)
		must(t, err)
		samePackets(t, host+" behind garbage", got, [][]byte{p(0)})
	}
}

// TestDatagramPerPacket: cefnetd keeps a datagram whole, and a router drops it
// as one.
func TestDatagramPerPacket(t *testing.T) {
	raw, c := rawUDP(t, "127.0.0.1")
	var want [][]byte
	for i := range 3*datagrams + 1 {
		want = append(want, packet(100+i, i))
	}
	must(t, c.Write(batch(want...)))
	buf := make([]byte, tlv.MaxPacketLen)
	for i := range want {
		n, err := raw.Read(buf)
		must(t, err)
		samePackets(t, "datagram", [][]byte{buf[:n]}, want[i:i+1])
	}
}

// TestUDPRefused: where nobody listens, the Conn learns it.
func TestUDPRefused(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		raw, c := rawUDP(t, host)
		raw.Close()
		must(t, c.Write(batch(packet(100, 0))))
		if pkts, err := read(c); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: Read: %d packets, %v, want %v", host, len(pkts), err, syscall.ECONNREFUSED)
		}
		must(t, c.Write(batch(packet(100, 0)))) // brings the second refusal, which the third write meets
		if err := c.Write(batch(packet(100, 0))); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: Write: %v, want %v", host, err, syscall.ECONNREFUSED)
		}
	}
}
