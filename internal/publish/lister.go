package publish

import (
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/tlv"
)

// lister reads directories on a goroutine of its own, which keeps the latest listings: a
// directory may have a million files, and be on a slow disk.
type lister struct {
	root          *os.Root
	mayServe      func(element []byte) bool
	sign          func([]byte) (manifest.Signature, error)
	signatureSize int // bytes that a signature may take
	pageSize      int // bytes of a page's payload at most, where its entries allow it

	progress atomic.Int64 // names read, of whatever directory: it only grows
	jobs     chan listJob
	quit     chan struct{}
	wg       sync.WaitGroup
	ready    chan struct{} // holds a token when done has something

	mu   sync.Mutex // protects the following
	done []listDone

	// The goroutine's.
	kept  []*listing
	clock uint64
}

// listJob asks for a directory's manifest, or for a page of its list.
type listJob struct {
	key     string   // tells it from others
	name    tlv.Name // of the directory
	path    string
	version string // of the list, in hexadecimal digits; "": its manifest is asked for
	page    uint64
}

// listDone is a job that is done: the payload of its answer, or why there is none.
type listDone struct {
	key     string
	payload []byte
	end     uint64 // the last page's number; 0 of a manifest
	err     error
}

const (
	// maxListJobs bounds the jobs that wait.
	maxListJobs = 1024
	// keptListings bounds the memory of the listings that are kept, in bytes, and
	// maxListings their number; the latest stays, whatever its size.
	keptListings = 32 << 20
	maxListings  = 1024
)

// errClosed: the lister was closed.
var errClosed = errors.New("closed")

func newLister(t *Tree, o *Options) *lister {
	l := &lister{
		root: t.root, mayServe: t.mayServe, sign: o.Sign, pageSize: min(o.Blocks[0], manifest.MaxLen),
		jobs: make(chan listJob, maxListJobs), quit: make(chan struct{}), ready: make(chan struct{}, 1),
	}
	if o.Sign != nil {
		l.signatureSize = manifest.MaxSignatureLen
	}
	l.wg.Go(l.loop)
	return l
}

// close ends the goroutine.
func (l *lister) close() {
	close(l.quit)
	l.wg.Wait()
}

func (l *lister) closing() bool {
	select {
	case <-l.quit:
		return true
	default:
		return false
	}
}

// want takes a job, if there is room.
func (l *lister) want(j listJob) bool {
	select {
	case l.jobs <- j:
		return true
	default:
		return false
	}
}

// take returns what is done.
func (l *lister) take() []listDone {
	l.mu.Lock()
	defer l.mu.Unlock()
	done := l.done
	l.done = nil
	return done
}

func (l *lister) loop() {
	for {
		select {
		case j := <-l.jobs:
			d := l.do(&j, time.Now())
			l.mu.Lock()
			l.done = append(l.done, d)
			l.mu.Unlock()
			select {
			case l.ready <- struct{}{}:
			default:
			}
		case <-l.quit:
			return
		}
	}
}

// do makes the answer of a job.
func (l *lister) do(j *listJob, now time.Time) listDone {
	d := listDone{key: j.key}
	g, err := l.current(j)
	switch {
	case err != nil:
		d.err = notServed(err)
	case j.version == "":
		m := manifest.Manifest{
			Status: manifest.Directory, Name: g.name, Issued: now, Expires: now.Add(validity),
			Version: g.version, Pages: int64(len(g.pages)),
		}
		d.payload, d.err = m.Encode(l.sign)
	case j.page >= uint64(len(g.pages)):
		d.err = ErrNotServed
	default:
		d.end = uint64(len(g.pages) - 1)
		d.payload, d.err = l.page(g, int(j.page), now)
	}
	return d
}

// current is the listing that a job is about: of the version that it names, else of the
// directory as it is now.
func (l *lister) current(j *listJob) (*listing, error) {
	if g := l.find(j.path, j.version); g != nil {
		return g, nil
	}
	now, err := l.versionOf(j.path)
	if err != nil {
		return nil, err
	}
	if j.version != "" && j.version != now {
		return nil, ErrNotServed // it has gone, or never was
	}
	if g := l.find(j.path, now); g != nil {
		return g, nil
	}
	g, err := l.readListing(j.name, j.path)
	if err == nil {
		l.keep(g)
	}
	return g, err
}

// find returns the listing of that version, if it is kept.
func (l *lister) find(path, version string) *listing {
	for _, g := range l.kept {
		if g.path == path && g.hex == version {
			l.clock++
			g.used = l.clock
			return g
		}
	}
	return nil
}

// versionOf is the version of the directory at path, in hexadecimal digits.
func (l *lister) versionOf(path string) (string, error) {
	d, err := l.root.Open(path)
	if err != nil {
		return "", err
	}
	defer d.Close()
	id, _, err := identify(d)
	return hex.EncodeToString(directoryVersion(id)), err
}

// keep keeps g, and forgets those that were used longest ago.
func (l *lister) keep(g *listing) {
	l.clock++
	g.used = l.clock
	total := g.size
	slices.SortFunc(l.kept, func(a, b *listing) int { return int(b.used) - int(a.used) })
	for i, k := range l.kept {
		if total += k.size; total > keptListings || i == maxListings-1 {
			l.kept = slices.Delete(l.kept, i, len(l.kept))
			break
		}
	}
	l.kept = append(l.kept, g)
}
