package client

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// brings wants the feed to have exactly these packets.
func (f *Feed) brings(t *testing.T, want ...[]byte) {
	t.Helper()
	synctest.Wait()
	samePackets(t, "the feed", all(t, f.receive), want)
}

func (f *Feed) receive(b *tlv.Batch) error {
	_, err := f.Receive(b)
	return err
}

// all is what there is to be received now, which may come in several parts.
func all(t testing.TB, receive func(*tlv.Batch) error) (pkts [][]byte) {
	t.Helper()
	for {
		var b tlv.Batch // of each part, as its packets are kept
		err := receive(&b)
		if err != nil && len(pkts) == 0 { // else it is the end behind them
			t.Errorf("Receive: %v", err)
		}
		if b.Len() == 0 {
			return pkts
		}
		for i := range b.Len() {
			pkts = append(pkts, b.Packet(i))
		}
	}
}

func samePackets(t testing.TB, what string, got, want [][]byte) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("%s: packet %d is %s, want %s", what, i, inWords(got[i]), inWords(want[i]))
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d packets, want %d", what, len(got), len(want))
	}
}

func TestFeed(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		one := c.Open(mustName(t, "ccnx:/a/Chunk=5"), mustName(t, "ccnx:/a"), mustName(t, "ccnx:/a/meta")) // one name twice
		two := c.Open(mustName(t, "ccnx:/a"))
		one.brings(t)
		var asked tlv.Batch
		for k := range uint64(3) {
			i := tlv.Interest{HopLimit: 1, Name: mustName(t, "ccnx:/a").WithChunk(k)}
			must(t, asked.Encode(i.AppendTo))
		}
		one.TrySend(&asked)
		fc := f.conn(0)
		fc.wants("Interest ccnx:/a/Chunk=0", "Interest ccnx:/a/Chunk=1", "Interest ccnx:/a/Chunk=2")
		d0, d1, bad := data(t, "ccnx:/a/Chunk=0", "0"), data(t, "ccnx:/a/Chunk=1", "1"), corrupt(data(t, "ccnx:/a/Chunk=7", "7"))
		returned := tlv.AppendReturn(nil, asked.Packet(2), tlv.ReturnNoRoute)
		meta := data(t, "ccnx:/a/meta/Chunk=0", "3")
		fc.send(d0, returned, data(t, "ccnx:/b/Chunk=0", ""), meta, data(t, "ccnx:/a/b", ""), bad, d1)
		one.brings(t, d0, returned, meta, bad, d1) // undecoded, whatever the chunk
		two.brings(t, d0, returned, bad, d1)
		if st := c.Stats(); st != (Stats{Unsolicited: 2}) {
			t.Errorf("%+v", st)
		}
		select { // a token where there may be something
		case <-one.Ready():
		default:
			t.Error("no token")
		}
		fc.send(d0)
		<-one.Ready()
		// An Express of that name gets it too.
		done := express(t.Context(), c, interest(t, "ccnx:/a/Chunk=1"))
		fc.send(d1)
		(<-done).answered(t, "1")
		one.brings(t, d0, d1)
		two.Close()
		two.Close()
		fc.send(d0)
		one.brings(t, d0)
		var b tlv.Batch
		for { // what had come before it was closed
			_, err := two.Receive(&b)
			if errors.Is(err, ErrClosed) && b.Len() == 0 {
				break
			}
			if err != nil || b.Len() == 0 {
				t.Fatalf("%d packets, %v", b.Len(), err)
			}
		}
		one.Close()
		fc.send(d0)
		synctest.Wait()
		if len(c.feeds) != 0 || c.Stats().Unsolicited != 3 {
			t.Errorf("%d names fed, %+v", len(c.feeds), c.Stats())
		}
	})
}

func TestFeedOfAClosedClient(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		feed := c.Open(mustName(t, "ccnx:/a"))
		d := data(t, "ccnx:/a/Chunk=0", "0")
		f.conn(0).send(d)
		synctest.Wait()
		c.Close()
		<-feed.Ready()
		feed.brings(t, d) // still
		var b tlv.Batch
		for _, g := range []*Feed{feed, c.Open(mustName(t, "ccnx:/a"))} {
			<-g.Ready()
			if _, err := g.Receive(&b); !errors.Is(err, ErrClosed) {
				t.Errorf("Receive: %v", err)
			}
			g.Close()
		}
	})
}

// TestFeedBound: what nobody receives is held up to a bound and lost beyond it, and
// holds up nobody.
func TestFeedBound(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		feed := c.Open(mustName(t, "ccnx:/a"))
		defer feed.Close()
		pkt := data(t, "ccnx:/a/Chunk=0", string(make([]byte, 60_000)))
		fc := f.conn(0)
		for range feedBytes/len(pkt) + 10 {
			fc.send(pkt)
		}
		must(t, c.Alive(t.Context()))
		if n := len(all(t, feed.receive)); n != feedBytes/len(pkt) {
			t.Errorf("%d packets, want %d", n, feedBytes/len(pkt))
		}
	})
}

// TestCloseIsPrompt though nobody receives, and may be called by several.
func TestCloseIsPrompt(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake) {
		c := f.connect()
		c.Open(mustName(t, "ccnx:/a"))
		start := time.Now()
		done := make(chan error)
		for range 3 {
			go func() { done <- c.Close() }()
		}
		for range 3 {
			must(t, <-done)
		}
		must(t, c.Close())
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %v", took)
		}
	})
}
