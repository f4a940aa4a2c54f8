package plot

import (
	"image/color"
	"math"
	"time"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// Sizes, in points.
const (
	titleSize  = 12
	textSize   = 9
	tickSize   = 8
	margin     = 8
	swatch     = 16 // of a legend's entry
	legendLine = 13
	panelGap   = 9
)

// panel is one of the drawings that share the time axis.
type panel struct {
	label  string
	legend []entry
	top    float64 // of the vertical axis, which begins at 0
	ticks  []tick  // nil: round numbers
	share  float64 // of the height
	draw   func(f *frame)
}

// entry is a line of a legend.
type entry struct {
	text string
	line color.NRGBA // transparent: no line
	area color.NRGBA // transparent: no area
	dash []font.Length
}

// frame is where a panel's data is drawn.
type frame struct {
	*canvas
	box
	seconds float64 // of the whole width
	top     float64
}

func (f *frame) at(t time.Duration, v float64) point {
	return point{f.x0 + (f.x1-f.x0)*t.Seconds()/f.seconds, f.y0 + (f.y1-f.y0)*v/f.top}
}

// across is the area between two times, from below to above.
func (f *frame) across(from, to time.Duration) box {
	return box{f.at(from, 0).x, f.y0, f.at(to, 0).x, f.y1}
}

// hold draws what has a value at any time: the latest one, until there is another.
func (f *frame) hold(r *reduction, col color.NRGBA, width float64, pick func(*bin) *spread) {
	f.stroke(col, width, path(f.held(r, pick)...))
}

// below fills what is below the line of hold.
func (f *frame) below(r *reduction, col color.NRGBA, pick func(*bin) *spread) {
	p := f.held(r, pick)
	if len(p) == 0 {
		return
	}
	p = append(p, point{p[len(p)-1].x, f.y0}, point{p[0].x, f.y0})
	area := path(p...)
	area.Close()
	f.fill(col, area)
}

// held are the points of the line of hold. In each bin it goes through the least and
// the greatest value.
func (f *frame) held(r *reduction, pick func(*bin) *spread) []point {
	var p []point
	var last float64
	next := 0 // bin
	for i := range r.bin {
		s := pick(&r.bin[i])
		if s.n == 0 {
			continue
		}
		t := min(r.middle(i), r.end)
		if len(p) > 0 && i > next {
			p = append(p, f.at(t, last))
		}
		first, then := s.min, s.max
		if s.max-s.last > s.last-s.min {
			first, then = then, first
		}
		for _, v := range []float64{first, then, s.last} {
			if q := f.at(t, v); len(p) == 0 || p[len(p)-1] != q {
				p = append(p, q)
			}
		}
		last, next = s.last, i+1
	}
	if len(p) > 0 {
		p = append(p, f.at(r.end, last))
	}
	return p
}

// ranges draws a bar from the least to the greatest in each bin. They touch where
// there is something in every bin, and are dots where there is little.
func (f *frame) ranges(r *reduction, col color.NRGBA, pick func(*bin) *spread) {
	dot, some := 1.2, 0
	for i := range r.bin {
		if pick(&r.bin[i]).n > 0 {
			some++
		}
	}
	if some < len(r.bin)/3 {
		dot, col = 2.5, strong(col)
	}
	var all vg.Path
	for i := range r.bin {
		s := pick(&r.bin[i])
		if s.n == 0 {
			continue
		}
		lo, hi := f.at(r.middle(i), s.min), f.at(r.middle(i), s.max)
		if missing := dot - (hi.y - lo.y); missing > 0 {
			lo.y, hi.y = lo.y-missing/2, hi.y+missing/2
		}
		all = append(all, path(lo, hi)...)
	}
	wide := f.at(r.width, 0).x - f.x0
	f.stroke(col, max(wide*1.1, dot), all)
}

// steps draws values that each hold for a piece of time, the last of them until end.
func (f *frame) steps(values []float64, each, end time.Duration, col, under color.NRGBA) {
	p := []point{f.at(0, 0)}
	for i, v := range values {
		to := time.Duration(i+1) * each
		if i == len(values)-1 {
			to = end
		}
		p = append(p, f.at(time.Duration(i)*each, v), f.at(to, v))
	}
	area := path(append(p, f.at(end, 0))...)
	area.Close()
	f.fill(under, area)
	f.stroke(col, 1, path(p[1:]...))
}

// decorate draws what lies behind the data: the grid, the times of silence, and new
// connections.
func (f *frame) decorate(r *reduction, x, y []tick, unit float64) {
	var silence, relink, grid vg.Path
	for _, s := range r.silences() {
		b := f.across(s.from, s.to)
		f.fill(shade, rectangle(b))
		silence = append(silence, upward(b)...)
	}
	for _, t := range x {
		grid = append(grid, upward(f.across(asDuration(t.v/unit), 0))...)
	}
	for _, t := range y {
		v := f.at(0, t.v).y
		grid = append(grid, path(point{f.x0, v}, point{f.x1, v})...)
	}
	marks := 0
	for i := range r.bin {
		if r.bin[i].relink > 0 {
			relink = append(relink, upward(f.across(r.middle(i), 0))...)
			marks++
		}
	}
	f.stroke(pale, 0.5, grid)
	f.stroke(grey, 0.6, silence)
	col := purple
	if marks > 100 { // they would be all that is seen
		col = light(col)
	}
	f.stroke(col, 1.2, relink, relinkDash...)
}

// upward is the left edge of b.
func upward(b box) vg.Path { return path(point{b.x0, b.y0}, point{b.x0, b.y1}) }

// finish draws the axis and its numbers, of those that have room.
func (f *frame) finish(y []tick) {
	f.stroke(grey, 0.8, rectangle(f.box))
	latest := math.Inf(1)
	for _, t := range y {
		v := f.at(0, t.v).y
		if math.Abs(v-latest) < tickSize {
			continue
		}
		latest = v
		f.stroke(grey, 0.8, path(point{f.x0 - 3, v}, point{f.x0, v}))
		f.text(t.text, tickSize, point{f.x0 - 5, v - tickSize*0.36}, right)
	}
}

var relinkDash = []font.Length{4, 2}

func asDuration(seconds float64) time.Duration {
	return time.Duration(math.Round(seconds * float64(time.Second)))
}

// legendRows breaks a legend into rows of at most width.
func legendRows(legend []entry, width float64) [][]entry {
	var rows [][]entry
	used := math.Inf(1)
	for _, e := range legend {
		e.text = fit(e.text, textSize, width-swatch-4)
		if used += e.width(); used > width {
			rows, used = append(rows, nil), e.width()
		}
		last := &rows[len(rows)-1]
		*last = append(*last, e)
	}
	return rows
}

// width leaves room for another font, which may be wider.
func (e *entry) width() float64 { return swatch + 4 + 1.2*textWidth(e.text, textSize) + 8 }

// drawLegend draws rows, the last of them just above y.
func (c *canvas) drawLegend(rows [][]entry, x, y float64) {
	for i, row := range rows {
		at := point{x, y + 4 + float64(len(rows)-1-i)*legendLine}
		for _, e := range row {
			mid := at.y + textSize*0.35
			c.fill(e.area, rectangle(box{at.x, mid - 3.5, at.x + swatch, mid + 3.5}))
			if e.line.A > 0 {
				c.stroke(e.line, 1.5, path(point{at.x, mid}, point{at.x + swatch, mid}), e.dash...)
			}
			c.text(e.text, textSize, point{at.x + swatch + 4, at.y}, left)
			at.x += e.width()
		}
	}
}
