package plot

import (
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colours of Okabe and Ito, which the colour-blind can tell apart.
var (
	black      = color.NRGBA{0x00, 0x00, 0x00, 0xff}
	orange     = color.NRGBA{0xe6, 0x9f, 0x00, 0xff}
	sky        = color.NRGBA{0x56, 0xb4, 0xe9, 0xff}
	green      = color.NRGBA{0x00, 0x9e, 0x73, 0xff}
	blue       = color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	vermillion = color.NRGBA{0xd5, 0x5e, 0x00, 0xff}
	purple     = color.NRGBA{0xcc, 0x79, 0xa7, 0xff}

	white = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	grey  = color.NRGBA{0x60, 0x60, 0x60, 0xff}
	pale  = color.NRGBA{0xe2, 0xe2, 0xe2, 0xff} // grid
	shade = color.NRGBA{0xdd, 0xdd, 0xdd, 0xff} // silence
)

// light is c as the fill of an area, behind lines.
func light(c color.NRGBA) color.NRGBA {
	c.A = 0x60
	return c
}

// strong is c as dots, which have no area to speak of.
func strong(c color.NRGBA) color.NRGBA {
	c.A = 0xc0
	return c
}

// point is in points, from the lower left corner.
type point struct{ x, y float64 }

// box is a rectangle.
type box struct{ x0, y0, x1, y1 float64 }

// canvas draws on an SVG.
type canvas struct {
	*vgsvg.Canvas
	w, h float64 // points
}

func newCanvas(width, height int) *canvas {
	const pointsPerPixel = 72.0 / 96
	w, h := float64(width)*pointsPerPixel, float64(height)*pointsPerPixel
	c := &canvas{vgsvg.New(font.Length(w), font.Length(h)), w, h}
	c.fill(white, rectangle(box{0, 0, w, h}))
	return c
}

// path joins points by straight lines.
func path(points ...point) vg.Path {
	var p vg.Path
	for i, q := range points {
		if at := (vg.Point{X: font.Length(q.x), Y: font.Length(q.y)}); i == 0 {
			p.Move(at)
		} else {
			p.Line(at)
		}
	}
	return p
}

func rectangle(b box) vg.Path {
	p := path(point{b.x0, b.y0}, point{b.x1, b.y0}, point{b.x1, b.y1}, point{b.x0, b.y1})
	p.Close()
	return p
}

func (c *canvas) fill(col color.Color, p vg.Path) {
	if len(p) > 0 {
		c.SetColor(col)
		c.Fill(p)
	}
}

// stroke draws along p; the dash is as SVG's stroke-dasharray.
func (c *canvas) stroke(col color.Color, width float64, p vg.Path, dash ...font.Length) {
	if len(p) > 0 {
		c.SetColor(col)
		c.SetLineWidth(font.Length(width))
		c.SetLineDash(dash, 0)
		c.Stroke(p)
	}
}

func (c *canvas) text(s string, size float64, at point, a anchor) {
	c.SetColor(black)
	c.FillString(face(size, a), vg.Point{X: font.Length(at.x), Y: font.Length(at.y)}, s)
}

// upright writes from below to above.
func (c *canvas) upright(s string, size float64, at point, a anchor) {
	const quarter = 3.14159265358979 / 2
	c.Push()
	c.Translate(vg.Point{X: font.Length(at.x), Y: font.Length(at.y)})
	c.Rotate(quarter)
	c.text(s, size, point{}, a)
	c.Pop()
}
