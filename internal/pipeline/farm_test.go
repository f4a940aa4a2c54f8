package pipeline

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/testnet"
	"github.com/cefgo/cefgo/internal/tlv"
)

// farm is a session to a producer of several contents, with a ledger for its link.
type farm struct {
	t        *testing.T
	net      *testnet.Network
	contents []*testnet.Content
	ledger   *ledger
	session  *Session
	silent   func(i int, at time.Duration) bool // content i is not answered; nil: none
	start    time.Time
	wg       sync.WaitGroup
}

// newFarm makes contents of so many chunks each, at most 256 bytes long. It is to be
// closed.
func newFarm(t *testing.T, cfg testnet.Config, p Path, chunks ...uint64) *farm {
	f := &farm{t: t, start: time.Now()}
	for i, n := range chunks {
		f.contents = append(f.contents, testnet.NewContent(mustName(t, fmt.Sprintf("ccnx:/demo/%d", i)), n, 256))
	}
	if cfg.Producer == nil {
		cfg.Producer = f.serve
	}
	f.net = testnet.NewNetwork(cfg)
	f.ledger = &ledger{simulated: simulated{f.net.Consumer(testnet.ConsumerConfig{})}, t: t, wanted: map[string]bool{}, asked: map[string]int{}}
	f.session = NewSession(f.ledger, p)
	return f
}

// serve answers for all contents.
func (f *farm) serve(r *testnet.Request) {
	for i, c := range f.contents {
		if f.silent == nil || !f.silent(i, r.At.Sub(f.start)) {
			c.Serve(r)
		}
	}
}

// fetched is one fetch of a farm.
type fetched struct {
	*testnet.Verifier
	Result
	Counters
	err  error
	took time.Duration
}

// fetch begins to fetch content i.
func (f *farm) fetch(ctx context.Context, i int, o Options) *fetched {
	x := &fetched{Verifier: f.contents[i].Verify(o.First)}
	o.Counters = &x.Counters
	f.wg.Go(func() {
		start := time.Now()
		x.Result, x.err = f.session.Fetch(ctx, f.contents[i].Name, x, o)
		x.took = time.Since(start)
	})
	return x
}

// wantWhole fails unless all of the content has come.
func (x *fetched) wantWhole(t *testing.T, what string) {
	t.Helper()
	if x.err != nil || x.Done() != nil {
		t.Errorf("%s: error %v; %v", what, x.err, x.Done())
	}
}

// close waits for the fetches and closes the session, and then holds the ledger
// against what a session promises.
func (f *farm) close() {
	f.t.Helper()
	f.wg.Wait()
	f.session.Close()
	for name := range f.ledger.wanted {
		f.t.Errorf("%x is wanted still", name)
	}
	if f.session.path.flying != 0 {
		f.t.Errorf("%d in flight after all", f.session.path.flying)
	}
}

// ledger is a link that knows which names are wanted, how often each chunk was asked
// for and how many Interests wait for an answer.
type ledger struct {
	simulated
	t      *testing.T
	wanted map[string]bool // by the session's goroutine alone, until it is closed
	asked  map[string]int
	wants  int
	open   int // asked and not answered; it knows of no loss
	most   int
}

func (l *ledger) Want(names ...tlv.Name) {
	for _, n := range names {
		if _, ok := n.Chunk(); ok || l.wanted[string(n.Bytes())] {
			l.t.Errorf("%v is wanted twice, or with a chunk", n)
		}
		l.wanted[string(n.Bytes())] = true
		l.wants++
	}
}

func (l *ledger) Forget(names ...tlv.Name) {
	for _, n := range names {
		if !l.wanted[string(n.Bytes())] {
			l.t.Errorf("%v is forgotten, but was not wanted", n)
		}
		delete(l.wanted, string(n.Bytes()))
	}
}

func (l *ledger) TrySend(b *tlv.Batch) {
	for i := range b.Len() {
		_, name, err := tlv.PeekName(b.Packet(i))
		if err != nil || !l.wanted[string(name.WithoutChunk().Bytes())] {
			l.t.Errorf("%v is asked for and not wanted (%v)", name, err)
		}
		l.asked[string(name.Bytes())]++
		l.open++
	}
	l.most = max(l.most, l.open)
	l.simulated.TrySend(b)
}

func (l *ledger) Receive(b *tlv.Batch) (bool, error) {
	relinked, err := l.simulated.Receive(b)
	l.open -= b.Len()
	return relinked, err
}
