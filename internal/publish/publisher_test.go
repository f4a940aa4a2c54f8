package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// inbox is an Inlet that a test fills.
type inbox struct {
	ready chan struct{}

	mu  sync.Mutex
	in  tlv.Batch
	err error
}

func newInbox() *inbox { return &inbox{ready: make(chan struct{}, 1)} }

func (i *inbox) Ready() <-chan struct{} { return i.ready }

func (i *inbox) Receive(b *tlv.Batch) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	b.Reset(1 << 20)
	*b, i.in = i.in, *b
	return i.err
}

func (i *inbox) add(pkts ...[]byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, p := range pkts {
		i.in.Append(p)
	}
	i.signal()
}

func (i *inbox) fail(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.err = err
	i.signal()
}

func (i *inbox) signal() {
	select {
	case i.ready <- struct{}{}:
	default:
	}
}

// outbox is an Outlet that keeps what it is sent.
type outbox struct {
	mu    sync.Mutex
	sent  [][]byte
	sizes []int       // of the batches, in bytes
	times []time.Time // of the batches
	full  bool        // Send waits for its context
	err   error
}

func (o *outbox) Send(ctx context.Context, b *tlv.Batch) error {
	o.mu.Lock()
	full := o.full
	o.mu.Unlock()
	if full {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range b.Len() {
		o.sent = append(o.sent, bytes.Clone(b.Packet(i)))
	}
	o.sizes, o.times = append(o.sizes, b.Size()), append(o.times, time.Now())
	return o.err
}

// take returns what was sent since the last take.
func (o *outbox) take() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	sent := o.sent
	o.sent = nil
	return sent
}

// server is a Publisher under test, serving in a bubble of synctest.
type server struct {
	*Publisher
	t    *testing.T
	in   *inbox
	out  *outbox
	stop context.CancelCauseFunc
	end  chan error
}

// serve starts to serve path as ccnx:/demo.
func serve(t *testing.T, path string, o Options) *server {
	return serveTree(t, openTree(t, path), o)
}

func serveTree(t *testing.T, tree *Tree, o Options) *server {
	s := &server{Publisher: New(tree, o), t: t, in: newInbox(), out: &outbox{}, end: make(chan error, 1)}
	ctx, stop := context.WithCancelCause(t.Context())
	s.stop = stop
	go func() { s.end <- s.Serve(ctx, s.in, s.out) }()
	return s
}

// answers returns what comes of the Interests.
func (s *server) answers(interests ...[]byte) [][]byte {
	s.in.add(interests...)
	synctest.Wait()
	return s.out.take()
}

// ended waits for the end of serving.
func (s *server) ended() error {
	s.t.Helper()
	synctest.Wait()
	select {
	case err := <-s.end:
		return err
	default:
		s.t.Fatal("it serves on")
		return nil
	}
}

func decode(t testing.TB, pkt []byte) tlv.Object {
	t.Helper()
	var o tlv.Object
	check(t, o.Decode(pkt))
	check(t, o.Validation.Check())
	return o
}

// one returns the one packet among pkts, as Data.
func one(t testing.TB, pkts [][]byte) tlv.Object {
	t.Helper()
	if len(pkts) != 1 {
		t.Fatalf("%d packets, want one", len(pkts))
	}
	return decode(t, pkts[0])
}

func TestServeChunks(t *testing.T) {
	for _, block := range []int{object.MinBlock, object.DefaultBlock, object.MaxBlock} {
		for _, size := range []int{0, 1, block - 1, block, block + 1, 3*block + 7} {
			t.Run(fmt.Sprintf("%d bytes by %d", size, block), func(t *testing.T) {
				dir, want := t.TempDir(), random(3, size)
				write(t, dir, "d/file", want)
				synctest.Test(t, func(t *testing.T) {
					s := serve(t, dir, Options{Blocks: []int{block}, CacheTime: time.Minute, Expiry: time.Hour})
					time.Sleep(time.Second)
					name := mustName(t, "ccnx:/demo/d/file")
					last := uint64(max(0, size-1) / block)
					var got, version []byte
					for k := range last + 1 {
						o := one(t, s.answers(interest(t, name.WithChunk(k))))
						if k == 0 {
							version = o.Version
						}
						switch {
						case !o.Name.Equal(name.WithChunk(k)):
							t.Errorf("chunk %d: name %s", k, o.Name)
						case o.EndChunk != tlv.Some(last):
							t.Errorf("chunk %d: end chunk %v, want %d", k, o.EndChunk, last)
						case o.CacheTime != tlv.Some(tlv.TimestampOf(time.Now().Add(time.Minute))) || o.Expiry != tlv.Some(tlv.TimestampOf(time.Now().Add(time.Hour))):
							t.Errorf("chunk %d: cache time %v, expiry %v", k, o.CacheTime, o.Expiry)
						case !o.Summed || o.Check() != nil:
							t.Errorf("chunk %d: no checksum", k)
						case len(o.Version) != versionLen+2 || !bytes.Equal(o.Version, version):
							t.Errorf("chunk %d: version %x after %x", k, o.Version, version)
						}
						got = append(got, o.Payload...)
					}
					if !bytes.Equal(got, want) {
						t.Errorf("%d bytes that are not the file's %d", len(got), len(want))
					}
					if n := s.Counters(); n.Interests.Load() != last+1 || n.Data.Load() != last+1 || n.Bytes.Load() != uint64(size) || n.NotFound.Load()+n.Failed.Load() != 0 {
						t.Errorf("counters %d %d %d %d %d", n.Interests.Load(), n.Data.Load(), n.Bytes.Load(), n.NotFound.Load(), n.Failed.Load())
					}
					s.stop(nil)
				})
			})
		}
	}
}

func TestServeOptions(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", random(3, 5000))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{Sum: object.SumNone})
		o := one(t, s.answers(interest(t, mustName(t, "ccnx:/demo/file/Chunk=0"))))
		if o.Proves() || o.CacheTime.OK || o.Expiry.OK || len(o.Payload) != object.DefaultBlock {
			t.Errorf("%+v with %d bytes; want no checksum, no times, %d bytes", o.Validation, len(o.Payload), object.DefaultBlock)
		}
		s.stop(nil)
	})
}

func TestServeSingleFile(t *testing.T) {
	path := write(t, t.TempDir(), "file", []byte("content"))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, path, Options{})
		if o := one(t, s.answers(interest(t, mustName(t, "ccnx:/demo/Chunk=0")))); string(o.Payload) != "content" {
			t.Errorf("%q", o.Payload)
		}
		if o := one(t, s.answers(interest(t, mustName(t, "ccnx:/demo/meta/Chunk=0")))); string(o.Payload) != "1" {
			t.Errorf("meta %q", o.Payload)
		}
		s.stop(nil)
	})
}

func TestServeMeta(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "ten", random(4, 10*object.DefaultBlock))
	write(t, dir, "empty", nil)
	write(t, dir, "d/meta", []byte("a file of that name"))
	write(t, dir, "e/meta/x", []byte("x"))
	write(t, dir, "meta", []byte("another"))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{CacheTime: time.Minute, Expiry: time.Hour})
		for uri, want := range map[string]string{
			"ccnx:/demo/ten/meta":   "10",
			"ccnx:/demo/empty/meta": "1",
		} {
			name := mustName(t, uri).WithChunk(0)
			o := one(t, s.answers(interest(t, name)))
			if !o.Name.Equal(name) || string(o.Payload) != want || o.EndChunk != tlv.Some[uint64](0) {
				t.Errorf("%s: %s, %q, end %v; want %q", uri, o.Name, o.Payload, o.EndChunk, want)
			}
			// A cache would go on to tell the length that the file had.
			if o.CacheTime.OK || o.Expiry != tlv.Some(tlv.TimestampOf(time.Now().Add(time.Hour))) {
				t.Errorf("%s: cache time %v, expiry %v", uri, o.CacheTime, o.Expiry)
			}
			of, _ := object.IsMeta(name)
			if c := one(t, s.answers(interest(t, of.WithChunk(0)))); !bytes.Equal(c.Version, o.Version) || len(o.Version) == 0 {
				t.Errorf("%s: version %x, its chunks' %x", uri, o.Version, c.Version)
			}
		}
		for uri, want := range map[string]string{
			"ccnx:/demo/d/meta/Chunk=0":      "a file of that name",
			"ccnx:/demo/meta/Chunk=0":        "another",
			"ccnx:/demo/d/meta/meta/Chunk=0": "1",
			"ccnx:/demo/meta/meta/Chunk=0":   "1",
		} {
			if o := one(t, s.answers(interest(t, mustName(t, uri)))); string(o.Payload) != want {
				t.Errorf("%s: %q, want %q", uri, o.Payload, want)
			}
		}
		for _, uri := range []string{
			"ccnx:/demo/ten/meta", "ccnx:/demo/ten/meta/Chunk=1", "ccnx:/demo/none/meta/Chunk=0", "ccnx:/demo/d/meta/Chunk=1",
			"ccnx:/demo/e/meta/Chunk=0", "ccnx:/demo/ten/meta/meta/Chunk=0", "ccnx:/demo/ten/App:0=meta/Chunk=0",
		} {
			if got := s.answers(interest(t, mustName(t, uri))); len(got) != 0 {
				t.Errorf("%s was answered: %x", uri, got)
			}
		}
		s.stop(nil)
	})
}

// What is not answered, and does not keep it from answering what comes next.
func TestServeSilence(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", random(5, 10000))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{})
		file := mustName(t, "ccnx:/demo/file")
		good := interest(t, file.WithChunk(1))
		data := one(t, s.answers(good))
		withCRC := interest(t, file.WithChunk(0), func(i *tlv.Interest) { i.Validation.Alg = tlv.AlgCRC32C })
		if len(s.answers(withCRC)) != 1 {
			t.Error("an Interest with a sound checksum was not answered")
		}
		wrongCRC := bytes.Clone(withCRC)
		wrongCRC[len(wrongCRC)-1] ^= 1
		dataPkt, err := data.AppendTo(nil)
		check(t, err)
		hash := tlv.Hash{Type: tlv.HashSHA256, Sum: make([]byte, 32)}
		for what, pkt := range map[string][]byte{
			"beyond the end":                interest(t, file.WithChunk(3)),
			"beyond the end, marked":        interest(t, file.WithChunk(3), marked),
			"far beyond the end":            interest(t, file.WithChunk(1<<63)),
			"chunkless":                     interest(t, file),
			"chunkless, marked":             interest(t, file, marked),
			"symbolic":                      interest(t, file, func(i *tlv.Interest) { i.MsgVendor = tlv.VendorSymbolic }),
			"no such file":                  interest(t, mustName(t, "ccnx:/demo/none/Chunk=0")),
			"a directory":                   interest(t, mustName(t, "ccnx:/demo/Chunk=0")),
			"another prefix":                interest(t, mustName(t, "ccnx:/other/file/Chunk=0")),
			"a cancelled request":           interest(t, file.WithChunk(0), func(i *tlv.Interest) { i.Lifetime = tlv.CancelLifetime }),
			"for a key":                     interest(t, file.WithChunk(0), func(i *tlv.Interest) { i.KeyID = hash }),
			"for an object's hash":          interest(t, file.WithChunk(0), func(i *tlv.Interest) { i.ObjectHash = hash }),
			"with a wrong checksum":         wrongCRC,
			"cut short":                     good[:len(good)-1],
			"with something behind it":      append(bytes.Clone(good), 0),
			"empty":                         {},
			"text":                          []byte("GET / HTTP/1.0\r\n\r\n"),
			"Data":                          dataPkt,
			"an Interest Return":            tlv.AppendReturn(nil, good, tlv.ReturnNoRoute),
			"a ping below no reserved name": interest(t, mustName(t, "ccnx:/demo/ping/0/Chunk=0")),
		} {
			if got := s.answers(pkt); len(got) != 0 {
				t.Errorf("%s: answered with %x", what, got)
			}
			if got := s.answers(pkt, good, pkt); len(got) != 1 || !bytes.Equal(decode(t, got[0]).Payload, data.Payload) {
				t.Errorf("%s: between two of it, a good Interest got %d answers", what, len(got))
			}
		}
		s.stop(nil)
	})
}

// Who understands an Interest Return is told that there is no such file; others,
// who would take it for Data, are not.
func TestServeReturn(t *testing.T) {
	inside, _ := forest(t)
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, inside, Options{})
		uris := []string{"none/Chunk=0", "none", "d/Chunk=0", "none/meta/Chunk=0", "a/meta/Chunk=1", "../outside/secret/Chunk=0", ".hidden/Chunk=0", "outdir/secret/Chunk=0", "loop/Chunk=0"}
		for _, uri := range uris {
			name := mustName(t, "ccnx:/demo/"+uri)
			if got := s.answers(interest(t, name)); len(got) != 0 {
				t.Errorf("%s: answered with %x", name, got)
			}
			pkt := interest(t, name, marked)
			got := s.answers(pkt)
			var r tlv.Return
			if len(got) != 1 || r.Decode(got[0]) != nil || r.Code != tlv.ReturnNoRoute || !r.Name.Equal(name) {
				t.Errorf("%s: marked, answered with %x; want an Interest Return for %x", name, got, pkt)
			}
		}
		const failing = 2
		if n := s.Counters(); n.NotFound.Load() != uint64(2*(len(uris)-failing)) || n.Failed.Load() != 2*failing || n.Data.Load() != 0 {
			t.Errorf("%d not found, %d failed, %d Data", n.NotFound.Load(), n.Failed.Load(), n.Data.Load())
		}
		s.stop(nil)
	})
}

func TestServePing(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", nil)
	write(t, dir, ".cefgo/ping/0", []byte("a file of that name"))
	for _, path := range []string{dir, path} {
		synctest.Test(t, func(t *testing.T) {
			s := serve(t, path, Options{CacheTime: time.Minute, Expiry: time.Hour})
			s.tree.Hidden = true
			name, err := object.PingName(mustName(t, "ccnx:/demo"), [8]byte{1, 2, 3})
			check(t, err)
			for _, name := range []tlv.Name{name.WithChunk(0), name.WithChunk(1 << 31), mustName(t, "ccnx:/demo/.cefgo/ping/0/Chunk=5")} {
				o := one(t, s.answers(interest(t, name)))
				if !o.Name.Equal(name) || len(o.Payload) != 0 || o.CacheTime.OK || o.Expiry.OK || o.EndChunk.OK {
					t.Errorf("%s: %+v; want a pong that no cache keeps", name, o)
				}
			}
			s.stop(nil)
		})
	}
}

// However much is asked for at once, everything is answered in order, and goes out
// in batches of bounded size.
func TestServeMany(t *testing.T) {
	const chunks = 2000
	dir, content := t.TempDir(), random(6, chunks*1000)
	write(t, dir, "file", content)
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{Blocks: []int{1000}})
		var interests [][]byte
		for k := range uint64(chunks) {
			interests = append(interests, interest(t, mustName(t, "ccnx:/demo/file").WithChunk(k)))
		}
		var got []byte
		for i, pkt := range s.answers(interests...) {
			o := decode(t, pkt)
			if k, _ := o.Name.Chunk(); k != uint64(i) {
				t.Fatalf("answer %d is chunk %d", i, k)
			}
			got = append(got, o.Payload...)
		}
		if !bytes.Equal(got, content) {
			t.Errorf("%d bytes that are not the file's %d", len(got), len(content))
		}
		if m := slices.Max(s.out.sizes); m > sendBytes+tlv.MaxPacketLen {
			t.Errorf("%d bytes went out at once", m)
		}
		s.stop(nil)
	})
}

func TestServeEnds(t *testing.T) {
	cause := errors.New("enough")
	dir := t.TempDir()
	write(t, dir, "file", []byte("content"))
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, s *server)
	}{
		{"while there is nothing to do", func(t *testing.T, s *server) { s.stop(cause) }},
		{"while the outlet is full", func(t *testing.T, s *server) {
			s.out.full = true
			s.answers(interest(t, mustName(t, "ccnx:/demo/file/Chunk=0")))
			s.stop(cause)
		}},
		{"while it waits for its rate", func(t *testing.T, s *server) {
			s.pace = pacer{rate: 8}
			s.answers(interest(t, mustName(t, "ccnx:/demo/file/Chunk=0")))
			s.answers(interest(t, mustName(t, "ccnx:/demo/file/Chunk=0")))
			s.stop(cause)
		}},
		{"by the inlet", func(t *testing.T, s *server) { s.in.fail(cause) }},
		{"by the outlet", func(t *testing.T, s *server) {
			s.out.err = cause
			s.answers(interest(t, mustName(t, "ccnx:/demo/file/Chunk=0")))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, dir, Options{})
				synctest.Wait()
				tt.do(t, s)
				if err := s.ended(); err != cause {
					t.Errorf("%v, want %v", err, cause)
				}
				s.stop(nil)
			})
		})
	}
}

// The rate is kept from second to second, in small portions, and time without
// Interests is not made up for.
func TestServeRate(t *testing.T) {
	const rate, chunks, block = 4e6, 500, 4000
	dir := t.TempDir()
	write(t, dir, "file", random(7, chunks*block))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{Blocks: []int{block}, Rate: rate})
		time.Sleep(time.Minute)
		var interests [][]byte
		for k := range uint64(chunks) {
			interests = append(interests, interest(t, mustName(t, "ccnx:/demo/file").WithChunk(k)))
		}
		for range 2 {
			start := time.Now()
			s.out.sizes, s.out.times = nil, nil
			s.in.add(interests...)
			time.Sleep(10 * time.Second)
			synctest.Wait()
			if n := len(s.out.take()); n != chunks {
				t.Fatalf("%d answers, want %d", n, chunks)
			}
			total, largest := 0, slices.Max(s.out.sizes)
			for i, size := range s.out.sizes {
				if may := rate / 8 * s.out.times[i].Sub(start).Seconds(); float64(total) > may+1 {
					t.Fatalf("%d bytes went out before %v, which may be %.0f", total, s.out.times[i].Sub(start), may)
				}
				total += size
			}
			took := s.out.times[len(s.out.times)-1].Sub(start).Seconds()
			if want := float64(total-s.out.sizes[len(s.out.sizes)-1]) * 8 / rate; took < want*0.999 || took > want*1.001 {
				t.Errorf("%d bytes took %vs, want %vs", total, took, want)
			}
			if float64(largest) > rate/8*burst.Seconds()+block+500 {
				t.Errorf("%d bytes went out at once, more than %v of the rate", largest, burst)
			}
			time.Sleep(time.Minute)
		}
		s.stop(nil)
	})
}

// A file is looked at anew after Rescan, at once.
func TestServeRescan(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", []byte("old"))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{})
		ask := interest(t, mustName(t, "ccnx:/demo/file/Chunk=0"))
		if o := one(t, s.answers(ask)); string(o.Payload) != "old" {
			t.Fatalf("%q", o.Payload)
		}
		check(t, os.Rename(path, filepath.Join(dir, "moved")))
		write(t, dir, "file", []byte("new"))
		s.Rescan()
		s.Rescan() // never waits
		synctest.Wait()
		if o := one(t, s.answers(ask)); string(o.Payload) != "new" {
			t.Errorf("%q, want the new file", o.Payload)
		}
		s.stop(nil)
	})
}

// A file that changes under the hands of its readers: no chunk of the new content
// goes out as one of the old version, and whoever asks again gets the new version.
func TestServeChangingFile(t *testing.T) {
	for name, shrink := range map[string]bool{"same size": false, "shorter": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := write(t, dir, "file", bytes.Repeat([]byte("o"), 1000))
			synctest.Test(t, func(t *testing.T) {
				s := serve(t, dir, Options{Blocks: []int{100}})
				name := mustName(t, "ccnx:/demo/file")
				old := one(t, s.answers(interest(t, name.WithChunk(0))))
				was := s.tree.open["file"]
				tick(t, path)
				if shrink {
					check(t, os.Truncate(path, 150))
				}
				overwrite(t, path, bytes.Repeat([]byte("n"), 150), 0)
				if got := s.answers(interest(t, name.WithChunk(1), marked)); len(got) != 0 {
					t.Errorf("the Interest that noticed the change was answered: %x", got)
				}
				if _, err := was.Stat(); !errors.Is(err, os.ErrClosed) {
					t.Errorf("the old version: %v, want it closed", err)
				}
				o := one(t, s.answers(interest(t, name.WithChunk(1))))
				if o.Payload[0] != 'n' || bytes.Equal(o.Version, old.Version) {
					t.Errorf("%q of version %x, after version %x", o.Payload, o.Version, old.Version)
				}
				if shrink != (o.EndChunk == tlv.Some[uint64](1)) {
					t.Errorf("end chunk %v", o.EndChunk)
				}
				if n := s.Counters(); n.NotFound.Load()+n.Failed.Load() != 0 {
					t.Errorf("%d not found, %d failed", n.NotFound.Load(), n.Failed.Load())
				}
				s.stop(nil)
			})
		})
	}
}

// Trouble is logged once for each file, and for a bounded number of them; again
// after Rescan.
func TestServeLogsTrouble(t *testing.T) {
	inside, _ := forest(t)
	var log bytes.Buffer
	warnings := func() int {
		n := strings.Count(log.String(), "level=WARN")
		log.Reset()
		return n
	}
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, inside, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		out := mustName(t, "ccnx:/demo/out/Chunk=0")
		for range 5 {
			s.answers(interest(t, out), interest(t, out.WithChunk(1)))
		}
		if log := log.String(); !strings.Contains(log, "ccnx:/demo/out") || !strings.Contains(log, "escapes") {
			t.Errorf("log %q", log)
		}
		if n := warnings(); n != 1 {
			t.Errorf("%d warnings of one file, want 1", n)
		}
		s.answers(interest(t, mustName(t, "ccnx:/demo/none/Chunk=0")))
		if n := warnings(); n != 0 {
			t.Errorf("%d warnings of a file that is not there, want none", n)
		}
		for i := range 1000 {
			s.answers(interest(t, child(t, mustName(t, "ccnx:/demo/outdir"), fmt.Sprint(i)).WithChunk(0)))
		}
		if n := warnings(); n != maxOpen-1 {
			t.Errorf("%d warnings, want no more than %d in all", n, maxOpen)
		}
		s.Rescan()
		if s.answers(interest(t, out)); warnings() != 1 {
			t.Error("no warning after Rescan")
		}
		s.stop(nil)
	})
}

// Answering allocates nothing, whatever the size of the file.
func TestAnswerAllocates(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "some/dir/file", random(8, 1<<20))
	tree := openTree(t, dir)
	settled(t, tree, mustName(t, "ccnx:/demo/some/dir/file"))
	p := New(tree, Options{CacheTime: time.Minute, Expiry: time.Hour})
	pkt := interest(t, mustName(t, "ccnx:/demo/some/dir/file/Chunk=200"))
	now := time.Now()
	var data tlv.Batch
	if n := testing.AllocsPerRun(100, func() {
		data.Reset(1 << 20)
		p.answer(pkt, &data, now)
	}); n > 0 || data.Len() != 1 {
		t.Errorf("%d answers, %v allocations for each; want none", data.Len(), n)
	}
}
