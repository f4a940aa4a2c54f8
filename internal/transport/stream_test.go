package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/cefgo/cefgo/internal/tlv"
)

// TestStreamEndInsidePacket: every place at which a packet can end too early.
func TestStreamEndInsidePacket(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		for _, mode := range []framing{strict, resync} {
			for _, n := range []int{0, 1, tlv.FixedHeaderLen, 11, 12, 99} {
				raw, c := rawPair(t, network, mode)
				whole := packet(100, 0)
				_, err := raw.Write(append(whole, packet(100, 1)[:n]...))
				must(t, err)
				raw.Close()
				got, err := readPackets(c, 2)
				samePackets(t, network, got, [][]byte{whole})
				want := io.ErrUnexpectedEOF
				if n == 0 {
					want = io.EOF
				}
				if err != want {
					t.Errorf("%s, mode %d, %d bytes of a packet: %v, want %v", network, mode, n, err, want)
				}
			}
		}
	}
}

// toolBuffer is what Cefore's tools read into (sheet b).
const toolBuffer = 10 << 20

// TestUnixReadsAreWholePackets: Cefore's tools lose a packet that two reads
// split. Here one of them reads what both ends of a local connection write.
func TestUnixReadsAreWholePackets(t *testing.T) {
	for _, full := range []bool{false, true} {
		for name, mode := range map[string]framing{"client": strict, "node": resync} {
			t.Run(fmt.Sprintf("%s/full=%v", name, full), func(t *testing.T) {
				raw, c := rawPair(t, "unix", mode)
				done := make(chan error, 1)
				sent := writeAll(c, done)
				if full { // the socket holds all it can when the tool starts to read
					await(t, "the writer", stuck())
				}
				buf := make([]byte, toolBuffer)
				var got int
				for got < sent {
					n, err := raw.Read(buf)
					must(t, err)
					got += n
					checkWhole(t, buf[:n])
					if t.Failed() {
						raw.Close()
						break
					}
				}
				if err := await(t, "Write", done); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// writeAll writes batches of packets that cefnetd would send in one piece and
// returns the number of their bytes.
func writeAll(c Conn, done chan<- error) (total int) {
	r := rand.New(rand.NewPCG(5, 6))
	var batches []*tlv.Batch
	for range 20 {
		b := new(tlv.Batch)
		for b.Size() < 300_000 {
			n := minPacket + r.IntN(2000)
			if r.IntN(8) == 0 {
				n = tlv.MaxAtomicLen - r.IntN(3)
			}
			b.Append(packet(n, b.Len()))
		}
		batches = append(batches, b)
		total += b.Size()
	}
	go blockedCall(func() error {
		for _, b := range batches {
			if err := c.Write(b); err != nil {
				return err
			}
		}
		return nil
	}, done)
	return total
}

// stuck is closed when the call of blockedCall waits.
func stuck() <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		for !waits("transport.blockedCall(") {
		}
	}()
	return c
}

// checkWhole: b is whole packets of this file's making, told apart by their
// lengths alone.
func checkWhole(t *testing.T, b []byte) {
	t.Helper()
	for at := 0; at < len(b); {
		if len(b)-at < minPacket || !bytes.Equal(b[at:at+2], []byte{tlv.Version, byte(tlv.PacketObject)}) {
			t.Fatalf("a read of %d bytes has no packet at %d: %.16x", len(b), at, b[at:])
		}
		at += int(b[at+2])<<8 | int(b[at+3])
		if at > len(b) {
			t.Fatalf("a read of %d bytes ends %d bytes before its last packet", len(b), at-len(b))
		}
	}
}

// TestUnixWriteLimit: writes are of whole packets up to the limit, and no smaller
// than they have to be.
func TestUnixWriteLimit(t *testing.T) {
	var sizes []int
	conn := &script{}
	c := newStream(conn, strict)
	c.maxWrite.Store(tlv.MaxAtomicLen)
	conn.wrote = func(b []byte) { sizes = append(sizes, len(b)) }
	half := tlv.MaxAtomicLen / 2
	pkts := [][]byte{
		packet(half, 0), packet(half, 1), packet(minPacket, 2), packet(65535, 3), packet(100, 4),
		packet(tlv.MaxAtomicLen, 5), packet(half, 6), packet(half+1, 7),
	}
	must(t, c.Write(batch(pkts...)))
	if want := []int{2 * half, minPacket, 65535, 100, tlv.MaxAtomicLen, half, half + 1}; fmt.Sprint(sizes) != fmt.Sprint(want) {
		t.Errorf("writes of %v bytes, want %v", sizes, want)
	}
}

// TestWriteText: a text goes out in one piece of its own.
func TestWriteText(t *testing.T) {
	app, local := localPair(t)
	must(t, local.WriteText([]byte("ERROR:cefnetd is resource busy, #14.\n")))
	_, err := read(app)
	var text *TextError
	if !errors.As(err, &text) || string(text.Text) != "ERROR:cefnetd is resource busy, #14.\n" {
		t.Fatalf("Read: %v, want the text", err)
	}
	exchange(t, local, app, [][][]byte{{packet(100, 0)}})
}
