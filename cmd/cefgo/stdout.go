package main

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// outWriter is standard output: it remembers the first write that failed, so that
// no command ends with 0 whose output nobody got.
type outWriter struct {
	w   io.Writer
	err error
}

func (o *outWriter) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// terminal is the file to ask whether it is a terminal; nil where w is no file.
func terminal(w io.Writer) *os.File {
	if o, ok := w.(*outWriter); ok {
		w = o.w
	}
	f, _ := w.(*os.File)
	return f
}

// wasClosed reports whether w, a standard stream, was closed when the process
// began: Go's runtime opens /dev/null for reading and writing in its place, which
// would swallow everything.
func wasClosed(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	var st, null unix.Stat_t
	if unix.Fstat(int(f.Fd()), &st) != nil || unix.Stat(os.DevNull, &null) != nil || st.Rdev != null.Rdev || st.Ino != null.Ino || st.Dev != null.Dev {
		return false
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}
