package main

import "io"

// gatherer writes the chunks that come together in one piece: to a stream, where each
// write is a system call, and often a hand-over to another process.
type gatherer struct {
	w   io.Writer
	buf []byte
}

// gatherBytes is the most that is gathered.
const gatherBytes = 256 << 10

// Write keeps a copy of p until the next Flush, or until enough has come together.
func (g *gatherer) Write(p []byte) (int, error) {
	if len(g.buf)+len(p) > gatherBytes {
		if err := g.Flush(); err != nil {
			return 0, err
		}
	}
	g.buf = append(g.buf, p...)
	return len(p), nil
}

// Flush writes what was gathered.
func (g *gatherer) Flush() error {
	if len(g.buf) == 0 {
		return nil
	}
	n, err := g.w.Write(g.buf)
	if err == nil && n != len(g.buf) {
		err = io.ErrShortWrite
	}
	g.buf = g.buf[:0]
	return err
}
