//go:build linux

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"

	"github.com/cefgo/cefgo/internal/tlv"
)

// producerWrite is how much Data goes out in one write at most: what cefnetd reads at
// once.
const producerWrite = 60 << 10

// runBareProducer answers every Interest for a chunk of a name with the same Data, in
// which only the chunk number differs.
func runBareProducer(o bareOptions) error {
	name, err := tlv.ParseName(o.Prefix, tlv.PercentLiteral)
	if err != nil {
		return err
	}
	data, at, err := dataTemplate(name, o)
	if err != nil {
		return err
	}
	conn, err := net.Dial("unix", o.Socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	var out tlv.Batch
	for _, c := range []tlv.Command{tlv.CommandDeregister, tlv.CommandRegPrefix} {
		if err := out.Encode(func(b []byte) ([]byte, error) { return tlv.AppendCommand(b, c, name) }); err != nil {
			return err
		}
	}
	var failed error
	flush := func() {
		if _, err := conn.Write(out.Range(0, out.Len())); err != nil && failed == nil {
			failed = err
		}
		out.Reset(2 * producerWrite)
	}
	flush()
	in := newPackets(conn)
	for failed == nil {
		failed = errors.Join(in.read(func(pkt []byte) {
			k, ok := chunkOf(pkt, name.Bytes())
			if !ok || pkt[1] != byte(tlv.PacketInterest) {
				return
			}
			if out.Size()+len(data) > producerWrite {
				flush()
			}
			binary.BigEndian.PutUint32(data[at:], uint32(k))
			out.Append(data)
		}), failed)
		if out.Len() > 0 {
			flush()
		}
	}
	return failed
}

// dataTemplate is a chunk of the content and where its number is, which takes four
// bytes.
func dataTemplate(name tlv.Name, o bareOptions) (data []byte, at int, err error) {
	const widest = 0xfffffffe
	d := tlv.Object{
		Name: name.WithChunk(widest), Expiry: tlv.Some(tlv.Timestamp(0)), EndChunk: tlv.Some(uint64(o.Chunks) - 1),
		Payload: bytes.Repeat([]byte("x"), o.Block),
	}
	data, err = d.AppendTo(nil)
	return data, bytes.Index(data, binary.BigEndian.AppendUint32(nil, widest)), err
}

// produce runs a bare producer and waits until it answers.
func (g *ground) produce(uri string, chunks, block int) *beside {
	g.t.Helper()
	env, args := g.bareCommand("producer", bareOptions{Prefix: uri, Chunks: chunks, Block: block})
	b := runBeside(g.t, env, "", args...)
	g.fetchable(uri)
	return b
}
