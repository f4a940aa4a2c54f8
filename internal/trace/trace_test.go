package trace

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const ms = time.Millisecond

// golden are events and the lines that they are.
var golden = []struct {
	event Event
	line  string
}{
	{Event{Type: Start, Name: "ccnx:/a", CC: "cubic", Window: 4}, `{"v":1,"t_ms":0,"type":"start","name":"ccnx:/a","cc":"cubic","window":4}`},
	{Event{Type: Start, At: 5 * ms, Fetch: 1}, `{"v":1,"t_ms":5,"type":"start","fetch":1}`},
	{Event{Type: Start, Name: "ccnx:/\"\\\n\x1b<é>"}, `{"v":1,"t_ms":0,"type":"start","name":"ccnx:/\"\\\u000a\u001b<é>"}`},
	{
		Event{Type: Data, At: 12034 * time.Microsecond, Size: 4096, RTT: 11874 * time.Microsecond, SRTT: 11 * ms, Window: 5.25, InFlight: 4},
		`{"t_ms":12.034,"type":"data","chunk":0,"size_bytes":4096,"rtt_ms":11.874,"srtt_ms":11,"window":5.25,"in_flight":4}`,
	},
	{Event{Type: Data, At: ms / 10, Chunk: math.MaxUint64, Window: 63.999}, `{"t_ms":0.1,"type":"data","chunk":18446744073709551615,"size_bytes":0,"window":63.999,"in_flight":0}`},
	{Event{Type: Lost, At: time.Hour, Chunk: 7, SRTT: 12 * ms, Window: 11.2, InFlight: 15}, `{"t_ms":3600000,"type":"lost","chunk":7,"srtt_ms":12,"window":11.2,"in_flight":15}`},
	{Event{Type: Timeout, Chunk: 7}, `{"t_ms":0,"type":"timeout","chunk":7,"in_flight":0}`},
	{Event{Type: Spurious, Chunk: 7, Fetch: 12}, `{"t_ms":0,"type":"spurious","fetch":12,"chunk":7,"in_flight":0}`},
	{Event{Type: Return, Chunk: 9, Code: 6, Window: 1}, `{"t_ms":0,"type":"return","chunk":9,"code":6,"window":1,"in_flight":0}`},
	{Event{Type: Return}, `{"t_ms":0,"type":"return","chunk":0,"code":0,"in_flight":0}`},
	{Event{Type: Silence, Window: 1, InFlight: 3}, `{"t_ms":0,"type":"silence","window":1,"in_flight":3}`},
	{Event{Type: Relink, SRTT: ms}, `{"t_ms":0,"type":"relink","srtt_ms":1,"in_flight":0}`},
	{Event{Type: End}, `{"t_ms":0,"type":"end"}`},
	{Event{Type: End, Error: "no route"}, `{"t_ms":0,"type":"end","error":"no route"}`},
}

// written is what a Writer makes of events.
func written(t testing.TB, events ...Event) string {
	t.Helper()
	var b strings.Builder
	w := NewWriter(&b)
	for _, e := range events {
		w.Add(e)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// readAll reads until the end or the first error.
func readAll(r io.Reader) ([]Event, error) {
	var events []Event
	for e, err := range Read(r) {
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, nil
}

func TestGolden(t *testing.T) {
	var events []Event
	var lines string
	for _, g := range golden {
		if got := written(t, g.event); got != g.line+"\n" {
			t.Errorf("wrote %swant  %s", got, g.line)
		}
		events = append(events, g.event)
		lines += g.line + "\n"
	}
	got, err := readAll(strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	wantEvents(t, got, events)
}

func wantEvents(t *testing.T, got, want []Event) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("event %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
}

// What the format has no room for is written as the nearest that it has, and never
// as a false zero.
func TestWriterLimits(t *testing.T) {
	long := strings.Repeat("é", maxString)
	for _, tt := range []struct {
		event Event
		want  string
	}{
		{Event{Type: Data, RTT: 3, SRTT: 499}, `{"t_ms":0,"type":"data","chunk":0,"size_bytes":0,"rtt_ms":0.001,"srtt_ms":0.001,"in_flight":0}`},
		{Event{Type: Silence, Window: 0.0004}, `{"t_ms":0,"type":"silence","in_flight":0}`},
		{Event{Type: Silence, Window: math.Inf(1)}, `{"t_ms":0,"type":"silence","in_flight":0}`},
		{Event{Type: Silence, Window: math.NaN()}, `{"t_ms":0,"type":"silence","in_flight":0}`},
		{Event{Type: Silence, Window: -1, InFlight: -1, At: -1, SRTT: -1}, `{"t_ms":0,"type":"silence","in_flight":0}`},
		{Event{Type: Silence, At: math.MaxInt64}, `{"t_ms":1000000000000,"type":"silence","in_flight":0}`},
		{Event{Type: End, At: 1499}, `{"t_ms":0.001,"type":"end"}`},
		{Event{Type: End, Error: "a\xffb"}, `{"t_ms":0,"type":"end","error":"a` + "\ufffd" + `b"}`},
		{Event{Type: End, Error: long}, `{"t_ms":0,"type":"end","error":"` + long[:maxString-4] + `…"}`},
	} {
		if got := written(t, tt.event); got != tt.want+"\n" {
			t.Errorf("%+v is written as\n%.300swant\n%.300s", tt.event, got, tt.want)
		}
	}
	// The longest line that there is can be read.
	worst := strings.Repeat("\x01", 2*maxString)
	line := written(t, Event{Type: Start, Name: worst, CC: worst, At: math.MaxInt64, Fetch: math.MaxInt32, Window: maxNumber})
	if got, err := readAll(strings.NewReader(line)); err != nil || len(got) != 1 {
		t.Errorf("a line of %d bytes: %v", len(line), err)
	}
}

func TestReadPassesOver(t *testing.T) {
	got, err := readAll(strings.NewReader(`
{"t_ms":1,"type":"end","window":3,"chunk":4,"color":{"a":[1,"}"]},"code":9,"name":"x"}

{"t_ms":2,"type":"probe-rtt","chunk":"not a number there"` + "}\r\n"))
	var line *LineError
	if !errors.As(err, &line) || line.Line != 4 {
		t.Errorf("a known key of another kind: %v", err)
	}
	wantEvents(t, got, []Event{{At: ms, Type: End}})

	got, err = readAll(strings.NewReader(`{"t_ms":2,"type":"probe_rtt","added":[1]}` + "\n" + ` {"t_ms": 3, "type": "end"}` + "\r\n"))
	if err != nil {
		t.Error(err)
	}
	wantEvents(t, got, []Event{{At: 3 * ms, Type: End}})
}

func TestReadBadLines(t *testing.T) {
	good := golden[0].line + "\n"
	for _, tt := range []struct{ text, want string }{
		{"hello", "line 1: not an event of a trace: "},
		{good + "hello\n", "line 2: not an event of a trace: "},
		{good + "\n\n[]\n", "line 4: not an event of a trace: "},
		{good + `{"t_ms":1}` + "\n", "line 2: not an event of a trace: it has no type"},
		{`{"v":1,"type":"start","cmd":"get"}`, "line 1: not an event of a trace: it has no t_ms"},
		{`{"v":2,"type":"start","t_ms":0}`, "line 1: version 2 of the format is not known, only 1 is"},
		{`{"type":"end","t_ms":null}`, "line 1: not an event of a trace: it has no t_ms"},
		{`{"type":"end","t_ms":-0.5}`, "line 1: not an event of a trace: -0.5 is out of range"},
		{`{"type":"end","t_ms":1e13}`, "line 1: not an event of a trace: 1e+13 is out of range"},
		{`{"type":"data","t_ms":1,"rtt_ms":-2}`, "line 1: not an event of a trace: -2 is out of range"},
		{`{"type":"data","t_ms":1,"size_bytes":-2}`, "line 1: not an event of a trace: -2 is out of range"},
		{`{"type":"data","t_ms":1,"in_flight":-2}`, "line 1: not an event of a trace: -2 is out of range"},
		{`{"type":"data","t_ms":1,"window":-2}`, "line 1: not an event of a trace: -2 is out of range"},
		{`{"type":"data","t_ms":1,"fetch":-2}`, "line 1: not an event of a trace: -2 is out of range"},
		{`{"type":"return","t_ms":1,"code":256}`, "line 1: not an event of a trace: "},
		{`{"type":"return","t_ms":1,"chunk":-1}`, "line 1: not an event of a trace: "},
		{good + strings.Repeat(" ", maxLine) + "\n" + good, "line 2: longer than 65536 bytes"},
	} {
		_, err := readAll(strings.NewReader(tt.text))
		var line *LineError
		if !errors.As(err, &line) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.80q: %v, want %s", tt.text, err, tt.want)
		}
		if errors.Is(err, ErrCut) {
			t.Errorf("%.80q is said to be cut short", tt.text)
		}
	}
	broken := errors.New("broken")
	got, err := readAll(io.MultiReader(strings.NewReader(good+good[:9]), iotest.ErrReader(broken)))
	if err != broken || len(got) != 1 {
		t.Errorf("a reader that breaks: %d events, %v", len(got), err)
	}
}

// Of a trace that is cut anywhere, all whole lines are read, and ErrCut tells where
// half a one was left.
func TestReadCut(t *testing.T) {
	var events []Event
	for _, g := range golden {
		events = append(events, g.event)
	}
	text := written(t, events...)
	first := strings.IndexByte(text, '\n')
	for n := first; n <= len(text); n++ {
		got, err := readAll(strings.NewReader(text[:n]))
		whole := strings.Count(text[:n], "\n")
		if n < len(text) && text[n] == '\n' {
			whole++ // only its newline is missing
		}
		if len(got) != whole {
			t.Fatalf("cut after %d bytes: %d events, want %d", n, len(got), whole)
		}
		if half := n > 0 && text[n-1] != '\n' && text[n] != '\n'; half != errors.Is(err, ErrCut) || !half && err != nil {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
	}
}

// failing fails from its second write on, as a disk that is full does.
type failing struct {
	bytes.Buffer
	writes int
}

var errFull = errors.New("disk full")

func (f *failing) Write(p []byte) (int, error) {
	if f.writes++; f.writes > 1 {
		return 0, errFull
	}
	return f.Buffer.Write(p)
}

func TestWriterRemembersError(t *testing.T) {
	var f failing
	w := NewWriter(&f)
	for i := range 100_000 {
		w.Add(Event{Type: Data, Chunk: uint64(i)})
	}
	if f.writes != 2 {
		t.Errorf("written to %d times, want 2", f.writes)
	}
	for range 2 {
		if err := w.Flush(); err != errFull {
			t.Errorf("Flush: %v", err)
		}
	}
	if _, err := readAll(&f.Buffer); err != nil {
		t.Errorf("what was written before: %v", err)
	}
	short := NewWriter(shortWriter{})
	short.Add(Event{Type: End})
	if err := short.Flush(); err != io.ErrShortWrite {
		t.Errorf("half a write: %v", err)
	}
	bad := NewWriter(io.Discard)
	bad.Add(Event{})
	if bad.Flush() == nil {
		t.Error("an event without a type was written")
	}
}

type shortWriter struct{}

func (shortWriter) Write(p []byte) (int, error) { return len(p) / 2, nil }

// Who watches a trace grow, or kills its run, has all but the last second of it.
func TestWriterLagsBehindBySecond(t *testing.T) {
	var b bytes.Buffer
	w := NewWriter(&b)
	for at := time.Duration(0); at < 10*time.Second; at += 100 * ms {
		w.Add(Event{Type: Silence, At: at})
		if n := bytes.Count(b.Bytes(), []byte("\n")); at-time.Duration(n)*100*ms > time.Second {
			t.Fatalf("after %v only %d events are out", at, n)
		}
	}
	if n := strings.Count(b.String(), "\n"); n == 100 {
		t.Error("nothing is buffered")
	}
}

func FuzzRead(f *testing.F) {
	for _, g := range golden {
		f.Add([]byte(g.line + "\n"))
	}
	f.Add([]byte("\n" + golden[3].line + "\r\n" + golden[4].line[:30]))
	f.Add([]byte(`{"t_ms":1.00049,"type":"data","rtt_ms":1e-3,"window":0.0004,"srtt_ms":999999999999.999,"x":{"y":[null]}}`))
	f.Add([]byte(`{"t_ms":1e12,"type":"start","fetch":999999999999,"name":"\ud800\u0000` + "\xff" + `","window":999999999999.9994}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := readAll(bytes.NewReader(text))
		var line *LineError
		if err != nil && !errors.As(err, &line) {
			t.Fatalf("an error of no line: %v", err)
		}
		again := written(t, events...)
		got, err := readAll(strings.NewReader(again))
		if err != nil {
			t.Fatalf("what was read is written as\n%sand reads: %v", again, err)
		}
		wantEvents(t, got, events)
	})
}

// busy is an event as most of a trace are.
func busy(i int) Event {
	return Event{
		At: time.Duration(i) * 37 * time.Microsecond, Type: Data, Chunk: uint64(i), Size: 4096,
		RTT: 11874 * time.Microsecond, SRTT: 12345 * time.Microsecond, Window: 123.456, InFlight: 120,
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	w := NewWriter(io.Discard)
	i := 0
	if n := testing.AllocsPerRun(10_000, func() { w.Add(busy(i)); i++ }); n != 0 {
		t.Errorf("%v allocations an event", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	w := NewWriter(io.Discard)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		w.Add(busy(i))
	}
}

func BenchmarkRead(b *testing.B) {
	var text bytes.Buffer
	w := NewWriter(&text)
	const n = 10_000
	for i := range n {
		w.Add(busy(i))
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		events := 0
		for _, err := range Read(bytes.NewReader(text.Bytes())) {
			if err != nil {
				b.Fatal(err)
			}
			events++
		}
		if events != n {
			b.Fatal(events)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/event")
}
