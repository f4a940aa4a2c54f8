package publish

import (
	"errors"
	"mime"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cefgo/cefgo/internal/digest"
	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

const (
	// validity is how long a manifest may be relied on.
	validity = 10 * time.Minute
	// freshFor is how long its Content Object may be used.
	freshFor = time.Second
	// pendingFor is how long a manifest that lacks its digests is given out again.
	pendingFor = 100 * time.Millisecond
)

// sealed is an encoded manifest.
type sealed struct {
	payload []byte
	until   time.Time // to be given out
	whole   bool      // it has the digests
}

// answerManifest answers an Interest for the manifest of a name. While the digests are
// computed, the Interest is put aside for a moment.
func (p *Publisher) answerManifest(i *tlv.Interest, of tlv.Name, data *tlv.Batch, now time.Time) error {
	if k, ok := i.Name.Chunk(); !ok || k != 0 || p.o.Digests == nil {
		return ErrNotServed
	}
	f, err := p.tree.Lookup(of, now)
	switch {
	case errors.Is(err, errChanged):
		return err
	case err != nil:
		return p.answerWithout(i, of, err, data, now)
	}
	if _, ok := p.o.Digests.Lookup(f.key); !ok {
		p.o.Digests.Want(p.tree.job(f))
		if p.parked.add(i, digestKey(f), now) {
			return nil
		}
	}
	return p.sendManifest(i.Name, i.HopLimit, f, data, now)
}

// answerWithout answers for a name that has no file, or none that can be read.
func (p *Publisher) answerWithout(i *tlv.Interest, of tlv.Name, err error, data *tlv.Batch, now time.Time) error {
	if !errors.Is(err, ErrNotServed) {
		p.fails(of, err)
	} else if path, ok := p.tree.directory(of); ok {
		return p.askList(i, listJob{key: listKey(path), name: of.Clone(), path: path}, data, now)
	} else {
		p.count.NotFound.Add(1)
	}
	p.sendAbsent(i.Name, of, i.HopLimit, data, now)
	return nil
}

// sendAbsent answers that there is nothing. That is not signed: it would cost as much as
// whoever asks likes.
func (p *Publisher) sendAbsent(name, of tlv.Name, hopLimit uint8, data *tlv.Batch, now time.Time) {
	m := manifest.Manifest{Status: manifest.Absent, Name: of, Issued: now, Expires: now.Add(validity)}
	payload, err := m.Encode(nil)
	if err != nil {
		p.fails(of, err)
		return
	}
	p.putFresh(name, hopLimit, payload, 0, data, now)
}

// sendManifest answers with f's manifest as it is known now.
func (p *Publisher) sendManifest(name tlv.Name, hopLimit uint8, f *file, data *tlv.Batch, now time.Time) error {
	part, _ := object.Split(name)
	payload, err := p.seal(f, part.Of, now)
	if err != nil {
		return err
	}
	p.putFresh(name, hopLimit, payload, 0, data, now)
	return nil
}

// putFresh answers with what no cache may keep.
func (p *Publisher) putFresh(name tlv.Name, hopLimit uint8, payload []byte, end uint64, data *tlv.Batch, now time.Time) {
	p.put(data, func(b []byte) ([]byte, error) {
		return object.AppendFresh(b, name, payload, end, hopLimit, now.Add(freshFor), p.o.Sum)
	})
}

// seal is f's manifest, encoded and signed; it is kept for as long as it is right.
func (p *Publisher) seal(f *file, name tlv.Name, now time.Time) ([]byte, error) {
	sums, whole := p.o.Digests.Lookup(f.key)
	if s := &f.sealed; s.payload != nil && s.whole == whole && now.Before(s.until) {
		return s.payload, nil
	}
	m := manifest.Manifest{
		Status: manifest.Object, Name: name.Clone(), Issued: now, Expires: now.Add(validity),
		Version: f.version, Size: f.size(), Blocks: p.o.Blocks, MediaType: mediaType(f.path),
	}
	if t := time.Unix(0, f.id.mtime); t.After(time.Unix(0, 0)) {
		m.Modified = t
	}
	until := now.Add(validity / 2)
	if whole {
		m.Digests = manifest.NewDigests(sums.Whole, sums.Runs)
	} else {
		m.Done, _ = p.o.Digests.Progress(f.key)
		until = now.Add(pendingFor)
	}
	payload, err := m.Encode(p.o.Sign)
	if err != nil {
		return nil, err
	}
	f.sealed = sealed{payload, until, whole}
	return payload, nil
}

// mediaType is what the file's extension says, "" where that is nothing.
func mediaType(path string) string { return mime.TypeByExtension(filepath.Ext(path)) }

// answerRuns answers an Interest for a chunk of the list of a version's digests.
func (p *Publisher) answerRuns(i *tlv.Interest, part object.Part, data *tlv.Batch, now time.Time) error {
	k, ok := i.Name.Chunk()
	if !ok || p.o.Digests == nil {
		return ErrNotServed
	}
	f, err := p.tree.Version(part.Of, part.Version, now)
	if err != nil {
		return err
	}
	sums, ok := p.o.Digests.Lookup(f.key)
	if !ok {
		p.o.Digests.Want(p.tree.job(f))
		return nil // it is asked for again
	}
	l := p.layout(i.Name.WithoutChunk(), f, p.o.Blocks[0])
	l.Size = int64(len(sums.Runs)) * int64(len(manifest.Digest{}))
	off, n, ok := l.Span(k)
	if !ok {
		return nil
	}
	payload := appendDigests(p.buf[:0], sums.Runs, off, n)
	p.put(data, func(b []byte) ([]byte, error) { return l.AppendChunk(b, k, payload, now) })
	return nil
}

// appendDigests appends n bytes from off of the list of runs.
func appendDigests(b []byte, runs []manifest.Digest, off int64, n int) []byte {
	const size = int64(len(manifest.Digest{}))
	for n > 0 {
		d := runs[off/size][off%size:]
		d = d[:min(len(d), n)]
		b = append(b, d...)
		off, n = off+int64(len(d)), n-len(d)
	}
	return b
}

// job is the computing of f's digests, from an open file of its own.
func (t *Tree) job(f *file) digest.Job {
	root, path, id, retired := t.root, f.path, f.id, f.retired
	return digest.Job{Key: f.key, Size: f.size(), Open: func() (digest.Source, error) {
		if retired {
			return nil, errChanged
		}
		osFile, err := root.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		s := &source{osFile, id}
		if err := s.Unchanged(); err != nil {
			s.Close()
			return nil, err
		}
		return s, nil
	}}
}

// source is a file whose digests are computed, in one version.
type source struct {
	*os.File
	id identity
}

// Unchanged fails with errChanged where the file is not that version any more.
func (s *source) Unchanged() error {
	id, _, err := identify(s.File)
	if err == nil && id != s.id {
		err = errChanged
	}
	return err
}
