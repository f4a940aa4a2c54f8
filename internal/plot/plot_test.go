package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/trace"
)

// drawn draws and checks what holds for every drawing: it is XML, everything is on
// it, and text is shown with fonts that are everywhere. It returns the texts.
func drawn(t *testing.T, s []trace.Event, o Options) []string {
	t.Helper()
	var out bytes.Buffer
	if err := SVG(&out, eventsOf(s), o); err != nil {
		t.Fatal(err)
	}
	return checkSVG(t, out.Bytes())
}

func checkSVG(t *testing.T, svg []byte) []string {
	t.Helper()
	var texts []string
	var w, h float64
	panels, inText := 0, false
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			switch inText = e.Name.Local == "text"; e.Name.Local {
			case "svg":
				box := strings.Fields(attr(e, "viewBox"))
				w, h = parse(t, box[2]), parse(t, box[3])
			case "path":
				onPage(t, attr(e, "d"), w, h)
				if d, ok := strings.CutSuffix(attr(e, "d"), "Z"); ok && strings.Contains(attr(e, "style"), "stroke-width:0.8") {
					panels++
					p := strings.FieldsFunc(d, func(r rune) bool { return strings.ContainsRune("ML,", r) })
					if high := parse(t, p[5]) - parse(t, p[1]); high < 15 {
						t.Errorf("a panel is %v points high", high)
					}
				}
			case "text":
				texts = append(texts, "")
				if style := attr(e, "style"); !strings.Contains(style, ",sans-serif;") || !strings.Contains(style, "text-anchor:") {
					t.Errorf("text has the style %s", style)
				}
			}
		case xml.CharData:
			if inText {
				texts[len(texts)-1] += string(e)
			}
		case xml.EndElement:
			inText = false
		}
	}
	if panels != 4 {
		t.Errorf("%d panels", panels)
	}
	return texts
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func parse(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// onPage checks that a path does not leave the page; of a mark that stands for a
// value at its edge a part may.
func onPage(t *testing.T, path string, w, h float64) {
	t.Helper()
	for p := range strings.FieldsFuncSeq(path, func(r rune) bool { return strings.ContainsRune("MLZ", r) }) {
		x, y, _ := strings.Cut(p, ",")
		if vx, vy := parse(t, x), parse(t, y); !(vx >= -1 && vx <= w+1 && vy >= -1 && vy <= h+1) {
			t.Fatalf("%s is not on a page of %vx%v", p, w, h)
		}
	}
}

func wantTexts(t *testing.T, got []string, want ...string) {
	t.Helper()
	all := strings.Join(got, "\n")
	for _, s := range want {
		if !strings.Contains("\n"+all+"\n", "\n"+s+"\n") {
			t.Errorf("the drawing has no text %q; it has\n%s", s, all)
		}
	}
}

func collect(s sim) []trace.Event {
	var events []trace.Event
	for e := range s.run() {
		events = append(events, e)
	}
	return events
}

func TestSVG(t *testing.T) {
	events := collect(outage)
	highest, lost := 0.0, 0
	for _, e := range events {
		highest = max(highest, e.Window)
		if e.Type == trace.Lost {
			lost++
		}
	}
	got := drawn(t, events, Options{CodeText: func(code uint8) string { return "<reason " + strconv.Itoa(int(code)) + ">" }})
	r := reduced(t, events)
	wantTexts(t, got,
		"ccnx:/demo/a, ccnx:/demo/b (cubic)",
		"2 fetches, 20000 chunks, 81.9 MB in "+durationText(r.end),
		"congestion window (at most "+digits(highest)+")", "Interests in flight (at most "+digits(r.total.flight.max)+")",
		"smoothed", "mean ("+digits(20000*chunkSize*8/r.end.Seconds()/1e6)+" Mbit/s)",
		"lost: "+strconv.Itoa(lost), "silence: 1", "connected anew: 1",
		"Interest Return 3, <reason 3>: "+strconv.FormatUint(r.total.returns[3], 10),
		"Interests", "round trip (ms)", "goodput (Mbit/s)", "time (s)",
	)
}

func TestSVGIsAlwaysTheSame(t *testing.T) {
	var a, b bytes.Buffer
	for _, w := range []io.Writer{&a, &b} {
		if err := SVG(w, short.run(), Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two drawings of one trace differ")
	}
}

// What a trace holds can be little, odd or hostile.
func TestSVGOfAnything(t *testing.T) {
	one := func(typ trace.Type) []trace.Event { return []trace.Event{{Type: typ}} }
	cases := map[string][]trace.Event{
		"nothing came": {{Type: trace.Start, Name: "ccnx:/a"}, {Type: trace.Timeout, At: time.Second}, {Type: trace.End, At: 10 * time.Second, Error: "nothing arrived"}},
		"huge":         {{Type: trace.Data, Window: 1e12, InFlight: 1e12, Size: math.MaxInt64, RTT: 1e18, SRTT: 1e18}, {Type: trace.End, At: 1e18}},
		"tiny":         {{Type: trace.Data, Window: 0.001, Size: 1, RTT: time.Microsecond}, {Type: trace.Data, At: time.Microsecond}},
		"random":       random(1, 5000, time.Minute),
		"long":         random(2, 5000, 30*365*24*time.Hour),
	}
	for _, typ := range all {
		cases[string(typ)] = one(typ)
	}
	for name, events := range cases {
		t.Run(name, func(t *testing.T) {
			wordy := func(uint8) string { return strings.Repeat("long ", 10) } // a legend that leaves no room
			for _, o := range []Options{{}, {Width: MinSize, Height: MinSize, CodeText: wordy}, {Width: MaxSize, Height: MaxSize}, {Width: 1200, Height: 400}} {
				drawn(t, events, o)
			}
		})
	}
	got := drawn(t, cases["nothing came"], Options{})
	wantTexts(t, got, "0 chunks, 0 B in 10 s; failed: nothing arrived", "timeouts: 1", "congestion window", "round trips", "Interest Returns: 0")
}

func TestSVGEscapes(t *testing.T) {
	evil := "ccnx:/</text><script>&\"'\x00\x1b[31m\n\u0085\u202e\ufffe\xff日本"
	shown := `ccnx:/</text><script>&"'\x00\x1b[31m\x0a\x85\u202e\ufffe\xff日本`
	events := []trace.Event{{Type: trace.Start, Name: evil, CC: "<&>"}, {Type: trace.Return, Code: 2}, {Type: trace.End, Error: evil}}
	code := func(uint8) string { return evil }
	wantTexts(t, drawn(t, events, Options{CodeText: code}), shown+" (<&>)", "0 chunks, 0 B in 0 µs; failed: "+shown, "Interest Return 2, "+shown+": 1")
	wantTexts(t, drawn(t, events, Options{Title: evil}), shown)
}

func TestTitle(t *testing.T) {
	var events []trace.Event
	for _, n := range []string{"ccnx:/a", "ccnx:/b", "ccnx:/c", "ccnx:/d", "ccnx:/e"} {
		events = append(events, trace.Event{Type: trace.Start, Name: n, CC: "cubic"})
	}
	events = append(events, trace.Event{Type: trace.End, Error: "one"}, trace.Event{Type: trace.End, Error: "two"})
	wantTexts(t, drawn(t, events, Options{}), "ccnx:/a, ccnx:/b, ccnx:/c and 2 more (cubic)", "5 fetches, 0 chunks, 0 B in 0 µs; 2 failed, the last: two")
	wantTexts(t, drawn(t, events[5:], Options{}), "Fetch")

	long := drawn(t, []trace.Event{{Type: trace.Start, Name: "ccnx:/" + strings.Repeat("segment/", 500) + "end", CC: "reno"}}, Options{})
	if title := long[0]; !strings.HasPrefix(title, "ccnx:/segment/") || !strings.HasSuffix(title, "/end (reno)") || textWidth(title, titleSize) > 600 {
		t.Errorf("a long name: %q", title)
	}
}

func TestFit(t *testing.T) {
	if got := fit("short", 10, 100); got != "short" {
		t.Errorf("what fits becomes %q", got)
	}
	for width := 20.0; width < 300; width++ {
		got := fit("a name of some length, somewhere", 10, width)
		if textWidth(got, 10) > width {
			t.Errorf("%q is wider than %v", got, width)
		}
	}
	if got := fit(strings.Repeat("i", 1e6), 10, 200); textWidth(got, 10) > 200 || len(got) < 50 {
		t.Errorf("%q", got)
	}
}

// The area below goodput is the payload.
func TestGoodput(t *testing.T) {
	for _, d := range []time.Duration{5 * time.Millisecond, 14 * time.Millisecond, 17 * time.Millisecond, time.Second, 61 * time.Second, 5 * time.Hour} {
		r := reduced(t, append(random(3, 4000, d), trace.Event{Type: trace.End, At: d}))
		g := newFigure(r, Options{})
		rates, mean := g.goodput()
		got := 0.0
		for i, v := range rates {
			to := time.Duration(i+1) * g.each
			if i == len(rates)-1 {
				to = r.end
			}
			got += v * 1e6 / 8 * (to - time.Duration(i)*g.each).Seconds()
		}
		want := float64(r.total.bytes)
		if math.Abs(got-want) > want/1e6 || math.Abs(mean*1e6/8*d.Seconds()-want) > want/1e6 {
			t.Errorf("%v: goodput sums up to %v bytes, its mean to %v, want %v", d, got, mean*1e6/8*d.Seconds(), want)
		}
		if min(d, 10*time.Millisecond) > g.each+r.width || len(rates) > 301 {
			t.Errorf("%v: goodput over %v, %d times", d, g.each, len(rates))
		}
	}
}

func TestSVGErrors(t *testing.T) {
	var out bytes.Buffer
	broken := errors.New("broken")
	err := SVG(&out, func(yield func(trace.Event, error) bool) {
		_ = yield(trace.Event{Type: trace.Data}, nil) && yield(trace.Event{}, broken)
	}, Options{})
	if err != broken || out.Len() > 0 {
		t.Errorf("events that end with an error: %v, %d bytes written", err, out.Len())
	}
	if err := SVG(&out, eventsOf(nil), Options{}); err != ErrEmpty || out.Len() > 0 {
		t.Errorf("no events: %v, %d bytes written", err, out.Len())
	}
	for _, o := range []Options{{Width: MinSize - 1}, {Height: MaxSize + 1}, {Width: -1}} {
		if SVG(&out, short.run(), o) == nil || out.Len() > 0 {
			t.Errorf("%+v: no error, %d bytes written", o, out.Len())
		}
	}
	if err := SVG(failingWriter{}, short.run(), Options{}); err != errFull {
		t.Errorf("a full disk: %v", err)
	}
}

var errFull = errors.New("disk full")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errFull }

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		top  float64
		want string
	}{
		{1, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{107, "0 20 40 60 80 100"},
		{31.4, "0 10 20 30"},
		{0.0321, "0.00 0.01 0.02 0.03"},
		{6e6, "0 1e+06 2e+06 3e+06 4e+06 5e+06 6e+06"},
		{1e-6, "0.0000000 0.0000002 0.0000004 0.0000006 0.0000008 0.0000010"},
	} {
		var got []string
		for _, x := range ticks(tt.top, 6) {
			got = append(got, x.text)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("ticks to %v are %s, want %s", tt.top, s, tt.want)
		}
	}
	for top := 1e-9; top < 1e18; top *= 1.37 {
		if n := len(ticks(top, 6)); n < 3 || n > 8 {
			t.Errorf("%d ticks to %v", n, top)
		}
	}
}

func TestNumbersForPeople(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{digits(0), "0"}, {digits(0.01234), "0.0123"}, {digits(21.5), "21.5"}, {digits(187.6), "188"}, {digits(12345.6), "12346"}, {digits(999.9), "1000"}, {digits(1.5e9), "1.5e+09"},
		{durationText(999 * time.Nanosecond), "0.999 µs"}, {durationText(40 * time.Millisecond), "40 ms"},
		{durationText(999999 * time.Microsecond), "1 s"}, {durationText(19712 * time.Millisecond), "19.7 s"}, {durationText(30 * time.Hour), "30 h"},
		{bytesText(999), "999 B"}, {bytesText(81_920_000), "81.9 MB"}, {bytesText(5e12), "5000 GB"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s, want %s", tt.got, tt.want)
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	for b.Loop() {
		if err := SVG(io.Discard, sawtooth.run(), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
