package publish

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// cache is a network with one content store in it: an Outlet for who pushes, and a
// pipeline.Link for who reads back.
type cache struct {
	t     *testing.T
	keep  func(name tlv.Name, pkt []byte) []byte // what is kept of a packet; nil: nothing
	store map[string][]byte
	asked map[string]bool
	// returns makes it answer with Interest Returns what it does not hold.
	returns bool

	// mu protects the following.
	mu    sync.Mutex
	in    tlv.Batch
	ready chan struct{}
}

func newCache(t *testing.T) *cache {
	return &cache{t: t, store: make(map[string][]byte), asked: make(map[string]bool), ready: make(chan struct{}, 1)}
}

func (c *cache) Send(_ context.Context, b *tlv.Batch) error {
	for i := range b.Len() {
		pkt := bytes.Clone(b.Packet(i))
		o := decode(c.t, pkt)
		if c.keep != nil {
			pkt = c.keep(o.Name, pkt)
		}
		if pkt != nil {
			c.store[o.Name.String()] = pkt
		}
	}
	return nil
}

func (c *cache) TrySend(b *tlv.Batch) {
	for i := range b.Len() {
		pkt := bytes.Clone(b.Packet(i))
		var in tlv.Interest
		check(c.t, in.Decode(pkt))
		if in.Lifetime == tlv.CancelLifetime {
			continue // ends one with LONGLIFE
		}
		// What is on its way into cefnetd's cache is found only by LONGLIFE, once
		// it was missed (sheet g).
		uri := in.Name.String()
		if _, meta := object.IsMeta(in.Name); !meta && in.LongLife() != c.asked[uri] {
			c.t.Errorf("%s asked again %v, with LONGLIFE %v", uri, c.asked[uri], in.LongLife())
		}
		c.asked[uri] = true
		answer := c.store[uri]
		if answer == nil && c.returns {
			answer = tlv.AppendReturn(nil, pkt, tlv.ReturnNoRoute)
		}
		if answer != nil {
			time.AfterFunc(5*time.Millisecond, func() { c.deliver(answer) })
		}
	}
}

func (c *cache) deliver(pkt []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in.Append(pkt)
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

func (c *cache) Want(...tlv.Name)   {}
func (c *cache) Forget(...tlv.Name) {}

func (c *cache) Ready() <-chan struct{} { return c.ready }

func (c *cache) Receive(b *tlv.Batch) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b.Reset(1 << 20)
	*b, c.in = c.in, *b
	return false, nil
}

const pushBlock = 100

// pushed is the layout of content of n bytes.
func pushed(t testing.TB, n int, version string) object.Layout {
	l := object.Layout{
		Name: mustName(t, "ccnx:/notes/today"), Size: int64(n), BlockSize: pushBlock,
		CacheTime: time.Minute, Expiry: time.Hour,
	}
	if version != "" {
		l.Version = []byte(version)
	}
	check(t, l.Check())
	return l
}

func push(t testing.TB, c *cache, l object.Layout, content []byte) {
	t.Helper()
	check(t, Push(t.Context(), c, Content{Layout: l}, bytes.NewReader(content), 0, func(int64) {}, nil))
}

func readBack(ctx context.Context, c *cache, l object.Layout, content []byte) (pipeline.Result, error) {
	return readOver(ctx, c, l, bytes.NewReader(content), pipeline.Options{Timeout: 2 * time.Second, Stall: 3 * time.Second})
}

// without forgets packets of these names.
func without(uris ...string) func(tlv.Name, []byte) []byte {
	return func(n tlv.Name, pkt []byte) []byte {
		for _, uri := range uris {
			if strings.HasPrefix(n.String()+"/", uri+"/") {
				return nil
			}
		}
		return pkt
	}
}

// readOver reads back over a session of its own.
func readOver(ctx context.Context, link pipeline.Link, l object.Layout, src io.ReaderAt, o pipeline.Options) (pipeline.Result, error) {
	s := pipeline.NewSession(link, pipeline.Path{})
	defer s.Close()
	return ReadBack(ctx, s, l, src, o)
}

func TestPushAndReadBack(t *testing.T) {
	for _, size := range []int{0, 1, pushBlock - 1, pushBlock, pushBlock + 1, 7*pushBlock + 3, 5000 * pushBlock} {
		synctest.Test(t, func(t *testing.T) {
			c, content := newCache(t), random(1, size)
			l := pushed(t, size, "v1")
			var told []int64
			check(t, Push(t.Context(), c, Content{Layout: l}, bytes.NewReader(content), 0, func(n int64) { told = append(told, n) }, nil))
			if len(c.store) != int(l.Chunks())+1 {
				t.Errorf("%d bytes: %d packets, want %d chunks and a meta", size, len(c.store), l.Chunks())
			}
			last := tlv.Some(l.Chunks() - 1)
			for uri, pkt := range c.store {
				o := decode(t, pkt)
				if o.CacheTime.V != tlv.TimestampOf(time.Now().Add(time.Minute)) || o.Expiry.V != tlv.TimestampOf(time.Now().Add(time.Hour)) {
					t.Fatalf("%s: cache time %v, expiry %v; a cache would not keep it", uri, o.CacheTime, o.Expiry)
				}
				if _, meta := object.IsMeta(o.Name); !meta && o.EndChunk != last || string(o.Version) != "v1" {
					t.Fatalf("%s: end chunk %v, version %q", uri, o.EndChunk, o.Version)
				}
			}
			for i := range told {
				if i > 0 && told[i] < told[i-1] || told[i] > l.Size {
					t.Errorf("%d bytes: told %v", size, told)
				}
			}
			if told[len(told)-1] != l.Size || size > 1<<18 && len(told) < 5 {
				t.Errorf("%d bytes: told %v", size, told)
			}
			r, err := readBack(t.Context(), c, l, content)
			if err != nil || r.Bytes != uint64(size) || !r.Checksummed {
				t.Errorf("%d bytes: %v, %d bytes read back", size, err, r.Bytes)
			}
		})
	}
}

func TestReadBackFails(t *testing.T) {
	const size = 7*pushBlock + 3
	content, other := random(1, size), random(2, size)
	spoil := func(at int) func(tlv.Name, []byte) []byte {
		return func(n tlv.Name, pkt []byte) []byte {
			if k, _ := n.Chunk(); k == 3 {
				pkt[len(pkt)-at] ^= 1
			}
			return pkt
		}
	}
	keepsOld := func(c *cache, version string, old []byte) {
		push(c.t, c, pushed(c.t, len(old), version), old)
		c.keep = func(n tlv.Name, pkt []byte) []byte {
			if c.store[n.String()] != nil {
				return nil
			}
			return pkt
		}
	}
	for _, tt := range []struct {
		name    string
		prepare func(c *cache)
		says    string // of a PushError; "": another error
		is      error
	}{
		{"nothing is kept", func(c *cache) { c.keep = without("ccnx:/notes") }, "nothing of it can be read back", pipeline.ErrTimeout},
		{"nothing is kept, and Interests return", func(c *cache) { c.keep, c.returns = without("ccnx:/notes"), true }, "nothing of it can be read back", nil},
		{"only the meta is kept", func(c *cache) {
			c.keep = func(n tlv.Name, pkt []byte) []byte {
				if _, ok := object.IsMeta(n); ok {
					return pkt
				}
				return nil
			}
		}, "only a part of it", nil},
		{"the first chunk is dropped", func(c *cache) { c.keep = without("ccnx:/notes/today/Chunk=0") }, "only a part of it can be read back (nothing arrived for 3s: 7 of 8 chunks received, chunk 0 is missing)", nil},
		{"one chunk is dropped", func(c *cache) { c.keep = without("ccnx:/notes/today/Chunk=5") }, "7 of 8 chunks received, chunk 5 is missing", nil},
		{"one chunk is dropped, and Interests return", func(c *cache) { c.keep, c.returns = without("ccnx:/notes/today/Chunk=5"), true }, "chunk 5 is missing", nil},
		{"the last chunk is dropped", func(c *cache) { c.keep = without("ccnx:/notes/today/Chunk=7") }, "chunk 7 is missing", nil},
		{"an old content is kept", func(c *cache) { keepsOld(c, "v0", other) }, "another content", nil},
		{"the same bytes of another version are kept", func(c *cache) { keepsOld(c, "v0", content) }, "another content", nil},
		{"a part of them is kept", func(c *cache) {
			keepsOld(c, "v0", content)
			delete(c.store, "ccnx:/notes/today/Chunk=6")
			c.keep = without("ccnx:/notes/today")
		}, "another content", nil},
		{"an old content without version is kept", func(c *cache) { keepsOld(c, "", other) }, "another content", nil},
		{"an old content of the same version is kept", func(c *cache) { keepsOld(c, "v1", other) }, "another content", nil},
		{"an old, longer content is kept", func(c *cache) { keepsOld(c, "v0", append(bytes.Clone(content), other...)) }, "another content", nil},
		{"an old, longer content that starts alike is kept", func(c *cache) { keepsOld(c, "", append(bytes.Clone(content), other...)) }, "another content", nil},
		{"an old, shorter content is kept", func(c *cache) { keepsOld(c, "", other[:250]) }, "another content", nil},
		{"an old, empty content is kept", func(c *cache) { keepsOld(c, "", nil) }, "another content", nil},
		{"an old, shorter content that starts alike is kept", func(c *cache) { keepsOld(c, "", content[:300]) }, "another content", nil},
		{"a part of an old content is kept", func(c *cache) {
			keepsOld(c, "v0", other)
			for k := range uint64(5) {
				delete(c.store, mustName(c.t, "ccnx:/notes/today").WithChunk(k).String())
			}
		}, "another content", nil},
		{"one chunk is damaged on its way", func(c *cache) { c.keep = spoil(1) }, "", tlv.ErrChecksum},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCache(t)
				tt.prepare(c)
				l := pushed(t, size, "v1")
				push(t, c, l, content)
				_, err := readBack(t.Context(), c, l, content)
				var pe *PushError
				switch {
				case err == nil:
					t.Fatal("no error")
				case tt.is != nil && !errors.Is(err, tt.is):
					t.Errorf("%v, want %v", err, tt.is)
				case errors.As(err, &pe) != (tt.says != ""):
					t.Errorf("%T %v", err, err)
				case !strings.Contains(err.Error(), tt.says):
					t.Errorf("%q, want %q", err, tt.says)
				}
				time.Sleep(time.Second) // the answers under way
			})
		})
	}
}

// The same bytes, put there by somebody else without a version, are all that was
// asked for; a chunk that is damaged without a checksum to show it is another content.
func TestReadBackOthersBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, content := newCache(t), random(1, 730)
		push(t, c, pushed(t, len(content), ""), content)
		if _, err := readBack(t.Context(), c, pushed(t, len(content), "v1"), content); err != nil {
			t.Error(err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, content := newCache(t), random(1, 730)
		c.keep = func(n tlv.Name, pkt []byte) []byte {
			if k, _ := n.Chunk(); k == 3 {
				pkt[len(pkt)-1] ^= 1
			}
			return pkt
		}
		l := pushed(t, len(content), "v1")
		l.Sum = object.SumNone
		push(t, c, l, content)
		_, err := readBack(t.Context(), c, l, content)
		var pe *PushError
		if !errors.As(err, &pe) || !errors.Is(err, errDiffers) {
			t.Errorf("%v, want a PushError", err)
		}
		time.Sleep(time.Second)
	})
}

func TestReadBackCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		if _, err := readBack(ctx, newCache(t), pushed(t, 730, ""), random(1, 730)); err != cause {
			t.Errorf("%v, want %v", err, cause)
		}
	})
}

// Content that shrinks under the hands of who pushes it is no content of the cache's.
func TestSourceShrinks(t *testing.T) {
	content := random(1, 730)
	for _, left := range []int{0, 1, 699, 700, 729} {
		synctest.Test(t, func(t *testing.T) {
			c, l := newCache(t), pushed(t, len(content), "v1")
			err := Push(t.Context(), c, Content{Layout: l}, bytes.NewReader(content[:left]), 0, func(int64) {}, nil)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("push with %d bytes left: %v, want %v", left, err, io.ErrUnexpectedEOF)
			}
			push(t, c, l, content)
			_, err = readOver(t.Context(), c, l, bytes.NewReader(content[:left]), pipeline.Options{})
			var pe *PushError
			if !errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &pe) {
				t.Errorf("read back with %d bytes left: %v, want %v", left, err, io.ErrUnexpectedEOF)
			}
			time.Sleep(time.Second)
		})
	}
}

// unreadable is a source that fails.
type unreadable struct{ err error }

func (u unreadable) ReadAt([]byte, int64) (int, error) { return 0, u.err }

func TestSourceFails(t *testing.T) {
	broken := errors.New("broken disk")
	synctest.Test(t, func(t *testing.T) {
		c, l := newCache(t), pushed(t, 730, "v1")
		if err := Push(t.Context(), c, Content{Layout: l}, unreadable{broken}, 0, func(int64) {}, nil); !errors.Is(err, broken) {
			t.Errorf("push: %v, want %v", err, broken)
		}
		push(t, c, l, random(1, 730))
		_, err := readOver(t.Context(), c, l, unreadable{broken}, pipeline.Options{})
		var pe *PushError
		if !errors.Is(err, broken) || errors.As(err, &pe) {
			t.Errorf("read back: %v, want %v", err, broken)
		}
		time.Sleep(time.Second)
	})
}

func TestPushEnds(t *testing.T) {
	l := pushed(t, 1<<20, "v1")
	content := random(1, 1<<20)
	cause := errors.New("enough")
	synctest.Test(t, func(t *testing.T) {
		out := &outbox{err: cause}
		if err := Push(t.Context(), out, Content{Layout: l}, bytes.NewReader(content), 0, func(int64) {}, nil); err != cause {
			t.Errorf("by the outlet: %v, want %v", err, cause)
		}
		if len(out.sizes) != 1 {
			t.Errorf("%d batches after an error", len(out.sizes)-1)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		if err := Push(ctx, &outbox{full: true}, Content{Layout: l}, bytes.NewReader(content), 0, func(int64) {}, nil); err != cause {
			t.Errorf("with a full outlet: %v, want %v", err, cause)
		}
		ctx, cancel = context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(cause) })
		start := time.Now()
		if err := Push(ctx, &outbox{}, Content{Layout: l}, bytes.NewReader(content), 1e6, func(int64) {}, nil); err != cause || time.Since(start) != time.Second {
			t.Errorf("at a rate: %v after %v, want %v", err, time.Since(start), cause)
		}
	})
}

func TestPushRate(t *testing.T) {
	const size = 1 << 20
	synctest.Test(t, func(t *testing.T) {
		for _, rate := range []float64{1e6, 5e6, 1e9} {
			out, l, start := &outbox{}, pushed(t, size, "v1"), time.Now()
			check(t, Push(t.Context(), out, Content{Layout: l}, bytes.NewReader(random(1, size)), rate, func(int64) {}, nil))
			total := 0
			for i, n := range out.sizes {
				if may := rate / 8 * out.times[i].Sub(start).Seconds(); float64(total) > may+1 {
					t.Fatalf("%g bit/s: %d bytes before %v, which may be %.0f", rate, total, out.times[i].Sub(start), may)
				}
				if total += n; n > sendBytes/4+tlv.MaxPacketLen || float64(n) > rate/8*burst.Seconds()+pushBlock*3 {
					t.Fatalf("%g bit/s: %d bytes at once", rate, n)
				}
			}
			took := time.Since(start).Seconds()
			if want := float64(total) * 8 / rate; took > want || took < want*0.9 {
				t.Errorf("%g bit/s: %d bytes took %vs, want about %vs", rate, total, took, want)
			}
		}
	})
}

// A name too long for a meta is pushed without one.
func TestPushLongName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, l := newCache(t), pushed(t, 730, "")
		l.Name = mustName(t, "ccnx:/"+strings.Repeat("x", 1012))
		check(t, l.Check())
		push(t, c, l, random(1, 730))
		if len(c.store) != int(l.Chunks()) {
			t.Errorf("%d packets, want %d", len(c.store), l.Chunks())
		}
		if _, err := readBack(t.Context(), c, l, random(1, 730)); err != nil {
			t.Error(err)
		}
	})
}

// A push whose source turns out to be another one never sends its last chunk.
func TestPushNotWhole(t *testing.T) {
	cause := errors.New("changed")
	for _, size := range []int{0, 1, 1000} {
		out := &outbox{}
		l := object.Layout{Name: mustName(t, "ccnx:/a"), Size: int64(size), BlockSize: 100}
		err := Push(t.Context(), out, Content{Layout: l}, bytes.NewReader(make([]byte, size)), 0, func(int64) {}, func() error { return cause })
		if err != cause {
			t.Errorf("%d bytes: %v", size, err)
		}
		for _, pkt := range out.sent {
			if _, name, err := tlv.PeekName(pkt); err != nil || name.Equal(l.Name.WithChunk(l.Chunks()-1)) {
				t.Errorf("%d bytes: %s was sent, %v", size, name, err)
			}
		}
	}
}
