package pipeline

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// queueLink is a link whose answers come after 5 ms, each for itself, through the queue
// that a client has: Receive brings them batch by batch.
type queueLink struct {
	t    *testing.T
	name tlv.Name
	p    producer
	q    *transport.Queue
}

func (l *queueLink) Want(...tlv.Name)       {}
func (l *queueLink) Forget(...tlv.Name)     {}
func (l *queueLink) Ready() <-chan struct{} { return l.q.Ready() }

func (l *queueLink) TrySend(b *tlv.Batch) {
	var answers []*tlv.Batch
	for k := range b.Len() {
		var i tlv.Interest
		if i.Decode(bytes.Clone(b.Packet(k))) != nil || !i.Name.WithoutChunk().Equal(l.name) {
			continue // the meta, which there is none of
		}
		chunk, _ := i.Name.Chunk()
		o := l.p.object(i.Name.WithoutChunk(), chunk)
		answer := new(tlv.Batch)
		if err := answer.Encode(o.AppendTo); err != nil {
			l.t.Error(err)
		}
		answers = append(answers, answer)
	}
	time.AfterFunc(5*time.Millisecond, func() {
		for _, a := range answers {
			l.q.TryTake(a)
		}
	})
}

func (l *queueLink) Receive(b *tlv.Batch) (bool, error) { return false, l.q.Take(b) }

// stalling is a writer that pauses for longer than any timer, again and again.
type stalling struct {
	bytes.Buffer
	n int
}

func (w *stalling) Write(p []byte) (int, error) {
	if w.n++; w.n%500 == 0 {
		time.Sleep(300 * time.Millisecond)
	}
	return w.Buffer.Write(p)
}

// TestWaitingAnswersAreNotLate: what has arrived while the session was held up is not
// asked for again, in how many batches ever it has.
func TestWaitingAnswersAreNotLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := random(3, 4000*1024)
		name := mustName(t, "ccnx:/a")
		s := NewSession(&queueLink{t, name, split(content, 1024), transport.NewQueue(32 << 20)}, Path{})
		defer s.Close()
		var w stalling
		r, err := s.Fetch(t.Context(), name, &w, Options{})
		if err != nil || !bytes.Equal(w.Bytes(), content) {
			t.Fatalf("%d bytes, %v", w.Len(), err)
		}
		if r.Stats.Retransmits > 0 || r.Stats.Spurious > 0 {
			t.Errorf("%d Interests sent again, %d losses that were none", r.Stats.Retransmits, r.Stats.Spurious)
		}
	})
}
