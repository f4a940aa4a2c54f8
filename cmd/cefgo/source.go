package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/verify"
)

// source is content to be pushed: a file, or standard input kept in one.
type source struct {
	*os.File
	size    int64
	version [16]byte // the head of the content's SHA-256
	whole   manifest.Digest
	runs    []manifest.Digest
	info    os.FileInfo
}

// blame returns a *pipeline.ChangedError in place of err, or of none, where the file
// is no longer the one that was read for its version: then nobody knows what was
// pushed.
func (s *source) blame(err error) error {
	var sig *signalError
	now, serr := s.Stat()
	if errors.As(err, &sig) || serr == nil && now.Size() == s.info.Size() && now.ModTime().Equal(s.info.ModTime()) {
		return err
	}
	return &failure{code: exitChanged, err: errors.New("the file changed while it was pushed"), hint: "push it again under a new name, once it is at rest"}
}

// openSource opens the file and reads it once, for its version. What is no regular
// file, such as standard input or a pipe, is kept in one first.
func (a *app) openSource(ctx context.Context, path string) (*source, error) {
	s := &source{}
	var err error
	fi, serr := os.Stat(path)
	switch {
	case path == "-":
		s.File, err = spool(ctx, func() (io.Reader, error) { return a.stdin, nil })
	case serr != nil:
		err = serr
	case fi.IsDir():
		err = &failure{code: exitLocal, err: fmt.Errorf("%s is a directory", path), hint: "cefgo serve publishes directories"}
	case fi.Mode().IsRegular():
		s.File, err = os.Open(path)
	default:
		s.File, err = spool(ctx, func() (io.Reader, error) { return os.Open(path) })
	}
	if err != nil {
		return nil, err
	}
	if s.info, err = s.Stat(); err != nil {
		s.Close()
		return nil, err
	}
	if err = s.hash(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// hash reads the content once, for its digests.
func (s *source) hash(ctx context.Context) (err error) {
	h := sha256.New()
	w := verify.NewWriter(h, verify.Options{Run: object.RunSize})
	s.size, err = io.Copy(w, contextReader{ctx, s.File})
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	s.whole, s.runs = manifest.Digest(h.Sum(nil)), w.Runs()
	copy(s.version[:], s.whole[:])
	return err
}

// manifest is that of the content as l is pushed, and the list that it names. Where the
// name leaves no room for it there is none.
func (s *source) manifest(l *object.Layout, path string, sign func([]byte) (manifest.Signature, error)) (payload, list []byte, err error) {
	if name, err := object.RunsName(l.Name, s.version[:]); err != nil || !name.CanChunk() {
		return nil, nil, nil
	}
	now := time.Now()
	m := manifest.Manifest{
		Status: manifest.Object, Name: l.Name, Issued: now, Expires: now.Add(l.Expiry), Version: s.version[:], Size: s.size,
		Blocks: []int{l.BlockSize}, PlainOnly: true, MediaType: mime.TypeByExtension(filepath.Ext(path)),
		Digests: manifest.NewDigests(s.whole, s.runs),
	}
	if t := s.info.ModTime(); path != "-" && t.After(time.Unix(0, 0)) {
		m.Modified = t
	}
	if payload, err = m.Encode(sign); err != nil {
		return nil, nil, err
	}
	if m.Digests.Runs == nil {
		for _, r := range s.runs {
			list = append(list, r[:]...)
		}
	}
	return payload, list, nil
}

// spool keeps what open's reader brings in a file without a name. When ctx ends
// first, the open or read that waits is left alone; it ends with the process.
func spool(ctx context.Context, open func() (io.Reader, error)) (*os.File, error) {
	f, err := os.CreateTemp("", "cefgo-put-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name())
	done := make(chan error, 1)
	go func() {
		r, err := open()
		if err == nil {
			_, err = io.Copy(f, r)
		}
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// contextReader ends reading when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
