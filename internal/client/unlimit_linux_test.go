package client

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// TestWritesToANode: to a forwarder that says that it is one of cefgo's, writes are as
// large as they can be, so that its socket has more to read than others have, or is full in
// the middle of a packet; what a cefnetd has to read ends with a packet, always.
func TestWritesToANode(t *testing.T) {
	for _, node := range []bool{false, true} {
		reply := []byte(tlv.LinkReply)
		if node {
			reply = tlv.AppendNodeReply(nil, 1000)
		}
		forwarder, c := withReply(t, reply)
		const n = 997
		pkt := encode(t, interest(t, "ccnx:/a", func(i *tlv.Interest) { i.Payload = make([]byte, 100) }))
		pkt = encode(t, interest(t, "ccnx:/a", func(i *tlv.Interest) { i.Payload = make([]byte, 100+n-len(pkt)) }))
		if len(pkt) != n {
			t.Fatalf("a packet of %d bytes", len(pkt))
		}
		// They go through the client's queue as one batch, which is written piece by piece.
		const packets = outQueueBytes / n
		var b tlv.Batch
		for range packets {
			b.Append(pkt)
		}
		must(t, c.Send(t.Context(), &b))
		usual := sendBuffer(t, forwarder) + 2*tlv.MaxAtomicLen // what may wait otherwise
		got, unlimited := 0, false
		look := func() {
			k := unread(t, forwarder)
			unlimited = unlimited || k > usual || (got+k)%n != 0
		}
		for end := time.Now().Add(patience); node && !unlimited && time.Now().Before(end); runtime.Gosched() {
			look()
		}
		buf := make([]byte, n)
		for got < packets*n {
			look()
			k, err := forwarder.Read(buf)
			must(t, err)
			for at := 0; at < k; { // what came is the packets, whatever the reads
				part := pkt[(got+at)%n:]
				part = part[:min(len(part), k-at)]
				if !bytes.Equal(buf[at:at+len(part)], part) {
					t.Fatalf("something else at %d", got+at)
				}
				at += len(part)
			}
			got += k
		}
		if unlimited != node {
			t.Errorf("to a node %v: in large writes %v", node, unlimited)
		}
		must(t, c.Close())
	}
}

// patience bounds what a broken client can make the test wait.
const patience = 20 * time.Second

// withReply is the socket of a forwarder that has answered a client's first link request
// with that, and the client, which knows it.
func withReply(t *testing.T, reply []byte) (net.Conn, *Client) {
	t.Helper()
	dir, err := os.MkdirTemp("", "cefgo")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	must(t, err)
	defer l.Close()
	known := make(chan Peer, 1)
	c, err := New(t.Context(), Config{
		Dial: func(ctx context.Context) (transport.Conn, error) {
			return transport.Dial(ctx, transport.Address{Network: "unix", Addr: path})
		},
		OnPeer: func(p Peer) { known <- p },
	})
	must(t, err)
	t.Cleanup(func() { c.Close() })
	conn, err := l.Accept()
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(2*patience)))
	request := make([]byte, len(tlv.LinkRequest))
	_, err = io.ReadFull(conn, request)
	must(t, err)
	_, err = conn.Write(reply)
	must(t, err)
	<-known
	return conn, c
}

// unread is how many bytes wait in a socket.
func unread(t *testing.T, c net.Conn) int {
	t.Helper()
	return ask(t, c, func(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCINQ) })
}

// sendBuffer is what a socket holds for the other end, in bytes.
func sendBuffer(t *testing.T, c net.Conn) int {
	t.Helper()
	return ask(t, c, func(fd int) (int, error) { return unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF) })
}

func ask(t *testing.T, c net.Conn, what func(fd int) (int, error)) (n int) {
	t.Helper()
	raw, err := c.(*net.UnixConn).SyscallConn()
	must(t, err)
	var werr error
	must(t, raw.Control(func(fd uintptr) { n, werr = what(int(fd)) }))
	must(t, werr)
	return n
}
