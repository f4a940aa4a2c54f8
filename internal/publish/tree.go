package publish

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Tree is the rule from names to files: a directory, whose file a/b is PREFIX/a/b,
// or one file, which is PREFIX itself. Relative symbolic links are followed as long
// as they stay inside the directory (os.Root); only regular files are ever opened. A
// file below a name that starts with "." is served only where Hidden says so. One
// goroutine uses it.
type Tree struct {
	Hidden bool

	prefix tlv.Name
	root   *os.Root
	single string // the file's name in root, for a tree of one file
	open   map[string]*file
	old    []*file // retired
	clock  uint64  // counts uses, for the least recently used
	closed uint64  // counts files closed or retired
	buf    []byte  // of the path looked up
}

// maxOpen bounds the files held open at once.
const maxOpen = 128

// recheck is how long a path is trusted to be the file it was.
const recheck = 100 * time.Millisecond

// ErrNotServed: there is no file of that name that may be served.
var ErrNotServed = errors.New("no such file")

// OpenTree opens the directory or file at path for publishing under prefix.
func OpenTree(prefix tlv.Name, path string) (*Tree, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	t := &Tree{prefix: prefix, open: make(map[string]*file)}
	dir := path
	switch {
	case fi.IsDir():
	case fi.Mode().IsRegular():
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
		dir, t.single = filepath.Split(path)
		if dir == "" {
			dir = "."
		}
	default:
		return nil, &fs.PathError{Op: "serve", Path: path, Err: errors.New("neither a directory nor a regular file")}
	}
	if t.root, err = os.OpenRoot(dir); err != nil {
		return nil, err
	}
	if t.single != "" {
		if _, err := t.Lookup(prefix, time.Now()); err != nil && !errors.Is(err, errChanged) {
			t.Close()
			return nil, err
		}
	}
	return t, nil
}

// Close closes all files.
func (t *Tree) Close() error {
	t.Rescan()
	return t.root.Close()
}

// Rescan forgets all open files, so that each is looked at anew.
func (t *Tree) Rescan() {
	for path, f := range t.open {
		t.close(f)
		delete(t.open, path)
	}
	t.dropRetired(func(*file) bool { return true })
}

func (t *Tree) close(f *file) {
	f.Close()
	t.closed++
}

// Single reports whether the tree is one file.
func (t *Tree) Single() bool { return t.single != "" }

// Example returns the name of one file that is served, for people to try: the
// first regular file of the top directory by name, else none.
func (t *Tree) Example() (tlv.Name, bool) {
	if t.single != "" {
		return t.prefix, true
	}
	names, err := fs.ReadDir(t.root.FS(), ".")
	if err != nil {
		return tlv.Name{}, false
	}
	for _, d := range names {
		name, err := t.prefix.Child(d.Name())
		if err != nil || !d.Type().IsRegular() || !t.mayServe([]byte(d.Name())) || !name.CanChunk() {
			continue
		}
		return name, true
	}
	return tlv.Name{}, false
}

// Lookup returns the file of that name. It is valid until the next call of a method
// of t. Errors: [ErrNotServed], errChanged, or what the operating system says.
func (t *Tree) Lookup(name tlv.Name, now time.Time) (*file, error) {
	rest, ok := name.WithoutChunk().TrimPrefix(t.prefix)
	if !ok {
		t.buf = t.buf[:0]
		return nil, ErrNotServed
	}
	if t.buf, ok = t.appendPath(t.buf[:0], rest); !ok {
		t.buf = t.buf[:0]
		return nil, ErrNotServed
	}
	f := t.open[string(t.buf)]
	if f == nil || now.Sub(f.checked) >= recheck {
		var err error
		f, err = t.look(string(t.buf), f, now)
		if outOfFiles(err) && len(t.open)+len(t.old) > 0 {
			// The system grants fewer than maxOpen: do with those that matter now.
			t.Rescan()
			f, err = t.look(string(t.buf), nil, now)
		}
		if err != nil {
			return nil, err
		}
	}
	t.touch(f)
	return f, nil
}

// touch takes note that f is used.
func (t *Tree) touch(f *file) {
	t.clock++
	f.used = t.clock
}

// appendPath appends the path that the segments below the prefix name.
func (t *Tree) appendPath(b []byte, rest tlv.Name) ([]byte, bool) {
	if t.single != "" {
		return append(b, t.single...), rest.IsZero()
	}
	for s := range rest.Segments() {
		if s.Type != tlv.SegmentName || !t.mayServe(s.Value) {
			return b, false
		}
		if len(b) > 0 {
			b = append(b, '/')
		}
		b = append(b, s.Value...)
	}
	return b, len(b) > 0
}

// mayServe reports whether a path may have that element.
func (t *Tree) mayServe(element []byte) bool {
	switch string(element) {
	case "", ".", "..", object.Reserved:
		return false
	}
	return !bytes.ContainsAny(element, "/\x00") && (t.Hidden || element[0] != '.')
}

// directory is the path of the directory of that name; false where there is none that may
// be listed.
func (t *Tree) directory(name tlv.Name) (path string, ok bool) {
	rest, ok := name.WithoutChunk().TrimPrefix(t.prefix)
	if !ok || t.single != "" {
		return "", false
	}
	if rest.IsZero() {
		return ".", true
	}
	b, ok := t.appendPath(nil, rest)
	if !ok {
		return "", false
	}
	fi, err := t.root.Stat(string(b))
	return string(b), err == nil && fi.IsDir()
}

// look returns the file at path: f, which may be nil, or, where the path names
// another one now, that one.
func (t *Tree) look(path string, f *file, now time.Time) (*file, error) {
	fi, err := t.root.Stat(path)
	if err == nil && f != nil && f.is(fi) {
		f.checked = now
		return f, nil
	}
	if f != nil {
		t.leave(f, fi, now)
	}
	if err == nil && !fi.Mode().IsRegular() {
		err = ErrNotServed
	}
	if err != nil {
		return nil, notServed(err)
	}
	// Without O_NONBLOCK, a FIFO that takes the file's place now would hold up
	// everything.
	osFile, err := t.root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, notServed(err)
	}
	if f, err = newFile(osFile, path, now); err != nil {
		return nil, err
	}
	t.makeRoom()
	t.open[path] = f
	return f, nil
}

// outOfFiles reports whether err says that no more files can be opened.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// notServed turns the ways of not being there into one.
func notServed(err error) error {
	switch {
	case errors.Is(err, ErrNotServed), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR),
		errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.EILSEQ): // no file can have that name
		return ErrNotServed
	}
	return fmt.Errorf("serve: %w", err)
}

// leave retires f, which is open, or closes it where its path, of which fi tells what is
// there now, names it still: then it was written to, whatever its time says. It reports
// whether f is kept.
func (t *Tree) leave(f *file, fi os.FileInfo, now time.Time) bool {
	delete(t.open, f.path)
	if fi != nil && os.SameFile(fi, f.info) {
		t.close(f)
		return false
	}
	return t.retire(f, now)
}

// drop leaves f, which could not be read as the file that it was. It reports whether it
// can be read as the version that it is.
func (t *Tree) drop(f *file, now time.Time) bool {
	if f.retired {
		t.dropRetired(func(g *file) bool { return g == f })
		return false
	}
	fi, err := t.root.Stat(f.path)
	if err != nil {
		fi = nil
	}
	return t.leave(f, fi, now)
}

func (t *Tree) makeRoom() {
	if len(t.open) < maxOpen {
		return
	}
	var oldest string
	for path, f := range t.open {
		if oldest == "" || f.used < t.open[oldest].used {
			oldest = path
		}
	}
	t.close(t.open[oldest])
	delete(t.open, oldest)
}
