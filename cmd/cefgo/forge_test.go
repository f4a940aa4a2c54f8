package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

const (
	forgedSize  = 1_300_000 // bytes: five runs
	forgedBlock = 4000
	// forgedChunk is a chunk in the middle of the second run.
	forgedChunk = 400_000 / forgedBlock
)

// forger is a publisher of a content with its manifest, and what it does wrong.
type forger struct {
	name    tlv.Name
	content []byte
	m       manifest.Manifest // what it tells, from the second manifest on too
	// payload, where set, changes the encoded manifest: nil for no answer.
	payload func([]byte) []byte
	// chunk, where set, changes the Data of the version's chunk k, or answers nothing.
	chunk func(k uint64, o *tlv.Object) bool
	runs  func([]manifest.Digest) []byte // changes the list
	plain func(k uint64, o *tlv.Object) bool
}

// forgers by what they do.
var forgers = map[string]func(f *forger){
	"honest": func(*forger) {},
	// flip: a bit of a chunk's payload, with checksums that hold.
	"flip": func(f *forger) { f.chunk = flipIn(forgedChunk) },
	// flipfirst: likewise in the first run, flipplain in what is under the plain name.
	"flipfirst": func(f *forger) { f.chunk = flipIn(1) },
	"flipplain": func(f *forger) { f.plain = flipIn(0) },
	"flipsmall": func(f *forger) {
		f.content = f.content[:100]
		f.plain, f.chunk = flipIn(0), flipIn(0)
	},
	"swap": func(f *forger) {
		f.chunk = func(k uint64, o *tlv.Object) bool {
			switch k {
			case forgedChunk:
				o.Payload = f.block(forgedChunk + 1)
			case forgedChunk + 1:
				o.Payload = f.block(forgedChunk)
			}
			return true
		}
	},
	// short: the manifest tells of more than there is.
	"short": func(f *forger) {
		f.tell(append(bytes.Clone(f.content), make([]byte, 50_000)...))
	},
	// shortsilent: likewise, and the chunks do not tell their end.
	"shortsilent": func(f *forger) {
		f.tell(append(bytes.Clone(f.content), make([]byte, 50_000)...))
		f.chunk = func(k uint64, o *tlv.Object) bool {
			o.EndChunk = tlv.Opt[uint64]{}
			return true
		}
	},
	"othername": func(f *forger) { f.m.Name = f.name.WithoutChunk(); f.m.Name, _ = f.m.Name.Child("other") },
	"dots": func(f *forger) {
		for _, s := range []string{"..", "..", "etc", "passwd"} {
			f.m.Name, _ = f.m.Name.Child(s)
		}
	},
	// size63: 2^63 bytes, which no manifest may tell; size62: with a first part that is there.
	"size63": func(f *forger) {
		f.m.Size, f.m.Digests = 1<<62, &manifest.Digests{}
		f.payload = func(b []byte) []byte {
			big := binary.BigEndian.AppendUint64([]byte{0, 6, 0, 8}, 1<<62)
			return bytes.Replace(b, big, binary.BigEndian.AppendUint64([]byte{0, 6, 0, 8}, 1<<63), 1)
		}
	},
	"size63less1": func(f *forger) { f.m.Size, f.m.Digests = 1<<63-1, &manifest.Digests{} },
	"size62":      func(f *forger) { f.m.Size, f.m.Digests = 1<<62, &manifest.Digests{} },
	"hashed":      func(f *forger) { f.m.Digests, f.m.Done = nil, 1 },
	"nodigests":   func(f *forger) { f.m.Digests = nil },
	"runs":        func(f *forger) { f.long() },
	"otherruns":   func(f *forger) { f.long(); f.runs = func(r []manifest.Digest) []byte { r[3][7]++; return flat(r) } },
	"norun":       func(f *forger) { f.long(); f.runs = func([]manifest.Digest) []byte { return nil } },
	"otherrunsflip": func(f *forger) {
		f.long()
		f.chunk, f.runs = flipIn(1), func(r []manifest.Digest) []byte { r[3][7]++; return flat(r) }
	},
	"norunflip": func(f *forger) {
		f.long()
		f.chunk, f.runs = flipIn(1), func([]manifest.Digest) []byte { return nil }
	},
	"nodigestsflip": func(f *forger) { f.m.Digests, f.chunk = nil, flipIn(1) },
	"size62silent": func(f *forger) {
		f.m.Size, f.m.Digests = 1<<62, &manifest.Digests{}
		f.chunk = func(_ uint64, o *tlv.Object) bool { o.EndChunk = tlv.Opt[uint64]{}; return true }
	},
	"shortruns":    func(f *forger) { f.long(); f.runs = func(r []manifest.Digest) []byte { return flat(r[:5]) } },
	"longflip":     func(f *forger) { f.long(); f.chunk = flipIn(8*object.RunSize/forgedBlock + 2) },
	"otherversion": func(f *forger) { f.chunk = markedAs(f, []byte("other ver"), 0) },
	"mixedversion": func(f *forger) { f.chunk = markedAs(f, []byte("other ver"), forgedChunk) },
	"nomark": func(f *forger) {
		f.chunk = func(_ uint64, o *tlv.Object) bool { o.Version = nil; return true }
	},
	// halfway: the first 1 200 000 bytes.
	"halfway":   func(f *forger) { f.chunk = func(k uint64, _ *tlv.Object) bool { return k < 3*forgedChunk } },
	"noversion": func(f *forger) { f.chunk = func(uint64, *tlv.Object) bool { return false } },
	// garbage: what comes as a manifest is none.
	"garbage":     func(f *forger) { f.payload = func([]byte) []byte { return []byte("this is no manifest") } },
	"absent":      func(f *forger) { f.without(manifest.Absent); f.plain = never },
	"directory":   func(f *forger) { f.without(manifest.Directory); f.plain = never },
	"absentplain": func(f *forger) { f.without(manifest.Absent) },
	// mute: the manifest, and nothing else.
	"mute": func(f *forger) { f.plain, f.chunk = never, never },
	// newer: other content, honestly.
	"newer": func(f *forger) { f.tell(bytes.ToUpper(f.content)); f.content = bytes.ToUpper(f.content) },
	// gone: the version that was told first is gone at once.
	"gone": func(f *forger) {
		f.chunk = never
		f.payload = func(b []byte) []byte {
			f.m.Version[0]++
			return b
		}
	},
}

func never(uint64, *tlv.Object) bool { return false }

func flipIn(chunk uint64) func(uint64, *tlv.Object) bool {
	return func(k uint64, o *tlv.Object) bool {
		if k == chunk {
			o.Payload = bytes.Clone(o.Payload)
			o.Payload[len(o.Payload)/2] ^= 1
		}
		return true
	}
}

func markedAs(f *forger, version []byte, from uint64) func(uint64, *tlv.Object) bool {
	return func(k uint64, o *tlv.Object) bool {
		if k >= from {
			o.Version = object.Mark(version, forgedBlock)
		}
		return true
	}
}

func flat(runs []manifest.Digest) (b []byte) {
	for _, r := range runs {
		b = append(b, r[:]...)
	}
	return b
}

func runsOf(content []byte) (runs []manifest.Digest) {
	for run := range slices.Chunk(content, object.RunSize) {
		runs = append(runs, sha256.Sum256(run))
	}
	return runs
}

// tell has the manifest tell of that content.
func (f *forger) tell(content []byte) {
	whole := sha256.Sum256(content)
	f.m.Version, f.m.Size = whole[:8], int64(len(content))
	f.m.Digests = manifest.NewDigests(whole, runsOf(content))
}

// long has content of so many runs that their digests are elsewhere.
func (f *forger) long() {
	f.content = pattern(9*object.RunSize + 1)
	f.tell(f.content)
}

// without has no content.
func (f *forger) without(s manifest.Status) {
	f.m = manifest.Manifest{Status: s, Name: f.m.Name, Issued: f.m.Issued, Expires: f.m.Expires}
}

func (f *forger) block(k uint64) []byte {
	from := min(int(k)*forgedBlock, len(f.content))
	return f.content[from:min(from+forgedBlock, len(f.content))]
}

// newForger is the publisher of that name who does that.
func newForger(mode string, name tlv.Name) *forger {
	f := &forger{name: name, content: pattern(forgedSize)}
	f.m = manifest.Manifest{
		Status: manifest.Object, Name: name, Issued: time.Now(), Expires: time.Now().Add(time.Minute), Blocks: []int{forgedBlock},
	}
	f.tell(f.content)
	forgers[mode](f)
	if f.m.Size == forgedSize && len(f.content) < forgedSize {
		f.tell(f.content)
	}
	return f
}

// answer appends the answer to one Interest, if it has one.
func (f *forger) answer(out *tlv.Batch, i *tlv.Interest) {
	part, ok := object.Split(i.Name)
	k, hasChunk := i.Name.Chunk()
	if !ok || !hasChunk || !part.Of.Equal(f.name) {
		return
	}
	switch part.Kind {
	case object.KindManifest:
		b, err := f.m.Encode(nil)
		if err != nil {
			panic(err)
		}
		if f.payload != nil {
			b = f.payload(b)
		}
		_ = out.Encode(func(to []byte) ([]byte, error) {
			return object.AppendFresh(to, i.Name, b, 0, i.HopLimit, time.Now().Add(time.Second), object.SumMessage)
		})
	case object.KindVersion:
		f.send(out, i.Name, k, part.Block, f.chunk)
	case object.KindRuns:
		list := flat(runsOf(f.content))
		if f.runs != nil {
			list = f.runs(runsOf(f.content))
		}
		if int(k) <= (len(list)-1)/forgedBlock && len(list) > 0 {
			l := object.Layout{Name: i.Name.WithoutChunk(), Size: int64(len(list)), BlockSize: forgedBlock}
			off, n, _ := l.Span(k)
			_ = out.Encode(func(to []byte) ([]byte, error) { return l.AppendChunk(to, k, list[off:][:n], time.Now()) })
		}
	default:
		f.send(out, i.Name, k, forgedBlock, f.plain)
	}
}

// send appends a chunk of the content.
func (f *forger) send(out *tlv.Batch, name tlv.Name, k uint64, block int, change func(uint64, *tlv.Object) bool) {
	last := uint64(max(len(f.content)-1, 0) / forgedBlock)
	if k > last || block != forgedBlock {
		return
	}
	o := tlv.Object{Name: name, EndChunk: tlv.Some(last), Version: object.Mark(f.m.Version, forgedBlock), Payload: f.block(k), Summed: true}
	if f.m.Version == nil {
		o.Version = nil
	}
	if change == nil || change(k, &o) {
		_ = out.Encode(o.AppendTo)
	}
}

func (f *forger) serve(ctx context.Context, reg *client.Registration, c *client.Client) {
	var in, out tlv.Batch
	for reg.Receive(&in) == nil {
		out.Reset(1 << 20)
		for n := range in.Len() {
			var i tlv.Interest
			if i.Decode(in.Packet(n)) == nil {
				f.answer(&out, &i)
			}
		}
		if c.Send(ctx, &out) != nil {
			return
		}
		select {
		case <-reg.Ready():
		case <-ctx.Done():
			return
		}
	}
}

// startForger starts a forger in this process, as an application on that socket.
func startForger(socket, mode, uri string) (stop func(), err error) {
	name, err := tlv.ParseName(uri, tlv.PercentLiteral)
	if err != nil || forgers[mode] == nil {
		return nil, errors.New("usage: forge MODE NAME")
	}
	addr := transport.Address{Network: "unix", Addr: socket}
	dial := func(ctx context.Context) (transport.Conn, error) { return transport.Dial(ctx, addr) }
	ctx, cancel := context.WithCancel(context.Background())
	c, err := client.New(ctx, client.Config{Dial: dial, DialSecond: dial})
	if err != nil {
		cancel()
		return nil, err
	}
	var serving sync.WaitGroup
	stop = sync.OnceFunc(func() {
		cancel()
		c.Close()
		serving.Wait()
	})
	reg, err := c.Register(ctx, name, client.Prefix)
	if err != nil {
		stop()
		return nil, err
	}
	f := newForger(mode, name)
	serving.Go(func() { f.serve(ctx, reg, c) })
	return stop, nil
}

// cmdForge starts a forger for the rest of the script, or until quit.
func cmdForge(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: forge MODE NAME")
	}
	stop, err := startForger(ts.Getenv("SOCKET"), args[0], args[1])
	ts.Check(err)
	ts.Value(procsKey).(*processes).fakes[args[1]] = stop
	ts.Defer(stop)
}

// cmdForged gets what a forger publishes, in three ways, and checks what each ends with,
// that nothing has the content's name, and that nothing wrong has reached stdout.
func cmdForged(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: forged MODE file=N,stdout=N,range=N [flags]")
	}
	mode, flags := args[0], args[2:]
	uri := "ccnx:/forged/" + mode
	stop, err := startForger(ts.Getenv("SOCKET"), mode, uri)
	ts.Check(err)
	defer stop()
	right := newForger(mode, tlv.Name{}).content
	for way := range strings.SplitSeq(args[1], ",") {
		way, want, _ := strings.Cut(way, "=")
		get := append([]string{"get", uri, "-o", "out"}, flags...)
		switch way {
		case "file":
		case "stdout":
			get[3] = "-"
		case "range":
			get = append(get, "--range", "390000-410000")
			right = right[min(390_000, len(right)):]
		default:
			ts.Fatalf("%s?", way)
		}
		got := exitOf(ts, get...)
		if strconv.Itoa(got) != want {
			ts.Fatalf("%s %s: exit code %d, want %s", mode, way, got, want)
		}
		if out := ts.ReadFile("stdout"); way == "stdout" && !strings.HasPrefix(string(right), out) {
			ts.Fatalf("%s: %d bytes reached stdout that are no first part of the content", mode, len(out))
		}
		for _, file := range []string{"out", "out.cefgo-part", "out.cefgo-state"} {
			_, err := os.Lstat(ts.MkAbs(file))
			if err == nil && (got != 0 || file != "out") && (got != 7 || file == "out") {
				ts.Fatalf("%s %s: %s is there", mode, way, file)
			}
			_ = os.Remove(ts.MkAbs(file))
		}
	}
}

// exitOf runs cefgo and returns its exit code.
func exitOf(ts *testscript.TestScript, args ...string) int {
	err := ts.Exec("cefgo", args...)
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}
