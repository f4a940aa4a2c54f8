package plot

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
)

// anchor is which point of a text its position is.
type anchor string

const (
	left   anchor = "start"
	centre anchor = "middle"
	right  anchor = "end"
)

// families are the fonts to show text with: the first three are equally wide, which
// is what texts were measured for. Lower case is as good as any, in CSS.
const families = `'liberation sans',arial,helvetica,sans-serif`

// sans is the font that texts are measured with. It is not parsed before it is
// needed: most commands never do.
var sans = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(liberationsansregular.TTF)
	if err != nil {
		panic("plot: the built-in font is broken: " + err.Error()) // a bug of ours
	}
	return f
})

// face returns the font of size points for text that is anchored at a.
func face(size float64, a anchor) font.Face {
	// vgsvg writes the variant into the text's CSS as it is, and nothing else there
	// can be chosen: neither the anchor, without which a viewer that has another
	// font would show numbers across their axis, nor more than one family.
	css := "normal;font-family:" + families + ";text-anchor:" + string(a)
	return font.Face{Font: font.Font{Size: font.Length(size), Variant: font.Variant(css)}, Face: sans()}
}

// textWidth is how wide s is, in points.
func textWidth(s string, size float64) float64 {
	f := face(size, left)
	return f.Width(s).Points()
}

// printable is s without what is not to be seen, and what XML cannot hold: it may
// come from the network. Each such character is written as \x1b is.
func printable(s string) string {
	var b strings.Builder
	for i, r := range s {
		_, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1: // not UTF-8
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// fit shortens s, in its middle, to width points. Both ends of a name tell something.
func fit(s string, size, width float64) string {
	if len(s) < 1000 && textWidth(s, size) <= width {
		return s
	}
	r := []rune(s)
	without := func(n int) string {
		kept := len(r) - n
		return string(r[:kept/2]) + "…" + string(r[len(r)-(kept-kept/2):])
	}
	least := max(len(r)-1000, 1) // nothing has room for more, and measuring takes time
	n := least + sort.Search(len(r)-least, func(n int) bool { return textWidth(without(least+n), size) <= width })
	return without(n)
}
