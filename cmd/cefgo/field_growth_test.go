//go:build linux

package main

import (
	"os"
	"time"
)

// growth watches the part file of a get, which grows in steps of 256 KiB. It begins with
// watch and ends with the function that it returns.
type growth struct {
	path string
	// at is called once when the file has reached reach bytes; nil: nobody asks.
	reach int64
	at    func()

	size    int64
	longest time.Duration // between two growths, or the last one and the end
	since   time.Time     // of the last growth; zero before the first
}

// growthTick is how exactly a growth is seen.
const growthTick = 10 * time.Millisecond

// watch watches until the returned function is called, after which g may be read.
func (g *growth) watch() (end func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(growthTick)
		defer tick.Stop()
		for {
			select {
			case <-done:
				g.pause(time.Now())
				return
			case now := <-tick.C:
				g.look(now)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

func (g *growth) look(now time.Time) {
	info, err := os.Stat(g.path)
	if err != nil || info.Size() <= g.size {
		return
	}
	g.size = info.Size()
	g.pause(now)
	g.since = now
	if g.at != nil && g.size >= g.reach {
		g.at()
		g.at = nil
	}
}

// pause notes the time since the last growth.
func (g *growth) pause(now time.Time) {
	if !g.since.IsZero() {
		g.longest = max(g.longest, now.Sub(g.since))
	}
}
