package publish

import (
	"time"

	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

const (
	// maxParked bounds the Interests that wait for digests.
	maxParked = 4096
	// parkFor is how long one waits, before it is answered without them.
	parkFor = 100 * time.Millisecond
)

// parked are Interests for what is being made: the digests of a file, or the list of a
// directory. The oldest comes first.
type parked struct {
	all []parkedInterest
	t   *time.Timer
}

type parkedInterest struct {
	name     tlv.Name
	hopLimit uint8
	key      string // what it waits for
	due      time.Time
}

// Keys of what is waited for.
const digestPrefix = "digests "

func digestKey(f *file) string   { return digestPrefix + string(f.key[:]) }
func listKey(path string) string { return "directory " + path }

// add puts an Interest aside, if there is room.
func (q *parked) add(i *tlv.Interest, key string, now time.Time) bool {
	if len(q.all) >= maxParked {
		return false
	}
	q.all = append(q.all, parkedInterest{i.Name.Clone(), i.HopLimit, key, now.Add(parkFor)})
	return true
}

// timer fires when the oldest has waited long enough; nil where there is none.
func (q *parked) timer(now time.Time) <-chan time.Time {
	if len(q.all) == 0 {
		return nil
	}
	if q.t == nil {
		q.t = time.NewTimer(0)
	}
	q.t.Reset(q.all[0].due.Sub(now))
	return q.t.C
}

// take removes and returns those of which that is true.
func (q *parked) take(of func(*parkedInterest) bool) []parkedInterest {
	var taken []parkedInterest
	rest := q.all[:0]
	for _, i := range q.all {
		if of(&i) {
			taken = append(taken, i)
		} else {
			rest = append(rest, i)
		}
	}
	clear(q.all[len(rest):])
	q.all = rest
	return taken
}

// digested yields a token when digests are ready.
func (p *Publisher) digested() <-chan struct{} {
	if p.o.Digests == nil {
		return nil
	}
	return p.o.Digests.Ready()
}

// takeDigests answers those that wait for digests that are ready.
func (p *Publisher) takeDigests(data *tlv.Batch, now time.Time) {
	ready := make(map[string]bool)
	for _, o := range p.o.Digests.Take() {
		ready[digestPrefix+string(o.Key[:])] = true
		if o.Err != nil {
			p.o.Log.Debug("no digests", "err", o.Err)
		}
	}
	p.answerParked(p.parked.take(func(i *parkedInterest) bool { return ready[i.key] }), data, now)
}

// unpark answers those that have waited long enough.
func (p *Publisher) unpark(data *tlv.Batch, now time.Time) {
	p.answerParked(p.parked.take(func(i *parkedInterest) bool { return !now.Before(i.due) }), data, now)
}

// answerParked answers with what is known now; where the file is another one by now, and
// for pages, with nothing: they are asked for again.
func (p *Publisher) answerParked(all []parkedInterest, data *tlv.Batch, now time.Time) {
	for _, q := range all {
		part, _ := object.Split(q.name)
		if part.Kind != object.KindManifest {
			continue
		}
		if path, ok := p.tree.directory(part.Of); ok && listKey(path) == q.key {
			p.sendPending(&q, part.Of, data, now)
			continue
		}
		f, err := p.tree.Lookup(part.Of, now)
		if err != nil || digestKey(f) != q.key {
			continue
		}
		if err := p.sendManifest(q.name, q.hopLimit, f, data, now); err != nil {
			p.fails(part.Of, err)
		}
	}
}
