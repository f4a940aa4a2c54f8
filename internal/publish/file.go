package publish

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cefgo/cefgo/internal/object"
)

// file is an open regular file in one version: as long as its identity stays what
// it was. What is read after a change is not served as this version. Only writes
// through a shared memory mapping can escape that: the operating system notes the
// first of them, not each.
type file struct {
	*os.File
	info    os.FileInfo
	id      identity
	version []byte
	mark    []byte    // object.Mark of the version; made by markFor
	checked time.Time // when the path was last seen to name this file
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
	inode, size  uint64
	mtime, ctime int64 // nanoseconds since 1970
}

// versionLen is the length of a version, in bytes.
const versionLen = 8

// settle is how long a file must have been left alone before it is read: two writes
// within one tick of the kernel's clock, at most 10 ms, leave the same identity.
const settle = 20 * time.Millisecond

// errChanged: the file is no longer the version that was opened, or is changing
// just now. Whoever asks again gets the new version.
var errChanged = errors.New("the file changed")

// newFile takes f, which it closes on error: [ErrNotServed] where it is no regular
// file, errChanged where it is too new.
func newFile(f *os.File, now time.Time) (*file, error) {
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = ErrNotServed
	}
	g := &file{File: f, info: fi, checked: now}
	if err == nil {
		g.id, err = identify(f)
	}
	if err == nil && now.Sub(time.Unix(0, g.id.ctime)).Abs() < settle {
		err = errChanged
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	sum := sha256.Sum256(g.id.bytes())
	g.version = sum[:versionLen]
	return g, nil
}

func (id identity) bytes() []byte {
	var b []byte
	for _, v := range [...]uint64{id.inode, id.size, uint64(id.mtime), uint64(id.ctime)} {
		b = binary.BigEndian.AppendUint64(b, v)
	}
	return b
}

func identify(f *os.File) (identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return identity{}, fmt.Errorf("stat %s: %w", f.Name(), err)
	}
	return identity{st.Ino, uint64(st.Size), st.Mtim.Nano(), st.Ctim.Nano()}, nil
}

// is reports whether fi, what a path names now, is this file in this version.
func (f *file) is(fi os.FileInfo) bool {
	id, err := identify(f.File)
	return err == nil && id == f.id && os.SameFile(fi, f.info)
}

// markFor is the mark of the file's chunks of that many bytes. A file is asked for
// one block size all its life.
func (f *file) markFor(blockSize int) []byte {
	if f.mark == nil {
		f.mark = object.Mark(f.version, blockSize)
	}
	return f.mark
}

// size in bytes.
func (f *file) size() int64 { return int64(f.id.size) }

// readAhead is how much of a file that is read from one chunk to the next is read at
// once, in bytes, and kept: at most that for each open file.
const readAhead = 64 << 10

// read returns n bytes from off, which stay what they are until the next read. It fails
// with errChanged where the file is not the version that was opened any more, so that no
// chunk mixes two. What was read ahead counts for all reads of one round, which the
// caller numbers from 1. Where nothing is read ahead, b, of at least n bytes, is filled.
func (f *file) read(b []byte, off int64, n int, round uint64) ([]byte, error) {
	end := off + int64(n)
	if f.aheadAt <= off && end <= f.aheadAt+int64(len(f.ahead)) {
		f.next = end
		return f.fromAhead(off, n), f.checkAhead(round)
	}
	inOrder := off == f.next
	f.next = end
	if !inOrder || n > readAhead/2 || end > f.size() {
		return b[:n], f.readVersion(b[:n], off)
	}
	if f.ahead == nil {
		f.ahead = make([]byte, readAhead)
	}
	f.ahead = f.ahead[:min(readAhead, f.size()-off)]
	f.aheadAt = off
	if err := f.readVersion(f.ahead, off); err != nil {
		f.ahead = f.ahead[:0]
		return nil, err
	}
	f.round = round
	return f.fromAhead(off, n), nil
}

// fromAhead is n bytes from off, which were read ahead.
func (f *file) fromAhead(off int64, n int) []byte { return f.ahead[off-f.aheadAt:][:n] }

// checkAhead makes sure, once a round, that what was read ahead is the file still.
func (f *file) checkAhead(round uint64) error {
	if f.round == round {
		return nil
	}
	id, err := identify(f.File)
	if err == nil && id != f.id {
		err = errChanged
	}
	if err != nil {
		f.ahead = f.ahead[:0]
		return err
	}
	f.round = round
	return nil
}

// readVersion fills b from off, of the version that was opened.
func (f *file) readVersion(b []byte, off int64) error {
	n, err := f.ReadAt(b, off)
	if n < len(b) {
		if id, ierr := identify(f.File); ierr == nil && id != f.id {
			return errChanged
		}
		return err
	}
	id, err := identify(f.File)
	if err != nil {
		return err
	}
	if id != f.id {
		return errChanged
	}
	return nil
}
