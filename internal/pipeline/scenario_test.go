package pipeline

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/testnet"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/trace"
)

// anyPath is a fetch of any content over any simulated path.
type anyPath struct {
	net     testnet.Config
	socket  int
	faults  []fault
	chunks  uint64
	block   int
	stop    uint64 // the first chunk that the producer does not answer
	endTold bool
	path    Path
	o       Options
}

// fault is something that happens to the path for a time.
type fault struct {
	at, gone time.Duration
	restart  bool // of the forwarder; otherwise nothing passes
}

// drawPath draws a fetch, most often over a path with few of the possible faults.
func drawPath(t *rapid.T) *anyPath {
	c := &anyPath{
		chunks: rapid.Uint64Range(1, 1200).Draw(t, "chunks"), block: rapid.IntRange(1, 1500).Draw(t, "block"),
		endTold: rapid.IntRange(0, 3).Draw(t, "end told") > 0,
	}
	c.net.Seed = rapid.Uint64().Draw(t, "seed")
	c.net.Up, c.net.Down = drawImpairment(t, "up"), drawImpairment(t, "down")
	if sometimes(t, "socket?") {
		c.socket = rapid.IntRange(1, 200).Draw(t, "socket")
	}
	for sometimes(t, "fault?") && len(c.faults) < 3 {
		c.faults = append(c.faults, fault{drawTime(t, "at", 3*time.Second), drawTime(t, "gone", 5*time.Second), rapid.Bool().Draw(t, "restart")})
	}
	c.stop = c.chunks
	if sometimes(t, "stops?") {
		c.stop = rapid.Uint64Range(0, c.chunks-1).Draw(t, "stop")
	}
	c.path.Window = rapid.IntRange(0, 200).Draw(t, "window")
	if sometimes(t, "max?") {
		c.path.Max = rapid.IntRange(1, 300).Draw(t, "max")
	}
	if sometimes(t, "expect?") {
		n := rapid.IntRange(0, 200).Draw(t, "expect")
		c.path.Expect = func(int) int { return n }
	}
	if !c.endTold {
		c.o.Last = tlv.Some(c.chunks - 1)
	}
	c.o.Timeout, c.o.Stall = 4*time.Second, 6*time.Second
	if sometimes(t, "deadline?") {
		c.o.Deadline = drawTime(t, "deadline", 10*time.Second) + ms
	}
	return c
}

// sometimes is true in one of six cases.
func sometimes(t *rapid.T, label string) bool { return rapid.IntRange(0, 5).Draw(t, label) == 5 }

// drawTime draws whole milliseconds.
func drawTime(t *rapid.T, label string, most time.Duration) time.Duration {
	return time.Duration(rapid.Int64Range(0, int64(most/ms)).Draw(t, label)) * ms
}

func drawImpairment(t *rapid.T, way string) testnet.Impairment {
	im := testnet.Impairment{Delay: ms + drawTime(t, way+" delay", 150*ms)}
	if rapid.Bool().Draw(t, way+" rate?") {
		im.Rate = testnet.BitRate(rapid.Int64Range(200, 100_000).Draw(t, way+" rate")) * testnet.Kbit
		im.Queue = rapid.IntRange(0, 100_000).Draw(t, way+" queue")
	}
	if rapid.Bool().Draw(t, way+" loss?") {
		im.Loss = rapid.SampledFrom([]float64{0.001, 0.01, 0.03, 0.1, 0.4}).Draw(t, way+" loss")
		if sometimes(t, way+" burst?") {
			im.LossBurst = float64(rapid.IntRange(2, 20).Draw(t, way+" burst"))
		}
	}
	if sometimes(t, way+" jitter?") {
		im.Jitter = drawTime(t, way+" jitter", 100*ms)
	}
	if sometimes(t, way+" reorder?") {
		im.Reorder, im.ReorderBy = rapid.Float64Range(0.001, 0.5).Draw(t, way+" reorder"), ms+drawTime(t, way+" by", 100*ms)
	}
	if sometimes(t, way+" duplicate?") {
		im.Duplicate = rapid.Float64Range(0, 0.5).Draw(t, way+" duplicate")
	}
	if sometimes(t, way+" truncate?") {
		im.Truncate = rapid.Float64Range(0, 0.6).Draw(t, way+" truncate")
	}
	return im
}

// outcome is what came of a fetch.
type outcome struct {
	Result
	err      error
	missing  error // what is not written of the content
	written  uint64
	lastData time.Duration // when the latest new chunk came; 0: none
	took     time.Duration
	consumer testnet.ConsumerCounters
	up, down testnet.Counters
}

// run fetches once.
func (c *anyPath) run(t *testing.T) (out outcome) {
	synctest.Test(t, func(t *testing.T) {
		content := testnet.NewContent(mustName(t, "ccnx:/demo/any"), c.chunks, c.block)
		if !c.endTold {
			content.Object.EndChunk.OK = false
		}
		cfg := c.net
		cfg.Producer = func(r *testnet.Request) {
			if k, ok := r.Chunk(); ok && k < c.stop {
				content.Serve(r)
			}
		}
		n := testnet.NewNetwork(cfg)
		c.schedule(n)
		consumer := n.Consumer(testnet.ConsumerConfig{Socket: c.socket})
		p := c.path
		p.Trace = func(e trace.Event) {
			if e.Type == trace.Data {
				out.lastData = e.At
			}
		}
		v := content.Verify(0)
		s := NewSession(simulated{consumer}, p)
		start := time.Now()
		out.Result, out.err = s.Fetch(context.Background(), content.Name, v, c.o)
		out.took = time.Since(start)
		s.Close()
		out.missing, out.written = v.Done(), v.At()
		out.up, out.down = n.Counters()
		out.consumer = consumer.Counters()
	})
	return out
}

// schedule makes the faults happen.
func (c *anyPath) schedule(n *testnet.Network) {
	for _, f := range c.faults {
		time.AfterFunc(f.at, func() {
			if f.restart {
				n.Restart(f.gone)
				return
			}
			gone := c.net.Down
			gone.Down = true
			n.SetDown(gone)
			time.AfterFunc(f.gone, func() { n.SetDown(c.net.Down) })
		})
	}
}

// laws hold for every fetch.
func (c *anyPath) laws(out outcome) error {
	const slack = 2 * ms
	var write *WriteError
	s := out.Stats
	switch {
	case out.err == nil && out.missing != nil:
		return fmt.Errorf("no error, but %w", out.missing)
	case errors.As(out.err, &write):
		return fmt.Errorf("wrong bytes: %w", out.err)
	case out.written != out.Bytes || out.Bytes != out.Result.Chunks*uint64(c.block):
		return fmt.Errorf("%d bytes written, %d counted in %d chunks", out.written, out.Bytes, out.Result.Chunks)
	case out.took != out.Duration:
		return fmt.Errorf("it took %v and says %v", out.took, out.Duration)
	case out.lastData == 0 && out.took > c.o.Timeout+slack:
		return fmt.Errorf("nothing for %v, beyond the timeout", out.took)
	case out.took-max(out.lastData, c.o.Timeout) > c.o.Stall+slack:
		return fmt.Errorf("nothing since %v, but it took %v", out.lastData, out.took)
	case c.o.Deadline > 0 && out.took > c.o.Deadline+slack:
		return fmt.Errorf("it took %v, beyond the deadline of %v", out.took, c.o.Deadline)
	case s.Interests != out.consumer.Sent:
		return fmt.Errorf("%d Interests sent, %d counted", out.consumer.Sent, s.Interests)
	case s.Retransmits >= s.Interests || s.Spurious > s.Retransmits+s.Lost+s.Timeouts:
		return fmt.Errorf("%d Interests, %d again, %d lost, %d timeouts, %d spurious", s.Interests, s.Retransmits, s.Lost, s.Timeouts, s.Spurious)
	}
	return c.reason(out)
}

// reason reports an error that there was no reason for.
func (c *anyPath) reason(out outcome) error {
	if out.err == nil {
		return nil
	}
	waited := out.took - out.lastData
	var partial *PartialError
	var corrupt *IntegrityError
	switch {
	case errors.Is(out.err, ErrTimeout):
		if out.lastData != 0 || c.o.Deadline == 0 && waited < c.o.Timeout {
			return fmt.Errorf("%v after %v, though there were Data at %v", out.err, out.took, out.lastData)
		}
	case errors.As(out.err, &partial):
		patient := waited >= c.o.Stall || c.o.Deadline > 0 && out.took >= c.o.Deadline
		if !patient || partial.Missing != out.Result.Chunks || partial.Have < partial.Missing || partial.Have > c.stop {
			return fmt.Errorf("%v after %v, the latest Data at %v, %d chunks written", out.err, out.took, out.lastData, out.Result.Chunks)
		}
	case errors.As(out.err, &corrupt):
		if c.net.Up.Truncate+c.net.Down.Truncate == 0 {
			return fmt.Errorf("%v, but nothing was cut", out.err)
		}
	default:
		return fmt.Errorf("an error of no known kind: %T %w", out.err, out.err)
	}
	if c.calm() && out.down.Overflow+out.up.Overflow == 0 {
		return fmt.Errorf("%w, on a path with few faults", out.err)
	}
	return nil
}

// calm reports whether nothing on the path keeps a fetch from its end. Bursts of loss
// do: they are so many packets long, which can be all probes of a minute.
func (c *anyPath) calm() bool {
	u, d := &c.net.Up, &c.net.Down
	random := u.Loss+d.Loss <= 0.05 && (u.Loss == 0 || u.LossBurst <= 1) && (d.Loss == 0 || d.LossBurst <= 1)
	return random && u.Truncate+d.Truncate == 0 && c.o.Deadline == 0 && len(c.faults) == 0 && c.stop == c.chunks && c.socket == 0
}

// inOrder reports whether the path keeps the order and doubles nothing.
func (c *anyPath) inOrder() bool {
	u, d := &c.net.Up, &c.net.Down
	return u.Reorder+d.Reorder+u.Duplicate+d.Duplicate == 0
}

// Whatever the path does, a fetch ends in its time, with all bytes or with an error
// that says why; and it asks for little that it does not need.
func TestAnyPath(t *testing.T) {
	for _, cc := range congestion.Kinds {
		t.Run(string(cc), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				c := drawPath(rt)
				c.path.CC = cc
				out := c.run(t)
				if err := c.laws(out); err != nil {
					rt.Fatal(err)
				}
				if err := c.thrift(out); err != nil {
					rt.Fatal(err)
				}
			})
		})
	}
}

// thrift holds for a fetch that got all, with few losses and nothing out of order.
func (c *anyPath) thrift(out outcome) error {
	if out.err != nil || !c.calm() || !c.inOrder() || out.up.Overflow+out.down.Overflow > 0 {
		return nil
	}
	if s := out.Stats; float64(s.Interests) > 1.5*float64(c.chunks)+40 {
		return fmt.Errorf("%d Interests for %d chunks; %d silences, %d by order, %d by timer, %d spurious", s.Interests, c.chunks, s.Silences, s.Lost, s.Timeouts, s.Spurious)
	}
	return nil
}
