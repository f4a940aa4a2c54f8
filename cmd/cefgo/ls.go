package main

import (
	"bufio"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/manifest"
)

type lsOptions struct {
	get       getOptions
	long      bool
	recursive bool
}

func newLsCommand(a *app) *cobra.Command {
	o := lsOptions{get: newGetOptions()}
	cmd := &cobra.Command{
		Use:         "ls [flags] NAME",
		Annotations: withJSON,
		Short:       "List what a publisher serves",
		Long: `ls lists the files and directories below NAME, as "cefgo serve" publishes them,
in the order of their names. It prints them as they arrive, so that a directory
of a million files needs no more memory than one of ten. A directory's name
ends in "/". Of a file it tells what its manifest does.

With --json=stream each entry is an event, with --json all of them are in the
result.`,
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
	out     *bufio.Writer
	entries []fields // for the JSON
	files   int
	dirs    int
	failed  int // directories that could not be listed
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
	l := &listRun{getRun: &getRun{a: a, o: o.get, start: time.Now()}, o: o, out: bufio.NewWriter(a.stdout)}
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
	err = l.walk(ctx, treeEntry{name: name}, l)
	if ferr := l.out.Flush(); err == nil {
		err = ferr
	}
	f := fields{"name": name.String(), "files": l.files, "directories": l.dirs, "failed": l.failed, "size_bytes": l.bytes}
	if l.a.json == jsonObject {
		f["entries"] = l.entries
	}
	if err == nil && l.failed == 0 {
		return a.result(f)
	}
	out := &failure{code: exitPartial, err: fmt.Errorf("%d of its directories could not be listed", l.failed)}
	if err != nil {
		out = newFailure(l.fw.blame(l.client, err))
	}
	if l.files+l.dirs > 0 {
		out.more = f
	}
	return out
}

// unlisted tells of a directory whose entries are missing.
func (l *listRun) unlisted(e *treeEntry, err error) {
	l.failed++
	l.a.line(failed("ls", e.name.String(), err).Error())
}

// found prints one entry, and says whether to list what is in it.
func (l *listRun) found(_ context.Context, e *treeEntry) (bool, error) {
	kind, path := "file", e.path
	if e.Status == manifest.Directory {
		kind, path = "directory", path+"/"
		l.dirs++
	} else {
		l.files++
		l.bytes += e.Size
	}
	var err error
	if l.a.json == jsonOff {
		err = l.print(e, path)
	} else {
		l.addJSON(e, path, kind)
	}
	return l.o.recursive, err
}

func (l *listRun) addJSON(e *treeEntry, path, kind string) {
	f := fields{"path": path, "name": e.name.String(), "kind": kind}
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
}

func (l *listRun) print(e *treeEntry, path string) error {
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
