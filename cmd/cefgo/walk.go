package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/tlv"
)

// treeEntry is what is below a name that is walked.
type treeEntry struct {
	manifest.Entry
	name tlv.Name
	path string // below the top, with slashes; of the top ""
}

// Bounds of what is walked. Whoever publishes may invent directories without end: as many
// within one another as there is room for in a name, and in each as many as there are
// chunk numbers.
const (
	maxDepth   = 100
	maxEntries = 10_000_000
)

// walk tells of all that is below top: of what is in a directory first, then of what is
// in the directories of it that each says yes to. Where top is an object, it is that.
func (r *getRun) walk(ctx context.Context, top treeEntry, each func(context.Context, *treeEntry) (bool, error)) error {
	w := &walker{r: r, each: each}
	return w.directory(ctx, top, 0)
}

// walker is one walk.
type walker struct {
	r       *getRun
	each    func(context.Context, *treeEntry) (bool, error)
	entries int
}

func (w *walker) directory(ctx context.Context, at treeEntry, depth int) error {
	if depth > maxDepth {
		return forged(fmt.Errorf("%s: more than %d directories in one another", printable(at.path), maxDepth))
	}
	var below []treeEntry
	j := &getJob{name: at.name, verify: w.r.demand(at.name)}
	m, err := w.r.browse(ctx, j, func(e *manifest.Entry) error {
		child, err := at.child(e)
		if err != nil {
			return err
		}
		if w.entries++; w.entries > maxEntries {
			return forged(fmt.Errorf("there are more than %d files and directories", maxEntries))
		}
		descend, err := w.each(ctx, child)
		if descend && e.Status == manifest.Directory {
			below = append(below, *child)
		}
		return err
	})
	switch {
	case err != nil && at.path != "":
		return fmt.Errorf("%s: %w", printable(at.path), err)
	case err != nil:
		return err
	case m.Status == manifest.Object && at.path == "":
		_, last, _ := at.name.Parent()
		_, err := w.each(ctx, &treeEntry{manifest.Entry{Status: m.Status, Size: m.Size, Modified: m.Modified, Name: last.Value}, at.name, string(last.Value)})
		return err
	}
	for _, d := range below {
		var gone *failure
		if err := w.directory(ctx, d, depth+1); err != nil && !(errors.As(err, &gone) && gone.code == exitRemote) {
			return err
		}
	}
	return nil
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
