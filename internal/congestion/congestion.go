// Package congestion decides how many Interests may be in flight on a path, from the
// answers and losses that it is told of. It has no clock, socket, lock or goroutine:
// every event brings its time along. It imports only the standard library.
//
// In an information-centric network the receiver is in control: one Interest brings
// at most one Content Object, so that the window counts Interests and the Data that
// come are its clock.
package congestion

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Control is one way to find the window. One goroutine uses it.
type Control interface {
	// Window is how many Interests may be in flight, at least 1.
	Window() float64
	// Opening reports whether the window still doubles each round trip.
	Opening() bool
	// Expect says how many the path is sure to hold: the doubling of the window at
	// the start goes no further. It may be called once, before or after OnData.
	Expect(window float64)
	// OnData takes Data that satisfied an Interest in flight.
	OnData(Answer)
	// OnLoss takes an Interest or its Data for lost, or returned for congestion.
	// However many are lost in one round trip, the window shrinks once.
	OnLoss(Loss)
	// OnSpurious takes back the latest decrease: what it was for arrived after all.
	OnSpurious()
	// OnPause: for a while, nothing was or could be in flight. No time has passed
	// for the growth of the window.
	OnPause(d time.Duration)
}

// Answer is Data that arrived.
type Answer struct {
	Now  time.Time
	Sent time.Time     // when its Interest was sent (the latest sending)
	RTT  time.Duration // of this answer; 0: not known, the Interest was sent again
	// InFlight counts the Interests in flight, this one included.
	InFlight int
}

// Loss is an Interest without answer.
type Loss struct {
	Now      time.Time
	Sent     time.Time // when the lost Interest was sent
	InFlight int       // this one included
}

// Kind names a control.
type Kind string

// The controls.
const (
	Delay Kind = "delay" // holds a short queue; loss counts where a smaller window brings as much
	Cubic Kind = "cubic" // RFC 9438
	AIMD  Kind = "aimd"  // RFC 5681
	Fixed Kind = "fixed" // no control
)

// Kinds lists the controls, the default first.
var Kinds = []Kind{Delay, Cubic, AIMD, Fixed}

// KindList is Kinds as people read it.
func KindList() string {
	names := make([]string, len(Kinds))
	for i, k := range Kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// ParseKind reads the name of a control.
func ParseKind(s string) (Kind, error) {
	if !slices.Contains(Kinds, Kind(s)) {
		return "", fmt.Errorf("congestion control %q is none of %s", s, KindList())
	}
	return Kind(s), nil
}

// New makes a control that begins with initial Interests, which for Fixed is the
// window; initial is at least 1. It panics for a Kind that ParseKind does not return.
func New(k Kind, initial int) Control {
	w := float64(max(initial, 1))
	switch k {
	case Cubic:
		return newCubic(w)
	case AIMD:
		return newAIMD(w)
	case Fixed:
		return fixed(w)
	case Delay:
		return newDelay(w)
	}
	panic("congestion: bug: unknown control " + string(k))
}

// Most and least that a window can be, in Interests.
const (
	minWindow = 2
	maxWindow = 1 << 16
)

// fixed is a window that nothing moves.
type fixed float64

func (f fixed) Window() float64       { return float64(f) }
func (fixed) Opening() bool           { return false }
func (fixed) Expect(float64)          {}
func (fixed) OnData(Answer)           {}
func (fixed) OnLoss(Loss)             {}
func (fixed) OnSpurious()             {}
func (fixed) OnPause(d time.Duration) {}

// usage tells whether a window is made use of: one that is not, because of another
// bound or the end of the content, must not grow (RFC 9438 4.2, RFC 7661).
type usage struct {
	peak, last int // most in flight in this round and in the one before
}

func (u *usage) note(inFlight int) { u.peak = max(u.peak, inFlight) }

func (u *usage) nextRound() { u.last, u.peak = u.peak, 0 }

// limits reports whether at least the share of window was in flight.
func (u *usage) limits(window, share float64) bool {
	return float64(max(u.peak, u.last)) >= window*share
}

// rounds counts round trips: one is over when an Interest is answered that was sent
// after it began.
type rounds struct{ began time.Time }

// ends reports whether a ends the round, and begins the next.
func (r *rounds) ends(a Answer) bool {
	if a.Sent.Before(r.began) {
		return false
	}
	r.began = a.Now
	return true
}
