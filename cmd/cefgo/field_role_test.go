//go:build linux

package main

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"

	"github.com/cefgo/cefgo/internal/tlv"
)

// The bare generator and the bare producer are what a path can carry at most: programs
// that do as little with a packet as can be. To be measured as cefgo is, each is a
// process of its own: this test binary, run again with roleVar set.
const roleVar = "CEFGO_FIELD_ROLE"

// bareOptions are the arguments of both.
type bareOptions struct {
	Socket, Prefix string
	Chunks         int
	Window         int // of the generator
	Block          int // of the producer, in bytes
}

// init plays the role that this process was started for, before TestMain makes a test
// of it.
func init() {
	roles := map[string]func(bareOptions) error{
		"generator": runGenerator, "producer": runBareProducer,
		"stream-source": runStreamSource, "stream-relay": runStreamRelay, "stream-sink": runStreamSink,
	}
	play := roles[os.Getenv(roleVar)]
	if play == nil {
		return
	}
	var o bareOptions
	fs := flag.NewFlagSet(os.Getenv(roleVar), flag.ExitOnError)
	fs.StringVar(&o.Socket, "socket", "", "of the forwarder")
	fs.StringVar(&o.Prefix, "prefix", "", "the content's name")
	fs.IntVar(&o.Chunks, "chunks", 0, "of the content")
	fs.IntVar(&o.Window, "window", 0, "Interests in flight")
	fs.IntVar(&o.Block, "block", 0, "bytes of payload in a chunk")
	_ = fs.Parse(os.Args[1:])
	if err := play(o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// bareCommand is how to run a role, and its environment.
func (g *ground) bareCommand(role string, o bareOptions) (env, args []string) {
	self, err := os.Executable()
	if err != nil {
		g.t.Fatal(err)
	}
	args = []string{self, "-socket", g.socket, "-prefix", o.Prefix, "-chunks", fmt.Sprint(o.Chunks), "-window", fmt.Sprint(o.Window), "-block", fmt.Sprint(o.Block)}
	return append(g.env(), roleVar+"="+role), args
}

// sayJSON prints a line of JSON.
func sayJSON(v any) error { return json.NewEncoder(os.Stdout).Encode(v) }

// packets is a stream's packets, taken by their length alone.
type packets struct {
	conn net.Conn
	buf  []byte
	n    int // bytes of buf that have come
}

func newPackets(conn net.Conn) *packets { return &packets{conn: conn, buf: make([]byte, 1<<20)} }

// read waits for bytes and calls each with all packets that are whole.
func (p *packets) read(each func(pkt []byte)) error {
	n, err := p.conn.Read(p.buf[p.n:])
	if err != nil {
		return err
	}
	p.n += n
	rest := p.buf[:p.n]
	for len(rest) >= tlv.FixedHeaderLen {
		size := int(binary.BigEndian.Uint16(rest[2:]))
		if rest[0] != tlv.Version || size < tlv.FixedHeaderLen {
			return fmt.Errorf("no packet starts with %x", rest[:tlv.FixedHeaderLen])
		}
		if size > len(rest) {
			break
		}
		each(rest[:size])
		rest = rest[size:]
	}
	p.n = copy(p.buf, rest)
	return nil
}

// chunkOf is the chunk number of a packet whose name is made of those segments and a
// chunk; false for any other packet.
func chunkOf(pkt, segments []byte) (k int, ok bool) {
	const tl = 4
	at := int(pkt[7]) + tl + tl + len(segments) // header, message, name
	if len(pkt) < at+tl || pkt[at] != 0 || pkt[at+1] != byte(tlv.SegmentChunk) {
		return 0, false
	}
	end := at + tl + int(pkt[at+3])
	if len(pkt) < end {
		return 0, false
	}
	for _, b := range pkt[at+tl : end] {
		k = k<<8 | int(b)
	}
	return k, true
}
