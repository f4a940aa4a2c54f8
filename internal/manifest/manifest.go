// Package manifest is the format of what cefgo publishes beside an object: the manifest
// that tells its version, size and digests, and its signature, as docs/objects.md says.
// It imports tlv and object, and does no I/O.
package manifest

import (
	"crypto/sha256"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Status says what is under a name.
type Status uint8

// What can be under a name.
const (
	Object    Status = 1
	Directory Status = 2
	Absent    Status = 3
)

func (s Status) String() string {
	switch s {
	case Object:
		return "object"
	case Directory:
		return "directory"
	case Absent:
		return "absent"
	}
	return "unknown"
}

// Digest is a SHA-256.
type Digest = [sha256.Size]byte

// Manifest tells what is under a name. A decoded one owns its memory.
type Manifest struct {
	Status Status
	Name   tlv.Name // without chunk
	// Issued and Expires bound when it may be relied on, to the millisecond.
	Issued, Expires time.Time

	// Version is opaque, 1 to MaxVersionLen bytes: of an object, and of the list of what is
	// in a directory, nil while the publisher does not know that yet.
	Version []byte
	// Pages is how many pages the list of a directory has, 1 at least.
	Pages int64
	// Done is how far the publisher is with what it does not know yet: the bytes of an
	// object that it has hashed, or the entries of directories that it has read.
	Done int64

	// The following are an object's only.

	Size int64 // bytes
	// PlainOnly: its chunks are under Name alone, and not under that of the version.
	PlainOnly bool
	// Blocks are the block sizes that the version can be read in, in bytes; the first
	// is that of the chunks under Name itself.
	Blocks    []int
	Modified  time.Time // zero: not told
	MediaType string    // "": not told
	// Digests are nil while the publisher does not know them yet.
	Digests *Digests
}

// Digests are what the content has to have.
type Digests struct {
	Whole Digest
	// Runs are those of the runs, where there are at most MaxInline, else nil.
	Runs []Digest
	// List is the digest of the list of more than that.
	List Digest
}

// Bounds.
const (
	MaxVersionLen = 16
	MaxInline     = 8    // runs whose digests the manifest holds itself
	MaxLen        = 4095 // bytes of an encoded manifest with its signature
	maxBlocks     = 8
	maxMediaType  = 127
	maxPages      = object.MaxChunks
)

// ListDigest is the digest of the list of runs.
func ListDigest(runs []Digest) Digest {
	h := sha256.New()
	for i := range runs {
		h.Write(runs[i][:])
	}
	return Digest(h.Sum(nil))
}

// NewDigests are the digests of content with those runs.
func NewDigests(whole Digest, runs []Digest) *Digests {
	switch {
	case len(runs) == 0:
		return &Digests{Whole: whole}
	case len(runs) <= MaxInline:
		return &Digests{Whole: whole, Runs: runs}
	}
	return &Digests{Whole: whole, List: ListDigest(runs)}
}

// Errors of manifests.
var (
	// ErrFormat: what was decoded is no manifest, or not one that makes sense.
	ErrFormat = errors.New("not a manifest")
	// ErrTooLarge: it would not fit one packet.
	ErrTooLarge = errors.New("the manifest is too large")
)

// check reports what of docs/objects.md m breaks.
func (m *Manifest) check() error {
	switch {
	case m.Status < Object || m.Status > Absent:
		return bad("status")
	case m.Name.IsZero():
		return bad("name")
	case m.Issued.UnixMilli() < 0 || m.Expires.UnixMilli() < 0:
		return bad("time")
	case m.Status != Object:
		return m.checkOther()
	case m.Pages != 0:
		return bad("pages")
	case len(m.Version) == 0 || len(m.Version) > MaxVersionLen:
		return bad("version")
	case m.Size < 0 || m.Done < 0:
		return bad("size")
	case !m.Modified.IsZero() && !representable(m.Modified):
		return bad("modified")
	case !isMediaType(m.MediaType):
		return bad("media type")
	}
	if err := checkBlocks(m.Blocks); err != nil {
		return err
	}
	return m.checkDigests()
}

// checkOther checks a directory, or what is absent.
func (m *Manifest) checkOther() error {
	listed := m.Version != nil
	switch {
	case m.Size != 0 || m.PlainOnly || m.Blocks != nil || !m.Modified.IsZero() || m.MediaType != "" || m.Digests != nil:
		return bad("what is no object has an object's fields")
	case m.Status == Absent && (listed || m.Pages != 0 || m.Done != 0):
		return bad("what is absent has more fields")
	case m.Status == Absent:
		return nil
	case listed && (len(m.Version) == 0 || len(m.Version) > MaxVersionLen):
		return bad("version")
	case listed && (m.Pages < 1 || m.Pages > maxPages || m.Done != 0), !listed && (m.Pages != 0 || m.Done < 0):
		return bad("pages")
	}
	return nil
}

func checkBlocks(blocks []int) error {
	if len(blocks) == 0 || len(blocks) > maxBlocks {
		return bad("block sizes")
	}
	for _, b := range blocks {
		if b < object.MinBlock || b > object.MaxBlock {
			return bad("block sizes")
		}
	}
	return nil
}

func (m *Manifest) checkDigests() error {
	d := m.Digests
	if d == nil {
		return nil
	}
	inline := object.Runs(m.Size) <= MaxInline
	switch {
	case m.Done != 0:
		return bad("digests, and how far they are")
	case inline && int64(len(d.Runs)) != object.Runs(m.Size), !inline && d.Runs != nil:
		return bad("number of runs")
	case inline && d.List != Digest{}:
		return bad("digest of a list")
	}
	return nil
}

// representable reports whether t has a number of nanoseconds since 1970.
func representable(t time.Time) bool {
	return t.After(time.Unix(0, 0)) && t.Before(time.Unix(0, math.MaxInt64))
}

func isMediaType(s string) bool {
	if len(s) > maxMediaType {
		return false
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// Offers reports whether the version can be read in blocks of that size.
func (m *Manifest) Offers(block int) bool {
	return slices.Contains(m.Blocks, block)
}
