package publish

// readAhead is how much of a file that is read from one chunk to the next is read at
// once, in bytes, and kept: at most that for each open file.
const readAhead = 64 << 10

// read returns n bytes from off, which stay what they are until the next read. It fails
// with errChanged where the file is not the version that was opened any more, so that no
// chunk mixes two. What was read ahead counts for all reads of one round, which the
// caller numbers from 1. Where nothing is read ahead, b, of at least n bytes, is filled.
func (f *file) read(b []byte, off int64, n int, round uint64) ([]byte, error) {
	end := off + int64(n)
	if f.aheadAt <= off && end <= f.aheadAt+int64(len(f.ahead)) {
		f.next = end
		return f.fromAhead(off, n), f.checkAhead(round)
	}
	inOrder := off == f.next
	f.next = end
	if !inOrder || n > readAhead/2 || end > f.size() {
		return b[:n], f.readVersion(b[:n], off)
	}
	if f.ahead == nil {
		f.ahead = make([]byte, readAhead)
	}
	f.ahead = f.ahead[:min(readAhead, f.size()-off)]
	f.aheadAt = off
	if err := f.readVersion(f.ahead, off); err != nil {
		f.ahead = f.ahead[:0]
		return nil, err
	}
	f.round = round
	return f.fromAhead(off, n), nil
}

// fromAhead is n bytes from off, which were read ahead.
func (f *file) fromAhead(off int64, n int) []byte { return f.ahead[off-f.aheadAt:][:n] }

// checkAhead makes sure, once a round, that what was read ahead is the file still.
func (f *file) checkAhead(round uint64) error {
	if f.round == round {
		return nil
	}
	if err := f.unchanged(); err != nil {
		f.ahead = f.ahead[:0]
		return err
	}
	f.round = round
	return nil
}

// readVersion fills b from off, of the version that was opened.
func (f *file) readVersion(b []byte, off int64) error {
	_, rerr := f.ReadAt(b, off)
	if err := f.unchanged(); err != nil {
		return err
	}
	return rerr
}
