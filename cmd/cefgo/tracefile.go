package main

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/trace"
)

// traceFile is what --trace writes to; nil: nothing is traced.
type traceFile struct {
	file *os.File
	w    *trace.Writer
}

// openTrace makes the fetches of a path write their trace, where --trace says so.
func (r *getRun) openTrace(p *pipeline.Path) (*traceFile, error) {
	path := r.o.trace
	if path == "" {
		return nil, nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, &failure{code: exitLocal, err: err}
	case !info.Mode().IsRegular() && info.Mode()&fs.ModeCharDevice == 0:
		// A pipe that nobody reads would hold up the fetch.
		return nil, &failure{code: exitLocal, err: &fs.PathError{Op: "trace", Path: path, Err: errors.New("is no regular file")}}
	}
	for _, j := range r.jobs {
		if j.path != "" && samePath(path, j.path) {
			return nil, usage("write the trace elsewhere", "--trace is the file that %s goes to", printable(j.uri))
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, &failure{code: exitLocal, err: err}
	}
	t := &traceFile{file: f, w: trace.NewWriter(f)}
	p.Trace = t.w.Add
	return t, nil
}

// samePath reports whether two paths lead to one regular file, which may not be there
// yet.
func samePath(a, b string) bool {
	_, aerr := os.Stat(a)
	_, berr := os.Stat(b)
	return sameRegular(a, b) || aerr != nil && berr != nil && filepath.Clean(a) == filepath.Clean(b)
}

// sameRegular reports whether two paths lead to one regular file that is there.
func sameRegular(a, b string) bool {
	x, xerr := os.Stat(a)
	y, yerr := os.Stat(b)
	return xerr == nil && yerr == nil && x.Mode().IsRegular() && os.SameFile(x, y)
}

// close ends the trace, once the session is closed.
func (t *traceFile) close() error {
	if t == nil {
		return nil
	}
	if err := cmp.Or(t.w.Flush(), t.file.Close()); err != nil {
		return &failure{code: exitLocal, err: err, hint: "the contents are complete, the trace is not"}
	}
	return nil
}
