package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/partfile"
	"github.com/cefgo/cefgo/internal/tlv"
)

// treeRun is a run of get -R: what is below one name, fetched into one directory.
type treeRun struct {
	*getRun
	name tlv.Name
	dir  string
	root *os.Root
	made []string // directories that were not there before, the innermost first

	complete bool // all is there
	queue    chan<- *treeEntry

	fetched, same, bytes atomic.Int64
	left                 atomic.Int64 // files that were not begun

	mu       sync.Mutex // protects the following
	failures []fields   // of at most maxFailures
	failed   int
	codes    map[exitCode]bool
}

// maxFailures bounds the failures in the JSON; all are told as they come.
const maxFailures = 1000

// checkTree checks the flags of -R, and of what comes with it.
func (o *getOptions) checkTree(names int) error {
	for _, pattern := range append(o.include, o.exclude...) {
		if !doublestar.ValidatePattern(pattern) {
			return usage("such as '*.csv', 'data/**' or '{a,b}/*'", "%q is no pattern", pattern)
		}
	}
	switch {
	case !o.recursive && len(o.include)+len(o.exclude) > 0:
		return usage("", "--include and --exclude go with -R")
	case !o.recursive:
		return nil
	case names != 1:
		return usage("", "-R takes one name")
	case o.output == "-":
		return usage("", "-R needs a directory: -o DIR")
	case o.chunks.set || o.bytes.set || o.resume:
		return usage("", "-R is for whole files, without --chunks, --range and --resume: it goes on by itself")
	}
	return nil
}

func (r *getRun) runTree(ctx context.Context, uri string) error {
	name, err := r.a.parseName(uri)
	if err != nil {
		return err
	}
	if _, ok := name.Chunk(); ok || name.IsDefault() {
		return usage("", "a directory has a name, and no chunk number")
	}
	t := &treeRun{getRun: r, name: name, codes: make(map[exitCode]bool)}
	if err := t.openDir(); err != nil {
		return asLocal(err)
	}
	defer t.closeDir()
	if err := r.dial(ctx); err != nil {
		return err
	}
	defer r.hangUp()
	path := r.o.path(r.fw)
	trace, err := r.openTrace(&path)
	if err != nil {
		return err
	}
	r.begin(path)
	stop := r.a.showProgress("get -R "+uri, t.snapshot)
	err = t.fetchTree(ctx)
	r.session.Close()
	stop()
	if terr := trace.close(); err == nil {
		err = terr
	}
	return t.tell(ctx, err)
}

// openDir opens the directory that all goes into, and makes it where there is none.
func (t *treeRun) openDir() error {
	t.dir = t.o.output
	if t.dir == "" {
		_, last, _ := t.name.Parent()
		if err := partfile.CheckSegment(last.Value); err != nil {
			return err
		}
		t.dir = string(last.Value)
	}
	for d := t.dir; missing(d); d = filepath.Dir(d) {
		t.made = append(t.made, d)
	}
	err := os.MkdirAll(t.dir, 0o777)
	if err == nil {
		t.root, err = os.OpenRoot(t.dir)
	}
	if err != nil {
		t.unmake()
	}
	return err
}

func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// closeDir leaves no directory behind that nothing came into.
func (t *treeRun) closeDir() {
	_ = t.root.Close()
	if !t.complete {
		t.unmake()
	}
}

// unmake removes what openDir made, as far as it is empty.
func (t *treeRun) unmake() {
	for _, d := range t.made {
		if err := os.Remove(d); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
}

// file is where the entry at path goes. The directory is not cleaned: link/../dir is
// wherever the system says.
func (t *treeRun) file(path string) string {
	return strings.TrimRight(t.dir, string(filepath.Separator)) + string(filepath.Separator) + filepath.FromSlash(path)
}

// fetchTree walks the tree, and has workers fetch its files meanwhile.
func (t *treeRun) fetchTree(ctx context.Context) error {
	queue := make(chan *treeEntry, t.o.parallel)
	var wg sync.WaitGroup
	for range t.o.parallel {
		wg.Go(func() {
			for e := range queue {
				t.fetchEntry(ctx, e)
			}
		})
	}
	t.queue = queue
	err := t.walk(ctx, treeEntry{name: t.name}, t)
	close(queue)
	wg.Wait()
	return err
}

// found takes an entry of the tree: a file goes into the queue, a directory is made. What
// may not be here is told, and passed over.
func (t *treeRun) found(ctx context.Context, e *treeEntry) (bool, error) {
	if err := partfile.CheckSegment(e.Name); err != nil {
		t.fail(e, asLocal(err))
		return false, nil
	}
	if e.Status == manifest.Directory {
		return t.directory(e)
	}
	if !t.wanted(e.path) {
		return false, nil
	}
	if err := t.over(ctx); err != nil {
		return false, err
	}
	select {
	case t.queue <- e:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// over is why no file may be begun any more; nil where one may. Something has arrived: it was
// in a list.
func (t *treeRun) over(ctx context.Context) error {
	err := t.late(ctx)
	if err != nil && ctx.Err() == nil {
		return &failure{code: exitPartial, err: errDeadline}
	}
	return err
}

// unlisted takes note of a directory of which nothing is known: what is in there is missing.
func (t *treeRun) unlisted(e *treeEntry, err error) { t.fail(e, err) }

// directory makes a directory of the tree, unless it is excluded.
func (t *treeRun) directory(e *treeEntry) (bool, error) {
	if matches(t.o.exclude, e.path) {
		return false, nil
	}
	if len(t.o.include) > 0 {
		return true, nil // it is made for the files that are wanted
	}
	if err := t.root.MkdirAll(filepath.FromSlash(e.path), 0o777); err != nil {
		t.fail(e, asLocal(err))
		return false, nil
	}
	return true, nil
}

// wanted reports whether the flags want the file of that path.
func (t *treeRun) wanted(path string) bool {
	return !matches(t.o.exclude, path) && (len(t.o.include) == 0 || matches(t.o.include, path))
}

// matches reports whether a pattern fits the path, or its last element where the pattern
// has no slash. Patterns have been checked.
func matches(patterns []string, path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	for _, p := range patterns {
		of := path
		if !strings.Contains(p, "/") {
			of = last
		}
		if doublestar.MatchUnvalidated(p, of) {
			return true
		}
	}
	return false
}

// fetchEntry fetches one file of the tree.
func (t *treeRun) fetchEntry(ctx context.Context, e *treeEntry) {
	if t.late(ctx) != nil {
		t.left.Add(1) // told once, for all
		return
	}
	j := &getJob{uri: e.name.String(), name: e.name, full: e.name, verify: t.demand(e.name), path: t.file(e.path), begun: true, tree: true}
	err := t.prepare(e)
	if err == nil {
		j.out, err = t.fetchOne(ctx, j)
	}
	switch {
	case err != nil:
		t.fail(e, err)
	case j.out.same:
		t.same.Add(1)
		t.a.event("unchanged", fields{"name": j.uri, "file": j.path})
	default:
		t.fetched.Add(1)
		t.bytes.Add(int64(j.out.target.size(j.out.result)))
		t.a.event("file", t.resultOf(j))
	}
}

// prepare makes the file's directory. Nothing on the way there may lead out of the
// target's.
func (t *treeRun) prepare(e *treeEntry) error {
	dir := filepath.Dir(filepath.FromSlash(e.path))
	if err := t.root.MkdirAll(dir, 0o777); err != nil {
		return asLocal(err)
	}
	_, err := t.root.Stat(dir)
	return err
}

// fail takes note of a file that could not be got, and tells it.
func (t *treeRun) fail(e *treeEntry, err error) {
	f := newFailure(failed("get", e.name.String(), err))
	t.a.line(f.Error())
	one := fields{"name": e.name.String(), "path": e.path, "code": int(f.code), "kind": f.code.kind(), "message": f.err.Error()}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed++
	t.codes[f.code] = true
	if len(t.failures) < maxFailures {
		t.failures = append(t.failures, one)
	}
}

// tell gives the result; err is what ended the walk.
func (t *treeRun) tell(ctx context.Context, err error) error {
	took := time.Since(t.start)
	f := fields{
		"name": t.name.String(), "directory": t.dir, "files": t.fetched.Load(), "unchanged": t.same.Load(), "failed": t.failed,
		"size_bytes": t.bytes.Load(), "duration_ms": ms(took), "goodput_bps": float64(t.bytes.Load()) * 8 / took.Seconds(),
	}
	if t.failed > 0 {
		f["failures"] = t.failures
	}
	some := t.fetched.Load()+t.same.Load() > 0
	if err == nil && t.left.Load() > 0 {
		err = t.over(ctx)
	}
	if t.complete = err == nil && t.failed == 0 && ctx.Err() == nil; t.complete || some {
		t.sayGot(took)
	}
	var out *failure
	switch {
	case t.complete:
		return t.a.result(f)
	case err != nil:
		if out = newFailure(t.fw.blame(t.client, err)); some && (out.code == exitTimeout || out.code == exitReturned) {
			out.code, out.hint = exitPartial, ""
		}
	case ctx.Err() != nil:
		out = newFailure(context.Cause(ctx))
	default:
		out = &failure{code: t.codeOfAll(), err: fmt.Errorf("%d of its files and directories could not be got", t.failed)}
	}
	if some {
		out.hint = cmp.Or(out.hint, "run it again to get what is missing: what is there is compared, and stays")
	}
	out.more = f
	return out
}

func (t *treeRun) sayGot(took time.Duration) {
	got := fmt.Sprintf("got %s (%s) in %.2f s", plural(uint64(t.fetched.Load()), "file"), bytesText(uint64(t.bytes.Load())), took.Seconds())
	if n := t.same.Load(); n > 0 {
		got += fmt.Sprintf(", %d unchanged", n)
	}
	t.a.say("%s: %s", got, t.dir)
}

// codeOfAll is the code that all failures have where nothing else came, else 7.
func (t *treeRun) codeOfAll() exitCode {
	if len(t.codes) == 1 && t.fetched.Load()+t.same.Load() == 0 {
		for code := range t.codes {
			return code
		}
	}
	return exitPartial
}

func (t *treeRun) snapshot() snapshot {
	s := snapshot{done: uint64(t.bytes.Load())}
	s.line = fmt.Sprintf("%d files (%s), %d unchanged", t.fetched.Load(), bytesText(s.done), t.same.Load())
	s.note = fmt.Sprintf(" (%d files)", t.fetched.Load()+t.same.Load())
	return s
}
