package main

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
)

// snapshot is how far a transfer is.
type snapshot struct {
	done, total uint64 // bytes; total 0: not known
	line        string // everything, for a line of text
	note        string // what stands behind the bar
}

// Intervals of showing progress.
const (
	barEvery  = 100 * time.Millisecond
	textEvery = time.Second
)

// eraseLine empties the line that the bar stands in.
const eraseLine = "\r\x1b[2K"

// showProgress shows a transfer on stderr as --progress says, and one line at
// SIGUSR1 in any mode, until the returned function is called, which may be called again. look is called
// from another goroutine.
func (a *app) showProgress(label string, look func() snapshot) (stop func()) {
	mode := a.global.progress
	switch {
	case a.global.quiet:
		mode = "none"
	case mode == "auto" && isTerminal(a.stderr) && a.json != jsonStream:
		mode = "bar"
	case mode == "auto":
		mode = "none"
	}
	var bar *progressbar.ProgressBar
	every := textEvery
	if mode == "bar" {
		every = barEvery
		bar = progressbar.NewOptions64(-1,
			progressbar.OptionSetWriter(lockedWriter{a}),
			progressbar.OptionSetDescription(label),
			progressbar.OptionFullWidth(), // as wide as the terminal, never wider
			progressbar.OptionShowBytes(true),
			progressbar.OptionShowCount(),
			progressbar.OptionUseIECUnits(true),
			progressbar.OptionSetPredictTime(true),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionUseANSICodes(true),
		)
	}
	usr1 := make(chan os.Signal, 1)
	signal.Notify(usr1, syscall.SIGUSR1)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-usr1:
				a.line(label + ": " + look().line)
			case <-tick.C:
				s := look()
				a.event("progress", fields{"size_bytes": s.done})
				switch mode {
				case "bar":
					a.drawBar(bar, label, s)
				case "text":
					a.line(label + ": " + s.line)
				}
			}
		}
	}()
	return sync.OnceFunc(func() {
		signal.Stop(usr1)
		close(done)
		<-ended
		if bar != nil {
			_, _ = lockedWriter{a}.Write([]byte(eraseLine))
		}
	})
}

func (a *app) drawBar(bar *progressbar.ProgressBar, label string, s snapshot) {
	if s.total > 0 && bar.GetMax64() != int64(s.total) {
		bar.ChangeMax64(int64(s.total))
	}
	bar.Describe(label + s.note)
	_ = bar.Set64(int64(s.done))
}

// onStatus prints a line at SIGUSR1 until the returned function is called.
func (a *app) onStatus(line func() string) (stop func()) {
	usr1 := make(chan os.Signal, 1)
	signal.Notify(usr1, syscall.SIGUSR1)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-usr1:
				a.line(line())
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(usr1)
		close(done)
	}
}
