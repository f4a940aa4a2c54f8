package node

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// bent is packets of Cefore's programs with something wrong in them.
type bent struct {
	r    *rand.Rand
	gold [][]byte
}

func newBent(t testing.TB, seed uint64) *bent {
	b := &bent{r: rand.New(rand.NewPCG(seed, 0))}
	for _, v := range load[vector](t, "vectors.json") {
		if p := v.bytes(t); len(p) >= tlv.FixedHeaderLen && len(p) < 2000 && p[0] == tlv.Version {
			b.gold = append(b.gold, p)
		}
	}
	return b
}

// append appends one: most of them still have the length that they say.
func (b *bent) append(buf []byte) []byte {
	start := len(buf)
	buf = append(buf, b.gold[b.r.IntN(len(b.gold))]...)
	for range 1 + b.r.IntN(3) {
		i := start + b.r.IntN(len(buf)-start)
		switch b.r.IntN(4) {
		case 0:
			buf[i] ^= 1 << b.r.IntN(8)
		case 1:
			buf[i] = []byte{0, 1, 0x7f, 0x80, 0xff}[b.r.IntN(5)]
		case 2:
			if len(buf)-start > tlv.FixedHeaderLen {
				buf = append(buf[:i], buf[i+1:]...)
			}
		case 3:
			buf = append(buf[:i+1], buf[i:]...)
			buf[i] = byte(b.r.Uint32())
		}
	}
	if b.r.IntN(4) > 0 {
		binary.BigEndian.PutUint16(buf[start+2:], uint16(len(buf)-start))
	}
	return buf
}

// TestBent sends bent packets over each kind of face, while an application asks another:
// these two notice nothing, and the node stays within its memory.
// With CEFGO_SOAK=1 it is a million each, with CEFGO_SOAK=100000 so many.
func TestBent(t *testing.T) {
	total := soak(10_000, 1_000_000)
	for _, network := range []string{"unix", "udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			n := startNear(t, Options{})
			asks, has := dial(t, n), dial(t, n).registers("ccnx:/untouched")
			exchange(t, asks, has, "ccnx:/untouched/first")
			before := heap()
			bends(t, n, network, total, func(k int) { exchange(t, asks, has, fmt.Sprintf("ccnx:/untouched/%d", k)) })
			s := n.status(t)
			t.Logf("heap %d KiB before, %d after; %d Interests pending, %d objects; %+v; dropped %+v, %d bytes of garbage", before>>10, heap()>>10, s.PIT.Entries, s.Store.Objects, s.Packets, s.Drops, s.Garbage)
			if after := heap(); after > before+(100<<20) {
				t.Errorf("the heap has grown from %d to %d bytes", before, after)
			}
			taken := s.Packets.RxInterests + s.Packets.RxData + s.Packets.RxReturns + s.Packets.RxInfo + s.Drops.Malformed + s.Drops.RemoteApp
			if taken < uint64(total/5) || s.Drops.Malformed < uint64(total/20) || s.Garbage < uint64(total) {
				t.Errorf("%d packets have come of %d, %d of them malformed, and %d bytes of garbage", taken, total, s.Drops.Malformed, s.Garbage)
			}
		})
	}
}

// bends sends so many bent packets; between them it calls meanwhile, for the k-th time.
func bends(t *testing.T, n *Node, network string, total int, meanwhile func(k int)) {
	const atOnce = 50
	addr := n.Socket()
	if network != "unix" {
		addr = n.port(t, network).String()
	}
	b := newBent(t, 1)
	var conn net.Conn
	drained := make(chan struct{})
	close(drained)
	end := func() {
		if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			<-drained // the node ends it when it has taken all
		}
		if conn != nil {
			conn.Close()
		}
		<-drained
	}
	defer func() { end() }()
	begin := func() {
		end()
		c, err := net.Dial(network, addr)
		must(t, err)
		done := make(chan struct{})
		conn, drained = c, done
		go func() { defer close(done); _, _ = io.Copy(io.Discard, c) }()
	}
	begin()
	var buf []byte
	for k := range total / atOnce {
		buf = buf[:0]
		var err error
		for range atOnce {
			if network == "udp" {
				buf = b.append(buf[:0])
				_, err = conn.Write(buf)
			} else {
				buf = b.append(buf)
			}
		}
		if network != "udp" {
			_, err = conn.Write(buf)
		}
		if err != nil { // the node has closed it, as a text may have asked for
			begin()
		}
		if k%10 == 0 {
			meanwhile(k)
		}
	}
}
