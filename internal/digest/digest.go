// Package digest owns the SHA-256 digests of files: it computes them in the background,
// several files at a time, and remembers them by the files' identity, in memory and, for
// the larger ones, on disk. It knows nothing of names or packets, and opens no file but
// its own: whoever wants digests says how.
//
// The owner of a [Pool] is typically one goroutine that must not block. It asks
// ([Pool.Lookup]), wants what is not there ([Pool.Want]), goes on, and is woken
// ([Pool.Ready]) when there is something to [Pool.Take].
//
// # On disk
//
// Below Options.Dir there is one file for each key, ab/abcdef…, named by the key in
// lower-case hex and put into 256 directories by its first two digits:
//
//	"cefgo digest"  12 bytes
//	version          4   1
//	key             32
//	size             8   of the file, in bytes
//	whole           32
//	runs            32 for each run of the file, of object.RunSize bytes
//	checksum        32   SHA-256 of all before it
//
// Numbers are big-endian. An entry is written under a temporary name, tmp-…, and renamed,
// so several processes may share the directory. Whatever is wrong with one makes it
// ignored and removed. Nothing is synced: what a power failure tears, the checksum finds.
package digest

import (
	"crypto/sha256"
	"io"
	"log/slog"
	"runtime"
)

// Sums are the digests of one version of a file. They are shared once they are published:
// nobody changes them.
type Sums struct {
	Size  int64 // bytes
	Whole [sha256.Size]byte
	// Runs are the digests of the file's runs, of object.RunSize bytes each. An empty
	// file has none.
	Runs [][sha256.Size]byte
}

// A Key is the identity of one version of a file. The caller hashes into it whatever
// tells that version from any other.
type Key [sha256.Size]byte

// A Source is an open file in one version. One goroutine uses it at a time.
type Source interface {
	io.ReaderAt
	io.Closer // called once, its error is not looked at
	// Unchanged fails where the file is no longer the version that was opened. It is
	// called again and again while the file is read, and after the last read.
	Unchanged() error
}

// A Job is a file whose digests are wanted.
type Job struct {
	Key  Key
	Size int64 // bytes, of the version that Key stands for
	// Open is called at most once, by a goroutine of the Pool, which closes the Source.
	Open func() (Source, error)
}

// An Outcome is what became of a Job: Sums, or why there are none.
type Outcome struct {
	Key  Key
	Sums *Sums // nil where Err is set
	// Err is what Open or Unchanged returned, wraps what ReadAt returned, or wraps
	// io.ErrUnexpectedEOF where the file is shorter than it was said to be.
	Err error
}

// Options of a Pool. The zero value works.
type Options struct {
	// Workers is how many files are read at once. Default is GOMAXPROCS, and at least 2,
	// as one is kept from huge files. While as many as GOMAXPROCS hash, goroutines that
	// wait for the network can be woken tens of milliseconds late.
	Workers int
	// Dir is the directory of the disk cache, made when it is first needed. Default is
	// none.
	Dir string
	// Memory bounds the Sums that are remembered, in bytes; the ones used last stay, and
	// the newest always. Default is 32 MiB: those of 1 TiB in huge files, or of about
	// 95 000 small files.
	Memory int64
	// Log gets one warning where Dir cannot be used. Default is to discard it.
	Log *slog.Logger
}

const defaultMemory = 32 << 20

func (o Options) withDefaults() Options {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Workers = max(o.Workers, 2)
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
