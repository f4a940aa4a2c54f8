package partfile

import "io/fs"

// DropState makes what is written a content that nobody may go on from: its chunks
// turn out not to be cut as the state says. The bytes stay.
func (f *File) DropState() error {
	if f.closed {
		return fs.ErrClosed
	}
	if f.direct {
		return nil
	}
	return f.dropState()
}
