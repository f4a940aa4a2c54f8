package tlv

import "slices"

// Batch is whole packets back to back in one buffer, as a stream carries them.
// The zero Batch is empty and ready. It is reused by Reset, so that a batch of
// steady size allocates nothing.
type Batch struct {
	buf  []byte
	ends []int
}

// Append copies one whole packet into the batch.
func (b *Batch) Append(pkt []byte) {
	b.buf = append(b.buf, pkt...)
	b.ends = append(b.ends, len(b.buf))
}

// Encode appends the packet that encode appends to the slice it is given. Where
// encode fails, the batch stays as it was.
func (b *Batch) Encode(encode func([]byte) ([]byte, error)) error {
	buf, err := encode(b.buf)
	if err != nil {
		return err
	}
	b.buf = buf
	b.ends = append(b.ends, len(buf))
	return nil
}

// Room returns memory behind the packets, of at least n bytes, for packets to be written
// into and then claimed. It is good until the next append, Room or Reset.
func (b *Batch) Room(n int) []byte {
	b.buf = slices.Grow(b.buf, n)
	return b.buf[len(b.buf):cap(b.buf)]
}

// Claim makes a packet of the n bytes behind the last one, which were written into Room.
func (b *Batch) Claim(n int) {
	b.buf = b.buf[:len(b.buf)+n]
	b.ends = append(b.ends, len(b.buf))
}

// Cap is how many bytes the batch has memory for.
func (b *Batch) Cap() int { return cap(b.buf) }

// Len is the number of packets.
func (b *Batch) Len() int { return len(b.ends) }

// Size is the number of bytes of all packets.
func (b *Batch) Size() int { return len(b.buf) }

// Packet returns packet i; it aliases the batch until the next Reset or append.
func (b *Batch) Packet(i int) []byte {
	return b.Range(i, i+1)
}

// Range returns packets i to j-1 as one run of bytes, aliasing the batch.
func (b *Batch) Range(i, j int) []byte {
	start, end := b.start(i), b.start(j)
	return b.buf[start:end:end]
}

// start is where packet i starts, or where the last one ends.
func (b *Batch) start(i int) int {
	if i == 0 {
		return 0
	}
	return b.ends[i-1]
}

// Reset empties the batch and keeps its memory, unless that has grown beyond
// keep bytes.
func (b *Batch) Reset(keep int) {
	if cap(b.buf) > keep {
		b.buf = nil
	}
	b.buf, b.ends = b.buf[:0], b.ends[:0]
}
