package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/cefgo/cefgo/internal/control"
)

// Control sequences of a terminal (ECMA-48, and xterm's private modes).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l" // the alternate screen, no cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	homeCursor  = "\x1b[H"
	clearLine   = "\x1b[K" // from the cursor on
	clearBelow  = "\x1b[J"
)

// watcher shows a forwarder's state again and again.
type watcher struct {
	a      *app
	fw     *forwarder
	o      statusOptions
	c      *control.Conn // nil: the forwarder has gone
	prev   *statusSample // what rates start from; nil: none, as at first
	last   *statusSample // the newest
	screen bool          // draw in place
	st     styles
}

// watchStatus reports until ctx ends, which is how it is to end; a forwarder that goes
// is waited for.
func (a *app) watchStatus(ctx context.Context, fw *forwarder, c *control.Conn, o statusOptions) error {
	w := &watcher{a: a, fw: fw, o: o, c: c, screen: a.json == jsonOff && isTerminal(a.stdout), st: a.style(a.stdout)}
	defer w.hangUp()
	if w.screen {
		io.WriteString(a.stdout, enterScreen)
		defer io.WriteString(a.stdout, leaveScreen)
	}
	tick := time.NewTicker(o.watch.d)
	defer tick.Stop()
	for {
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		var sig *signalError
		cause := context.Cause(ctx)
		if !errors.As(cause, &sig) {
			return cause
		}
		if w.last == nil { // the signal was faster
			return cause
		}
		return a.result(w.last.fields(w.prev, fw))
	}
}

// look takes a sample and shows it. Where the forwarder has gone, it says so and
// tries to reach it again at the next look. It fails with an error of the output, and
// at the first look with any.
func (w *watcher) look(ctx context.Context) error {
	had := w.c != nil
	s, err := w.sample(ctx)
	switch {
	case err == nil:
		w.prev = nil
		if had { // else the counters are another forwarder's
			w.prev = w.last
		}
		w.last = s
		return w.show()
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case w.last == nil:
		return w.fw.noControl(err)
	}
	w.hangUp()
	return w.showGone(w.fw.noControl(err), had)
}

func (w *watcher) sample(ctx context.Context) (*statusSample, error) {
	if w.c == nil {
		c, err := control.Dial(ctx, w.fw.addr.Addr)
		if err != nil {
			return nil, err
		}
		w.c = c
	}
	return takeSample(ctx, w.c, w.o)
}

func (w *watcher) hangUp() {
	if w.c != nil {
		w.c.Close()
		w.c = nil
	}
}

// show draws the newest sample, or tells it as an event.
func (w *watcher) show() error {
	if w.a.json != jsonOff {
		w.a.event("status", w.last.fields(w.prev, w.fw))
		return nil
	}
	title := fmt.Sprintf("%s, every %v; Ctrl-C ends", w.last.at.Format(time.TimeOnly), w.o.watch.d)
	return w.draw(title, w.last.report(w.prev, w.fw).draw(w.st, w.a.columns(), w.o.rows()))
}

// showGone tells that the forwarder has gone; once, where it is not drawn in place.
func (w *watcher) showGone(err error, news bool) error {
	switch {
	case w.screen:
		return w.draw(time.Now().Format(time.TimeOnly), w.st.bad.Render(printable(err.Error()))+"\nwaiting for it\n")
	case !news:
		return nil
	}
	w.a.event("lost", fields{"message": err.Error()})
	w.a.say("status: %v; waiting for it", err)
	return nil
}

// draw puts a frame in place of the one before, or below it.
func (w *watcher) draw(title, body string) error {
	frame := title + "\n" + body + "\n"
	if w.screen {
		frame = inPlace(frame, w.height())
	}
	if _, err := io.WriteString(w.a.stdout, frame); err != nil && !errors.Is(err, syscall.EINTR) {
		return lostOutput(err)
	}
	return nil
}

// height is the terminal's, in lines.
func (w *watcher) height() int {
	_, h, err := term.GetSize(int(terminal(w.a.stdout).Fd()))
	if err != nil || h < 2 {
		return 24
	}
	return h
}

// inPlace is a frame that overwrites the one before, cut to so many lines; the last of
// them has no line feed, which would scroll.
func inPlace(frame string, height int) string {
	lines := strings.Split(strings.TrimRight(frame, "\n"), "\n")
	if len(lines) > height {
		hidden := len(lines) - height + 1
		lines = append(lines[:height-1], fmt.Sprintf("… and %s more", plural(uint64(hidden), "line")))
	}
	return homeCursor + strings.Join(lines, clearLine+"\r\n") + clearLine + clearBelow
}
