package publish

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/digest"
	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// manifestOf is the Interest for the manifest of a name.
func manifestOf(t testing.TB, name tlv.Name, changes ...func(*tlv.Interest)) []byte {
	t.Helper()
	n, err := object.ManifestName(name)
	check(t, err)
	return interest(t, n.WithChunk(0), changes...)
}

// versionChunk is the Interest for chunk k of a version in blocks of that many bytes.
func versionChunk(t testing.TB, name tlv.Name, version []byte, block int, k uint64) []byte {
	t.Helper()
	n, err := object.VersionName(name, version, block)
	check(t, err)
	return interest(t, n.WithChunk(k))
}

// readManifest decodes the one answer to an Interest for a manifest.
func readManifest(t testing.TB, pkts [][]byte) (*manifest.Manifest, tlv.Object) {
	t.Helper()
	o := one(t, pkts)
	m, _, _, err := manifest.Decode(o.Payload)
	check(t, err)
	return m, o
}

// pool is one that ends with the test, before the bubble that the test is in.
func pool(t testing.TB) *digest.Pool {
	p := digest.New(digest.Options{Workers: 2})
	t.Cleanup(p.Close)
	return p
}

// whole fetches all of a version and checks its shape.
func (s *server) whole(name tlv.Name, m *manifest.Manifest, block int) []byte {
	s.t.Helper()
	l := object.Layout{Size: m.Size, BlockSize: block}
	var got []byte
	for k := range l.Chunks() {
		o := one(s.t, s.answers(versionChunk(s.t, name, m.Version, block, k)))
		if !bytes.Equal(o.Version, object.Mark(m.Version, block)) || o.EndChunk != tlv.Some(l.Chunks()-1) {
			s.t.Fatalf("chunk %d in blocks of %d: version %x, end %v", k, block, o.Version, o.EndChunk)
		}
		got = append(got, o.Payload...)
	}
	if pkts := s.answers(versionChunk(s.t, name, m.Version, block, l.Chunks())); len(pkts) > 0 {
		s.t.Errorf("a chunk behind the end: %x", pkts)
	}
	return got
}

// runsOf are the digests of content's runs, in the plainest way.
func runsOf(content []byte) (runs []manifest.Digest) {
	for run := range slices.Chunk(content, object.RunSize) {
		runs = append(runs, sha256.Sum256(run))
	}
	return runs
}

// A manifest tells of the file what is so, and the version is read in each block size
// that it offers and in no other, and its list of runs where that is elsewhere.
func TestManifestOfFiles(t *testing.T) {
	const run = object.RunSize
	dir := t.TempDir()
	sizes := []int{0, 1, 4095, 4096, run - 1, run, run + 1, manifest.MaxInline * run, manifest.MaxInline*run + 1, 12*run + 5}
	for _, n := range sizes {
		write(t, dir, fmt.Sprintf("%d.txt", n), random(7, n))
	}
	for _, n := range sizes {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			content := random(7, n)
			synctest.Test(t, func(t *testing.T) {
				blocks := []int{4095, 60000 - 2657, object.LargeBlock}
				s := serve(t, dir, Options{Blocks: blocks, Digests: pool(t), VersionCacheTime: time.Minute})
				name := mustName(t, fmt.Sprintf("ccnx:/demo/%d.txt", n))
				now := time.Now()
				hops := func(i *tlv.Interest) { i.HopLimit = 7 }
				m, o := readManifest(t, s.answers(manifestOf(t, name, hops)))
				if o.CacheTime.OK || o.Expiry != tlv.Some(tlv.TimestampOf(now.Add(time.Second))) || o.CameWith != tlv.Some[uint8](7) || !o.Summed {
					t.Errorf("cache time %v, expiry %v, came with %v", o.CacheTime, o.Expiry, o.CameWith)
				}
				fi, err := os.Stat(filepath.Join(dir, fmt.Sprintf("%d.txt", n)))
				check(t, err)
				switch {
				case m.Status != manifest.Object || !m.Name.Equal(name) || m.Size != int64(n) || !slices.Equal(m.Blocks, blocks):
					t.Errorf("%+v", m)
				case !m.Issued.Equal(now) || !m.Expires.Equal(now.Add(validity)) || !m.Modified.Equal(fi.ModTime()) || m.MediaType != "text/plain; charset=utf-8":
					t.Errorf("%+v", m)
				case m.Digests == nil || m.Digests.Whole != sha256.Sum256(content):
					t.Fatalf("digests %x", m.Digests)
				}
				runs := m.Digests.Runs
				if want := runsOf(content); len(want) > manifest.MaxInline {
					if runs != nil || m.Digests.List != manifest.ListDigest(want) {
						t.Errorf("list %x", m.Digests)
					}
					runs = s.list(name, m)
				}
				if !slices.Equal(runs, runsOf(content)) {
					t.Errorf("%d runs, want %d others", len(runs), len(runsOf(content)))
				}
				for _, b := range blocks {
					if got := s.whole(name, m, b); !bytes.Equal(got, content) {
						t.Errorf("in blocks of %d: other %d bytes", b, len(got))
					}
				}
				for _, b := range []int{60, 4094, 4096, 57344} {
					if pkts := s.answers(versionChunk(t, name, m.Version, b, 0)); len(pkts) > 0 {
						t.Errorf("in blocks of %d, which nobody offered: %x", b, pkts)
					}
				}
				s.stop(nil)
			})
		})
	}
}

// list fetches the list of a version's runs.
func (s *server) list(name tlv.Name, m *manifest.Manifest) (runs []manifest.Digest) {
	s.t.Helper()
	n, err := object.RunsName(name, m.Version)
	check(s.t, err)
	l := object.Layout{Size: object.Runs(m.Size) * sha256.Size, BlockSize: m.Blocks[0]}
	var all []byte
	for k := range l.Chunks() {
		o := one(s.t, s.answers(interest(s.t, n.WithChunk(k))))
		if !o.CacheTime.OK || o.EndChunk != tlv.Some(l.Chunks()-1) {
			s.t.Errorf("chunk %d of the list: cache time %v, end %v", k, o.CacheTime, o.EndChunk)
		}
		all = append(all, o.Payload...)
	}
	if pkts := s.answers(interest(s.t, n.WithChunk(l.Chunks()))); len(pkts) > 0 {
		s.t.Errorf("a chunk behind the list: %x", pkts)
	}
	for d := range slices.Chunk(all, sha256.Size) {
		runs = append(runs, manifest.Digest(d))
	}
	return runs
}

// A list of runs of many chunks: digests that lie across two of them.
func TestAppendDigests(t *testing.T) {
	runs := runsOf(random(3, 5*object.RunSize))
	var all []byte
	for _, r := range runs {
		all = append(all, r[:]...)
	}
	for block := 1; block <= len(all); block++ {
		var got []byte
		for off := 0; off < len(all); off += block {
			got = append(got, appendDigests(nil, runs, int64(off), min(block, len(all)-off))...)
		}
		if !bytes.Equal(got, all) {
			t.Fatalf("in pieces of %d bytes: %x", block, got)
		}
	}
}

// What is no file: a directory, the prefix itself, nothing, what may not be served, what
// cannot be read. There is a manifest, unsigned, and no chunk.
func TestManifestOfNoFile(t *testing.T) {
	inside, _ := forest(t)
	write(t, inside, ".cefgo/manifest", []byte("planted"))
	write(t, inside, "d/.cefgo/v/0011223344556677/4095", []byte("planted"))
	for _, tt := range []struct {
		uri    string
		hidden bool
		want   manifest.Status
		failed uint64
	}{
		{"ccnx:/demo", false, manifest.Directory, 0},
		{"ccnx:/demo/dir", false, manifest.Directory, 0},
		{"ccnx:/demo/none", false, manifest.Absent, 0},
		{"ccnx:/demo/none/below", false, manifest.Absent, 0},
		{"ccnx:/demo/.hidden", false, manifest.Absent, 0},
		{"ccnx:/demo/.hidden", true, manifest.Object, 0},
		{"ccnx:/demo/out", false, manifest.Absent, 1},
		{"ccnx:/demo/outdir", false, manifest.Absent, 1},
		{"ccnx:/demo/..", false, manifest.Absent, 0},
		{"ccnx:/demo/0x00", false, manifest.Absent, 0},
	} {
		t.Run(tt.uri, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tree := openTree(t, inside)
				tree.Hidden = tt.hidden
				sign := func([]byte) (manifest.Signature, error) {
					return manifest.Signature{}, errors.New("it was to be signed")
				}
				o := Options{Digests: pool(t), Sign: sign}
				if tt.want != manifest.Absent {
					o.Sign = nil
				}
				s := serveTree(t, tree, o)
				name := mustName(t, tt.uri)
				m, _ := readManifest(t, s.answers(manifestOf(t, name)))
				if m.Status != tt.want || !m.Name.Equal(name) {
					t.Errorf("%v %s, want %v", m.Status, m.Name, tt.want)
				}
				if n := s.Counters().Failed.Load(); n != tt.failed {
					t.Errorf("%d failed, want %d", n, tt.failed)
				}
				if tt.want != manifest.Object {
					if pkts := s.answers(interest(t, name.WithChunk(0))); len(pkts) > 0 {
						t.Errorf("its chunk 0: %x", pkts)
					}
				}
				s.stop(nil)
			})
		})
	}
}

// The names that the publisher keeps for itself are never files, with Hidden neither.
func TestReservedNames(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{".cefgo/manifest", ".cefgo/secret", "d/.cefgo/v/0011223344556677/4095", "d/.cefgo/ping/1", "d/.cefgo/v/0011223344556677/runs", "d/file"} {
		write(t, dir, path, []byte(canary))
	}
	synctest.Test(t, func(t *testing.T) {
		tree := openTree(t, dir)
		tree.Hidden = true
		s := serveTree(t, tree, Options{Digests: pool(t)})
		for _, uri := range []string{
			".cefgo/secret", ".cefgo", "d/.cefgo/v/0011223344556677/4095", "d/.cefgo/v/0011223344556677/runs", "d/.cefgo/v", "d/.cefgo/v/0011223344556677",
			".cefgo/secret/meta", "d/.cefgo/meta", "d/file/.cefgo/manifest/meta", "d/file/.cefgo/manifest/.cefgo/manifest", ".cefgo/.cefgo/manifest", ".cefgo/secret/.cefgo/manifest",
		} {
			for _, pkt := range s.answers(interest(t, mustName(t, "ccnx:/demo/"+uri).WithChunk(0))) {
				if o := decode(t, pkt); bytes.Contains(o.Payload, []byte(canary)) {
					t.Errorf("%s is served", uri)
				} else if m, _, _, err := manifest.Decode(o.Payload); err != nil || m.Status == manifest.Object {
					t.Errorf("%s was answered with %.60q", uri, o.Payload)
				}
			}
		}
		// These are what they were before there were manifests.
		if o := one(t, s.answers(interest(t, mustName(t, "ccnx:/demo/d/file/meta/Chunk=0")))); string(o.Payload) != "1" {
			t.Errorf("meta %q", o.Payload)
		}
		if o := one(t, s.answers(interest(t, mustName(t, "ccnx:/demo/d/.cefgo/ping/1/Chunk=0")))); len(o.Payload) > 0 {
			t.Errorf("ping %q", o.Payload)
		}
		name, err := object.ManifestName(mustName(t, "ccnx:/demo/d/file"))
		check(t, err)
		for what, i := range map[string][]byte{"chunk 1 of a manifest": interest(t, name.WithChunk(1)), "a manifest without a chunk": interest(t, name)} {
			if pkts := s.answers(i); len(pkts) > 0 {
				t.Errorf("%s: %x", what, pkts)
			}
		}
		s.stop(nil)
	})
}

// One file, served under the prefix itself.
func TestManifestOfSingleFile(t *testing.T) {
	path := write(t, t.TempDir(), "file", random(1, 5000))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, path, Options{Blocks: []int{1000}, Digests: pool(t)})
		name := mustName(t, "ccnx:/demo")
		m, _ := readManifest(t, s.answers(manifestOf(t, name)))
		if m.Status != manifest.Object || !m.Name.Equal(name) || m.Size != 5000 {
			t.Errorf("%+v", m)
		}
		if got := s.whole(name, m, 1000); !bytes.Equal(got, random(1, 5000)) {
			t.Errorf("other %d bytes", len(got))
		}
		below := mustName(t, "ccnx:/demo/below")
		if m, _ := readManifest(t, s.answers(manifestOf(t, below))); m.Status != manifest.Absent {
			t.Errorf("below it: %v", m.Status)
		}
		s.stop(nil)
	})
}

// Where no digests are computed there are no manifests, and versions can be read.
func TestNoDigestsNoManifest(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", random(1, 500))
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, dir, Options{})
		name := mustName(t, "ccnx:/demo/file")
		if pkts := s.answers(manifestOf(t, name)); len(pkts) > 0 {
			t.Errorf("%x", pkts)
		}
		f, err := s.tree.Lookup(name, time.Now())
		check(t, err)
		runs, err := object.RunsName(name, f.version)
		check(t, err)
		if pkts := s.answers(interest(t, runs.WithChunk(0))); len(pkts) > 0 {
			t.Errorf("a list of runs: %x", pkts)
		}
		if o := one(t, s.answers(versionChunk(t, name, f.version, object.DefaultBlock, 0))); !bytes.Equal(o.Payload, random(1, 500)) {
			t.Errorf("the version: %q", o.Payload)
		}
		s.stop(nil)
	})
}

// A manifest is signed once, and again when half of its validity is over or the file has
// changed. Where that fails there is none, and somebody is told.
func TestManifestSigned(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", []byte("content"))
	write(t, dir, "other", []byte("content"))
	synctest.Test(t, func(t *testing.T) {
		var messages [][]byte
		var refusal error
		sign := func(message []byte) (manifest.Signature, error) {
			messages = append(messages, bytes.Clone(message))
			return manifest.Signature{Algorithm: 1, Bytes: fmt.Append(nil, "signature ", len(messages))}, refusal
		}
		s := serve(t, dir, Options{Digests: pool(t), Sign: sign})
		name := mustName(t, "ccnx:/demo/file")
		asks := manifestOf(t, name)
		want := func(what string, signature string, times int) {
			t.Helper()
			o := one(t, s.answers(asks))
			_, signed, sig, err := manifest.Decode(o.Payload)
			check(t, err)
			if sig == nil || string(sig.Bytes) != signature || len(messages) != times {
				t.Fatalf("%s: signature %v, the signer was called %d times; want %q, %d", what, sig, len(messages), signature, times)
			}
			if !bytes.Equal(signed, messages[times-1]) {
				t.Errorf("%s: %x was signed, not %x", what, messages[times-1], signed)
			}
		}
		want("first", "signature 1", 1)
		want("at once", "signature 1", 1)
		time.Sleep(validity/2 - 1)
		want("shortly before half of its time", "signature 1", 1)
		time.Sleep(time.Nanosecond)
		want("at half of its time", "signature 2", 2)
		if _, err := s.tree.Lookup(mustName(t, "ccnx:/demo/other"), time.Now()); err != nil {
			t.Fatal(err)
		}
		asks = manifestOf(t, mustName(t, "ccnx:/demo/other"))
		want("of another file", "signature 3", 3)
		asks = manifestOf(t, name)
		tick(t, path)
		overwrite(t, path, []byte("CONTENT"), 0)
		time.Sleep(recheck)
		want("of the file changed", "signature 4", 4)

		refusal = errors.New("the key is gone")
		time.Sleep(validity / 2)
		pkts := s.answers(manifestOf(t, name, marked))
		var r tlv.Return
		if len(pkts) != 1 || r.Decode(pkts[0]) != nil {
			t.Errorf("with a signer that fails: %x", pkts)
		}
		if n := s.Counters().Failed.Load(); n != 1 {
			t.Errorf("%d failed, want 1", n)
		}
		refusal = nil
		want("with one that works again", "signature 6", 6)
		s.stop(nil)
	})
}

// occupy keeps both workers of a pool busy until the returned function is called.
func occupy(p *digest.Pool) (release func()) {
	g := make(chan struct{})
	for i := range byte(2) {
		p.Want(digest.Job{Key: digest.Key{0xff, i}, Size: 1, Open: func() (digest.Source, error) {
			<-g
			return nil, errors.New("occupied")
		}})
	}
	return func() { close(g) }
}

// While the digests are computed, who asks waits for 0.1 s, gets a manifest without
// them, and is told the digests as soon as they are there. Everybody else is served.
func TestManifestPending(t *testing.T) {
	dir := t.TempDir()
	content := random(5, 3*object.RunSize)
	write(t, dir, "file", content)
	write(t, dir, "other", []byte("other"))
	synctest.Test(t, func(t *testing.T) {
		p := pool(t)
		release := occupy(p)
		s := serve(t, dir, Options{Digests: p})
		name := mustName(t, "ccnx:/demo/file")
		if pkts := s.answers(manifestOf(t, name)); len(pkts) > 0 {
			t.Fatalf("answered at once: %x", pkts)
		}
		time.Sleep(parkFor - 1)
		if pkts := s.answers(interest(t, mustName(t, "ccnx:/demo/other/Chunk=0"))); len(pkts) != 1 {
			t.Errorf("%d answers for another file meanwhile, want 1", len(pkts))
		}
		if pkts := s.answers(); len(pkts) > 0 {
			t.Fatalf("answered too soon: %x", pkts)
		}
		time.Sleep(time.Nanosecond)
		m, _ := readManifest(t, s.answers())
		if m.Digests != nil || m.Done != 0 || m.Size != int64(len(content)) || m.Status != manifest.Object {
			t.Errorf("%+v", m)
		}
		if got := s.whole(name, m, object.DefaultBlock); !bytes.Equal(got, content) {
			t.Error("its version cannot be read meanwhile")
		}
		// Two that come at different times are answered at once when the digests come.
		if pkts := s.answers(manifestOf(t, name)); len(pkts) > 0 {
			t.Fatalf("answered at once: %x", pkts)
		}
		time.Sleep(parkFor / 2)
		if pkts := s.answers(manifestOf(t, name)); len(pkts) > 0 {
			t.Fatalf("answered at once: %x", pkts)
		}
		release()
		pkts := s.answers()
		if len(pkts) != 2 {
			t.Fatalf("%d answers, want 2", len(pkts))
		}
		for i := range pkts {
			if m, _ := readManifest(t, pkts[i:i+1]); m.Digests == nil || m.Digests.Whole != sha256.Sum256(content) {
				t.Errorf("digests %x", m.Digests)
			}
		}
		time.Sleep(time.Second)
		if pkts := s.answers(); len(pkts) > 0 {
			t.Errorf("answered again: %x", pkts)
		}
		s.stop(nil)
	})
}

// A file that is replaced while its digests are computed: who waits for them gets
// nothing, and asks again. One that cannot be hashed any more: the manifest is without.
func TestManifestPendingChanges(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "file", []byte("old"))
	synctest.Test(t, func(t *testing.T) {
		p := pool(t)
		release := occupy(p)
		s := serve(t, dir, Options{Digests: p})
		name := mustName(t, "ccnx:/demo/file")
		if pkts := s.answers(manifestOf(t, name)); len(pkts) > 0 {
			t.Fatalf("answered at once: %x", pkts)
		}
		tick(t, path)
		check(t, os.Rename(write(t, dir, "new", []byte("new")), path))
		time.Sleep(parkFor)
		if pkts := s.answers(); len(pkts) > 0 {
			t.Errorf("answered for the old file: %x", pkts)
		}
		release()
		if pkts := s.answers(); len(pkts) > 0 {
			t.Errorf("answered for the old file: %x", pkts)
		}
		m, _ := readManifest(t, s.answers(manifestOf(t, name)))
		if m.Digests == nil || m.Digests.Whole != sha256.Sum256([]byte("new")) {
			t.Errorf("the new file: %+v", m)
		}
		s.stop(nil)
	})
}

// No more than maxParked wait; who comes then is answered at once, without digests.
func TestParkedBounded(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", []byte("content"))
	synctest.Test(t, func(t *testing.T) {
		p := pool(t)
		release := occupy(p)
		defer release()
		s := serve(t, dir, Options{Digests: p})
		asks := manifestOf(t, mustName(t, "ccnx:/demo/file"))
		if pkts := s.answers(slices.Repeat([][]byte{asks}, maxParked)...); len(pkts) > 0 {
			t.Fatalf("%d answers at once", len(pkts))
		}
		if n := len(s.answers(asks, asks)); n != 2 {
			t.Errorf("%d answers beyond the bound, want 2", n)
		}
		time.Sleep(parkFor)
		if n := len(s.answers()); n != maxParked {
			t.Errorf("%d answers then, want %d", n, maxParked)
		}
		if n := len(s.parked.all); n > 0 {
			t.Errorf("%d wait still", n)
		}
		s.stop(nil)
	})
}

// Serving ends while Interests wait.
func TestParkedEnds(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "file", []byte("content"))
	synctest.Test(t, func(t *testing.T) {
		p := pool(t)
		defer occupy(p)()
		s := serve(t, dir, Options{Digests: p})
		s.answers(manifestOf(t, mustName(t, "ccnx:/demo/file")))
		s.stop(context.Canceled)
		if err := s.ended(); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}
