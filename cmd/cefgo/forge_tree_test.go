package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// forgedFile is the content of every file of a forged tree.
const forgedFile = "what is in a file\n"

// treeForger publishes a tree, signed, and what it does wrong: a file "a", a directory "d"
// with a file "b", and a file "z".
type treeForger struct {
	name  tlv.Name
	key   keys.PrivateKey
	dirs  map[string][]manifest.Entry // by path, "" the top
	asked int                         // manifests of directories
	slow  time.Duration               // before a file's chunk
	// of, where set, says what is in any directory.
	of func(path string) []manifest.Entry
	// manifest and page change what is told; what they return is signed, or unsigned, or
	// not told.
	manifest func(path string, m *manifest.Manifest) telling
	page     func(path string, p *manifest.Page) telling
}

type telling int

const (
	signed telling = iota
	unsigned
	silent
)

func entryOf(s manifest.Status, name string) manifest.Entry {
	return manifest.Entry{Status: s, Name: []byte(name)}
}

func filesOf(names ...string) (all []manifest.Entry) {
	for _, n := range names {
		all = append(all, entryOf(manifest.Object, n))
	}
	return all
}

// treeForgers by what they do.
var treeForgers = map[string]func(f *treeForger){
	"honest": func(*treeForger) {},
	// absent: somebody denies the directory before its publisher answers.
	"absent": func(f *treeForger) {
		f.manifest = func(path string, m *manifest.Manifest) telling {
			if path != "d" {
				return signed
			}
			*m = manifest.Manifest{Status: manifest.Absent, Name: m.Name, Issued: m.Issued, Expires: m.Expires}
			return unsigned
		}
	},
	// isfile: the directory of the list is a file by now.
	"isfile": func(f *treeForger) { delete(f.dirs, "d") },
	"isdir":  func(f *treeForger) { f.dirs["z"] = filesOf("y") },
	"silent": func(f *treeForger) {
		f.manifest = func(path string, _ *manifest.Manifest) telling {
			if path == "d" {
				return silent
			}
			return signed
		}
	},
	"silentpage": func(f *treeForger) { f.page = func(string, *manifest.Page) telling { return silent } },
	"unsignedmanifest": func(f *treeForger) {
		f.manifest = func(path string, _ *manifest.Manifest) telling {
			if path == "d" {
				return unsigned
			}
			return signed
		}
	},
	"unsignedpage": func(f *treeForger) {
		f.page = func(path string, _ *manifest.Page) telling {
			if path == "d" {
				return unsigned
			}
			return signed
		}
	},
	"expiredpage": func(f *treeForger) {
		f.page = func(_ string, p *manifest.Page) telling {
			p.Issued, p.Expires = time.Now().Add(-time.Hour), time.Now().Add(-6*time.Minute)
			return signed
		}
	},
	"otherpage": func(f *treeForger) { f.page = pageOf("d", "") },
	"otherversion": func(f *treeForger) {
		f.page = func(_ string, p *manifest.Page) telling { p.Version[0]++; return signed }
	},
	"swapped": func(f *treeForger) {
		f.page = func(path string, p *manifest.Page) telling { p.Pages, p.Number = 2, 1; return signed }
	},
	// names: what no file may be called.
	"names": func(f *treeForger) {
		f.dirs[""] = filesOf("\x00", "\n", "\x1b[31m", ".", "..", "../up", "/etc/passwd", "a", "a/b", "cefgo-part.cefgo-part", strings.Repeat("l", 300))
	},
	// itself: every directory has one, without end.
	"itself": func(f *treeForger) {
		f.of = func(string) []manifest.Entry { return []manifest.Entry{entryOf(manifest.Directory, "d")} }
	},
	// empty: pages without end, with nothing on them.
	"empty": func(f *treeForger) {
		f.manifest = func(_ string, m *manifest.Manifest) telling { m.Pages = object.MaxChunks; return signed }
		f.page = func(_ string, p *manifest.Page) telling { p.Pages, p.Entries = object.MaxChunks, nil; return signed }
	},
	// emptypages: many pages with nothing on them, in the directory only.
	"emptypages": func(f *treeForger) {
		f.manifest = func(path string, m *manifest.Manifest) telling { m.Pages = 1 + int64(100*len(path)); return signed }
		f.page = func(path string, p *manifest.Page) telling {
			if p.Pages = 1 + int64(100*len(path)); p.Number > 0 {
				p.Entries = nil
			}
			return signed
		}
	},
	// reading: the list is never ready, and always nearer to it.
	"reading": func(f *treeForger) {
		f.manifest = func(_ string, m *manifest.Manifest) telling {
			f.asked++
			m.Version, m.Pages, m.Done = nil, 0, int64(f.asked)
			return signed
		}
	},
	// many: a hundred files, each of which takes its time.
	"many": func(f *treeForger) {
		var names []string
		for i := range 100 {
			names = append(names, fmt.Sprintf("f%d", 100+i))
		}
		f.dirs[""], f.slow = filesOf(names...), 50*time.Millisecond
	},
	// later: the list is ready when it has been asked for three times.
	"later": func(f *treeForger) {
		f.manifest = func(_ string, m *manifest.Manifest) telling {
			if f.asked++; f.asked >= 3 {
				return signed
			}
			m.Version, m.Pages, m.Done = nil, 0, int64(f.asked)
			return unsigned
		}
	},
	// toandfro: it goes to and fro.
	"toandfro": func(f *treeForger) {
		f.manifest = func(_ string, m *manifest.Manifest) telling {
			f.asked++
			m.Version, m.Pages, m.Done = nil, 0, int64(f.asked%2)
			return signed
		}
	},
}

func pageOf(path, other string) func(string, *manifest.Page) telling {
	return func(at string, p *manifest.Page) telling {
		if at == path {
			p.Name, _, _ = p.Name.Parent()
			p.Entries = filesOf("forged")
		}
		return signed
	}
}

// sealing is how something is signed, nil where it is not.
func (f *treeForger) sealing(t telling) func([]byte) (manifest.Signature, error) {
	if t != signed {
		return nil
	}
	return func(b []byte) (manifest.Signature, error) {
		s := f.key.Sign(b)
		return manifest.Signature{Algorithm: uint8(s.Algorithm), KeyID: manifest.Digest(s.KeyID), Bytes: s.Bytes}, nil
	}
}

func (f *treeForger) entries(path string) ([]manifest.Entry, bool) {
	if f.of != nil {
		return f.of(path), true
	}
	e, ok := f.dirs[path]
	return e, ok
}

// answer appends the answer to one Interest, if it has one.
func (f *treeForger) answer(out *tlv.Batch, i *tlv.Interest) {
	part, ok := object.Split(i.Name)
	k, hasChunk := i.Name.Chunk()
	rest, below := part.Of.TrimPrefix(f.name)
	if !ok || !hasChunk || !below {
		return
	}
	var path []string
	for s := range rest.Segments() {
		path = append(path, string(s.Value))
	}
	at := strings.Join(path, "/")
	entries, isDir := f.entries(at)
	end := uint64(0)
	fresh := func(b []byte, err error) {
		if err != nil {
			panic(err)
		}
		_ = out.Encode(func(to []byte) ([]byte, error) {
			return object.AppendFresh(to, i.Name, b, end, i.HopLimit, time.Now().Add(time.Second), object.SumMessage)
		})
	}
	now := time.Now()
	version := []byte{1, 2, 3}
	whole := sha256.Sum256([]byte(forgedFile))
	switch {
	case part.Kind == object.KindManifest && isDir:
		m := manifest.Manifest{Status: manifest.Directory, Name: part.Of, Issued: now, Expires: now.Add(time.Minute), Version: version, Pages: 1}
		t := signed
		if f.manifest != nil {
			t = f.manifest(at, &m)
		}
		if t != silent {
			fresh(m.Encode(f.sealing(t)))
		}
	case part.Kind == object.KindList && isDir:
		p := manifest.Page{Name: part.Of, Issued: now, Expires: now.Add(time.Minute), Version: version, Number: int64(k), Pages: 1, Entries: entries}
		t := signed
		if f.page != nil {
			t = f.page(at, &p)
		}
		end = uint64(p.Pages - 1)
		if t != silent {
			fresh(p.Encode(f.sealing(t)))
		}
	case part.Kind == object.KindManifest:
		m := manifest.Manifest{
			Status: manifest.Object, Name: part.Of, Issued: now, Expires: now.Add(time.Minute), Version: whole[:8], Blocks: []int{forgedBlock},
			Size: int64(len(forgedFile)), Digests: manifest.NewDigests(whole, []manifest.Digest{whole}),
		}
		fresh(m.Encode(f.sealing(signed)))
	case part.Kind != object.KindRuns && part.Kind != object.KindList && k == 0 && !isDir:
		time.Sleep(f.slow)
		o := tlv.Object{Name: i.Name, EndChunk: tlv.Some[uint64](0), Version: object.Mark(whole[:8], forgedBlock), Payload: []byte(forgedFile), Summed: true}
		_ = out.Encode(o.AppendTo)
	}
}

// cmdForgeTree starts a publisher of a tree that does something wrong, and writes its
// public key to key.pub.
func cmdForgeTree(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || treeForgers[args[0]] == nil {
		ts.Fatalf("usage: forgetree MODE NAME")
	}
	name, err := tlv.ParseName(args[1], tlv.PercentLiteral)
	ts.Check(err)
	key, err := keys.Generate(keys.Ed25519)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("key.pub"), key.Public().PEM(), 0o666))
	f := &treeForger{name: name, key: key, dirs: map[string][]manifest.Entry{
		"":  {entryOf(manifest.Object, "a"), entryOf(manifest.Directory, "d"), entryOf(manifest.Object, "z")},
		"d": filesOf("b"),
	}}
	treeForgers[args[0]](f)
	stop, err := f.start(ts.Getenv("SOCKET"))
	ts.Check(err)
	ts.Value(procsKey).(*processes).fakes[args[1]] = stop
	ts.Defer(stop)
}

// start registers the forger at that socket, and has it answer.
func (f *treeForger) start(socket string) (stop func(), err error) {
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
	reg, err := c.Register(ctx, f.name, client.Prefix)
	if err != nil {
		stop()
		return nil, errors.Join(errors.New("register"), err)
	}
	serving.Go(func() { serveForged(ctx, reg, c, f.answer) })
	return stop, nil
}

// serveForged answers each Interest that comes.
func serveForged(ctx context.Context, reg *client.Registration, c *client.Client, answer func(*tlv.Batch, *tlv.Interest)) {
	var in, out tlv.Batch
	for reg.Receive(&in) == nil {
		out.Reset(1 << 20)
		for n := range in.Len() {
			var i tlv.Interest
			if i.Decode(in.Packet(n)) == nil {
				answer(&out, &i)
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
