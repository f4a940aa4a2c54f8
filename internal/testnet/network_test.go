package testnet

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

func demo(t testing.TB, chunks uint64, block int) *Content {
	t.Helper()
	return NewContent(mustName(t, "ccnx:/demo/file"), chunks, block)
}

// delay is a link that does nothing else.
func delay(d time.Duration) Impairment { return Impairment{Delay: d} }

const ms = time.Millisecond

// ask sends Interests for chunks of the content.
func ask(t testing.TB, c *Consumer, content *Content, chunks ...uint64) {
	t.Helper()
	f := newFetcher(t, c, content, 0)
	for _, k := range chunks {
		f.ask(k)
	}
	f.send()
}

// receive takes what has arrived at c, and returns the chunks' numbers; a packet that
// is not whole is -1.
func receive(t testing.TB, c *Consumer) (chunks []int, relinked bool) {
	t.Helper()
	var b tlv.Batch
	relinked, err := c.Receive(&b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Len() {
		var o tlv.Object
		if o.Decode(b.Packet(i)) != nil || o.Validation.Check() != nil {
			chunks = append(chunks, -1)
			continue
		}
		k, _ := o.Name.Chunk()
		chunks = append(chunks, int(k))
	}
	return chunks, relinked
}

// wantTime fails the test unless d has passed since start.
func wantTime(t testing.TB, start time.Time, d time.Duration) {
	t.Helper()
	if got := time.Since(start); got != d {
		t.Errorf("%v have passed, want %v", got, d)
	}
}

// wire is the length of chunks first to last as Data packets, in bytes.
func wire(c *Content, first, last uint64) (sum int) {
	for k := first; k <= last; k++ {
		sum += len(c.Data(k))
	}
	return sum
}

// A fetch over a link of a rate takes the time of the packets' bits and one round trip.
func TestNetworkThroughput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const chunks = 2000
		content := demo(t, chunks, 1024)
		down := delay(10 * ms)
		down.Rate = 8 * Mbit // a byte takes 1 µs
		n := NewNetwork(Config{Producer: content.Serve, Up: delay(10 * ms), Down: down})
		f := newFetcher(t, n.Consumer(ConsumerConfig{}), content, 100)
		v, start := content.Verify(0), time.Now()
		f.run(v)
		wantTime(t, start, 20*ms+time.Duration(wire(content, 0, chunks-1))*time.Microsecond)
		if err := v.Done(); err != nil || f.resent > 0 {
			t.Errorf("%v, %d sent again", err, f.resent)
		}
		up, dn := n.Counters()
		all := Counters{Offered: chunks, Delivered: chunks}
		if up != all {
			t.Errorf("up: %+v", up)
		}
		if all.PeakQueue = dn.PeakQueue; dn != all || dn.PeakQueue < 70_000 || dn.PeakQueue > 110_000 {
			t.Errorf("down: %+v; want a queue of the window less 20 ms", dn)
		}
	})
}

// An answer arrives after exactly one round trip, which may be another one for each
// Consumer; the producer is told when the Interest arrived.
func TestNetworkRoundTrip(t *testing.T) {
	for _, tt := range []struct{ up, down, first, second time.Duration }{
		{0, 0, 0, 0}, {0, 0, 0, 7}, {3 * ms, 0, 0, ms}, {0, 3 * ms, ms, 0}, {2 * ms, 5 * ms, 100 * ms, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			content := demo(t, 2, 100)
			producer := func(r *Request) {
				if k, ok := r.Chunk(); !ok || r.At.Sub(start) != time.Duration(k)*time.Second+tt.up {
					t.Errorf("the Interest for chunk %d arrived at %v", k, r.At.Sub(start))
				}
				content.Serve(r)
			}
			n := NewNetwork(Config{Producer: producer, Up: delay(tt.up), Down: delay(tt.down)})
			done := make(chan bool)
			for i, d := range []time.Duration{tt.first, tt.second} {
				c := n.Consumer(ConsumerConfig{Delay: d})
				go func() {
					time.Sleep(time.Duration(i) * time.Second)
					ask(t, c, content, uint64(i))
					<-c.Ready()
					wantTime(t, start, time.Duration(i)*time.Second+tt.up+tt.down+d)
					if got, relinked := receive(t, c); relinked || !slices.Equal(got, []int{i}) {
						t.Errorf("received %v", got)
					}
					done <- true
				}()
			}
			<-done
			<-done
		})
	}
}

// A shared link is shared, and what happens on it repeats exactly.
func TestNetworkShared(t *testing.T) {
	type result struct {
		took     [3]time.Duration
		resent   [3]uint64
		up, down Counters
	}
	once := func(seed uint64) (r result) {
		synctest.Test(t, func(t *testing.T) {
			const chunks = 1000
			content := demo(t, chunks, 1000)
			n := NewNetwork(Config{
				Producer: content.Serve, Seed: seed,
				Up:   Impairment{Delay: 5 * ms, Jitter: ms, Loss: 0.01},
				Down: Impairment{Delay: 5 * ms, Rate: 8 * Mbit, Loss: 0.01, Queue: 100_000},
			})
			start, done := time.Now(), make(chan error, len(r.took))
			for i := range r.took {
				f := newFetcher(t, n.Consumer(ConsumerConfig{}), content, 30)
				go func() {
					v := content.Verify(0)
					f.run(v)
					r.took[i], r.resent[i] = time.Since(start), f.resent
					done <- v.Done()
				}()
			}
			for range r.took {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
			r.up, r.down = n.Counters()
		})
		return r
	}
	r := once(1)
	fastest := time.Duration(3*wire(demo(t, 1000, 1000), 0, 999)) * time.Microsecond
	if took := r.took[:]; slices.Max(took) < fastest || slices.Max(took) > 2*fastest || slices.Min(took) < fastest/2 {
		t.Errorf("fetches took %v; the link has to send for %v", r.took, fastest)
	}
	for range 3 {
		if again := once(1); again != r {
			t.Errorf("another run differs:\n%+v\n%+v", r, again)
		}
	}
	if once(2) == r {
		t.Error("another seed gives the same")
	}
	if r.down.Lost == 0 || r.up.Lost == 0 {
		t.Errorf("nothing was lost: %+v, %+v", r.up, r.down)
	}
}

// What arrives for names that are not wanted is not received, but takes its place in
// the socket; what arrived while it was wanted is.
func TestNetworkWant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := demo(t, 100, 10), NewContent(mustName(t, "ccnx:/demo/two"), 100, 10)
		n := NewNetwork(Config{Producer: func(r *Request) { one.Serve(r); two.Serve(r) }})
		c := n.Consumer(ConsumerConfig{Socket: 4})
		step := func(change func(...tlv.Name), name tlv.Name, asks ...uint64) {
			change(name)
			ask(t, c, one, asks...)
			ask(t, c, two, asks...)
			time.Sleep(ms)
		}
		want := func(chunks ...int) {
			t.Helper()
			if got, _ := receive(t, c); !slices.Equal(got, chunks) {
				t.Errorf("received %v, want %v", got, chunks)
			}
		}
		step(func(...tlv.Name) {}, one.Name, 0)
		step(c.Want, one.Name, 1)
		want(0, 0, 1)
		step(c.Forget, one.Name, 2)
		want()
		step(c.Want, two.Name, 3)
		step(c.Want, one.Name.WithChunk(7), 4)
		want(3, 4, 4)
		step(c.Forget, two.Name.WithChunk(7), 5)
		step(c.Forget, one.Name, 6)
		step(c.Want, one.Name, 7) // no room
		want(5)
		if got := c.Counters(); got != (ConsumerCounters{Sent: 16, Received: 7, Socket: 2, Unwanted: 7, PeakUnread: 4}) {
			t.Errorf("%+v", got)
		}
	})
}

// What exceeds the socket is dropped, until it is read.
func TestNetworkSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 300, 1024)
		n := NewNetwork(Config{Producer: content.Serve, Down: Impairment{Delay: ms, Rate: 10 * Mbit}})
		c, other := n.Consumer(ConsumerConfig{Socket: 93}), n.Consumer(ConsumerConfig{Socket: 10})
		for k := range uint64(200) {
			ask(t, c, content, k)
		}
		time.Sleep(time.Second)
		got, _ := receive(t, c)
		if len(got) != 93 || got[0] != 0 || got[92] != 92 {
			t.Errorf("received %v, want the first 93", got)
		}
		ask(t, c, content, 200)
		ask(t, other, content, 201)
		time.Sleep(time.Second)
		if got, _ := receive(t, c); !slices.Equal(got, []int{200}) {
			t.Errorf("then received %v", got)
		}
		if got, _ := receive(t, other); !slices.Equal(got, []int{201}) {
			t.Errorf("the other received %v", got)
		}
		if got := c.Counters(); got != (ConsumerCounters{Sent: 201, Received: 94, Socket: 107, PeakUnread: 93}) {
			t.Errorf("consumer: %+v", got)
		}
		if _, down := n.Counters(); down.Socket != 107 || down.Delivered != 95 || down.Offered != 202 {
			t.Errorf("down: %+v", down)
		}
	})
}

// A restart loses what is under way and what is sent until it is over, and is then
// told to each Consumer once.
func TestNetworkRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content, start := demo(t, 100, 100), time.Now()
		late := func(r *Request) {
			if k, _ := r.Chunk(); k == 3 {
				r.ReplyAfter(30*ms, content.Data(3))
				return
			}
			content.Serve(r)
		}
		n := NewNetwork(Config{Producer: late, Up: delay(10 * ms), Down: delay(10 * ms)})
		c, other := n.Consumer(ConsumerConfig{}), n.Consumer(ConsumerConfig{})
		ask(t, c, content, 0) // will have been answered
		time.Sleep(5 * ms)
		ask(t, c, content, 1, 3) // their answers, of which one is to come, will be lost
		time.Sleep(15 * ms)
		ask(t, c, content, 2) // will be lost
		time.Sleep(ms)
		n.Restart(2 * time.Second)
		time.Sleep(time.Second)
		ask(t, c, content, 4, 5) // too early
		if got, relinked := receive(t, c); relinked || !slices.Equal(got, []int{0}) {
			t.Errorf("received %v, relinked %v", got, relinked)
		}
		<-c.Ready()
		<-other.Ready()
		wantTime(t, start, 2*time.Second+21*ms)
		ask(t, c, content, 6)
		for _, c := range []*Consumer{c, other} {
			if got, relinked := receive(t, c); !relinked || got != nil {
				t.Errorf("received %v, relinked %v", got, relinked)
			}
		}
		<-c.Ready()
		wantTime(t, start, 2*time.Second+41*ms)
		if got, relinked := receive(t, c); relinked || !slices.Equal(got, []int{6}) {
			t.Errorf("received %v, relinked %v", got, relinked)
		}
		up, down := n.Counters()
		if want := (Counters{Offered: 7, Delivered: 4, Outage: 3}); up != want {
			t.Errorf("up: %+v, want %+v", up, want)
		}
		if want := (Counters{Offered: 4, Delivered: 2, Outage: 2}); down != want {
			t.Errorf("down: %+v, want %+v", down, want)
		}
	})
}

// A fetch survives restarts, also ones that overlap and one of no time.
func TestNetworkRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 5000, 100)
		n := NewNetwork(Config{Producer: content.Serve, Up: delay(10 * ms), Down: Impairment{Delay: 10 * ms, Rate: Mbit}})
		time.AfterFunc(100*ms, func() { n.Restart(time.Second) })
		time.AfterFunc(200*ms, func() { n.Restart(10 * ms) })
		time.AfterFunc(2*time.Second, func() { n.Restart(0) })
		f, v := newFetcher(t, n.Consumer(ConsumerConfig{}), content, 50), content.Verify(0)
		start := time.Now()
		f.run(v)
		if err := v.Done(); err != nil || f.resent < 60 {
			t.Errorf("%v; %d sent again", err, f.resent)
		}
		if want := []time.Time{start.Add(1100 * ms), start.Add(2 * time.Second)}; !slices.Equal(f.relinks, want) {
			t.Errorf("relinked at %v, want %v", f.relinks, want)
		}
	})
}

// After a restart nothing waits for what was lost in it.
func TestNetworkRestartClears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 100, 1000)
		slow := Impairment{Rate: 8 * Kbit} // a byte takes 1 ms
		n := NewNetwork(Config{Producer: content.Serve, Up: slow, Down: slow})
		c := n.Consumer(ConsumerConfig{})
		ask(t, c, content, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
		time.Sleep(100 * ms) // on their way up
		n.Restart(0)
		ask(t, c, content, 10)
		time.Sleep(100 * ms) // on its way down
		n.Restart(0)
		start := time.Now()
		ask(t, c, content, 11)
		receive(t, c)
		<-c.Ready()
		wantTime(t, start, time.Duration(interestLen(t, content)+wire(content, 11, 11))*ms)
		if got, _ := receive(t, c); !slices.Equal(got, []int{11}) {
			t.Errorf("received %v", got)
		}
	})
}

// interestLen is the length of the Interests for a content's first chunks.
func interestLen(t testing.TB, content *Content) int {
	f := newFetcher(t, nil, content, 0)
	f.ask(11)
	return f.out.Size()
}

// Down loses all while it lasts.
func TestNetworkDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 100, 100)
		n := NewNetwork(Config{Producer: content.Serve})
		c := n.Consumer(ConsumerConfig{})
		for i, set := range []func(){
			func() {}, func() { n.SetUp(Impairment{Down: true}) }, func() { n.SetUp(Impairment{}) },
			func() { n.SetDown(Impairment{Down: true}) }, func() { n.SetDown(Impairment{}) },
		} {
			set()
			ask(t, c, content, uint64(i))
			time.Sleep(ms)
		}
		if got, relinked := receive(t, c); relinked || !slices.Equal(got, []int{0, 2, 4}) {
			t.Errorf("received %v", got)
		}
		if up, down := n.Counters(); up.Outage != 1 || down.Outage != 1 {
			t.Errorf("up %+v, down %+v", up, down)
		}
	})
}

// What SetUp and SetDown say holds from then on, for all that is sent in that instant,
// and for nothing before.
func TestNetworkSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content, start := demo(t, 100, 100), time.Now()
		n := NewNetwork(Config{Producer: content.Serve, Up: delay(50 * ms), Down: delay(100 * ms)})
		c := n.Consumer(ConsumerConfig{})
		ask(t, c, content, 0)
		n.SetUp(delay(10 * ms))
		time.Sleep(5 * ms)
		n.SetDown(delay(20 * ms))
		<-c.Ready()
		wantTime(t, start, 30*ms)
		if got, _ := receive(t, c); !slices.Equal(got, []int{0}) {
			t.Errorf("received %v", got)
		}
		ask(t, c, content, 1)
		time.Sleep(15 * ms) // 5 ms into the answer's way
		n.SetDown(Impairment{})
		<-c.Ready()
		wantTime(t, start, 60*ms)
	})
}

// Each direction has chance of its own.
func TestNetworkSeed(t *testing.T) {
	lost := func(seed uint64, up, down Impairment) (missing []int) {
		synctest.Test(t, func(t *testing.T) {
			content := demo(t, 64, 10)
			n := NewNetwork(Config{Seed: seed, Producer: content.Serve, Up: up, Down: down})
			c := n.Consumer(ConsumerConfig{})
			for k := range content.Chunks {
				ask(t, c, content, k)
			}
			time.Sleep(time.Second)
			missing, _ = receive(t, c)
		})
		return missing
	}
	half, none := Impairment{Loss: 0.5}, Impairment{}
	all := [][]int{lost(1, half, none), lost(1, none, half), lost(2, half, none), lost(2, none, half)}
	for i, a := range all {
		for _, b := range all[:i] {
			if slices.Equal(a, b) {
				t.Errorf("two of these are the same: %v", all)
			}
		}
	}
}

func TestNetworkDuplicates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 1, 100)
		n := NewNetwork(Config{
			Producer: content.Serve, CountChunks: true,
			Up: Impairment{Delay: ms, Duplicate: 1}, Down: Impairment{Delay: ms, Duplicate: 1},
		})
		c := n.Consumer(ConsumerConfig{})
		ask(t, c, content, 0)
		time.Sleep(time.Second)
		if got, _ := receive(t, c); !slices.Equal(got, []int{0, 0, 0, 0}) {
			t.Errorf("received %v", got)
		}
		if n.Interests(0) != 2 || n.Interests(1) != 0 {
			t.Errorf("%d and %d Interests", n.Interests(0), n.Interests(1))
		}
		if up, down := n.Counters(); up.Duplicated != 1 || down.Duplicated != 2 || down.Delivered != 4 {
			t.Errorf("up %+v, down %+v", up, down)
		}
	})
}

func TestNetworkReorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 1000, 100)
		down := Impairment{Delay: ms, Rate: Mbit, Reorder: 0.1, ReorderBy: 20 * ms}
		n := NewNetwork(Config{Producer: content.Serve, Up: delay(ms), Down: down})
		f, v := newFetcher(t, n.Consumer(ConsumerConfig{}), content, 50), content.Verify(0)
		f.arrived = []uint64{}
		f.run(v)
		overtaken := uint64(0) // those that a later one arrived before
		for i, k := range f.arrived {
			if slices.Max(f.arrived[:i+1]) > k {
				overtaken++
			}
		}
		_, c := n.Counters()
		if v.Done() != nil || f.resent > 0 || c.Reordered < 50 || overtaken < c.Reordered*9/10 || overtaken > c.Reordered {
			t.Errorf("%v; %d overtaken, %+v", v.Done(), overtaken, c)
		}
	})
}

func TestNetworkTruncates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 1, 100)
		n := NewNetwork(Config{Producer: content.Serve, Down: Impairment{Truncate: 1}})
		c := n.Consumer(ConsumerConfig{})
		ask(t, c, content, 0)
		<-c.Ready()
		if got, _ := receive(t, c); !slices.Equal(got, []int{-1}) {
			t.Errorf("received %v", got)
		}
	})
}

// A producer may answer later, with several packets, with others' or not at all.
func TestNetworkProducer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content, start := demo(t, 100, 100), time.Now()
		var n *Network
		var kept *Request
		n = NewNetwork(Config{CountChunks: true, Up: delay(ms), Down: delay(ms), Producer: func(r *Request) {
			kept = r
			switch k, _ := r.Chunk(); k {
			case 0: // late, and not in order
				r.ReplyAfter(50*ms, content.Data(10))
				r.ReplyAfter(30*ms, content.Data(11))
				if k, ok := r.Chunk(); !ok || k != 0 || r.From == nil {
					t.Errorf("a late answer changed the request: chunk %d", k)
				}
			case 1:
				for k := range uint64(3) {
					r.Reply(content.Data(20 + k))
				}
			case 2:
				if r.Nth() == 2 {
					r.Reply(content.Data(2))
				}
			}
		}})
		c := n.Consumer(ConsumerConfig{})
		ask(t, c, content, 0, 1, 2, 2)
		for _, want := range []struct {
			at     time.Duration
			chunks []int
		}{{2 * ms, []int{20, 21, 22, 2}}, {32 * ms, []int{11}}, {52 * ms, []int{10}}} {
			<-c.Ready()
			wantTime(t, start, want.at)
			if got, _ := receive(t, c); !slices.Equal(got, want.chunks) {
				t.Errorf("received %v, want %v", got, want.chunks)
			}
		}
		defer func() {
			if s, _ := recover().(string); !strings.Contains(s, "after its Producer returned") {
				t.Errorf("an answer that is too late: %q", s)
			}
		}()
		kept.Reply(nil)
	})
}

// The caller's memory is the caller's again when TrySend and Receive return.
func TestNetworkCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 2, 100)
		n := NewNetwork(Config{Up: delay(ms), Down: delay(ms), Producer: func(r *Request) {
			content.Serve(r)
			clear(content.pkt)
			clear(r.Packet)
		}})
		c := n.Consumer(ConsumerConfig{})
		f := newFetcher(t, c, content, 0)
		f.ask(0)
		c.TrySend(&f.out)
		clear(f.out.Packet(0))
		<-c.Ready()
		var b tlv.Batch
		if _, err := c.Receive(&b); err != nil || b.Len() != 1 {
			t.Fatal(b.Len(), err)
		}
		first := slices.Clone(b.Packet(0))
		ask(t, c, content, 1)
		<-c.Ready()
		if !slices.Equal(first, b.Packet(0)) || !slices.Equal(first, content.Data(0)) {
			t.Error("what was received changed")
		}
		if _, err := c.Receive(&b); err != nil || b.Len() != 1 || !slices.Equal(b.Packet(0), content.Data(1)) {
			t.Errorf("then received %d packets, error %v", b.Len(), err)
		}
	})
}

func TestNetworkFailAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 2, 100)
		n := NewNetwork(Config{Producer: content.Serve, Up: delay(ms)})
		c, other := n.Consumer(ConsumerConfig{}), n.Consumer(ConsumerConfig{})
		var b tlv.Batch
		c.Fail(io.EOF)
		<-c.Ready()
		if _, err := c.Receive(&b); !errors.Is(err, io.EOF) {
			t.Errorf("Fail: %v", err)
		}
		ask(t, other, content, 0)
		time.Sleep(ms / 2)
		n.Close()
		n.Close()
		<-other.Ready()
		if _, err := other.Receive(&b); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
		ask(t, other, content, 0)
		time.Sleep(time.Second)
		select {
		case <-other.Ready():
			t.Error("a closed network works on")
		default:
		}
		idle := NewNetwork(Config{})
		c = idle.Consumer(ConsumerConfig{})
		idle.Close()
		<-c.Ready()
		idle.Restart(ms)
		time.Sleep(time.Second)
		select {
		case <-c.Ready():
			t.Error("a closed network restarts")
		default:
		}
	})
}

// After Receive there is no token for what it has received.
func TestNetworkReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := demo(t, 2, 100)
		n := NewNetwork(Config{Producer: content.Serve, Up: delay(ms)})
		c := n.Consumer(ConsumerConfig{})
		ask(t, c, content, 0, 1)
		time.Sleep(time.Second)
		if got, _ := receive(t, c); len(got) != 2 {
			t.Errorf("received %v", got)
		}
		select {
		case <-c.Ready():
			t.Error("a token for nothing")
		default:
		}
	})
}

// A packet costs no allocation: what a fetch allocates does not grow with it.
func TestNetworkAllocates(t *testing.T) {
	allocs := func(chunks uint64) float64 {
		return testing.AllocsPerRun(3, func() {
			synctest.Test(t, func(t *testing.T) {
				content := demo(t, chunks, 1024)
				n := NewNetwork(Config{Producer: content.Serve, Up: delay(10 * ms), Down: Impairment{Delay: 10 * ms, Rate: 100 * Mbit}})
				newFetcher(t, n.Consumer(ConsumerConfig{}), content, 200).run(io.Discard)
			})
		})
	}
	small, large := allocs(1000), allocs(11000)
	if perChunk := (large - small) / 10000; perChunk > 0.01 {
		t.Errorf("%v allocations for 1000 chunks, %v for 11000: %v a chunk", small, large, perChunk)
	}
}
