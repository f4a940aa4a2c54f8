package publish

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/tlv"
)

// maxEntries bounds the names of one directory that is listed.
const maxEntries = 4 << 20

// listing is what is in a directory, by the names that it had in one version.
type listing struct {
	name    tlv.Name
	path    string // "." of the top
	version []byte
	hex     string // version in hexadecimal digits
	names   []string
	pages   []int // index in names of each page's first
	size    int   // bytes of memory
	used    uint64
}

// directoryVersion is the version of a directory's list of names: it changes when names
// come and go.
func directoryVersion(id identity, salt ...byte) []byte {
	sum := sha256.Sum256(append(append([]byte("directory"), id.bytes()...), salt...))
	return sum[:versionLen]
}

// isVersion reports whether a directory's list may have that version, in hexadecimal
// digits.
func isVersion(digits []byte) bool {
	return len(digits) == 2*versionLen && len(bytes.Trim(digits, "0123456789abcdef")) == 0
}

// readListing reads the names in a directory, as many as may be served. Of one that changes
// meanwhile they are those that the operating system tells.
func (l *lister) readListing(name tlv.Name, path string) (*listing, error) {
	d, err := l.root.Open(path)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	id, _, err := identify(d)
	if err != nil {
		return nil, err
	}
	g := &listing{name: name, path: path, version: directoryVersion(id)}
	if time.Since(time.Unix(0, id.ctime)).Abs() < settle {
		// What comes and goes now may leave the directory the same. So this list has a
		// version of its own, which is not found when the directory is looked at again.
		salt := make([]byte, versionLen)
		rand.Read(salt)
		g.version = directoryVersion(id, salt...)
	}
	g.hex = hex.EncodeToString(g.version)
	if err := l.readNames(g, d); err != nil {
		return nil, err
	}
	slices.Sort(g.names)
	l.paginate(g)
	return g, nil
}

// readBatch is how many names are read at once.
const readBatch = 4096

func (l *lister) readNames(g *listing, d *os.File) error {
	for {
		names, err := d.Readdirnames(readBatch)
		for _, n := range names {
			if !l.mayServe([]byte(n)) {
				continue
			}
			if child, err := g.name.Child(n); err != nil || !child.CanChunk() {
				continue // no Interest could ask for it
			}
			g.names = append(g.names, n)
			g.size += len(n) + stringSize
		}
		l.progress.Add(int64(len(names)))
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case len(g.names) > maxEntries:
			return fmt.Errorf("more than %d files in one directory", maxEntries)
		case l.closing():
			return errClosed
		}
	}
}

// stringSize is what a string takes besides its bytes, rounded up by its allocation, in
// bytes.
const stringSize = 24

// paginate fills pages with as many names as fit, whatever is behind them.
func (l *lister) paginate(g *listing) {
	room := l.pageSize - manifest.PageOverhead(g.name) - l.signatureSize
	left := 0
	for i, n := range g.names {
		need := manifest.EntryOverhead + len(n)
		if left < need {
			g.pages = append(g.pages, i)
			left = room
		}
		left -= need
	}
	if len(g.pages) == 0 {
		g.pages = []int{0}
	}
	g.size += 8 * len(g.pages)
}

// page makes one page: what its names are now.
func (l *lister) page(g *listing, number int, now time.Time) ([]byte, error) {
	end := len(g.names)
	if number+1 < len(g.pages) {
		end = g.pages[number+1]
	}
	p := manifest.Page{
		Name: g.name, Issued: now, Expires: now.Add(validity), Version: g.version,
		Number: int64(number), Pages: int64(len(g.pages)),
	}
	for _, n := range g.names[g.pages[number]:end] {
		if e, ok := l.entry(g.path, n); ok {
			p.Entries = append(p.Entries, e)
		}
	}
	return p.Encode(l.sign)
}

// entry looks at what has that name in a directory; false where nothing is served of it. A
// link to a directory is not listed, so that no tree is endless; what is in there is served.
func (l *lister) entry(dir, name string) (manifest.Entry, bool) {
	path := name
	if dir != "." {
		path = dir + "/" + name
	}
	fi, err := l.root.Lstat(path)
	isLink := err == nil && fi.Mode()&os.ModeSymlink != 0
	if isLink {
		fi, err = l.root.Stat(path)
	}
	if err != nil || isLink && fi.IsDir() {
		return manifest.Entry{}, false
	}
	e := manifest.Entry{Status: manifest.Object, Name: []byte(name)}
	switch mode := fi.Mode(); {
	case mode.IsDir():
		e.Status = manifest.Directory
	case !mode.IsRegular():
		return e, false
	default:
		e.Size = fi.Size()
	}
	if t := fi.ModTime(); t.After(time.Unix(0, 0)) {
		e.Modified = t
	}
	return e, true
}
