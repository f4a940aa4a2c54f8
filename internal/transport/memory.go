package transport

import (
	"sync"

	"github.com/cefgo/cefgo/internal/tlv"
)

// streamBuffer is what one read can bring at least, in bytes.
const streamBuffer = 192 << 10

// batchBytes is the memory of a batch that is read into: what a read brings, behind the
// start of a packet that came before.
const batchBytes = streamBuffer + tlv.MaxPacketLen

// memory is that of batches that nobody needs at the moment; headers are batches without.
var (
	memory = sync.Pool{New: func() any {
		b := new(tlv.Batch)
		b.Room(batchBytes)
		return b
	}}
	headers = sync.Pool{New: func() any { return new(tlv.Batch) }}
)

// Borrow gives b, which is empty, memory for at least batchBytes, unless it has that. Who
// has a batch that may have become large gives it back with [Release] before it waits:
// that memory is for the packets that are on their way, not for each connection.
func Borrow(b *tlv.Batch) {
	if b.Cap() >= batchBytes {
		return
	}
	m := memory.Get().(*tlv.Batch)
	*b, *m = *m, tlv.Batch{}
	headers.Put(m)
}

// Release empties b and gives its memory back, for others to read into.
func Release(b *tlv.Batch) {
	b.Reset(2 * batchBytes)
	if b.Cap() >= batchBytes {
		m := headers.Get().(*tlv.Batch)
		*m = *b
		memory.Put(m)
	}
	*b = tlv.Batch{}
}
