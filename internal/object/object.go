package object

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Block sizes, in bytes of payload. The default is the most that cefpyco can
// receive: at 4096 it overwrites the name it reports (sheet g). Above MaxFastBlock
// cefnetd no longer puts a packet on a local socket in one piece (sheet b).
const (
	MinBlock     = 60
	MaxBlock     = 57344
	DefaultBlock = 4095
	LargeBlock   = 16000 // what is fastest within one machine
	MaxFastBlock = 32000
)

// MaxChunks bounds the chunks of one content: chunk numbers have 32 bits in Cefore
// (sheet c).
const MaxChunks = 1 << 32

// Layout says how content of a known size is cut and what its chunks carry. It is
// a value; [Layout.Check] says whether it can be published.
type Layout struct {
	Name      tlv.Name // without chunk
	Size      int64    // bytes
	BlockSize int      // bytes
	// Version is the [Mark] of the content's version that all chunks carry; see
	// tlv.Object.Version. nil: none.
	Version []byte
	// CacheTime and Expiry are stated from the moment at which a chunk is built.
	// cefnetd's cache serves only what carries both (sheet g). 0: not stated.
	CacheTime, Expiry time.Duration
	Sum               Sum
}

// Sum says by what receivers of a chunk find damage.
type Sum int

// The kinds of checksum.
const (
	// SumMessage is cefgo's own, see tlv.Object.Summed: who fetches checks it.
	SumMessage Sum = iota
	// SumTrailer is the standard's crc32c trailer: cefnetd checks it too, at each hop
	// and at its cost.
	SumTrailer
	// SumNone is none.
	SumNone
)

func (s Sum) on(o *tlv.Object) {
	switch s {
	case SumMessage:
		o.Summed = true
	case SumTrailer:
		o.Validation.Alg = tlv.AlgCRC32C
	}
}

// Mark is what chunks carry to tell that they are of one version of the content: a
// value that differs from version to version, and the block size, because the same
// content cut otherwise has other chunks under the same numbers. version has at most
// tlv.MaxVersionLen-MarkLen bytes.
func Mark(version []byte, blockSize int) []byte {
	return binary.BigEndian.AppendUint16(bytes.Clone(version), uint16(blockSize))
}

// MarkLen is what a mark has besides the version, in bytes.
const MarkLen = 2

// Chunks is the number of chunks; empty content is one empty chunk.
func (l *Layout) Chunks() uint64 {
	return max(1, (uint64(l.Size)+uint64(l.BlockSize)-1)/uint64(l.BlockSize))
}

// Span is where chunk k lies in the content; it reports false beyond the end.
func (l *Layout) Span(k uint64) (off int64, n int, ok bool) {
	if k >= l.Chunks() {
		return 0, 0, false
	}
	off = int64(k) * int64(l.BlockSize)
	return off, int(min(int64(l.BlockSize), l.Size-off)), true
}

// Check reports why the content cannot be published.
func (l *Layout) Check() error {
	switch {
	case l.Size < 0:
		return fmt.Errorf("a size of %d bytes", l.Size)
	case l.BlockSize < MinBlock || l.BlockSize > MaxBlock:
		return fmt.Errorf("block size %d is not within %d and %d", l.BlockSize, MinBlock, MaxBlock)
	case !l.Name.CanChunk():
		return fmt.Errorf("name %s: no room for a chunk number: %w", l.Name, tlv.ErrTooLarge)
	case l.Chunks() > MaxChunks:
		return fmt.Errorf("%d bytes are more than %d chunks of %d bytes: use larger blocks", l.Size, uint64(MaxChunks), l.BlockSize)
	}
	_, err := l.AppendChunk(nil, l.Chunks()-1, make([]byte, min(l.Size, int64(l.BlockSize))), time.Now())
	return err
}

// AppendChunk appends the packet of chunk k, whose payload is given. Its errors are
// those of tlv.Object.AppendTo.
func (l *Layout) AppendChunk(b []byte, k uint64, payload []byte, now time.Time) ([]byte, error) {
	o := tlv.Object{
		Name:     l.Name.WithChunk(k),
		EndChunk: tlv.Some(l.Chunks() - 1),
		Version:  l.Version,
	}
	if len(payload) > 0 {
		o.Payload = payload
	}
	if l.CacheTime > 0 {
		o.CacheTime = tlv.Some(tlv.TimestampOf(now.Add(l.CacheTime)))
	}
	return l.finish(b, o, now)
}

// AppendMeta appends the packet at [MetaName]: the number of chunks in decimal. It
// is cached only where chunks are: as lasting says.
func (l *Layout) AppendMeta(b []byte, lasting bool, now time.Time) ([]byte, error) {
	name, err := MetaName(l.Name)
	if err != nil {
		return b, err
	}
	o := tlv.Object{
		Name:     name.WithChunk(0),
		EndChunk: tlv.Some[uint64](0),
		Version:  l.Version,
		Payload:  strconv.AppendUint(nil, l.Chunks(), 10),
	}
	if lasting && l.CacheTime > 0 {
		o.CacheTime = tlv.Some(tlv.TimestampOf(now.Add(l.CacheTime)))
	}
	return l.finish(b, o, now)
}

func (l *Layout) finish(b []byte, o tlv.Object, now time.Time) ([]byte, error) {
	if l.Expiry > 0 {
		o.Expiry = tlv.Some(tlv.TimestampOf(now.Add(l.Expiry)))
	}
	l.Sum.on(&o)
	return o.AppendTo(b)
}

// AppendPong appends the answer to a ping of that name (with its chunk), which no
// cache may keep.
func AppendPong(b []byte, name tlv.Name, payload []byte) ([]byte, error) {
	o := tlv.Object{Name: name, Payload: payload}
	SumMessage.on(&o)
	return o.AppendTo(b)
}

// AppendFresh appends the Content Object of what changes, a manifest or a page of a list,
// under its name (with its chunk): the answer to an Interest that came with that hop
// limit. No cache may keep it past expiry.
func AppendFresh(b []byte, name tlv.Name, payload []byte, end uint64, hopLimit uint8, expiry time.Time, sum Sum) ([]byte, error) {
	o := tlv.Object{
		Name: name, Expiry: tlv.Some(tlv.TimestampOf(expiry)), EndChunk: tlv.Some(end),
		CameWith: tlv.Some(hopLimit), Payload: payload,
	}
	sum.on(&o)
	return o.AppendTo(b)
}
