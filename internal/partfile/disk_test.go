package partfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

func TestDevFull(t *testing.T) {
	full := device(t, "/dev/full")
	f := open(t, full, Options{})
	_, err := f.Write(contents(300))
	wantWriteError(t, err, full, syscall.ENOSPC)
	wantWriteError(t, f.Flush(), full, syscall.ENOSPC)
	wantWriteError(t, f.Commit(), full, syscall.ENOSPC)
	if f.Size() != 0 {
		t.Errorf("size %d", f.Size())
	}
	check(t, f.Keep()) // the error has been told

	f = open(t, full, Options{})
	write(t, f, []byte("buffered"))
	wantWriteError(t, f.Commit(), full, syscall.ENOSPC)
	check(t, f.Discard())

	f = open(t, full, Options{})
	write(t, f, []byte("buffered"))
	wantWriteError(t, f.Keep(), full, syscall.ENOSPC) // nobody was told before
}

func wantWriteError(t *testing.T, err error, path string, errno syscall.Errno) {
	t.Helper()
	e, ok := errors.AsType[*WriteError](err)
	p, pok := errors.AsType[*fs.PathError](err)
	if !ok || !pok || p.Path != path || e.Path != path || !errors.Is(err, errno) || err.Error() != fmt.Sprintf("write %s: %v", path, errno) {
		t.Errorf("%v, want a *WriteError of %s, %v", err, path, errno)
	}
}

func TestFileSizeLimit(t *testing.T) {
	check(t, child(t, "fillfsize", t.TempDir()).Run())
}

func fillFsizeChild(args []string) error {
	signal.Ignore(syscall.SIGXFSZ) // else the limit kills
	limit := syscall.Rlimit{Cur: 700_000, Max: 700_000}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	return fill(filepath.Join(args[0], "out"), syscall.EFBIG)
}

// fill writes until errno, and sees that what fitted can be resumed and nothing else is left.
func fill(target string, errno syscall.Errno) error {
	f, err := Open(target, Options{})
	if err != nil {
		return err
	}
	if err := f.SaveState(testState()); err != nil {
		return err
	}
	for i := uint64(0); err == nil; i++ {
		_, err = f.Write(content(i))
	}
	if e, ok := errors.AsType[*WriteError](err); !ok || !errors.Is(err, errno) || e.Path != target+partSuffix {
		return fmt.Errorf("Write: %v, want %v", err, errno)
	}
	info, err := os.Stat(target + partSuffix)
	if err != nil || info.Size() != f.Size() || f.Size() <= bufferSize {
		return fmt.Errorf("size %d, stored %d, %v", f.Size(), info.Size(), err)
	}
	if err := f.Commit(); !errors.Is(err, errno) {
		return fmt.Errorf("Commit: %v, want %v", err, errno)
	}
	if _, err := os.Lstat(target); err == nil {
		return errors.New("an incomplete file was committed")
	}
	if errno == syscall.ENOSPC {
		if err := stateOnFullDisk(f); err != nil {
			return err
		}
	}
	if err := f.Keep(); err != nil {
		return fmt.Errorf("Keep: %w", err)
	}
	return resumable(target, info.Size()/blockSize)
}

// stateOnFullDisk sees that a state that does not fit leaves the old one and no rubbish.
func stateOnFullDisk(f *File) error {
	s := testState()
	s.EndChunk = new(uint64(1 << 40))
	if err := f.SaveState(s); !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("SaveState: %v, want ENOSPC", err)
	}
	if _, err := os.Lstat(f.Path() + tmpSuffix); err == nil {
		return errors.New("a temporary file is left")
	}
	if f.state.EndChunk != nil {
		return errors.New("a state counts that was not saved")
	}
	return nil
}

// resumable sees that target's part file holds want chunks (-1: at least one) of the right bytes.
func resumable(target string, want int64) error {
	f, err := Open(target, Options{Resume: true})
	if err != nil {
		return err
	}
	defer f.Keep()
	s, chunks, ok := f.ResumeState()
	if !ok || want >= 0 && chunks != uint64(want) || s.Name != testState().Name {
		return fmt.Errorf("ResumeState = %+v, %d, %v, want %d; torn: %v", s, chunks, ok, want, f.Torn())
	}
	got := make([]byte, blockSize)
	for i := range chunks {
		if _, err := f.ReadAt(got, int64(i)*blockSize); err != nil || !bytes.Equal(got, content(i)) {
			return fmt.Errorf("chunk %d of %d is not the true one: %v", i, chunks, err)
		}
	}
	return nil
}
