package main

import (
	"context"
	"fmt"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// treeEntry is what is below a name that is walked.
type treeEntry struct {
	manifest.Entry
	name tlv.Name
	path string // below the top, with slashes; of the top ""
}

// Bounds of what is walked. Whoever publishes may invent directories without end: as many
// within one another as there is room for in a name, and in each as many pages as there
// are chunk numbers.
const (
	maxDepth   = 100
	maxEntries = 10_000_000 // and pages of lists
)

// visitor is told what a walk finds.
type visitor interface {
	// found is told each entry. It says whether to walk a directory; its error ends the walk.
	found(context.Context, *treeEntry) (bool, error)
	// unlisted is told of a directory below the top that could not be listed. The walk
	// goes on.
	unlisted(*treeEntry, error)
}

// walk tells of all that is below top: of what is in a directory first, then of what is
// in the directories of it that v says yes to. Where top is an object, it is that.
func (r *getRun) walk(ctx context.Context, top treeEntry, v visitor) error {
	w := &walker{r: r, v: v}
	return w.directory(ctx, top, 0)
}

// walker is one walk.
type walker struct {
	r       *getRun
	v       visitor
	entries int // and pages
}

func (w *walker) directory(ctx context.Context, at treeEntry, depth int) error {
	if depth > maxDepth {
		w.v.unlisted(&at, forged(fmt.Errorf("more than %d directories in one another", maxDepth)))
		return nil
	}
	var below []manifest.Entry
	var over error // ends the walk
	j := &getJob{name: at.name, verify: w.r.demand(at.name)}
	m, err := w.r.browse(ctx, j, func(e *manifest.Entry) error {
		var descend bool
		if descend, over = w.entry(ctx, &at, e); descend && e.Status == manifest.Directory {
			below = append(below, *e)
		}
		return over
	})
	switch {
	case over != nil:
		return over
	case err != nil && (at.path == "" || w.hopeless(ctx, err)):
		return w.inVain(&at, err)
	case err != nil:
		w.v.unlisted(&at, err)
		return nil
	case m.Status == manifest.Object && at.path != "":
		w.v.unlisted(&at, &pipeline.ChangedError{What: "it was a directory and is a file now"})
		return nil
	case m.Status == manifest.Object:
		_, last, _ := at.name.Parent()
		_, err := w.v.found(ctx, &treeEntry{manifest.Entry{Status: m.Status, Size: m.Size, Modified: m.Modified, Name: last.Value}, at.name, string(last.Value)})
		return err
	}
	if err := w.count(m.Pages); err != nil {
		return err
	}
	for i := range below {
		d, err := at.child(&below[i])
		if err == nil {
			err = w.directory(ctx, *d, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// entry takes one entry of the directory at.
func (w *walker) entry(ctx context.Context, at *treeEntry, e *manifest.Entry) (bool, error) {
	child, err := at.child(e)
	if err == nil {
		err = w.count(1)
	}
	if err != nil {
		return false, err
	}
	return w.v.found(ctx, child)
}

// count counts entries, and pages, which may have none.
func (w *walker) count(n int64) error {
	if w.entries += int(n); w.entries > maxEntries {
		return forged(fmt.Errorf("there are more than %d files and directories", maxEntries))
	}
	return nil
}

// hopeless reports whether after that error no other directory will come either: nobody
// answers, or the time is over.
func (w *walker) hopeless(ctx context.Context, err error) bool {
	if w.r.late(ctx) != nil {
		return true
	}
	switch newFailure(err).code {
	case exitTimeout, exitReturned, exitForwarder:
		return true
	}
	return false
}

// inVain is the error that ends the walk at a directory.
func (w *walker) inVain(at *treeEntry, err error) error {
	f := newFailure(err)
	if w.entries > 0 && (f.code == exitTimeout || f.code == exitReturned) {
		f.code, f.hint = exitPartial, "" // something arrived
	}
	if at.path != "" {
		f.err = fmt.Errorf("%s: %w", printable(at.path), f.err)
	}
	return f
}

// child is an entry of the directory at.
func (at *treeEntry) child(e *manifest.Entry) (*treeEntry, error) {
	name, err := at.name.Append(tlv.Segment{Type: tlv.SegmentName, Value: e.Name})
	if err != nil {
		return nil, forged(fmt.Errorf("an entry's name is too long: %w", err))
	}
	path := string(e.Name)
	if at.path != "" {
		path = at.path + "/" + path
	}
	return &treeEntry{*e, name, path}, nil
}
