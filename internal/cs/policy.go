package cs

import "fmt"

// Policy says which Data a full store gives up first.
type Policy interface {
	// Name is the word by which people choose it.
	Name() string
	// Used says what becomes of an entry that a Lookup found: whether it goes to the
	// front, as if it were new.
	Used() (front bool)
}

// LRU gives up what was asked for least recently.
var LRU Policy = lru{}

// FIFO gives up what came first.
var FIFO Policy = fifo{}

// ParsePolicy reads a policy's name.
func ParsePolicy(name string) (Policy, error) {
	for _, p := range []Policy{LRU, FIFO} {
		if p.Name() == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no policy %q: there are lru and fifo", name)
}

type lru struct{}

func (lru) Name() string { return "lru" }
func (lru) Used() bool   { return true }

type fifo struct{}

func (fifo) Name() string { return "fifo" }
func (fifo) Used() bool   { return false }
