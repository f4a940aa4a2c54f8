package publish

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cefgo/cefgo/internal/digest"
	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// serveLists serves path with manifests, until the test ends.
func serveLists(t *testing.T, path string, o Options) *server {
	o.Digests = digest.New(digest.Options{})
	s := serve(t, path, o)
	t.Cleanup(func() {
		s.stop(errors.New("over"))
		s.ended()
		o.Digests.Close()
	})
	return s
}

// manifestOf asks for the manifest of name.
func (s *server) manifestOf(name tlv.Name) *manifest.Manifest {
	s.t.Helper()
	n, err := object.ManifestName(name)
	check(s.t, err)
	o := one(s.t, s.answers(interest(s.t, n.WithChunk(0))))
	m, _, _, err := manifest.Decode(o.Payload)
	check(s.t, err)
	if !o.Expiry.OK || o.CacheTime.OK || o.EndChunk != tlv.Some[uint64](0) {
		s.t.Errorf("%s: expiry %v, cache time %v, end %v", o.Name, o.Expiry, o.CacheTime, o.EndChunk)
	}
	return m
}

// pageOf asks for a page of a list; nil where it does not come.
func (s *server) pageOf(name tlv.Name, version []byte, k uint64) (*tlv.Object, *manifest.Page) {
	s.t.Helper()
	n, err := object.ListName(name, version)
	check(s.t, err)
	pkts := s.answers(interest(s.t, n.WithChunk(k)))
	if len(pkts) == 0 {
		return nil, nil
	}
	o := one(s.t, pkts)
	p, _, _, err := manifest.DecodePage(o.Payload)
	check(s.t, err)
	return &o, p
}

// list is all that the pages of a directory tell.
func (s *server) entries(name tlv.Name) (entries []manifest.Entry) {
	s.t.Helper()
	m := s.manifestOf(name)
	if m.Status != manifest.Directory || m.Version == nil {
		s.t.Fatalf("%s: %+v, want a directory with its list", name, m)
	}
	for k := range m.Pages {
		o, p := s.pageOf(name, m.Version, uint64(k))
		if p == nil || p.Number != k || p.Pages != m.Pages || !bytes.Equal(p.Version, m.Version) || !p.Name.Equal(name) {
			s.t.Fatalf("page %d of %d: %+v", k, m.Pages, p)
		}
		if o.EndChunk != tlv.Some(uint64(m.Pages)-1) || o.CacheTime.OK || len(o.Payload) > object.DefaultBlock {
			s.t.Errorf("page %d: end %v, cache time %v, %d bytes", k, o.EndChunk, o.CacheTime, len(o.Payload))
		}
		if len(entries) > 0 && !p.Follows(entries[len(entries)-1].Name) {
			s.t.Fatalf("page %d begins with %q", k, p.Entries[0].Name)
		}
		entries = append(entries, p.Entries...)
	}
	return entries
}

func names(entries []manifest.Entry) (all []string) {
	for _, e := range entries {
		all = append(all, string(e.Name))
	}
	return all
}

// Every file is on one page, in the order of the names, whatever the size of the pages.
func TestListPages(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i := range 700 {
		name := fmt.Sprintf("%x%s", sha256.Sum256([]byte{byte(i), byte(i >> 8)}), strings.Repeat("n", i%150))
		write(t, dir, name, random(1, i))
		want = append(want, name)
	}
	slices.Sort(want)
	for _, block := range []int{object.MinBlock, 1200, object.DefaultBlock, object.MaxBlock} {
		synctest.Test(t, func(t *testing.T) {
			s := serveLists(t, dir, Options{Blocks: []int{block}})
			entries := s.entries(mustName(t, "ccnx:/demo"))
			if got := names(entries); !slices.Equal(got, want) {
				t.Fatalf("block size %d: %d entries, want %d", block, len(got), len(want))
			}
			for _, e := range entries {
				fi, err := os.Stat(filepath.Join(dir, string(e.Name)))
				check(t, err)
				if e.Status != manifest.Object || e.Size != fi.Size() || !e.Modified.Equal(fi.ModTime()) {
					t.Errorf("%q: %+v, want %d bytes of %v", e.Name, e, fi.Size(), fi.ModTime())
				}
			}
		})
	}
}

// What is not served is not listed, nor is what would make a list endless.
func TestListEntries(t *testing.T) {
	inside, _ := forest(t)
	check(t, os.Symlink(".", filepath.Join(inside, "self")))
	write(t, inside, ".cefgo/manifest", []byte("forged"))
	for _, hidden := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := serveLists(t, inside, Options{})
			s.tree.Hidden = hidden
			for _, e := range s.entries(s.tree.prefix) {
				fi, err := os.Lstat(filepath.Join(inside, string(e.Name)))
				check(t, err)
				name := child(t, s.tree.prefix, string(e.Name))
				switch {
				case e.Name[0] == '.' && !hidden, string(e.Name) == object.Reserved:
					t.Errorf("%q is listed", e.Name)
				case e.Status == manifest.Directory && !fi.IsDir():
					t.Errorf("%q is listed as a directory", e.Name)
				case e.Status == manifest.Object:
					if _, err := s.tree.Lookup(name, time.Now()); err != nil {
						t.Errorf("%q is listed, and not served: %v", e.Name, err)
					}
				}
			}
		})
	}
}

// A list is that of the names when its version was; what comes later is in another one. The
// old one can be read on, what is in it is told as it is now.
func TestListVersions(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", random(1, 5))
	write(t, dir, "b", random(1, 6))
	old := time.Unix(1_000_000_000, 0)
	synctest.Test(t, func(t *testing.T) {
		s := serveLists(t, dir, Options{})
		prefix := s.tree.prefix
		before := s.manifestOf(prefix)
		write(t, dir, "c", nil)
		check(t, os.Remove(filepath.Join(dir, "a")))
		check(t, os.Chtimes(filepath.Join(dir, "b"), old, old))
		after := s.manifestOf(prefix)
		if bytes.Equal(before.Version, after.Version) {
			t.Fatal("the version stays what it was")
		}
		if got := names(s.entries(prefix)); !slices.Equal(got, []string{"b", "c"}) {
			t.Errorf("the new list is %q", got)
		}
		if _, p := s.pageOf(prefix, before.Version, 0); p == nil || len(p.Entries) != 1 || !p.Entries[0].Modified.Equal(old) {
			t.Errorf("the old list is %+v", p)
		}
		if _, p := s.pageOf(prefix, []byte{1, 2, 3}, 0); p != nil {
			t.Errorf("a list that never was is %+v", p)
		}
		if _, p := s.pageOf(prefix, after.Version, 1); p != nil {
			t.Errorf("a page behind the last is %+v", p)
		}
	})
}

// What is no directory has no list; a directory inside and an empty one have.
func TestListOf(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "d/a", nil)
	check(t, os.Mkdir(filepath.Join(dir, "d", "empty"), 0o700))
	synctest.Test(t, func(t *testing.T) {
		s := serveLists(t, dir, Options{})
		prefix := s.tree.prefix
		if got := names(s.entries(child(t, prefix, "d"))); !slices.Equal(got, []string{"a", "empty"}) {
			t.Errorf("d has %q", got)
		}
		if got := s.entries(child(t, prefix, "d", "empty")); len(got) > 0 {
			t.Errorf("what is empty has %+v", got)
		}
		if m := s.manifestOf(child(t, prefix, "e")); m.Status != manifest.Absent {
			t.Errorf("nothing is %v", m.Status)
		}
		if _, p := s.pageOf(child(t, prefix, "d", "a"), []byte{1}, 0); p != nil {
			t.Errorf("a file's list: %+v", p)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := serveLists(t, filepath.Join(dir, "d", "a"), Options{})
		if m := s.manifestOf(s.tree.prefix); m.Status != manifest.Object {
			t.Errorf("a tree of one file is %v", m.Status)
		}
	})
}

// Manifests of directories and pages are signed.
func TestListSigned(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", nil)
	synctest.Test(t, func(t *testing.T) {
		sign := func(message []byte) (manifest.Signature, error) {
			sum := sha256.Sum256(message)
			return manifest.Signature{Algorithm: 1, Bytes: []byte(hex.EncodeToString(sum[:]))}, nil
		}
		s := serveLists(t, dir, Options{Sign: sign})
		m := s.manifestOf(s.tree.prefix)
		o, _ := s.pageOf(s.tree.prefix, m.Version, 0)
		_, signed, sig, err := manifest.DecodePage(o.Payload)
		check(t, err)
		if want, _ := sign(signed); sig == nil || !bytes.Equal(sig.Bytes, want.Bytes) {
			t.Errorf("signature %v, want %v", sig, want)
		}
	})
}

// The memory of the lists that are kept is bounded; the latest stays.
func TestListsKept(t *testing.T) {
	l := &lister{}
	for i := range 100 {
		l.keep(&listing{path: fmt.Sprint(i), size: keptListings / 10})
	}
	if len(l.kept) != 10 || l.find("99", "") == nil || l.find("90", "") == nil || l.find("89", "") != nil {
		t.Errorf("%d are kept", len(l.kept))
	}
	l.find("90", "")
	l.keep(&listing{path: "x", size: keptListings / 10})
	if l.find("90", "") == nil || l.find("91", "") != nil {
		t.Error("not the one that was used longest ago has gone")
	}
	l.keep(&listing{path: "huge", size: 2 * keptListings})
	if len(l.kept) != 1 || l.find("huge", "") == nil {
		t.Errorf("%d are kept beside a huge one", len(l.kept)-1)
	}
	for i := range 2 * maxListings {
		l.keep(&listing{path: fmt.Sprint(i)})
	}
	if len(l.kept) > maxListings {
		t.Errorf("%d small ones are kept", len(l.kept))
	}
}

// A directory that cannot be read is answered for at once, as a file is.
func TestListUnreadable(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "d/a", nil)
	synctest.Test(t, func(t *testing.T) {
		s := serveLists(t, dir, Options{})
		synctest.Wait() // it serves
		root, err := os.OpenRoot(dir)
		check(t, err)
		check(t, root.Close())
		s.Publisher.list.root = root
		if m := s.manifestOf(child(t, s.tree.prefix, "d")); m.Status != manifest.Absent {
			t.Errorf("it is %v", m.Status)
		}
		if n := s.count.Failed.Load(); n != 1 {
			t.Errorf("%d failed", n)
		}
	})
}

// A directory that changes all the time has a list, of the names when it was read.
func TestListBusy(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", nil)
	var names []string
	for i := range 2 * readBatch {
		names = append(names, fmt.Sprint("f", i))
		write(t, dir, names[i], nil)
	}
	slices.Sort(names)
	tree := openTree(t, dir)
	l := &lister{root: tree.root, pageSize: object.DefaultBlock, mayServe: func(n []byte) bool {
		if string(n) == "a" { // while it is read
			check(t, os.Remove(filepath.Join(dir, "a")))
			return false
		}
		return true
	}}
	ask := func(version string) (*listing, error) {
		return l.current(&listJob{name: tree.prefix, path: ".", version: version})
	}
	g, err := ask("")
	check(t, err)
	if !slices.Equal(g.names, names) {
		t.Errorf("%d names, want %d", len(g.names), len(names))
	}
	if h, err := ask(g.hex); err != nil || h != g {
		t.Errorf("its pages: %v", err)
	}
	write(t, dir, "b", nil)
	h, err := ask("") // at once
	check(t, err)
	if h.hex == g.hex || len(h.names) != len(g.names)+1 {
		t.Errorf("the next list has %d names, and version %s after %s", len(h.names), h.hex, g.hex)
	}
	write(t, dir, "c", nil)
	check(t, os.Remove(filepath.Join(dir, "b")))
	if i, err := ask(""); err != nil || i.hex == h.hex {
		t.Errorf("other names have the same version: %v", err)
	}
}

// What takes longer than an Interest is put aside for is there for the next one, and is
// done once.
func TestListSlow(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", nil)
	synctest.Test(t, func(t *testing.T) {
		var signed atomic.Int64
		sign := func([]byte) (manifest.Signature, error) {
			time.Sleep(5 * parkFor / 2)
			signed.Add(1)
			return manifest.Signature{Algorithm: 1, Bytes: []byte{1}}, nil
		}
		s := serveLists(t, dir, Options{Sign: sign})
		prefix := s.tree.prefix
		n, err := object.ManifestName(prefix)
		check(t, err)
		ask := func(n tlv.Name) *tlv.Object {
			for range 20 {
				s.in.add(interest(t, n))
				time.Sleep(2 * parkFor)
				synctest.Wait()
				for _, pkt := range s.out.take() {
					o := decode(t, pkt)
					if m, _, _, err := manifest.Decode(o.Payload); err != nil || m.Version != nil {
						return &o
					}
				}
			}
			return nil
		}
		o := ask(n.WithChunk(0))
		if o == nil {
			t.Fatal("the manifest never comes")
		}
		m, _, _, err := manifest.Decode(o.Payload)
		check(t, err)
		if n, err = object.ListName(prefix, m.Version); err != nil || ask(n.WithChunk(0)) == nil {
			t.Errorf("the page never comes: %v", err)
		}
		time.Sleep(time.Minute)
		if n := signed.Load(); n != 2 { // what tells that it is being read has none
			t.Errorf("%d signatures", n)
		}
	})
}

// What no list has as a version is not looked for.
func TestListVersionForm(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a", nil)
	p := New(openTree(t, dir), Options{})
	p.list, p.lists.asked = &lister{jobs: make(chan listJob, 10)}, make(map[string]bool)
	for v, want := range map[string]int{
		"": 0, "0": 0, "ABCDEF0123456789": 0, "0123456789abcdefff": 0, "0 of . of 123456": 0, strings.Repeat("0", 900): 0,
		"0123456789abcdef": 1,
	} {
		n := child(t, p.tree.prefix, object.Reserved, "v", v, "list").WithChunk(0)
		part, ok := object.Split(n)
		p.parked = parked{}
		if err := p.answerList(&tlv.Interest{Name: n}, part, nil, time.Now()); !ok || len(p.parked.all) != want || (err == nil) != (want == 1) {
			t.Errorf("%.20q: %d wait, %v", v, len(p.parked.all), err)
		}
	}
}
