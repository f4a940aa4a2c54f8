package publish

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cefgo/cefgo/internal/digest"
	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Options of a [Publisher].
type Options struct {
	// Blocks are the block sizes that a version can be read in, in bytes; the first is
	// that of the chunks under the plain name. Default is object.DefaultBlock.
	Blocks []int
	// CacheTime and Expiry are stated in every chunk, VersionCacheTime in place of
	// CacheTime in what never changes. 0: not stated.
	CacheTime, VersionCacheTime, Expiry time.Duration
	Sum                                 object.Sum
	Rate                                float64 // bits per second; 0: as fast as asked
	// Digests compute what manifests tell; nil: there are no manifests.
	Digests *digest.Pool
	// Sign, where set, signs manifests; see manifest.Manifest.Encode.
	Sign func(message []byte) (manifest.Signature, error)
	Log  *slog.Logger
}

// Counters of a publisher, for others to read while it runs.
type Counters struct {
	Interests, Data, Bytes atomic.Uint64
	NotFound, Failed       atomic.Uint64 // Interests for no file; for one that could not be read
}

// Publisher answers Interests for the files of a tree.
type Publisher struct {
	o      Options
	tree   *Tree
	count  Counters
	pace   pacer
	buf    []byte
	round  uint64          // of Interests taken at once
	failed map[string]bool // names whose trouble was logged
	rescan chan struct{}
	memo   memo
	parked parked
	list   *lister // while Serve runs, where there are manifests
	lists  lists
	forget *time.Timer // see forgets
}

// New returns a publisher of tree.
func New(tree *Tree, o Options) *Publisher {
	if len(o.Blocks) == 0 {
		o.Blocks = []int{object.DefaultBlock}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Publisher{
		o: o, tree: tree, pace: pacer{rate: o.Rate},
		buf:    make([]byte, slices.Max(o.Blocks)),
		failed: make(map[string]bool),
		rescan: make(chan struct{}, 1),
	}
}

// Counters returns p's counters.
func (p *Publisher) Counters() *Counters { return &p.count }

// Rescan makes p look at every file anew. It may be called from any goroutine.
func (p *Publisher) Rescan() {
	select {
	case p.rescan <- struct{}{}:
	default:
	}
}

// sendBytes is how much Data goes to the outlet at once at most.
const sendBytes = 128 << 10

// Serve answers what comes from in until ctx ends (then its cause is returned) or
// in or out fails. Memory does not grow with what is served.
func (p *Publisher) Serve(ctx context.Context, in Inlet, out Outlet) error {
	if p.o.Digests != nil {
		p.list, p.lists = newLister(p.tree, &p.o), lists{asked: make(map[string]bool)}
		defer func() { p.list.close(); p.list = nil }()
	}
	var asked, data tlv.Batch
	batch := p.pace.batch(sendBytes)
	for {
		if err := in.Receive(&asked); err != nil {
			return err
		}
		p.round++
		for i := range asked.Len() {
			p.answer(asked.Packet(i), &data, time.Now())
			if data.Size() >= batch {
				if err := p.flush(ctx, &data, out); err != nil {
					return err
				}
			}
		}
		if err := p.flush(ctx, &data, out); err != nil {
			return err
		}
		select {
		case <-in.Ready():
		case <-p.digested():
			p.takeDigests(&data, time.Now())
		case <-p.listed():
			p.takeLists(&data, time.Now())
		case <-p.parked.timer(time.Now()):
			p.unpark(&data, time.Now())
		case <-p.forgets(time.Now()):
			p.tree.dropForgotten(time.Now())
		case <-p.rescan:
			p.tree.Rescan()
			clear(p.failed)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// forgets fires when a file that was kept for its readers has been kept for long enough.
func (p *Publisher) forgets(now time.Time) <-chan time.Time {
	in, ok := p.tree.forgetIn(now)
	if !ok {
		return nil
	}
	if p.forget == nil {
		p.forget = time.NewTimer(in)
	}
	p.forget.Reset(in)
	return p.forget.C
}

func (p *Publisher) flush(ctx context.Context, data *tlv.Batch, out Outlet) error {
	if data.Len() == 0 {
		return nil
	}
	if err := p.pace.wait(ctx, data.Size()); err != nil {
		return err
	}
	err := out.Send(ctx, data)
	data.Reset(4 * sendBytes)
	return err
}

// put encodes one packet into data.
func (p *Publisher) put(data *tlv.Batch, encode func([]byte) ([]byte, error)) {
	if err := data.Encode(encode); err != nil {
		p.count.Failed.Add(1)
		p.o.Log.Warn("answer does not encode", "err", err)
		return
	}
	p.count.Data.Add(1)
}
