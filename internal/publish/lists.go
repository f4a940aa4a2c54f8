package publish

import (
	"errors"
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// answerList answers an Interest for a page of what is in a directory.
func (p *Publisher) answerList(i *tlv.Interest, part object.Part, now time.Time) error {
	k, ok := i.Name.Chunk()
	path, isDir := p.tree.directory(part.Of)
	if !ok || !isDir || p.list == nil {
		return ErrNotServed
	}
	version := string(part.Version)
	return p.askList(i, listJob{
		key: fmt.Sprintf("page %d of %s of %s", k, version, path), name: part.Of.Clone(), path: path, version: version, page: k,
	}, now)
}

// askList has the lister do a job, unless it is at it, and puts the Interest aside.
func (p *Publisher) askList(i *tlv.Interest, j listJob, now time.Time) error {
	if p.list == nil {
		return ErrNotServed
	}
	asked := p.parked.waits(j.key)
	if p.parked.add(i, j.key, now) && !asked && !p.list.want(j) {
		p.parked.take(func(q *parkedInterest) bool { return q.key == j.key })
	}
	return nil // where there is no room it is asked for again
}

// listed yields a token when the lister has something.
func (p *Publisher) listed() <-chan struct{} {
	if p.list == nil {
		return nil
	}
	return p.list.ready
}

// takeLists answers those that wait for what the lister has done.
func (p *Publisher) takeLists(data *tlv.Batch, now time.Time) {
	for _, d := range p.list.take() {
		waiting := p.parked.take(func(q *parkedInterest) bool { return q.key == d.key })
		switch {
		case errors.Is(d.err, errChanged), errors.Is(d.err, errClosed), errors.Is(d.err, ErrNotServed):
			continue // it is asked for again, or has gone
		case d.err != nil && len(waiting) > 0:
			part, _ := object.Split(waiting[0].name)
			p.fails(part.Of, d.err)
			continue
		}
		for _, q := range waiting {
			p.putFresh(q.name, q.hopLimit, d.payload, d.end, data, now)
		}
	}
}

// sendPending answers for a directory that is still being read: its reader waits, and asks
// again.
func (p *Publisher) sendPending(q *parkedInterest, of tlv.Name, data *tlv.Batch, now time.Time) {
	m := manifest.Manifest{Status: manifest.Directory, Name: of, Issued: now, Expires: now.Add(validity), Done: p.list.progress.Load()}
	payload, err := m.Encode(p.o.Sign)
	if err != nil {
		p.fails(of, err)
		return
	}
	p.putFresh(q.name, q.hopLimit, payload, 0, data, now)
}
