package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// readFIFO makes a FIFO and opens it as a reader who reads nothing does.
func readFIFO(t *testing.T) (path string, reader *os.File) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return path, reader
}

// wantGone fails where anybody still has the FIFO open for writing.
func wantGone(t *testing.T, reader *os.File) {
	t.Helper()
	_ = reader.SetReadDeadline(time.Now().Add(10 * time.Second)) // of which it needs none
	if _, err := new(bytes.Buffer).ReadFrom(reader); err != nil {
		t.Errorf("reading on to the end: %v", err)
	}
}

// fill writes until nothing more fits.
func fill(o *fifo) (n int, err error) {
	for p := make([]byte, 4096); err == nil; {
		var m int
		m, err = o.Write(p)
		n += m
	}
	return n, err
}

// A write that nobody makes room for ends with the deadline, as a partial content, and
// leaves nothing behind.
func TestFIFODeadline(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	path, reader := readFIFO(t)
	deadline := time.Now().Add(50 * time.Millisecond)
	o, err := openFIFO(t.Context(), path, deadline, 0)
	if err != nil {
		t.Fatal(err)
	}
	n, err := fill(o)
	if f := newFailure(err); f.code != exitPartial || !errors.Is(err, errDeadline) || n == 0 || time.Now().Before(deadline) {
		t.Errorf("%d bytes, %v (exit code %d)", n, err, f.code)
	}
	if err := o.close(); err != nil {
		t.Error(err)
	}
	wantGone(t, reader)
}

// So does it with the context.
func TestFIFOCancelled(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cause := errors.New("enough")
	path, reader := readFIFO(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	o, err := openFIFO(ctx, path, time.Time{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	wrote := make(chan struct{})
	go func() {
		_, err := o.Write([]byte("first"))
		close(wrote)
		if err == nil {
			_, err = fill(o)
		}
		ended <- err
	}()
	<-wrote
	cancel(cause)
	if err := <-ended; err != cause {
		t.Errorf("error %v, want %v", err, cause)
	}
	if err := o.close(); err != nil {
		t.Error(err)
	}
	wantGone(t, reader)
}

// The reader is waited for as long as that, and no longer.
func TestFIFOWithoutReader(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	path, reader := readFIFO(t)
	reader.Close()
	if _, err := openFIFO(t.Context(), path, time.Time{}, time.Millisecond); err == nil {
		t.Error("opened, with no reader")
	}
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := openFIFO(ctx, path, time.Time{}, time.Hour); err != cause {
		t.Errorf("error %v, want %v", err, cause)
	}

	opened := make(chan error)
	go func() {
		o, err := openFIFO(t.Context(), path, time.Time{}, time.Hour)
		if err == nil {
			err = o.close()
		}
		opened <- err
	}()
	late, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if err := <-opened; err != nil {
		t.Errorf("a reader that comes: %v", err)
	}
}
