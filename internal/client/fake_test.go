package client

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustName(t testing.TB, uri string) tlv.Name {
	t.Helper()
	n, err := tlv.ParseName(uri, tlv.PercentLiteral)
	must(t, err)
	return n
}

// vectorBytes is a packet of vectors.json.
func vectorBytes(t testing.TB, id string) []byte {
	t.Helper()
	b, err := os.ReadFile("../tlv/testdata/vectors.json")
	must(t, err)
	var all []struct {
		ID  string `json:"id"`
		Hex string `json:"packet_hex"`
	}
	must(t, json.Unmarshal(b, &all))
	for _, v := range all {
		if v.ID == id {
			pkt, err := hex.DecodeString(v.Hex)
			must(t, err)
			return pkt
		}
	}
	t.Fatalf("no vector %s", id)
	return nil
}

// fake is a forwarder in memory, which behaves as cefnetd does: the first to
// register a name keeps it, dead or alive, until somebody deregisters it.
type fake struct {
	t     *testing.T
	start time.Time

	// mu protects the following.
	mu      sync.Mutex
	conns   []*fakeConn
	dials   []time.Duration // when, since start
	down    error           // what dialling fails with
	deaf    bool            // new connections are not read
	full    bool            // new connections are ended at once
	mute    bool            // link requests stay unanswered
	loses   bool            // Interests reach no application
	returns bool            // what has no route comes back
	regs    map[string]owned
	pit     map[string][]*fakeConn
	// hook, where set, sees each packet first and reports whether that is all.
	hook func(c *fakeConn, pkt []byte) bool
}

type owned struct {
	c     *fakeConn
	exact bool
}

// fakeConn is the forwarder's end of a connection.
type fakeConn struct {
	f      *fake
	number int
	conn   transport.Conn
	got    [][]byte // guarded by fake.mu
	when   []time.Duration
	ended  bool
	broken error // what the client's Read fails with at the end
}

func newFake(t *testing.T) *fake {
	return &fake{t: t, start: time.Now(), regs: make(map[string]owned), pit: make(map[string][]*fakeConn)}
}

// endConn is the client's end, whose Read fails as the test says.
type endConn struct {
	transport.Conn
	fc *fakeConn
}

func (c *endConn) Read(b *tlv.Batch) error {
	err := c.Conn.Read(b)
	c.fc.f.mu.Lock()
	defer c.fc.f.mu.Unlock()
	if err != nil && c.fc.broken != nil {
		err = c.fc.broken
	}
	return err
}

func (f *fake) dial(context.Context) (transport.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials = append(f.dials, time.Since(f.start))
	if f.down != nil {
		return nil, f.down
	}
	ours, theirs := transport.Pipe()
	c := &fakeConn{f: f, number: len(f.conns), conn: theirs}
	f.conns = append(f.conns, c)
	if f.full {
		theirs.Close()
	}
	if !f.deaf {
		go c.read()
	}
	return &endConn{ours, c}, nil
}

func (c *fakeConn) read() {
	for b := new(tlv.Batch); ; {
		err := c.conn.Read(b)
		for i := range b.Len() {
			c.f.onPacket(c, bytes.Clone(b.Packet(i)))
		}
		if err != nil {
			c.f.mu.Lock()
			c.ended = true
			c.f.mu.Unlock()
			return
		}
	}
}

// send writes packets to the client. It may be called with mu held: the pipe has
// room, or the test is about its not having any.
func (c *fakeConn) send(pkts ...[]byte) {
	var b tlv.Batch
	for _, p := range pkts {
		b.Append(p)
	}
	_ = c.conn.Write(&b) // the client may be gone
}

// breaks ends the connection; with err, so that the client sees that.
func (c *fakeConn) breaks(err error) {
	c.f.mu.Lock()
	c.broken = err
	c.f.mu.Unlock()
	c.conn.Close()
}

func (f *fake) onPacket(c *fakeConn, pkt []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.got = append(c.got, pkt)
	c.when = append(c.when, time.Since(f.start))
	if f.hook != nil && f.hook(c, pkt) {
		return
	}
	if string(pkt) == tlv.LinkRequest {
		if !f.mute {
			c.send([]byte(tlv.LinkReply))
		}
		return
	}
	t, name, err := tlv.PeekName(pkt)
	if err != nil {
		f.t.Errorf("the client sent %x: %v", pkt, err)
		return
	}
	key := name.String()
	var i tlv.Interest
	switch {
	case t != tlv.PacketInterest:
		for _, down := range f.pit[key] {
			down.send(pkt)
		}
		delete(f.pit, key)
	case i.Decode(pkt) != nil:
		f.t.Errorf("the client sent %x", pkt)
	case i.Command == tlv.CommandDeregister:
		delete(f.regs, key)
	case i.Command != tlv.CommandNone:
		if _, taken := f.regs[key]; !taken {
			f.regs[key] = owned{c, i.Command == tlv.CommandRegister}
		}
	default:
		f.forward(c, pkt, &i, key)
	}
}

func (f *fake) forward(c *fakeConn, pkt []byte, i *tlv.Interest, key string) {
	f.pit[key] = append(f.pit[key], c)
	best := ""
	for uri, o := range f.regs {
		reg := mustName(f.t, uri)
		if i.Name.HasPrefix(reg) && (!o.exact || i.Name.WithoutChunk().Equal(reg)) && len(uri) > len(best) {
			best = uri
		}
	}
	switch o := f.regs[best]; {
	case best != "" && o.c != c && !f.loses: // own Interests never come back
		o.c.send(pkt)
	case best == "" && f.returns:
		c.send(tlv.AppendReturn(nil, pkt, tlv.ReturnNoRoute))
	}
}

// change alters what the fake does.
func (f *fake) change(set func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set()
}

// conn is connection k, which must have been made by now.
func (f *fake) conn(k int) *fakeConn {
	f.t.Helper()
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if k >= len(f.conns) {
		f.t.Fatalf("%d connections, want connection %d", len(f.conns), k)
	}
	return f.conns[k]
}

// dialled are the times of all attempts.
func (f *fake) dialled() []time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dials
}

// wire is what came over c so far, in words, and forgets it.
func (c *fakeConn) wire() string {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	var words []string
	for _, pkt := range c.got {
		words = append(words, inWords(pkt))
	}
	c.got, c.when = nil, nil
	return strings.Join(words, ", ")
}

func inWords(pkt []byte) string {
	if string(pkt) == tlv.LinkRequest {
		return "link request"
	}
	t, n, err := tlv.PeekName(pkt)
	if err != nil {
		return fmt.Sprintf("%x", pkt)
	}
	// A probe's nonce is another each time.
	uri := n.String()
	if up, last, ok := strings.Cut(uri, "/.cefgo/probe/"); ok && len(last) == 16 {
		uri = up + "/.cefgo/probe/…"
	}
	var i tlv.Interest
	if i.Decode(pkt) == nil {
		switch i.Command {
		case tlv.CommandDeregister:
			return "DEREG " + uri
		case tlv.CommandRegPrefix:
			return "REG " + uri
		case tlv.CommandRegister:
			return "REG exactly " + uri
		}
	}
	return fmt.Sprintf("%v %s", t, uri)
}

// wants compares what came over c.
func (c *fakeConn) wants(want ...string) {
	c.f.t.Helper()
	synctest.Wait()
	if got := c.wire(); got != strings.Join(want, ", ") {
		c.f.t.Errorf("connection %d brought %s; want %s", c.number, got, strings.Join(want, ", "))
	}
}

// connect makes a client of f, without probes.
func (f *fake) connect() *Client {
	f.t.Helper()
	return f.connectWith(Config{Dial: f.dial})
}

// probed makes a client of f that probes its registrations.
func (f *fake) probed() *Client {
	f.t.Helper()
	return f.connectWith(Config{Dial: f.dial, DialSecond: f.dial})
}

func (f *fake) connectWith(cfg Config) *Client {
	f.t.Helper()
	c, err := New(f.t.Context(), cfg)
	must(f.t, err)
	f.t.Cleanup(func() {
		c.Close()
		f.mu.Lock()
		conns := f.conns
		f.mu.Unlock()
		for _, fc := range conns { // deaf ones too
			fc.conn.Close()
		}
		synctest.Wait()
		if len(c.pending) != 0 || len(c.regs) != 0 {
			f.t.Errorf("left behind: %d pending, %d registrations", len(c.pending), len(c.regs))
		}
	})
	return c
}

// bubble runs a test at a time of its own.
func bubble(t *testing.T, test func(t *testing.T, f *fake)) {
	synctest.Test(t, func(t *testing.T) { test(t, newFake(t)) })
}

func interest(t testing.TB, uri string, opts ...func(*tlv.Interest)) *tlv.Interest {
	t.Helper()
	i := &tlv.Interest{HopLimit: tlv.DefaultHopLimit, Name: mustName(t, uri)}
	for _, o := range opts {
		o(i)
	}
	return i
}

func lifetime(d time.Duration) func(*tlv.Interest) {
	return func(i *tlv.Interest) { i.Lifetime = tlv.Lifetime(d) }
}

func data(t testing.TB, uri, payload string) []byte {
	t.Helper()
	o := tlv.Object{Name: mustName(t, uri), Payload: []byte(payload), Validation: tlv.Validation{Alg: tlv.AlgCRC32C}}
	pkt, err := o.AppendTo(nil)
	must(t, err)
	return pkt
}

// corrupt flips a bit of a packet's payload, before the 16 bytes of its trailer.
func corrupt(pkt []byte) []byte {
	pkt = bytes.Clone(pkt)
	pkt[len(pkt)-17] ^= 1
	return pkt
}

// expressed is how an Express ended.
type expressed struct {
	a    *Answer
	err  error
	took time.Duration
}

// express calls Express in a goroutine of its own.
func express(ctx context.Context, c *Client, i *tlv.Interest) <-chan expressed {
	done := make(chan expressed, 1)
	start := time.Now()
	go func() {
		a, err := c.Express(ctx, i)
		done <- expressed{a, err, time.Since(start)}
	}()
	synctest.Wait()
	return done
}

// after checks an outcome's error and time.
func (e expressed) failed(t *testing.T, want error, took time.Duration) {
	t.Helper()
	if e.a != nil || !errors.Is(e.err, want) || e.took != took {
		t.Errorf("Express: %v, %v after %v; want %v after %v", e.a, e.err, e.took, want, took)
	}
}

func (e expressed) answered(t *testing.T, payload string) {
	t.Helper()
	if e.err != nil || string(e.a.Payload) != payload {
		t.Errorf("Express: %v, %v; want %q", e.a, e.err, payload)
	}
}
