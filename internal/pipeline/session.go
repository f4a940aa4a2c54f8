package pipeline

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/cefgo/cefgo/internal/congestion"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/trace"
)

// ErrClosed ends the fetches of a session that is closed.
var ErrClosed = errors.New("session closed")

// Session runs fetches over one link, which share one window. Its goroutine does
// all of it, the writing too: one writer that blocks holds up all. All methods may be
// called at the same time.
type Session struct {
	link   Link
	submit chan submission
	poke   chan struct{} // holds a token when a context has ended
	quit   chan struct{}
	once   sync.Once
	wg     sync.WaitGroup

	// The following belong to the goroutine.
	path    *path
	start   time.Time
	active  []*fetch
	owners  map[string][]*fetch // by each of their names
	turn    int                 // whose Interest goes first
	begun   int                 // fetches so far
	in, out tlv.Batch
	failed  error // what ended the link

	interest tlv.Interest // the one to be encoded by appendTo
	appendTo func([]byte) ([]byte, error)
}

// NewSession starts a session, which nobody else uses link beside.
func NewSession(link Link, p Path) *Session {
	s := &Session{
		link: link, submit: make(chan submission), poke: make(chan struct{}, 1), quit: make(chan struct{}),
		path: newPath(p), start: time.Now(), owners: make(map[string][]*fetch),
	}
	s.appendTo = s.interest.AppendTo
	s.wg.Go(s.loop)
	return s
}

// CC is the congestion control that the session uses.
func (s *Session) CC() congestion.Kind { return s.path.CC }

// Close ends the fetches with [ErrClosed] and waits for the goroutine. It may be
// called more than once.
func (s *Session) Close() {
	s.once.Do(func() { close(s.quit) })
	s.wg.Wait()
}

// Fetch fetches the chunks of name and writes their payloads to w in order, with one
// Write for each, an empty one too, from the session's goroutine. A w that gathers them
// has a method Flush() error, which is called when all that are there are written.
// Memory is bounded by the chunks that wait for one before them: about 16 MiB at most.
//
// It returns when all is written, or with one of this package's errors, the
// link's, or the context's cause; the Result's Stats hold in either case. What
// was written before an error is a right first part of one version of the content.
func (s *Session) Fetch(ctx context.Context, name tlv.Name, w io.Writer, o Options) (Result, error) {
	o = o.withDefaults()
	f := &fetch{ctx: ctx, name: name.WithoutChunk(), w: w, done: make(chan struct{})}
	if err := cmp.Or(checkName(f.name), o.checkRange()); err != nil {
		return Result{}, err
	}
	if !o.Last.OK {
		if meta, err := object.MetaName(name); err == nil && meta.CanChunk() {
			f.metaName = meta
		}
	}
	select {
	case s.submit <- submission{f, o}:
	case <-s.quit:
		return Result{}, ErrClosed
	case <-ctx.Done(): // a blocked writer may hold up the session
		return Result{}, context.Cause(ctx)
	}
	stop := context.AfterFunc(ctx, func() {
		select {
		case s.poke <- struct{}{}:
		default:
		}
	})
	defer stop()
	<-f.done
	return f.res, f.err
}

func (s *Session) loop() {
	defer s.endAll(ErrClosed)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		s.endCancelled()
		now := time.Now()
		s.sendWhatFits(now)
		due := s.wake(now)
		timer.Reset(time.Until(due))
		ready := s.link.Ready()
		if s.failed != nil {
			ready = nil
		}
		select {
		case <-ready:
		case <-timer.C:
		case <-s.poke:
		case x := <-s.submit:
			s.begin(x.fetch, x.o)
			continue
		case <-s.quit:
			return
		}
		if d := time.Since(due); d > asleep {
			s.onBlocked(d)
		}
		if s.failed == nil {
			s.receive()
		}
	}
}

// begin starts a fetch.
func (s *Session) begin(f *fetch, o Options) {
	if s.failed != nil {
		f.finish(Result{}, s.failed)
		return
	}
	now := time.Now()
	f.state = newState(o, s.path, now)
	f.flushed = f.base
	f.number = s.begun
	s.begun++
	if !f.metaName.IsZero() {
		f.meta = metaState{wanted: true, due: now}
	}
	if s.path.Trace != nil {
		f.emit = s.emitter(f)
		f.emit(trace.Event{Type: trace.Start, Name: f.name.String(), CC: string(s.path.CC)}, now)
	}
	for _, n := range f.names() {
		key := string(n.Bytes())
		if s.owners[key] = append(s.owners[key], f); len(s.owners[key]) == 1 {
			s.link.Want(n)
		}
	}
	s.active = append(s.active, f)
}

// emitter tells the trace of events of f.
func (s *Session) emitter(f *fetch) func(trace.Event, time.Time) {
	return func(e trace.Event, now time.Time) {
		e.At, e.Fetch, e.Window, e.InFlight = now.Sub(s.start), f.number, float64(s.path.window()), s.path.flying
		e.SRTT = f.rtt.srtt
		s.path.Trace(e)
	}
}

// end ends a fetch that is active.
func (s *Session) end(f *fetch, err error) {
	s.cancelAll(f)
	f.leave()
	if f.emit != nil {
		e := trace.Event{Type: trace.End}
		if err != nil {
			e.Error = err.Error()
		}
		f.emit(e, time.Now())
	}
	for _, n := range f.names() {
		key := string(n.Bytes())
		if s.owners[key] = without(s.owners[key], f); len(s.owners[key]) == 0 {
			s.link.Forget(n)
			delete(s.owners, key)
		}
	}
	s.active = without(s.active, f)
	f.finish(f.result(), err)
}

func without(fs []*fetch, f *fetch) []*fetch {
	return slices.DeleteFunc(fs, func(g *fetch) bool { return g == f })
}

func (s *Session) endAll(err error) {
	for len(s.active) > 0 {
		s.end(s.active[0], err)
	}
}

// endCancelled ends the fetches whose callers have gone.
func (s *Session) endCancelled() {
	for i := len(s.active) - 1; i >= 0; i-- {
		if f := s.active[i]; f.ctx.Err() != nil {
			s.end(f, context.Cause(f.ctx))
		}
	}
}

// endDone ends the fetches that are over.
func (s *Session) endDone() {
	for i := len(s.active) - 1; i >= 0; i-- {
		if f := s.active[i]; f.state.done() {
			s.end(f, f.state.err)
		}
	}
}

// idleWake is how long a session without fetches sleeps.
const idleWake = time.Hour

// wake is when the next fetch has something to do.
func (s *Session) wake(now time.Time) time.Time {
	if len(s.active) == 0 {
		return now.Add(idleWake)
	}
	at := s.active[0].wake()
	if !s.path.full() && s.path.pace.free.Before(at) && s.path.pace.free.After(now) {
		at = s.path.pace.free
	}
	for _, f := range s.active[1:] {
		if t := f.wake(); t.Before(at) {
			at = t
		}
	}
	return at
}

// sendBatch bounds the Interests that go to the link at once.
const sendBatch = 64

// sendWhatFits fills the window, one Interest of each fetch in turn.
func (s *Session) sendWhatFits(now time.Time) {
	if len(s.active) == 0 {
		return
	}
	s.out.Reset(1 << 20)
	for _, f := range s.active {
		if f.askMeta(now) {
			s.ask(f, f.metaName.WithChunk(0), false)
		}
	}
	for idle := 0; idle < len(s.active); {
		f := s.active[s.turn%len(s.active)]
		s.turn++
		r, ok := f.nextRequest(now)
		if !ok {
			idle++
			continue
		}
		idle = 0
		s.ask(f, f.name.WithChunk(r.chunk), r.longLife)
		if s.out.Len() >= sendBatch {
			s.flush()
			s.out.Reset(1 << 20)
		}
	}
	for _, f := range s.active {
		s.encodeCancels(f)
		f.count()
	}
	s.flush()
}

// flush hands over what is encoded, if anything.
func (s *Session) flush() {
	if s.out.Len() > 0 {
		s.link.TrySend(&s.out)
	}
}

// ask encodes an Interest of f.
func (s *Session) ask(f *fetch, name tlv.Name, longLife bool) {
	s.interest = tlv.Interest{HopLimit: f.o.HopLimit, Name: name}
	s.interest.Lifetime, s.interest.Mark = tlv.Lifetime(f.o.Lifetime), true
	if longLife {
		s.interest.MsgVendor = tlv.VendorLongLife
	}
	s.encode()
}

// encode encodes s.interest.
func (s *Session) encode() {
	if err := s.out.Encode(s.appendTo); err != nil {
		panic("pipeline: bug: a checked name does not encode: " + err.Error())
	}
}

const (
	// asleep is from how much delay of its timer on a session was not running at
	// all: suspended, or with its machine. That is no silence of the network.
	asleep = time.Second
	// heldUp is from when on the time that a session takes for what has arrived
	// counts as its writers' delay.
	heldUp = 20 * time.Millisecond
)

func (s *Session) onBlocked(d time.Duration) {
	s.path.onBlocked(d)
	for _, f := range s.active {
		f.onBlocked(d)
	}
}

// receiveRounds bounds how often a session takes what has arrived before it looks at
// anything else.
const receiveRounds = 64

// receive takes all that has arrived, one batch after the other, and asks for more
// meanwhile. When nothing is left, it does what is due: an answer that waits here is not
// late. Where there is no end to it, that is not yet so.
func (s *Session) receive() {
	for range receiveRounds {
		now := time.Now()
		relinked, err := s.link.Receive(&s.in)
		if err != nil {
			s.failed = err
			s.endAll(err)
			return
		}
		if relinked {
			for _, f := range s.active {
				f.onRelink(now)
			}
		}
		s.path.refresh()
		if s.in.Len() == 0 {
			for _, f := range s.active {
				f.onTime(now)
			}
			s.endDone()
			return
		}
		s.takeBatch(now)
		s.endDone()
		s.sendWhatFits(time.Now())
	}
}

// takeBatch takes the packets of s.in, which were received now.
func (s *Session) takeBatch(now time.Time) {
	for i := range s.in.Len() {
		s.takePacket(s.in.Packet(i), now)
	}
	for _, f := range s.active {
		f.flush()
	}
	if d := time.Since(now); d > heldUp {
		s.onBlocked(d)
	}
}

// takePacket gives a packet to its fetch.
func (s *Session) takePacket(pkt []byte, now time.Time) {
	t, name, err := tlv.PeekName(pkt)
	if err != nil {
		for _, f := range s.active {
			f.stats.Corrupt++
		}
		return
	}
	owners := s.owners[string(name.WithoutChunk().Bytes())]
	if len(owners) == 0 {
		for _, f := range s.active {
			f.stats.Unasked++
		}
	}
	for _, f := range owners {
		if f.state.err != nil || len(owners) > 1 && !f.concerns(name) {
			continue
		}
		f.take(t, name, pkt, now)
		if err := f.write(); err != nil {
			f.state.fail(err)
		}
	}
}
