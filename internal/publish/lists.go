package publish

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

// lists are the lister's jobs, as the publisher knows them.
type lists struct {
	asked map[string]bool // by key: what the lister is at, or has before it
	late  []lateList      // the oldest first
}

// lateList is what came of a job when nobody waited for it any more. Whoever asked asks
// again, and would wait in vain again if it took as long again.
type lateList struct {
	listDone
	until time.Time
}

const (
	maxLate = 256 // payloads
	lateFor = 4 * time.Second
)

// keepLate keeps d for the next who asks for it.
func (l *lists) keepLate(d listDone, now time.Time) {
	if len(l.late) == maxLate {
		l.late = slices.Delete(l.late, 0, 1)
	}
	l.late = append(l.late, lateList{d, now.Add(lateFor)})
}

// takeLate returns what was kept of that key.
func (l *lists) takeLate(key string, now time.Time) (d listDone, ok bool) {
	l.late = slices.DeleteFunc(l.late, func(d lateList) bool { return !now.Before(d.until) })
	i := slices.IndexFunc(l.late, func(d lateList) bool { return d.key == key })
	if i < 0 {
		return d, false
	}
	d = l.late[i].listDone
	l.late = slices.Delete(l.late, i, i+1)
	return d, true
}

// answerList answers an Interest for a page of what is in a directory.
func (p *Publisher) answerList(i *tlv.Interest, part object.Part, data *tlv.Batch, now time.Time) error {
	k, ok := i.Name.Chunk()
	if !ok || p.list == nil || !isVersion(part.Version) {
		return ErrNotServed
	}
	path, ok := p.tree.directory(part.Of)
	if !ok {
		return ErrNotServed
	}
	version := string(part.Version)
	return p.askList(i, listJob{
		key: fmt.Sprintf("page %d of %s of %s", k, version, path), name: part.Of.Clone(), path: path, version: version, page: k,
	}, data, now)
}

// askList has the lister do a job, unless it is at it, and puts the Interest aside.
func (p *Publisher) askList(i *tlv.Interest, j listJob, data *tlv.Batch, now time.Time) error {
	if p.list == nil {
		return ErrNotServed
	}
	if d, ok := p.lists.takeLate(j.key, now); ok {
		p.putFresh(i.Name, i.HopLimit, d.payload, d.end, data, now)
		return nil
	}
	switch {
	case !p.parked.add(i, j.key, now), p.lists.asked[j.key]:
	case p.list.want(j):
		p.lists.asked[j.key] = true
	default:
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
		delete(p.lists.asked, d.key)
		waiting := p.parked.take(func(q *parkedInterest) bool { return q.key == d.key })
		switch {
		case errors.Is(d.err, errClosed):
			continue
		case d.err != nil:
			p.unlisted(waiting, d.err, data, now)
			continue
		case len(waiting) == 0:
			p.lists.keepLate(d, now)
		}
		for _, q := range waiting {
			p.putFresh(q.name, q.hopLimit, d.payload, d.end, data, now)
		}
	}
}

// unlisted answers those that wait for a directory that cannot be read, or has gone: for its
// manifest as for that of such a file, for a page with nothing.
func (p *Publisher) unlisted(waiting []parkedInterest, err error, data *tlv.Batch, now time.Time) {
	for n, q := range waiting {
		part, _ := object.Split(q.name)
		if n == 0 && !errors.Is(err, ErrNotServed) {
			p.fails(part.Of, err)
		}
		if part.Kind == object.KindManifest {
			p.sendAbsent(q.name, part.Of, q.hopLimit, data, now)
		}
	}
}

// sendPending answers for a directory that is still being read: its reader waits, and asks
// again. That is not signed, see sendAbsent.
func (p *Publisher) sendPending(q *parkedInterest, of tlv.Name, data *tlv.Batch, now time.Time) {
	m := manifest.Manifest{Status: manifest.Directory, Name: of, Issued: now, Expires: now.Add(validity), Done: p.list.progress.Load()}
	payload, err := m.Encode(nil)
	if err != nil {
		p.fails(of, err)
		return
	}
	p.putFresh(q.name, q.hopLimit, payload, 0, data, now)
}
