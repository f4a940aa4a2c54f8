package digest

import (
	"cmp"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// diskFrom is the size, in bytes, from which a file's Sums are kept on disk: smaller
	// ones are hashed as quickly as looked up.
	diskFrom = 4 << 20
	// diskTotal bounds what the entries take on disk, in bytes, as far as one process
	// knows; for a while it can be a quarter more. An entry can be as large: that of a
	// file of 8 TiB.
	diskTotal = 256 << 20
	tmpPrefix = "tmp-"
)

// A disk is the cache in a directory, which other processes may use too. Its methods may
// run at once. Only the first failure is logged; each time it is tried again.
type disk struct {
	dir    string
	total  int64 // see diskTotal
	log    *slog.Logger
	warned sync.Once
	grown  atomic.Int64 // bytes stored since prune ran
}

func newDisk(dir string, log *slog.Logger) *disk {
	return &disk{dir: dir, total: diskTotal, log: log}
}

// keeps reports whether the Sums of a file of size bytes are kept. d may be nil.
func (d *disk) keeps(size int64) bool {
	return d != nil && size >= diskFrom && entrySize(size) <= d.total
}

func (d *disk) path(k Key) string {
	name := hex.EncodeToString(k[:])
	return filepath.Join(d.dir, name[:2], name)
}

// load returns what is kept of that version of a file, or nil. It marks the entry as used
// now, and removes one that is not what it should be.
func (d *disk) load(k Key, size int64) *Sums {
	path := d.path(k)
	s, err := readEntry(path, k, size)
	switch {
	case err == nil:
		now := time.Now()
		_ = os.Chtimes(path, now, now) // else it is removed sooner
	case errors.Is(err, errEntry):
		_ = os.Remove(path)
	}
	return s
}

// readEntry fails with errEntry where the file at path is anything but the entry that it
// should be.
func readEntry(path string, k Key, size int64) (*Sums, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, errEntry
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil || fi.Size() != entrySize(size) {
		return nil, errEntry
	}
	b := make([]byte, fi.Size())
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, errEntry
	}
	key, s, err := decodeEntry(b)
	if err != nil || key != k || s.Size != size {
		return nil, errEntry
	}
	return s, nil
}

// store keeps s, and reports whether so much has come that prune should run.
func (d *disk) store(k Key, s *Sums) (grown bool) {
	b := encodeEntry(k, s)
	if err := writeEntry(d.path(k), b); err != nil {
		d.warn(err)
		return false
	}
	return d.grown.Add(diskUse(int64(len(b)))) > d.total/4
}

func writeEntry(path string, b []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, tmpPrefix) // of mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = cmp.Or(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// warn logs err unless another was before.
func (d *disk) warn(err error) {
	d.warned.Do(func() { d.log.Warn("digests cannot be kept on disk", "dir", d.dir, "err", err) })
}
