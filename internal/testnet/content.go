package testnet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/cefgo/cefgo/internal/tlv"
)

// MaxBlock bounds a Content's Block, in bytes.
const MaxBlock = 1 << 16

// Content is a content of Chunks chunks of Block bytes each. No memory holds its bytes:
// they follow from the chunk's number, and from eight bytes a chunk on no two are
// equal. One Network at a time serves it.
type Content struct {
	Name   tlv.Name // without a chunk number
	Chunks uint64
	Block  int
	// Object is what each Data carries besides its name and payload. NewContent sets
	// EndChunk and a crc32c.
	Object tlv.Object

	payload, pkt []byte // of the last answer
}

// NewContent returns a content of at least one chunk.
func NewContent(name tlv.Name, chunks uint64, block int) *Content {
	if chunks == 0 || block < 0 || block > MaxBlock {
		panic(fmt.Sprintf("testnet: content of %d chunks of %d bytes", chunks, block))
	}
	c := &Content{Name: name.WithoutChunk(), Chunks: chunks, Block: block}
	c.Object.EndChunk = tlv.Some(chunks - 1)
	c.Object.Validation.Alg = tlv.AlgCRC32C
	return c
}

// Bytes is the content's length.
func (c *Content) Bytes() uint64 { return c.Chunks * uint64(c.Block) }

// Serve is a Producer: it answers Interests for the content's chunks and no others.
func (c *Content) Serve(r *Request) {
	name, err := r.Name()
	if err != nil {
		return
	}
	k, ok := name.Chunk()
	if ok && k < c.Chunks && name.WithoutChunk().Equal(c.Name) {
		r.Reply(c.Data(k))
	}
}

// Data returns the packet of chunk k; it is valid, and may be changed, until the next
// call or answer.
func (c *Content) Data(k uint64) []byte {
	o := c.Object
	c.payload = c.AppendPayload(c.payload[:0], k)
	o.Name, o.Payload = c.Name.WithChunk(k), c.payload
	pkt, err := o.AppendTo(c.pkt[:0])
	if err != nil {
		panic("testnet: content that does not encode: " + err.Error())
	}
	c.pkt = pkt
	return pkt
}

// AppendPayload appends the bytes of chunk k.
func (c *Content) AppendPayload(b []byte, k uint64) []byte {
	b = binary.LittleEndian.AppendUint64(b, k)
	if c.Block < 8 {
		return b[:len(b)-8+c.Block]
	}
	from := k * 0x9e3779b97f4a7c15 >> 48
	return append(b, noise()[from:][:c.Block-8]...)
}

// noise is what the payloads are cut from: random bytes, MaxBlock and as many again.
var noise = sync.OnceValue(func() []byte {
	b := make([]byte, 2*MaxBlock)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
})

// Verifier is a writer that fails with the first byte that is not the content's.
type Verifier struct {
	content *Content
	at      uint64 // the next byte's place in the content
	want    []byte // the chunk that it is in
	chunk   uint64 // its number
}

// Verify returns a Verifier of the content from chunk first on, which need not be
// written in whole chunks. It may run while the content is served.
func (c *Content) Verify(first uint64) *Verifier {
	return &Verifier{content: c, at: first * uint64(c.Block), chunk: first, want: c.AppendPayload(nil, first)}
}

// Write checks that p is what comes next. It returns how many bytes were right.
func (v *Verifier) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if v.at >= v.content.Bytes() {
			return n, fmt.Errorf("testnet: %d bytes behind the content's end", len(p)-n)
		}
		block := uint64(v.content.Block)
		if k := v.at / block; k != v.chunk {
			v.chunk, v.want = k, v.content.AppendPayload(v.want[:0], k)
		}
		want := v.want[v.at%block:]
		want = want[:min(len(want), len(p)-n)]
		if got := p[n:][:len(want)]; !bytes.Equal(got, want) {
			same := 0
			for got[same] == want[same] {
				same++
			}
			v.at += uint64(same)
			return n + same, fmt.Errorf("testnet: byte %d of chunk %d is wrong", v.at%block, v.chunk)
		}
		n += len(want)
		v.at += uint64(len(want))
	}
	return n, nil
}

// At is how far the content is written and right, in bytes from its start.
func (v *Verifier) At() uint64 { return v.at }

// Done is nil where all is written to the content's end.
func (v *Verifier) Done() error {
	if v.at != v.content.Bytes() {
		return fmt.Errorf("testnet: the content has %d bytes, %d are written", v.content.Bytes(), v.at)
	}
	return nil
}
