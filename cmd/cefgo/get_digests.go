package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

const (
	// maxList bounds the list of digests that is kept in memory, in bytes: 2 TiB of content.
	maxList = 64 << 20
	// digestsAgain is when to ask again for digests that a publisher still computes.
	digestsAgain = 200 * time.Millisecond
)

// digests gets the digests of the content's runs: from the manifest, from the list that it
// names, or from a later manifest where the publisher does not know them yet.
func (p *provenFetch) digests(ctx context.Context) digests {
	ctx, cancel := p.r.inTime(ctx)
	defer cancel()
	m, proof, err := p.complete(ctx)
	switch {
	case err != nil:
		return digests{err: err}
	case object.Runs(m.Size) <= manifest.MaxInline:
		return digests{runs: m.Digests.Runs, proof: proof}
	}
	runs, err := p.list(ctx, m)
	return digests{runs: runs, proof: proof, err: err}
}

// complete waits for a manifest with digests: for as long as the publisher goes on with
// computing them, or for --stall-timeout.
func (p *provenFetch) complete(ctx context.Context) (*manifest.Manifest, proof, error) {
	m, got, moved := p.m, p.found.proof, time.Now()
	for m.Digests == nil {
		select {
		case <-time.After(digestsAgain):
		case <-ctx.Done():
			return nil, 0, context.Cause(ctx)
		}
		q := p.r.inquire(ctx, p.j)
		a := <-q.answer
		q.cancel()
		switch {
		case a.wrong():
			return nil, 0, a.err
		case a.m != nil && p.isOther(a.m):
			return nil, 0, errOldDigests
		case a.m != nil && (a.m.Digests != nil || a.m.Done > m.Done && a.m.Done <= p.m.Size):
			m, got, moved = a.m, a.proof, time.Now()
		case time.Since(moved) > p.r.o.stall.d:
			return nil, 0, errors.New("its publisher does not tell its digests")
		}
	}
	return m, got, nil
}

// errOldDigests: the version is not the publisher's any more, and its digests were not
// known in time.
var errOldDigests = errors.New("its publisher has another version now, and tells no digests of the old one")

// list fetches the list of digests.
func (p *provenFetch) list(ctx context.Context, m *manifest.Manifest) ([]manifest.Digest, error) {
	size := object.Runs(m.Size) * sha256.Size
	if size > maxList {
		return nil, fmt.Errorf("it is too large for the list of its digests (%s)", bytesText(uint64(size)))
	}
	name, err := object.RunsName(p.j.name, m.Version)
	if err != nil {
		return nil, err
	}
	l := object.Layout{Size: size, BlockSize: m.Blocks[0]}
	o := p.r.options()
	o.Last = tlv.Some(l.Chunks() - 1)
	b := bytes.NewBuffer(make([]byte, 0, size))
	if _, err := p.r.fetch(ctx, name, b, o); err != nil {
		return nil, fmt.Errorf("the list of its digests did not come: %w", err)
	}
	if int64(b.Len()) != size || sha256.Sum256(b.Bytes()) != m.Digests.List {
		return nil, forged(errors.New("the list of its digests is not what its manifest says"))
	}
	runs := make([]manifest.Digest, 0, object.Runs(m.Size))
	for rest := b.Bytes(); len(rest) > 0; rest = rest[sha256.Size:] {
		runs = append(runs, manifest.Digest(rest[:sha256.Size]))
	}
	return runs, nil
}
