package plot

import (
	"container/heap"
	"iter"
	"math"
	"math/rand/v2"
	"time"

	"github.com/cefgo/cefgo/internal/trace"
)

// sim is a fetch through one queue, good enough to make traces that look like real
// ones: a cubic window, losses where the queue is full, an outage if asked for.
type sim struct {
	chunks            int
	rate              float64 // bytes per second
	rtt               time.Duration
	queue             time.Duration // the longest wait in it
	outage, outageEnd time.Duration
	random            float64 // part of all that is lost
	names             []string
}

const chunkSize = 4096

// answer is an Interest's, on its way.
type answer struct {
	at, sent time.Duration
	chunk    uint64
	kind     trace.Type
	again    bool
}

type answers []answer

func (a answers) Len() int           { return len(a) }
func (a answers) Less(i, j int) bool { return a[i].at < a[j].at }
func (a answers) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *answers) Push(x any)        { *a = append(*a, x.(answer)) }
func (a *answers) Pop() any          { x := (*a)[len(*a)-1]; *a = (*a)[:len(*a)-1]; return x }

// run yields the events of the fetch.
func (s sim) run() iter.Seq2[trace.Event, error] {
	return func(yield func(trace.Event, error) bool) {
		rnd := rand.New(rand.NewPCG(1, 2))
		var (
			coming             answers
			again              []uint64
			now, free, backoff time.Duration
			next               uint64
			window, wmax       = 4.0, 0.0
			epoch              time.Duration
			slowStart, silent  = true, false
			srtt               time.Duration
			got                int
		)
		tell := func(e trace.Event) bool {
			e.At, e.Window, e.InFlight, e.SRTT = now, window, len(coming), srtt
			return yield(e, nil)
		}
		send := func(chunk uint64, re bool) {
			a := answer{sent: now, chunk: chunk, kind: trace.Data, again: re}
			wait := max(free-now, 0)
			switch {
			case now >= s.outage && now < s.outageEnd:
				a.kind, a.at = trace.Timeout, now+max(3*srtt, 200*time.Millisecond)
			case wait > s.queue || rnd.Float64() < s.random:
				a.kind, a.at = trace.Lost, now+wait+s.rtt+time.Millisecond
				if rnd.IntN(8) == 0 {
					a.kind = trace.Return
				}
			default:
				free = max(free, now) + time.Duration(chunkSize/s.rate*1e9)
				a.at = free + s.rtt + time.Duration(rnd.ExpFloat64()*float64(s.rtt)/60)
			}
			heap.Push(&coming, a)
		}
		for i, n := range s.names {
			if !yield(trace.Event{Type: trace.Start, Fetch: i, Name: n, CC: "cubic", Window: window}, nil) {
				return
			}
		}
		for got < s.chunks {
			allowed := int(window)
			if silent {
				allowed = 1
			}
			for len(coming) < allowed && (len(again) > 0 || int(next) < s.chunks) {
				if len(again) > 0 {
					send(again[0], true)
					again = again[1:]
				} else {
					send(next, false)
					next++
				}
			}
			a := heap.Pop(&coming).(answer)
			now = a.at
			ok := true
			switch a.kind {
			case trace.Data:
				if silent {
					silent = false
					ok = tell(trace.Event{Type: trace.Relink})
				}
				got++
				rtt := now - a.sent
				e := trace.Event{Type: trace.Data, Chunk: a.chunk, Size: chunkSize, Fetch: int(a.chunk) % len(s.names)}
				if !a.again {
					e.RTT = rtt
					if srtt == 0 {
						srtt = rtt
					}
					srtt += (rtt - srtt) / 8
				}
				if slowStart {
					window++
				} else {
					k := math.Cbrt(wmax * 0.3 / 0.4)
					t := (now - epoch).Seconds()
					window = max(wmax+0.4*20*math.Pow(t-k/2.7, 3), wmax*0.7, 2)
				}
				ok = ok && tell(e)
			case trace.Return:
				again = append(again, a.chunk)
				ok = tell(trace.Event{Type: trace.Return, Chunk: a.chunk, Code: 3})
			default:
				again = append(again, a.chunk)
				if now-epoch > srtt && now >= backoff {
					wmax, epoch, slowStart = window, now, false
					window = max(window*0.7, 2)
					backoff = now + 2*srtt
				}
				if a.kind == trace.Timeout && !silent {
					silent, window = true, max(window/2, 2)
					ok = tell(trace.Event{Type: trace.Silence})
				}
				ok = ok && tell(trace.Event{Type: a.kind, Chunk: a.chunk})
				if ok && a.kind == trace.Lost && rnd.IntN(40) == 0 {
					ok = tell(trace.Event{Type: trace.Spurious, Chunk: a.chunk})
				}
			}
			if !ok {
				return
			}
		}
		for i := range s.names {
			if !yield(trace.Event{Type: trace.End, At: now, Fetch: i}, nil) {
				return
			}
		}
	}
}

var (
	sawtooth = sim{chunks: 60_000, rate: 100e6 / 8, rtt: 20 * time.Millisecond, queue: 25 * time.Millisecond, names: []string{"ccnx:/demo/video.mp4"}}
	outage   = sim{
		chunks: 20_000, rate: 50e6 / 8, rtt: 40 * time.Millisecond, queue: 30 * time.Millisecond, random: 0.0005,
		outage: 4 * time.Second, outageEnd: 6 * time.Second, names: []string{"ccnx:/demo/a", "ccnx:/demo/b"},
	}
	short = sim{chunks: 120, rate: 20e6 / 8, rtt: 5 * time.Millisecond, queue: 10 * time.Millisecond, names: []string{"ccnx:/demo/README.md"}}
)
