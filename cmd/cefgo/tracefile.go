package main

import (
	"cmp"
	"os"

	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/trace"
)

// traceFile is what --trace writes to; nil: nothing is traced.
type traceFile struct {
	file *os.File
	w    *trace.Writer
}

// openTrace makes the fetches of a path write their trace to a file. A path of "" is
// none.
func openTrace(file string, p *pipeline.Path) (*traceFile, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, &failure{code: exitLocal, err: err}
	}
	t := &traceFile{file: f, w: trace.NewWriter(f)}
	p.Trace = t.w.Add
	return t, nil
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
