// Package cs is a content store: it owns Data packets by name, bounded in bytes; a
// policy says which go first. It imports tlv only and has no clock, lock
// or goroutine; whoever drives it brings the time along.
package cs

import (
	"bytes"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Store is a content store. The zero Store holds nothing; use [New].
type Store struct {
	max, size int
	policy    Policy
	entries   map[key]*entry
	// names leads from a name without chunk to one of its chunks' entries, which
	// form a ring of their own.
	names map[string]*entry
	// The list runs from the most recently used entry to the least; root is in
	// neither place.
	root entry

	hits, misses, evicted uint64
}

type key struct {
	segs     string
	chunk    uint64
	hasChunk bool
}

type entry struct {
	key        key
	pkt        []byte
	since      time.Time
	until      time.Time // zero: no limit
	hits       uint64
	prev, next *entry
	// The ring of the entries of one name, in no order.
	left, right *entry
}

// overhead is what an entry costs beside its packet and name, in bytes, as measured with
// 10^7 small objects (forward's BenchmarkStore).
const overhead = 370

// New returns a store that holds at most max bytes, its own overhead included. The
// policy's default is [LRU].
func New(max int, p Policy) *Store {
	if p == nil {
		p = LRU
	}
	s := &Store{max: max, policy: p, entries: make(map[key]*entry), names: make(map[string]*entry)}
	s.root.prev, s.root.next = &s.root, &s.root
	return s
}

// Insert keeps a copy of pkt, the Data of that name, until the given instant (zero:
// as long as there is room). What was there under the name goes. A packet that the
// store can never hold, and one whose time is over, is not kept: the result tells.
func (s *Store) Insert(name tlv.Name, pkt []byte, until, now time.Time) bool {
	chunk, hasChunk := name.Chunk()
	k := key{string(name.Bytes()), chunk, hasChunk}
	if old, ok := s.entries[k]; ok {
		s.remove(old)
	}
	e := &entry{key: k, since: now, until: until}
	if e.expired(now) || len(pkt)+len(k.segs)+overhead > s.max {
		return false
	}
	e.pkt = bytes.Clone(pkt)
	s.entries[k] = e
	s.join(e)
	s.size += e.size()
	s.front(e)
	for s.size > s.max {
		s.remove(s.root.prev)
		s.evicted++
	}
	return true
}

// Lookup returns the packet of that name, which must not be written to and stays
// valid after it leaves the store; nil where there is none.
func (s *Store) Lookup(name tlv.Name, now time.Time) []byte {
	chunk, hasChunk := name.Chunk()
	e, ok := s.entries[key{string(name.Bytes()), chunk, hasChunk}]
	if ok && e.expired(now) {
		s.remove(e)
		ok = false
	}
	if !ok {
		s.misses++
		return nil
	}
	s.hits++
	e.hits++
	if s.policy.Used() {
		e.unlink()
		s.front(e)
	}
	return e.pkt
}

// Peek is Lookup that leaves no trace: neither use nor expiry nor statistics.
func (s *Store) Peek(name tlv.Name) []byte {
	chunk, hasChunk := name.Chunk()
	if e, ok := s.entries[key{string(name.Bytes()), chunk, hasChunk}]; ok {
		return e.pkt
	}
	return nil
}

// Retain drops every chunk of name (whose own chunk does not count) whose packet
// keep does not want.
func (s *Store) Retain(name tlv.Name, keep func(pkt []byte) bool) {
	first, ok := s.names[string(name.Bytes())]
	if !ok {
		return
	}
	var gone []*entry
	for e := first; ; e = e.right {
		if !keep(e.pkt) {
			gone = append(gone, e)
		}
		if e.right == first {
			break
		}
	}
	for _, e := range gone {
		s.remove(e)
	}
}

// Stats of a store.
type Stats struct {
	Objects, Bytes, Capacity int
	Policy                   string
	Hits, Misses, Evicted    uint64
}

// Stats returns what the store holds and what it has done.
func (s *Store) Stats() Stats {
	return Stats{len(s.entries), s.size, s.max, s.policyName(), s.hits, s.misses, s.evicted}
}

func (s *Store) policyName() string {
	if s.policy == nil {
		return "" // of the zero Store
	}
	return s.policy.Name()
}

func (e *entry) size() int { return len(e.pkt) + len(e.key.segs) + overhead }

func (e *entry) expired(now time.Time) bool { return !e.until.IsZero() && !now.Before(e.until) }

func (s *Store) front(e *entry) {
	e.prev, e.next = &s.root, s.root.next
	e.prev.next, e.next.prev = e, e
}

func (e *entry) unlink() { e.prev.next, e.next.prev = e.next, e.prev }

func (s *Store) remove(e *entry) {
	e.unlink()
	s.leave(e)
	delete(s.entries, e.key)
	s.size -= e.size()
}

// join puts e into the ring of its name.
func (s *Store) join(e *entry) {
	first, ok := s.names[e.key.segs]
	if !ok {
		e.left, e.right = e, e
		s.names[e.key.segs] = e
		return
	}
	e.left, e.right = first, first.right
	e.left.right, e.right.left = e, e
}

// leave takes e out of the ring of its name.
func (s *Store) leave(e *entry) {
	if e.right == e {
		delete(s.names, e.key.segs)
		return
	}
	e.left.right, e.right.left = e.right, e.left
	if s.names[e.key.segs] == e {
		s.names[e.key.segs] = e.right
	}
}
