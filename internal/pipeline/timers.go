package pipeline

import "time"

// timer says when to send a chunk's Interest again that came back. It is void once
// the chunk has been sent again or received, which gen tells.
type timer struct {
	at    time.Time
	chunk uint64
	gen   uint32
}

// before orders timers. At one instant the lower chunk is first: writing waits for
// it.
func (t timer) before(u timer) bool {
	return t.at.Before(u.at) || t.chunk < u.chunk && t.at.Equal(u.at)
}

// timers is a binary heap, the first on top.
type timers []timer

func (h *timers) push(t timer) {
	*h = append(*h, t)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if !s[i].before(s[up]) {
			break
		}
		s[i], s[up] = s[up], s[i]
		i = up
	}
}

func (h *timers) pop() timer {
	s := *h
	top, last := s[0], len(s)-1
	s[0] = s[last]
	s = s[:last]
	*h = s
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < last; c++ {
			if s[c].before(s[least]) {
				least = c
			}
		}
		if least == i {
			return top
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
