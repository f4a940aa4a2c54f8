// Package plot draws a trace as SVG: window and Interests in flight, round trips,
// goodput, and losses over one time axis.
//
// A trace is reduced while it is read ([reduce]), so that memory does not grow with
// it, and drawn from what is left. Text stays text in the SVG.
package plot

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/cefgo/cefgo/internal/trace"
)

// ErrEmpty is the error of a trace without an event.
var ErrEmpty = errors.New("the trace is empty")

// Options say how to draw. The zero value works.
type Options struct {
	// Title stands above the drawing. Default is what the trace tells: names and
	// congestion control.
	Title string
	// Width and Height are in CSS pixels, 96 an inch. Default is 800 by 900.
	Width, Height int
	// CodeText names a code of an Interest Return. Default is its number alone.
	CodeText func(code uint8) string
}

const (
	defaultWidth  = 800
	defaultHeight = 900
	// MinSize is the least width and height that have room for the panels.
	MinSize = 400
	// MaxSize keeps the precision of coordinates, five digits, below a pixel.
	MaxSize = 10_000
)

// SVG draws events, which are nearly in the order of their times, and writes the
// drawing to w. It writes nothing before all events have been read, and nothing
// where they end with an error, which it returns.
func SVG(w io.Writer, events iter.Seq2[trace.Event, error], o Options) error {
	if o.Width == 0 {
		o.Width = defaultWidth
	}
	if o.Height == 0 {
		o.Height = defaultHeight
	}
	if min(o.Width, o.Height) < MinSize || max(o.Width, o.Height) > MaxSize {
		return fmt.Errorf("plot: %dx%d is not a size between %d and %d", o.Width, o.Height, MinSize, MaxSize)
	}
	r, err := reduce(events)
	if err != nil {
		return err
	}
	return draw(w, r, o)
}
