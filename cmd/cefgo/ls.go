package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/tlv"
)

type lsOptions struct {
	get       getOptions
	long      bool
	recursive bool
}

// maxDepth bounds the directories within directories that are listed: whoever publishes
// may invent as many as there is room for in a name.
const maxDepth = 100

func newLsCommand(a *app) *cobra.Command {
	o := lsOptions{get: newGetOptions()}
	cmd := &cobra.Command{
		Use:         "ls [flags] NAME",
		Annotations: withJSON,
		Short:       "List what a publisher serves",
		Long: `ls lists the files and directories below NAME, as "cefgo serve" publishes them, in
the order of their names. It prints them as they arrive, so that a directory of a
million files needs no more memory than one of ten. A directory's name ends in "/".
Of a file it tells what its manifest does.

With --json=stream each entry is an event, with --json all of them are in the result.`,
		Example: `  cefgo ls ccnx:/demo
  cefgo ls -l ccnx:/demo/sub
  cefgo ls -R ccnx:/demo --json=stream`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed("ls", args[0], a.runLs(cmd.Context(), o, args[0]))
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.long, "long", "l", false, "sizes and times too")
	f.BoolVarP(&o.recursive, "recursive", "R", false, "what is in its directories too")
	o.get.addTrustFlags(f)
	o.get.addAskFlags(f)
	return cmd
}

// listRun is one run of ls.
type listRun struct {
	*getRun
	o       lsOptions
	top     tlv.Name
	out     *bufio.Writer
	entries []fields // for the JSON
	files   int
	dirs    int
	bytes   int64
}

func (a *app) runLs(ctx context.Context, o lsOptions, uri string) error {
	if err := o.get.check(); err != nil {
		return err
	}
	name, err := a.parseName(uri)
	if err != nil {
		return err
	}
	if _, ok := name.Chunk(); ok || name.IsDefault() {
		return usage("", "a directory has a name, and no chunk number")
	}
	l := &listRun{getRun: &getRun{a: a, o: o.get, start: time.Now()}, o: o, top: name, out: bufio.NewWriter(a.stdout)}
	if o.get.deadline.d > 0 {
		l.deadline = l.start.Add(o.get.deadline.d)
	}
	if err := l.openTrust(); err != nil {
		return err
	}
	if err := l.dial(ctx); err != nil {
		return err
	}
	defer l.hangUp()
	l.begin(o.get.path(l.fw))
	err = l.list(ctx, name, "", 0)
	if ferr := l.out.Flush(); err == nil {
		err = ferr
	}
	if err != nil {
		return l.fw.blame(l.client, err)
	}
	f := fields{"name": name.String(), "files": l.files, "directories": l.dirs, "size_bytes": l.bytes}
	if l.a.json == jsonObject {
		f["entries"] = l.entries
	}
	return a.result(f)
}

// list lists one directory; at is its path below the top, with a slash behind it unless it
// is the top.
func (l *listRun) list(ctx context.Context, name tlv.Name, at string, depth int) error {
	if depth > maxDepth {
		return forged(fmt.Errorf("%s: directories in more than %d directories", printable(at), maxDepth))
	}
	j := &getJob{name: name, verify: l.demand(name)}
	type directory struct {
		name tlv.Name
		path string
	}
	var below []directory
	m, err := l.browse(ctx, j, func(e *manifest.Entry) error {
		child, err := name.Append(tlv.Segment{Type: tlv.SegmentName, Value: e.Name})
		if err != nil {
			return forged(fmt.Errorf("an entry's name is too long: %w", err))
		}
		path := at + string(e.Name)
		if e.Status == manifest.Directory {
			path += "/"
			if l.o.recursive {
				below = append(below, directory{child, path})
			}
		}
		return l.tell(e, child, path)
	})
	switch {
	case err != nil && at != "":
		return fmt.Errorf("%s: %w", printable(at), err)
	case err != nil:
		return err
	case m.Status == manifest.Object && at != "":
		return nil // it has become a file since
	case m.Status == manifest.Object:
		_, last, _ := name.Parent()
		return l.tell(&manifest.Entry{Status: manifest.Object, Size: m.Size, Modified: m.Modified, Name: last.Value}, name, string(last.Value))
	}
	for _, d := range below {
		err := l.list(ctx, d.name, d.path, depth+1)
		var gone *failure
		if errors.As(err, &gone) && gone.code == exitRemote {
			continue // removed since
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tell prints one entry.
func (l *listRun) tell(e *manifest.Entry, name tlv.Name, path string) error {
	kind := "directory"
	if e.Status == manifest.Object {
		kind = "file"
		l.files++
		l.bytes += e.Size
	} else {
		l.dirs++
	}
	if l.a.json != jsonOff {
		f := fields{"path": path, "name": name.String(), "kind": kind}
		if e.Status == manifest.Object {
			f["size_bytes"] = e.Size
		}
		if !e.Modified.IsZero() {
			f["modified"] = e.Modified.UTC().Format(time.RFC3339Nano)
		}
		if l.a.json == jsonObject {
			l.entries = append(l.entries, f)
		}
		l.a.event("entry", f)
		return nil
	}
	if l.o.long {
		size, at := "-", "-"
		if e.Status == manifest.Object {
			size = fmt.Sprint(e.Size)
		}
		if !e.Modified.IsZero() {
			at = e.Modified.Local().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(l.out, "%12s  %-16s  ", size, at)
	}
	_, err := fmt.Fprintln(l.out, printable(path))
	return err
}
