package digest

import (
	"container/list"
	"crypto/sha256"
)

// A memory keeps Sums up to a number of bytes: those used last, and the newest whatever
// its size, because whoever waited for it will ask. It has no lock.
type memory struct {
	limit, used int64
	entries     map[Key]*list.Element // of *remembered
	order       *list.List            // the one used last in front
}

type remembered struct {
	key  Key
	sums *Sums
}

func newMemory(limit int64) *memory {
	return &memory{limit: limit, entries: make(map[Key]*list.Element), order: list.New()}
}

// cost is what Sums take in memory, in bytes, with all that leads to them.
func cost(s *Sums) int64 { return 320 + int64(cap(s.Runs))*sha256.Size }

func (m *memory) get(k Key) (*Sums, bool) {
	e, ok := m.entries[k]
	if !ok {
		return nil, false
	}
	m.order.MoveToFront(e)
	return e.Value.(*remembered).sums, true
}

// add takes a key that is not there.
func (m *memory) add(k Key, s *Sums) {
	m.entries[k] = m.order.PushFront(&remembered{k, s})
	m.used += cost(s)
	for m.used > m.limit && m.order.Len() > 1 {
		m.drop(m.order.Back())
	}
}

func (m *memory) drop(e *list.Element) {
	r := m.order.Remove(e).(*remembered)
	delete(m.entries, r.key)
	m.used -= cost(r.sums)
}
