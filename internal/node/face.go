package node

import (
	"context"
	"errors"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// faceID names a connection; it is never used again.
type faceID uint64

// nobody is no face.
const nobody faceID = 0

// faceQueueBytes bounds what waits for one application to read, beside what its
// socket holds. What comes on top is dropped and counted, so that a slow reader
// holds up nobody else.
const faceQueueBytes = 4 << 20

// readBatches is how many batches of one face may be on their way to the loop.
const readBatches = 2

// face is a connected application: a goroutine that reads, one that writes.
type face struct {
	id   faceID
	conn transport.LocalConn
	out  *transport.Queue
	text chan []byte
	free chan *tlv.Batch
}

var errFaceClosed = errors.New("face closed")

func newFace(id faceID, c transport.LocalConn) *face {
	fc := &face{
		id: id, conn: c,
		out:  transport.NewQueue(faceQueueBytes),
		text: make(chan []byte, 1),
		free: make(chan *tlv.Batch, readBatches),
	}
	for range readBatches {
		fc.free <- new(tlv.Batch)
	}
	return fc
}

// send queues pkt; it never waits.
func (fc *face) send(pkt []byte) { fc.out.TryPut(pkt) }

// close ends both goroutines. It may be called more than once.
func (fc *face) close() {
	fc.out.Close(errFaceClosed)
	fc.conn.Close()
}

func (fc *face) recycle(b *tlv.Batch) {
	b.Reset(recycleBytes)
	fc.free <- b
}

// recycleBytes is the most memory that a batch keeps for its next use.
const recycleBytes = 512 << 10

// read hands what arrives to the loop, until the connection ends.
func (fc *face) read(ctx context.Context, events chan<- event) {
	post := func(e event) bool {
		e.face = fc
		select {
		case events <- e:
			return true
		case <-ctx.Done():
			return false
		}
	}
	for {
		pkts, err := fc.conn.Read()
		var text *transport.TextError
		switch {
		case errors.As(err, &text):
			if !post(event{text: text.Text}) {
				return
			}
			continue
		case err != nil:
			post(event{gone: true})
			return
		}
		var b *tlv.Batch
		select {
		case b = <-fc.free:
		case <-ctx.Done():
			return
		}
		for _, p := range pkts {
			b.Append(p)
		}
		if !post(event{batch: b}) {
			return
		}
	}
}

// write sends what is queued, until the face is closed or its peer gone.
func (fc *face) write() {
	defer fc.conn.Close() // so that read ends too and tells the loop
	var b tlv.Batch
	for {
		select {
		case text := <-fc.text:
			if fc.conn.WriteText(text) != nil {
				return
			}
		case <-fc.out.Ready():
			if fc.out.Take(&b) != nil {
				return
			}
			if b.Len() == 0 {
				continue
			}
			if fc.conn.Write(&b) != nil {
				return
			}
		}
	}
}
