package publish

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cefgo/cefgo/internal/digest"
	"github.com/cefgo/cefgo/internal/object"
)

// file is an open regular file in one version: as long as its identity stays what
// it was. What is read after a change is not served as this version. Only writes
// through a shared memory mapping can escape that: the operating system notes the
// first of them, not each.
type file struct {
	*os.File
	path    string
	info    os.FileInfo
	id      identity
	key     digest.Key
	version []byte
	hex     string    // version in hexadecimal digits
	marks   []mark    // of the version, one for each block size asked for
	retired bool      // the path names another file now, or none
	links   uint64    // names that the inode had when that was seen last
	checked time.Time // when the path was last seen to name this file
	sealed  sealed    // its manifest, as it was answered last
	next    int64     // where the latest chunk read ended
	ahead   []byte    // read already, from aheadAt
	aheadAt int64
	round   uint64 // in which what was read ahead was seen to be the file still
	used    uint64
}

// identity is what tells one version of a file from another. The time of the last
// change of the inode is part of it, because programs can and do set the other one
// back after they have written.
type identity struct {
	device, inode, size uint64
	mtime, ctime        int64 // nanoseconds since 1970
}

// mark is an object.Mark.
type mark struct {
	block int
	bytes []byte
}

// versionLen is the length of a version, in bytes.
const versionLen = 8

// settle is how long a file must have been left alone before it is read: two writes
// within one tick of the kernel's clock, at most 10 ms, leave the same identity.
const settle = 20 * time.Millisecond

// errChanged: the file is no longer the version that was opened, or is changing
// just now. Whoever asks again gets the new version.
var errChanged = errors.New("the file changed")

// newFile takes f, which was opened at path and which it closes on error: [ErrNotServed]
// where it is no regular file, errChanged where it is too new.
func newFile(f *os.File, path string, now time.Time) (*file, error) {
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = ErrNotServed
	}
	g := &file{File: f, path: path, info: fi, checked: now}
	if err == nil {
		g.id, _, err = identify(f)
	}
	if err == nil && now.Sub(time.Unix(0, g.id.ctime)).Abs() < settle {
		err = errChanged
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	g.key = sha256.Sum256(g.id.bytes())
	g.version = g.key[:versionLen]
	g.hex = hex.EncodeToString(g.version)
	return g, nil
}

func (id identity) bytes() []byte {
	var b []byte
	for _, v := range [...]uint64{id.device, id.inode, id.size, uint64(id.mtime), uint64(id.ctime)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

// identify returns f's identity, and how many names its inode has.
func identify(f *os.File) (id identity, links uint64, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return identity{}, 0, fmt.Errorf("stat %s: %w", f.Name(), err)
	}
	return identity{uint64(st.Dev), st.Ino, uint64(st.Size), st.Mtim.Nano(), st.Ctim.Nano()}, uint64(st.Nlink), nil
}

// is reports whether fi, what a path names now, is this file in this version.
func (f *file) is(fi os.FileInfo) bool {
	return os.SameFile(fi, f.info) && f.unchanged() == nil
}

// unchanged fails with errChanged where the file is not the version that was opened. To
// lose a name changes an inode, and not its content: of a file that is retired the time of
// that does not count.
func (f *file) unchanged() error {
	id, links, err := identify(f.File)
	if f.retired && links != f.links {
		f.id.ctime, f.links = id.ctime, links
	}
	if err == nil && id != f.id {
		err = errChanged
	}
	return err
}

// markFor is the mark of the file's chunks of that many bytes.
func (f *file) markFor(block int) []byte {
	for _, m := range f.marks {
		if m.block == block {
			return m.bytes
		}
	}
	f.marks = append(f.marks, mark{block, object.Mark(f.version, block)})
	return f.marks[len(f.marks)-1].bytes
}

// size in bytes.
func (f *file) size() int64 { return int64(f.id.size) }
