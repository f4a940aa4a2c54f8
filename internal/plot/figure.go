package plot

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"strings"
	"time"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// figure is what the panels are made from.
type figure struct {
	*reduction
	o    Options
	each time.Duration // what goodput and losses are counted over
	sums []bin         // of each
}

// draw draws the whole.
func draw(w io.Writer, r *reduction, o Options) error {
	fig := newFigure(r, o)
	c := newCanvas(o.Width, o.Height)
	fig.arrange(c)
	_, err := c.WriteTo(w)
	return err
}

// newFigure chooses what to count over: long enough for a rate to be one, short
// enough to be seen to vary.
func newFigure(r *reduction, o Options) *figure {
	const least, most = 10 * time.Millisecond, 300 // steps over the run
	each := max(least, asDuration(2*r.total.rtt.mean()), r.end/most)
	k := max(int((each+r.width-1)/r.width), 1)
	fig := &figure{reduction: r, o: o, each: time.Duration(k) * r.width}
	for i := range r.bin {
		if i%k == 0 {
			fig.sums = append(fig.sums, bin{})
		}
		fig.sums[i/k].merge(&r.bin[i])
	}
	return fig
}

func (g *figure) arrange(c *canvas) {
	panels := []panel{g.windowPanel(), g.rttPanel(), g.goodputPanel(), g.lossPanel()}
	tickRoom := 0.0
	for i := range panels {
		p := &panels[i]
		if p.ticks == nil {
			p.ticks = ticks(p.top, min(int(c.h*p.share/30), 6))
		}
		for _, t := range p.ticks {
			tickRoom = max(tickRoom, textWidth(t.text, tickSize))
		}
	}
	frame := frame{canvas: c, seconds: max(g.end, g.width).Seconds()}
	frame.x0 = margin + textSize + 6 + tickRoom + 5
	frame.x1 = c.w - margin - 10

	y := c.h - margin - titleSize
	c.text(fit(g.title(), titleSize, c.w-2*margin), titleSize, point{c.w / 2, y}, centre)
	y -= textSize + 5
	c.text(fit(g.summary(), textSize, c.w-2*margin), textSize, point{c.w / 2, y}, centre)
	y -= 4

	const bottom = margin + textSize + 6 + tickSize + 5
	room := y - bottom
	rows := make([][][]entry, len(panels))
	for i, p := range panels {
		rows[i] = legendRows(p.legend, frame.x1-frame.x0)
		room -= float64(len(rows[i]))*legendLine + panelGap
	}
	for longest := rows[len(rows)-1:]; room < c.h/3 && len(longest[0]) > 1; room += legendLine {
		longest[0] = longest[0][:len(longest[0])-1] // a small drawing of a trace with all there is
	}
	unit, unitName := timeUnit(g.end)
	across := ticks(frame.seconds*unit, int((frame.x1-frame.x0)/60))
	for i, p := range panels {
		y -= float64(len(rows[i]))*legendLine + panelGap
		frame.y1, frame.y0, frame.top = y, y-room*p.share, p.top
		y = frame.y0
		c.drawLegend(rows[i], frame.x0, frame.y1)
		c.upright(p.label, min(textSize, textSize*(frame.y1-frame.y0)/textWidth(p.label, textSize)), point{margin + textSize, (frame.y0 + frame.y1) / 2}, centre)
		frame.decorate(g.reduction, across, p.ticks, unit)
		p.draw(&frame)
		frame.finish(p.ticks)
	}
	for _, t := range across {
		at := point{frame.at(asDuration(t.v/unit), 0).x, y}
		c.stroke(grey, 0.8, path(at, point{at.x, at.y - 3}))
		c.text(t.text, tickSize, point{at.x, at.y - 5 - tickSize}, centre)
	}
	c.text("time ("+unitName+")", textSize, point{(frame.x0 + frame.x1) / 2, margin}, centre)
}

// timeUnit is the unit of the time axis, and how many of it a second has.
func timeUnit(d time.Duration) (perSecond float64, name string) {
	switch {
	case d < time.Second:
		return 1000, "ms"
	case d < 3*time.Hour:
		return 1, "s"
	}
	return 1. / 3600, "h"
}

func (g *figure) windowPanel() panel {
	window, flight := func(b *bin) *spread { return &b.window }, func(b *bin) *spread { return &b.flight }
	return panel{
		label: "Interests", share: 0.3, top: headroom(max(g.total.window.max, g.total.flight.max)),
		legend: []entry{
			{text: "congestion window" + greatest(&g.total.window), line: vermillion},
			{text: "Interests in flight" + greatest(&g.total.flight), line: blue, area: light(sky)},
		},
		draw: func(f *frame) {
			f.below(g.reduction, light(sky), flight)
			f.hold(g.reduction, blue, 0.6, flight)
			f.hold(g.reduction, vermillion, 1.2, window)
		},
	}
}

func (g *figure) rttPanel() panel {
	const ms = 1000 // in a second
	rtt := &g.total.rtt
	told := "round trips"
	if rtt.n > 0 {
		told = fmt.Sprintf("round trips (%s to %s, mean %s ms)", digits(rtt.min*ms), digits(rtt.max*ms), digits(rtt.mean()*ms))
	}
	inMs := func(s *spread) *spread { return &spread{s.n, s.min * ms, s.max * ms, s.sum * ms, s.last * ms} }
	return panel{
		label: "round trip (ms)", share: 0.26, top: headroom(max(rtt.max, g.total.srtt.max) * ms),
		legend: []entry{
			{text: told, area: light(green)},
			{text: "smoothed", line: black},
		},
		draw: func(f *frame) {
			f.ranges(g.reduction, light(green), func(b *bin) *spread { return inMs(&b.rtt) })
			f.hold(g.reduction, black, 1, func(b *bin) *spread { return inMs(&b.srtt) })
		},
	}
}

func (g *figure) goodputPanel() panel {
	rates, mean := g.goodput()
	top := mean
	for _, v := range rates {
		top = max(top, v)
	}
	dash := []font.Length{5, 3}
	return panel{
		label: "goodput (Mbit/s)", share: 0.22, top: headroom(top),
		legend: []entry{
			{text: "goodput over " + durationText(g.each), line: blue, area: light(sky)},
			{text: fmt.Sprintf("mean (%s Mbit/s)", digits(mean)), line: vermillion, dash: dash},
		},
		draw: func(f *frame) {
			f.steps(rates, g.each, g.end, blue, light(sky))
			f.stroke(vermillion, 1.2, path(f.at(0, mean), f.at(g.end, mean)), dash...)
		},
	}
}

// goodput returns the rate of payload over each piece of time, and over all, in
// Mbit/s. What is left of the run's end is a part of the last piece where it is too
// short to be one.
func (g *figure) goodput() (rates []float64, mean float64) {
	for i, b := range g.sums {
		took, bytes := g.each, b.bytes
		if i == len(g.sums)-1 {
			took = g.end - time.Duration(i)*g.each
			if took < g.each/2 && i > 0 {
				took, bytes = took+g.each, bytes+g.sums[i-1].bytes
				rates = rates[:i-1]
			}
		}
		rates = append(rates, mbits(bytes, took))
	}
	return rates, mbits(g.total.bytes, g.end)
}

func mbits(bytes uint64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(bytes) * 8 / d.Seconds() / 1e6
}

// kind is one kind of loss.
type kind struct {
	text  string
	color color.NRGBA
	count func(*bin) uint64
}

// kinds are those that a legend tells of: the usual ones, and what came back.
func (g *figure) kinds() []kind {
	kinds := []kind{
		{"lost", vermillion, func(b *bin) uint64 { return b.lost }},
		{"timeouts", black, func(b *bin) uint64 { return b.timeout }},
		{"spurious", orange, func(b *bin) uint64 { return b.spurious }},
	}
	colors := []color.NRGBA{blue, purple, green, sky, grey}
	first := len(kinds)
	for code, n := range g.total.returns {
		if n == 0 {
			continue
		}
		text := "Interest Returns, other"
		if code < knownCodes {
			text = fmt.Sprintf("Interest Return %d", code)
			if g.o.CodeText != nil {
				text += ", " + printable(g.o.CodeText(uint8(code)))
			}
		}
		col := colors[min(len(kinds)-first, len(colors)-1)]
		kinds = append(kinds, kind{text, col, func(b *bin) uint64 { return b.returns[code] }})
	}
	if len(kinds) == first {
		kinds = append(kinds, kind{"Interest Returns", blue, func(*bin) uint64 { return 0 }})
	}
	return kinds
}

// lossPanel has a lane for each kind that occurred, each with its own scale: one
// timeout matters beside a hundred losses.
func (g *figure) lossPanel() panel {
	p := panel{label: "count per " + durationText(g.each), share: 0.22, ticks: []tick{}}
	var lanes []kind
	for _, k := range g.kinds() {
		n := k.count(&g.total)
		p.legend = append(p.legend, entry{text: fmt.Sprintf("%s: %d", k.text, n), area: k.color})
		if n > 0 {
			lanes = append(lanes, k)
		}
	}
	if n := g.total.silence; n > 0 {
		p.legend = append(p.legend, entry{text: fmt.Sprintf("silence: %d", n), area: shade})
	}
	if n := g.total.relink; n > 0 {
		p.legend = append(p.legend, entry{text: fmt.Sprintf("connected anew: %d", n), line: purple, dash: relinkDash})
	}
	p.top = max(float64(len(lanes)), 1)
	most := make([]uint64, len(lanes))
	for i, k := range lanes {
		for j := range g.sums {
			most[i] = max(most[i], k.count(&g.sums[j]))
		}
		p.ticks = append(p.ticks, tick{p.top - 1 - float64(i) + laneHeight, fmt.Sprint(most[i])})
	}
	p.draw = func(f *frame) {
		for i, k := range lanes {
			g.lane(f, k, f.top-1-float64(i), float64(most[i]))
		}
	}
	return p
}

const laneHeight = 0.8 // of a lane's highest bar

// lane draws bars above base, the highest for most.
func (g *figure) lane(f *frame, k kind, base, most float64) {
	const thin, low = 1, 0.1 // points, and a part of the lane: to be seen at all
	var bars vg.Path
	for i := range g.sums {
		n := float64(k.count(&g.sums[i]))
		if n == 0 {
			continue
		}
		from := time.Duration(i) * g.each
		at, to := f.at(from, base), f.at(min(from+g.each, g.end), base+laneHeight*max(n/most, low))
		bars = append(bars, rectangle(box{at.x, at.y, max(to.x, at.x+thin), to.y})...)
	}
	f.fill(k.color, bars)
	f.stroke(grey, 0.4, path(f.at(0, base), f.at(g.end, base)))
}

// interval is a piece of time.
type interval struct{ from, to time.Duration }

// silences are the times from a silence to the next Data, or to the end.
func (r *reduction) silences() []interval {
	var all []interval
	open := false
	for i := range r.bin {
		b := &r.bin[i]
		switch {
		case open && b.data > 0:
			all[len(all)-1].to = r.middle(i)
			open = b.silence > 0
			if open {
				all = append(all, interval{r.middle(i), r.end})
			}
		case !open && b.silence > 0:
			all = append(all, interval{r.middle(i), r.end})
			open = true
		}
	}
	return all
}

// title is what the trace is of.
func (g *figure) title() string {
	if g.o.Title != "" {
		return printable(g.o.Title)
	}
	s := printable(strings.Join(g.names, ", "))
	if s == "" {
		s = "Fetch"
	} else if more := g.fetches - len(g.names); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	if len(g.ccs) > 0 {
		s += " (" + printable(strings.Join(g.ccs, ", ")) + ")"
	}
	return s
}

// summary is the line below the title.
func (g *figure) summary() string {
	s := fmt.Sprintf("%d chunks, %s in %s", g.total.data, bytesText(g.total.bytes), durationText(g.end))
	if g.fetches > 1 {
		s = fmt.Sprintf("%d fetches, %s", g.fetches, s)
	}
	switch {
	case g.failed == 1:
		s += "; failed: " + printable(g.err)
	case g.failed > 1:
		s += fmt.Sprintf("; %d failed, the last: %s", g.failed, printable(g.err))
	}
	return s
}

// headroom is the top of an axis for values up to v.
func headroom(v float64) float64 {
	if v <= 0 {
		return 1
	}
	return v * 1.07
}

// greatest tells of s in a legend.
func greatest(s *spread) string {
	if s.n == 0 {
		return ""
	}
	return fmt.Sprintf(" (at most %s)", digits(s.max))
}

func bytesText(n uint64) string {
	f := float64(n)
	for _, unit := range []string{"B", "kB", "MB"} {
		if f < 1000 {
			return digits(f) + " " + unit
		}
		f /= 1000
	}
	return digits(f) + " GB"
}

func durationText(d time.Duration) string {
	switch s := d.Seconds(); {
	case math.Round(s*1e6) < 1e3:
		return digits(s*1e6) + " µs"
	case math.Round(s*1e3) < 1e3:
		return digits(s*1e3) + " ms"
	case s < 3*3600:
		return digits(s) + " s"
	default:
		return digits(s/3600) + " h"
	}
}
