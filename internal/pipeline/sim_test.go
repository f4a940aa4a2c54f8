package pipeline

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/testnet"
	"github.com/cefgo/cefgo/internal/tlv"
)

// benching is for the full tables of the simulated paths, which take minutes:
//
//	CEFGO_BENCH=1 go test -v -run 'TestLongPath|TestFairness|TestPathChanges' ./internal/pipeline
//
// Otherwise some of their cells are simulated for a shorter time. Both hold them
// against the same bars.
var benching = os.Getenv("CEFGO_BENCH") == "1"

// simulated is a testnet.Consumer as a Link.
type simulated struct{ *testnet.Consumer }

func (simulated) Want(...tlv.Name)   {}
func (simulated) Forget(...tlv.Name) {}

// TrySend keeps cancels to itself: a producer sees no use in them, and nobody is to count
// them as Interests.
func (s simulated) TrySend(b *tlv.Batch) {
	if !anyCancel(b) {
		s.Consumer.TrySend(b)
		return
	}
	var asks tlv.Batch
	asks.Reset(1 << 20)
	for i := range b.Len() {
		if !isCancel(b.Packet(i)) {
			asks.Append(b.Packet(i))
		}
	}
	s.Consumer.TrySend(&asks)
}

func anyCancel(b *tlv.Batch) bool {
	for i := range b.Len() {
		if isCancel(b.Packet(i)) {
			return true
		}
	}
	return false
}

func isCancel(pkt []byte) bool {
	var i tlv.Interest
	return i.Decode(pkt) == nil && i.Lifetime == tlv.CancelLifetime
}

// meter is a writer that knows how many of the right bytes came when.
type meter struct {
	*testnet.Verifier
	start time.Time
	tick  time.Duration
	bins  []int // bytes in each tick
}

func newMeter(c *testnet.Content, tick time.Duration) *meter {
	return &meter{Verifier: c.Verify(0), start: time.Now(), tick: tick}
}

func (m *meter) Write(p []byte) (int, error) {
	bin := int(time.Since(m.start) / m.tick)
	for len(m.bins) <= bin {
		m.bins = append(m.bins, 0)
	}
	n, err := m.Verifier.Write(p)
	m.bins[bin] += n
	return n, err
}

// rate is the bits a second written from one time to another.
func (m *meter) rate(from, to time.Duration) float64 {
	sum := 0
	for i := int(from / m.tick); i < min(int(to/m.tick), len(m.bins)); i++ {
		sum += m.bins[i]
	}
	return float64(sum) * 8 / (to - from).Seconds()
}

const mbit = testnet.Mbit

// linkRate is the rate of the long path in bits a second.
func linkRate() testnet.BitRate {
	if raced {
		return 20 * mbit
	}
	return 100 * mbit
}

// longPath is 100 Mbit/s with a round trip of 50 ms and a queue for 50 ms.
func longPath() testnet.Config {
	rate := linkRate()
	return testnet.Config{
		Seed: 1,
		Up:   testnet.Impairment{Delay: 25 * ms},
		Down: testnet.Impairment{Delay: 25 * ms, Rate: rate, Queue: int(rate / 8 / 20)},
	}
}

// endless is a content that no test reaches the end of.
func endless(t testing.TB, name string) *testnet.Content {
	return testnet.NewContent(mustName(t, name), 1<<30, 1024)
}

// wireShare is the share of a Data packet that is payload.
func wireShare(c *testnet.Content) float64 {
	return float64(c.Block) / float64(len(c.Data(1<<20)))
}

// payloadRate is the bits of payload that a link of that rate brings a second.
func payloadRate(c *testnet.Content, rate testnet.BitRate) float64 {
	return float64(rate) * wireShare(c)
}

var errEnough = errors.New("measured")

// fetchFor fetches c over the network for a time.
func fetchFor(t *testing.T, link Link, c *testnet.Content, p Path, d time.Duration) (*meter, Result) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, errEnough)
	defer cancel()
	s := NewSession(link, p)
	defer s.Close()
	m := newMeter(c, 10*ms)
	r, err := s.Fetch(ctx, c.Name, m, Options{Last: tlv.Some[uint64](1<<30 - 2)})
	if err != errEnough {
		t.Errorf("%s: %v", p.CC, err)
	}
	return m, r
}

// table is what a benchmark prints, in Markdown: its first row is the heading.
type table [][]string

func (rows *table) add(cells ...string) { *rows = append(*rows, cells) }

// log prints the table, where it is asked for.
func (rows table) log(t *testing.T, title string) {
	if !benching {
		return
	}
	var b strings.Builder
	b.WriteString(title + "\n\n")
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(row)) + "|\n")
		}
	}
	t.Log(b.String())
}
