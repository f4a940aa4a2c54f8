package publish

import (
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// A file that is replaced or removed while it is read keeps its content: it stays open,
// and its version can be read to the end. One that is written to in place does not: its
// old version is gone, and a reader of it learns that.

const (
	// maxRetired bounds the files that are kept open for their readers.
	maxRetired = 64
	// keepRetired is how long one is kept that nobody asks for.
	keepRetired = time.Minute
)

// Version returns the file of that name in that version, which is in hexadecimal digits,
// as [Tree.Lookup] does: [ErrNotServed] where there is none, or no longer.
func (t *Tree) Version(name tlv.Name, hex []byte, now time.Time) (*file, error) {
	f, err := t.Lookup(name, now)
	if err == nil && f.hex == string(hex) {
		return f, nil
	}
	for _, g := range t.old { // t.buf is the path since Lookup
		if g.path == string(t.buf) && g.hex == string(hex) {
			g.checked = now
			return g, nil
		}
	}
	if err == nil {
		err = ErrNotServed
	}
	return nil, err
}

// retire keeps f, whose path names another file now or none, where it has the content
// that it had; else it closes it. It reports which.
func (t *Tree) retire(f *file, now time.Time) bool {
	id, links, err := identify(f.File)
	f.id.ctime = id.ctime // that of its renaming, or of the loss of its name
	if err != nil || id != f.id {
		t.close(f)
		return false
	}
	f.retired, f.links = true, links
	t.closed++
	t.dropForgotten(now)
	if len(t.old) == maxRetired {
		oldest := slices.MinFunc(t.old, func(a, b *file) int { return a.checked.Compare(b.checked) })
		t.dropRetired(func(g *file) bool { return g == oldest })
	}
	f.checked = now
	t.old = append(t.old, f)
	return true
}

// dropForgotten closes the retired files that nobody has asked for long enough.
func (t *Tree) dropForgotten(now time.Time) {
	t.dropRetired(func(f *file) bool { return now.Sub(f.checked) >= keepRetired })
}

// forgetIn is how long it is until dropForgotten has something to do; false where nothing
// is retired.
func (t *Tree) forgetIn(now time.Time) (time.Duration, bool) {
	if len(t.old) == 0 {
		return 0, false
	}
	oldest := slices.MinFunc(t.old, func(a, b *file) int { return a.checked.Compare(b.checked) })
	return oldest.checked.Add(keepRetired).Sub(now), true
}

// dropRetired closes the retired files of which that is true.
func (t *Tree) dropRetired(of func(*file) bool) {
	t.old = slices.DeleteFunc(t.old, func(f *file) bool {
		drop := of(f)
		if drop {
			t.close(f)
		}
		return drop
	})
}
