package forward

import (
	"container/list"
	"slices"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

const (
	// infoTimeout is how long Replies to a Request are waited for: cefnetd's
	// CCNINFO_REPLY_TIMEOUT by default.
	infoTimeout = 4 * time.Second
	// maxInfos bounds the Requests that are waited for, maxInfosOfFace those of one
	// face.
	maxInfos       = 4096
	maxInfosOfFace = 256
)

// infoTable is the CCNinfo Requests that were passed on, in the order of their end. It
// has a bound and no clock. The zero infoTable is empty.
type infoTable struct {
	byKey   map[infoKey]*list.Element
	order   list.List // of *infoEntry, the oldest first
	waiting map[*face]int
}

// infoKey is what a Request and its Replies share. Whoever asks chooses the id.
type infoKey struct {
	id       uint16
	segs     string
	chunk    uint64
	hasChunk bool
}

func infoKeyOf(id uint16, name tlv.Name) infoKey {
	k := infoKey{id: id, segs: string(name.Bytes())}
	k.chunk, k.hasChunk = name.Chunk()
	return k
}

// infoEntry is a Request that was passed on.
type infoEntry struct {
	key   infoKey
	down  *face
	ups   []*face // that were asked
	heard []*face // that have answered
	until instant
}

// expects reports whether from was asked, by itself or as one of a group, and has not
// answered.
func (e *infoEntry) expects(from *face) bool {
	if from == e.down || slices.Contains(e.heard, from) {
		return false
	}
	return slices.ContainsFunc(e.ups, func(u *face) bool {
		return u == from || u.o.Kind == Group && from.o.Group == u.id
	})
}

func (e *infoEntry) asksGroup() bool {
	return slices.ContainsFunc(e.ups, func(u *face) bool { return u.o.Kind == Group })
}

// done reports whether no further Reply may come.
func (e *infoEntry) done() bool { return len(e.heard) >= len(e.ups) && !e.asksGroup() }

func (t *infoTable) len() int { return t.order.Len() }

// find returns what is waited for under key; nil where there is none.
func (t *infoTable) find(key infoKey) *infoEntry {
	if el := t.byKey[key]; el != nil {
		return el.Value.(*infoEntry)
	}
	return nil
}

// add enters e, whose key is in no entry. In a full table the oldest entry goes, which
// the result tells.
func (t *infoTable) add(e *infoEntry) (full bool) {
	if t.byKey == nil {
		t.byKey, t.waiting = make(map[infoKey]*list.Element), make(map[*face]int)
	}
	if full = t.order.Len() >= maxInfos; full {
		t.remove(t.order.Front().Value.(*infoEntry))
	}
	t.byKey[e.key] = t.order.PushBack(e)
	t.waiting[e.down]++
	return full
}

func (t *infoTable) remove(e *infoEntry) {
	t.order.Remove(t.byKey[e.key])
	delete(t.byKey, e.key)
	if t.waiting[e.down]--; t.waiting[e.down] == 0 {
		delete(t.waiting, e.down)
	}
}

// expire ends what has lapsed by now. All wait equally long.
func (t *infoTable) expire(now instant) {
	for el := t.order.Front(); el != nil; el = t.order.Front() {
		e := el.Value.(*infoEntry)
		if e.until > now {
			return
		}
		t.remove(e)
	}
}
