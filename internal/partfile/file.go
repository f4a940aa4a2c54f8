// Package partfile owns the local target of a fetch: where it is, how it is written, what is left
// beside it for a later run, and who may write it. It knows nothing of networks.
//
// In one directory there are
//
//	FILE              the target: absent, or old and whole, or new and whole
//	FILE.cefgo-part   the bytes so far; whoever writes them holds flock(2) on it
//	FILE.cefgo-state  of what they are the beginning: a State, as JSON
//	FILE.cefgo-tmp    a state on the way to its name; seen only after a crash
//
// Whenever the process dies, and be it by SIGKILL,
//
//   - FILE is as it was before, or complete;
//   - where there is a state, the whole chunks in the part file are a prefix of what it describes,
//     because the state is written first, the bytes strictly in order, and a change of content removes
//     the state before anything else;
//   - a part file without a readable state is torn, and never trusted.
//
// A power failure may leave zeros, so who resumes should compare (File.ReadAt).
//
// Every error but StateError is a failure of this machine or of the chosen target, not of the network:
// it is an *UnsafeNameError, *ExistsError or *LockedError, or is or wraps an *fs.PathError or
// *os.LinkError.
package partfile

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	partSuffix  = ".cefgo-part"
	stateSuffix = ".cefgo-state"
	tmpSuffix   = ".cefgo-tmp"

	bufferSize = 128 << 10
)

// Options say how Open treats what it finds. The zero value replaces an existing target and starts over.
type Options struct {
	// NoClobber refuses a target that exists, at Open and again, atomically, at Commit.
	NoClobber bool
	// Resume takes over the part file of an earlier run where its state can be trusted; see
	// File.ResumeState. Default is to drop it.
	Resume bool
	// Untrusted says that the network chose the file's name: what is there must be a regular file,
	// not a symbolic link, a device or a FIFO.
	Untrusted bool
	// Sync makes Commit wait until the target would survive a power failure.
	Sync bool
}

// A File is a target while it is fetched. It belongs to one goroutine, which ends it with Commit, Keep
// or Discard. After that every method that writes or reads returns fs.ErrClosed.
type File struct {
	path   string // the target
	opts   Options
	direct bool
	torn   error // why Open did not trust what it found

	fd     *os.File
	buf    *bufio.Writer
	stored int64  // bytes of the content that are in fd
	state  *State // what FILE.cefgo-state holds; nil: there is none
	chunks uint64 // whole chunks that Open took over
	err    error  // of the first write that failed
	closed bool
}

// Open gets target ready to be written, and locks it: a second Open fails with *LockedError until this
// File is ended. The target itself stays untouched until Commit. The part file is there from now on,
// but Keep and Discard remove it again where no byte came.
//
// A symbolic link is followed, as curl -o and cp do, and the part file stands beside the file it leads
// to; a link to nothing is refused. What is neither file nor directory, such as /dev/null or a FIFO, is
// written directly; to open a FIFO waits for its reader.
//
// A missing directory matches fs.ErrNotExist, a denied one fs.ErrPermission; see also ErrIsDirectory
// and *ExistsError.
func Open(target string, opts Options) (*File, error) {
	at, err := resolve(target, opts)
	if err != nil {
		return nil, err
	}
	if at.direct() {
		return openDirect(at, opts)
	}
	fd, err := lockPart(at.path + partSuffix)
	if err != nil {
		return nil, err
	}
	f := newFile(at.path, fd, opts)
	if err := f.begin(at.old); err != nil {
		f.Keep()
		return nil, err
	}
	return f, nil
}

func newFile(path string, fd *os.File, opts Options) *File {
	f := &File{path: path, fd: fd, opts: opts}
	f.buf = bufio.NewWriterSize(writerFunc(f.store), bufferSize)
	return f
}

func openDirect(at place, opts Options) (*File, error) {
	fd, err := os.OpenFile(at.path, os.O_WRONLY|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	if info, err := fd.Stat(); err != nil || !os.SameFile(info, at.old) {
		fd.Close()
		return nil, cmp.Or(err, refused(at.path, errReplaced))
	}
	f := newFile(at.path, fd, opts)
	f.direct = true
	return f, nil
}

// begin settles what becomes of an earlier run's bytes. The lock is held.
func (f *File) begin(old fs.FileInfo) error {
	info, err := f.fd.Stat()
	if err != nil {
		f.end() // without a look at whether the part file could go
		return err
	}
	f.stored = info.Size()
	if old != nil { // a private target is not to be read in its part file either
		if err := f.chmod(old.Mode().Perm() | 0o600); err != nil {
			return err
		}
	}
	if err := remove(f.path + tmpSuffix); err != nil {
		return err
	}
	if f.opts.Resume && f.stored > 0 {
		f.adopt()
	}
	return f.rewind(int64(f.chunks) * f.blockSize())
}

// adopt looks whether the part file can be continued, and sets state and chunks, or torn.
func (f *File) adopt() {
	s, err := loadState(f.path + stateSuffix)
	if err == nil {
		err = s.covers(f.stored)
	}
	if err != nil {
		f.torn = &StateError{f.path + stateSuffix, err}
		return
	}
	f.state, f.chunks = &s, uint64(f.stored/int64(s.BlockSize))
}

// rewind cuts the part file to n bytes; nothing left means that no state describes it either.
func (f *File) rewind(n int64) error {
	if n == 0 {
		if err := f.dropState(); err != nil {
			return err
		}
	}
	f.buf.Reset(writerFunc(f.store))
	if err := f.fd.Truncate(n); err != nil {
		return f.fail(err)
	}
	if _, err := f.fd.Seek(n, io.SeekStart); err != nil {
		return f.fail(err)
	}
	f.stored, f.err = n, nil
	return nil
}

// Restart forgets all bytes and the state, so that other content can follow. A direct target takes
// nothing back: there it fails once bytes were written.
func (f *File) Restart() error {
	switch {
	case f.closed:
		return fs.ErrClosed
	case !f.direct:
		f.chunks = 0
		return f.rewind(0)
	case f.Size() > 0:
		return &fs.PathError{Op: "truncate", Path: f.path, Err: errors.ErrUnsupported}
	}
	return nil
}

// Cut keeps the first chunks of those that Open took over, and forgets what is behind
// them. It goes before the first Write.
func (f *File) Cut(chunks uint64) error {
	switch {
	case f.closed:
		return fs.ErrClosed
	case chunks > f.chunks || f.Size() != int64(f.chunks)*f.blockSize():
		panic("partfile: bug: cut to more than was taken over, or after a write")
	case chunks == f.chunks:
		return nil
	}
	f.chunks = chunks
	return f.rewind(int64(chunks) * f.blockSize())
}

// Path is the target's path, with symbolic links followed.
func (f *File) Path() string { return f.path }

// Direct says that the target is no regular file and is written as bytes come: no part file, no lock,
// no state, and nothing to take back.
func (f *File) Direct() bool { return f.direct }

// Torn is nil, or the *StateError for which Open, asked to resume, dropped the bytes it found.
func (f *File) Torn() error { return f.torn }

// ResumeState tells what Open took over from an earlier run: at least one whole chunk. It is for the
// caller to see that the state fits what is fetched now, and to Restart where it does not.
func (f *File) ResumeState() (s State, chunks uint64, ok bool) {
	if f.chunks == 0 || f.state == nil {
		return State{}, 0, false
	}
	return f.state.clone(), f.chunks, true
}

// Size is how many bytes of the content are accepted, those of an earlier run included. Once a write
// has failed, it is how many are stored.
func (f *File) Size() int64 {
	if f.err != nil {
		return f.stored
	}
	return f.stored + int64(f.buf.Buffered())
}

// Write appends to the content, through a buffer of 128 KiB. Its error is a *WriteError and lasts: it
// comes again until Restart.
func (f *File) Write(p []byte) (int, error) {
	if f.closed {
		return 0, fs.ErrClosed
	}
	return f.buf.Write(p)
}

// Flush hands buffered bytes to the system, after which the death of the process loses none of them.
func (f *File) Flush() error {
	if f.closed {
		return fs.ErrClosed
	}
	return f.buf.Flush()
}

// ReadAt reads the content accepted so far, to compare stored chunks with fetched ones.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case f.closed:
		return 0, fs.ErrClosed
	case f.direct:
		return 0, &fs.PathError{Op: "read", Path: f.path, Err: errors.ErrUnsupported}
	case f.err == nil && off+int64(len(p)) > f.stored:
		if err := f.Flush(); err != nil {
			return 0, err
		}
	}
	return f.fd.ReadAt(p, off)
}

// store is what the buffer writes to.
func (f *File) store(p []byte) (int, error) {
	if !f.direct {
		// Behind a cut that somebody else made, the write would leave a hole.
		if err := f.stillOurs(); err != nil {
			return 0, f.fail(err)
		}
	}
	n, err := f.fd.Write(p)
	f.stored += int64(n)
	if err != nil {
		return n, f.fail(err)
	}
	return n, nil
}

// fail keeps err as the one that ended writing.
func (f *File) fail(err error) error {
	f.err = &WriteError{f.fd.Name(), cause(err)}
	return f.err
}

func (f *File) blockSize() int64 {
	if f.state == nil {
		return 0
	}
	return int64(f.state.BlockSize)
}

type writerFunc func([]byte) (int, error)

func (w writerFunc) Write(p []byte) (int, error) { return w(p) }

// remove is os.Remove, content where there is nothing.
func remove(path string) error {
	err := unix.Unlink(path) // os.Remove would take an empty directory too, and that is not ours
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &fs.PathError{Op: "remove", Path: path, Err: err}
}
