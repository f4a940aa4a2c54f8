package main

import (
	"fmt"
	"strconv"
	"time"
)

// span is the time between two samples; 0 where there is only one.
type span time.Duration

// since is the time from prev to s.
func (s *statusSample) since(prev *statusSample) span {
	if prev == nil {
		return 0
	}
	return span(max(s.at.Sub(prev.at), 1))
}

func (d span) ms() float64 { return ms(time.Duration(d)) }

// per is the rate of a counter, per second. A forwarder that has started anew counts
// from 0.
func (d span) per(now, before uint64) float64 {
	if d == 0 {
		return 0
	}
	if now < before {
		before = 0
	}
	return float64(now-before) / time.Duration(d).Seconds()
}

// traffic is the table of counters, with rates where there are two samples.
type traffic struct {
	*section
	rated bool
}

func newTraffic(rated bool) traffic {
	cols := []column{{name: ""}, {name: "RECEIVED", right: true}, {name: "SENT", right: true}}
	if rated {
		cols = append(cols, column{name: "RECEIVED/S", right: true}, column{name: "SENT/S", right: true})
	}
	return traffic{&section{title: "Traffic", cols: cols}, rated}
}

// line adds the packets of one kind.
func (t traffic) line(what string, rx, tx uint64, rxRate, txRate float64) {
	cells := []string{what, strconv.FormatUint(rx, 10), strconv.FormatUint(tx, 10)}
	if t.rated {
		cells = append(cells, perSecond(rxRate), perSecond(txRate))
	}
	t.add(cells...)
}

// bytes adds the bytes of all packets; their rates are bits per second.
func (t traffic) bytes(rx, tx uint64, rxBits, txBits float64) {
	cells := []string{"Bytes", bytesText(rx), bytesText(tx)}
	if t.rated {
		cells = append(cells, rateText(rxBits), rateText(txBits))
	}
	t.add(cells...)
}

// perSecond is a rate as people read it.
func perSecond(r float64) string {
	if r >= 100 || r == 0 {
		return fmt.Sprintf("%.0f", r)
	}
	return fmt.Sprintf("%.3g", r)
}
