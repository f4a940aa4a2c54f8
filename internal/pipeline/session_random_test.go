package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/testnet"
	"github.com/cefgo/cefgo/internal/tlv"
)

// oneOfMany is a fetch of a session: of one of its contents, a range of it, begun and perhaps
// cancelled at some time.
type oneOfMany struct {
	content     int
	first, last uint64
	begin       time.Duration
	cancel      time.Duration // 0: never
}

func drawMany(t *rapid.T, chunks []uint64) (many []oneOfMany) {
	for range rapid.IntRange(1, 8).Draw(t, "fetches") {
		x := oneOfMany{content: rapid.IntRange(0, len(chunks)-1).Draw(t, "content")}
		x.first = rapid.Uint64Range(0, chunks[x.content]-1).Draw(t, "first")
		x.last = rapid.Uint64Range(x.first, chunks[x.content]-1).Draw(t, "last")
		x.begin = drawTime(t, "begin", 500*ms)
		if sometimes(t, "cancelled?") {
			x.cancel = ms + drawTime(t, "cancel", 500*ms)
		}
		many = append(many, x)
	}
	return many
}

// Whatever fetches share a session, of the same names or others, and whichever of them
// are cancelled: each of the others gets all that it asked for, and in the end nothing
// is wanted and nothing in flight.
func TestAnySession(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		chunks := rapid.SliceOfN(rapid.Uint64Range(1, 300), 1, 3).Draw(rt, "chunks")
		cfg := testnet.Config{Up: drawImpairment(rt, "up"), Down: drawImpairment(rt, "down")}
		for _, im := range []*testnet.Impairment{&cfg.Up, &cfg.Down} {
			im.Loss, im.LossBurst, im.Truncate, im.Rate = min(im.Loss, 0.1), 0, 0, 0
		}
		p := Path{CC: rapid.SampledFrom(congestion.Kinds).Draw(rt, "control"), Window: rapid.IntRange(0, 100).Draw(rt, "window")}
		restart := drawTime(rt, "restart", time.Second)
		many := drawMany(rt, chunks)
		var mu sync.Mutex // protects wrong
		var wrong []string
		synctest.Test(t, func(t *testing.T) {
			f := newFarm(t, cfg, p, chunks...)
			time.AfterFunc(restart, func() { f.net.Restart(100 * ms) })
			for _, x := range many {
				f.wg.Go(func() {
					if err := x.run(t.Context(), f); err != nil {
						mu.Lock()
						defer mu.Unlock()
						wrong = append(wrong, fmt.Sprintf("%+v: %v", x, err))
					}
				})
			}
			f.close()
		})
		for _, w := range wrong {
			rt.Error(w)
		}
	})
}

// run fetches as x says, and returns what is wrong with the outcome.
func (x oneOfMany) run(ctx context.Context, f *farm) error {
	cause := errors.New("enough")
	time.Sleep(x.begin)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if x.cancel > 0 {
		time.AfterFunc(x.cancel, func() { cancel(cause) })
	}
	v := f.contents[x.content].Verify(x.first)
	start := time.Now()
	r, err := f.session.Fetch(ctx, f.contents[x.content].Name, v, Options{First: x.first, Last: tlv.Some(x.last)})
	end := x.first*256 + r.Bytes
	switch {
	case v.At() != end:
		return fmt.Errorf("%d bytes counted, written to %d", r.Bytes, v.At())
	case err == cause && x.cancel > 0 && time.Since(start) == x.cancel:
		return nil
	case err != nil:
		return err
	case end != (x.last+1)*256:
		return fmt.Errorf("no error, but only %d bytes", r.Bytes)
	}
	return nil
}
