package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// found is what there is under a name.
type found struct {
	reply
	firstChunk
	answered bool // reply is set
	came     bool // firstChunk is set
	patient  bool // there was time enough for a chunk that a publisher does not have
}

// firstChunk is the outcome of fetching chunk 0 of a plain name.
type firstChunk struct {
	payload []byte
	res     pipeline.Result
	err     error
}

// find asks for the manifest of a name, and for its first chunk at once: one of them says
// what there is. Where a manifest might be of no use, it says that there is none.
func (r *getRun) find(ctx context.Context, j *getJob) (*found, error) {
	if !j.verify.wantsManifest() || j.chunks.set {
		return &found{}, j.verify.unmet(j)
	}
	q := r.inquire(ctx, j)
	defer q.cancel()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	first := make(chan firstChunk, 1)
	r.asking.Go(func() { first <- r.fetchFirst(ctx, j.name) })
	return j.await(q, first)
}

// unmet fails where proof is demanded of single chunks, which nothing can give.
func (v *proofValue) unmet(j *getJob) error {
	if v.demands(proofManifest) && j.chunks.set {
		return usage("fetch the content whole, or by --range", "--verify %v proves contents and byte ranges, not chunks", v.least)
	}
	return nil
}

// fetchFirst fetches chunk 0 under the plain name.
func (r *getRun) fetchFirst(ctx context.Context, name tlv.Name) firstChunk {
	p := r.options()
	p.Last = tlv.Some[uint64](0)
	var b bytes.Buffer
	res, err := r.fetch(ctx, name, &b, p)
	return firstChunk{b.Bytes(), res, err}
}

// absentGrace is how much longer than the manifest the first chunk of what its publisher
// does not have may take: a cache may know better. It is some round trips, and this at least.
const absentGrace = 60 * time.Millisecond

// await waits for what decides what there is.
func (j *getJob) await(q *inquiry, first <-chan firstChunk) (*found, error) {
	f := &found{}
	asked := time.Now()
	var grace <-chan time.Time
	for {
		select {
		case f.reply = <-q.answer:
			f.answered = true
			grace = time.After(max(3*time.Since(asked), absentGrace))
		case f.firstChunk = <-first:
			f.came = true
			if f.firstChunk.err == nil {
				q.rtt <- time.Since(asked)
			}
		case <-grace:
			f.patient = true
		}
		if decided, err := f.decide(&j.verify); decided {
			return f, err
		}
	}
}

// decide says whether it is known what there is: then f.m is the manifest of an object, or
// nil where there is none and the first chunk has come.
func (f *found) decide(v *proofValue) (bool, error) {
	ok := f.came && f.firstChunk.err == nil
	switch {
	case !f.answered:
		return f.came && !ok, f.firstChunk.err // neither came in the time that there is
	case f.wrong():
		return true, f.reply.err
	case f.m != nil && f.m.Status == manifest.Object:
		return true, nil
	case f.m != nil && !ok && (f.came || f.patient):
		return true, f.noObject()
	case ok && v.demands(proofManifest):
		return true, v.lacks(proofNone)
	case ok:
		f.m = nil
		return true, nil
	}
	return f.came, f.firstChunk.err
}

// noObject is what a publisher says that has no object of that name.
func (f *found) noObject() error {
	if f.m.Status == manifest.Directory {
		return &failure{code: exitRemote, err: errors.New("it is a directory"), hint: "cefgo ls lists it, get -R fetches it"}
	}
	return &failure{code: exitRemote, err: errors.New("its publisher has no such file")}
}

// block is the block size to read a version in: the largest where no network lies between,
// else that of the plain name.
func (r *getRun) block(f *found) int {
	best := f.m.Blocks[0]
	if f.m.PlainOnly {
		return best
	}
	near := f.cameWith.OK && int(f.cameWith.V) == r.o.hopLimit && r.fw.addr.Network == "unix"
	for _, b := range f.m.Blocks {
		if near && b > best && b <= object.LargeBlock {
			best = b
		}
	}
	return best
}

// holds reports whether the first chunk is the whole content that the manifest tells of.
func (f *found) holds() bool {
	m := f.m
	return f.came && f.firstChunk.err == nil && m.Size <= int64(m.Blocks[0]) && int64(len(f.payload)) == m.Size &&
		bytes.Equal(f.res.Version, object.Mark(m.Version, m.Blocks[0]))
}

// otherVersion fails where chunks below a version's name are of another version.
func otherVersion(want, got []byte) error {
	if bytes.Equal(want, got) {
		return nil
	}
	return &pipeline.ChangedError{What: fmt.Sprintf("chunks of version %x came, not of %x", got, want)}
}
