package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/cefgo/cefgo/internal/pipeline"
)

// byteRange is a flag that takes bytes of a content as curl's --range does: A-B
// (inclusive), A- or -N, the last N.
type byteRange struct {
	first, last uint64
	open        bool // A-
	suffix      bool // -N, where first is N
	set         bool
}

func (v *byteRange) Type() string { return "A-B" }

func (v *byteRange) String() string {
	switch {
	case !v.set:
		return ""
	case v.suffix:
		return fmt.Sprintf("-%d", v.first)
	case v.open:
		return fmt.Sprintf("%d-", v.first)
	}
	return fmt.Sprintf("%d-%d", v.first, v.last)
}

func (v *byteRange) Set(s string) error {
	bad := fmt.Errorf("want bytes such as 0-499, 500- or -500 (the last 500)")
	a, b, dash := strings.Cut(s, "-")
	first, ferr := strconv.ParseUint(a, 10, 63)
	last, lerr := strconv.ParseUint(b, 10, 63)
	switch {
	case !dash:
		return bad
	case a == "" && lerr == nil && last > 0:
		*v = byteRange{first: last, suffix: true, set: true}
	case b == "" && ferr == nil:
		*v = byteRange{first: first, open: true, set: true}
	case ferr == nil && lerr == nil && first <= last:
		*v = byteRange{first: first, last: last, set: true}
	default:
		return bad
	}
	return nil
}

// shape is how a content is cut: chunks of block bytes, the last of them, end, of at
// most as many.
type shape struct {
	block uint64
	end   uint64
	told  bool               // end is known
	by    pipeline.EndSource // told by that; "": by the first chunk
	size  uint64             // of the whole; 0: not known
}

// chunks are the chunks that hold the range, and how many bytes come before it in the
// first of them, and how many bytes it has at most. A range that lies behind the
// content is an error.
func (v *byteRange) chunks(s shape) (first, last, skip, length uint64, err error) {
	from, to := v.first, v.last
	switch {
	case v.suffix:
		from, to = s.size-min(v.first, s.size), s.size-1
	case v.open:
		to = 1<<63 - 1
	}
	first, last = from/s.block, to/s.block
	if s.told {
		last = min(last, s.end)
	}
	if s.told && first > s.end || s.size > 0 && from >= s.size {
		return 0, 0, 0, 0, fmt.Errorf("the range begins behind the content's end")
	}
	return first, last, from - first*s.block, to - from + 1, nil
}

// rangeWriter passes on the bytes of a range. Its Write takes one chunk's payload at
// a time.
type rangeWriter struct {
	to     io.Writer
	block  uint64
	chunk  uint64 // the next
	skip   uint64 // bytes before the range
	length uint64 // bytes of it still to come, at most
	short  bool   // the latest chunk was shorter: it has to be the content's last
}

// errUneven: bytes cannot be counted in chunks of different sizes.
var errUneven = errors.New("its chunks are of different sizes: which bytes they hold is not known")

func (w *rangeWriter) Write(p []byte) (int, error) {
	if w.short || uint64(len(p)) > w.block {
		return 0, errUneven
	}
	w.short = uint64(len(p)) < w.block
	w.chunk++
	n := len(p)
	skip := min(w.skip, uint64(len(p)))
	p, w.skip = p[skip:], w.skip-skip
	p = p[:min(w.length, uint64(len(p)))]
	w.length -= uint64(len(p))
	if _, err := w.to.Write(p); err != nil {
		return 0, err
	}
	return n, nil
}

// Flush has the bytes passed on that were gathered.
func (w *rangeWriter) Flush() error {
	if f, ok := w.to.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

// check makes sure, of a fetch that is over, that a short chunk was the content's last,
// unless nothing behind it was asked for.
func (w *rangeWriter) check(res pipeline.Result) error {
	proven := res.End.OK && res.End.V+1 == w.chunk || res.EndSource == pipeline.EndSilence
	if w.short && w.length > 0 && !proven {
		return errUneven
	}
	return nil
}

// sameVersion fails where a range's shape was learned from another version of the
// content.
func sameVersion(a, b []byte) error {
	if string(a) != string(b) {
		return &pipeline.ChangedError{What: "chunks of two versions arrived"}
	}
	return nil
}
