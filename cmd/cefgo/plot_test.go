package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/trace"
)

// What a trace.Writer wrote is drawn, many events as well as few.
func TestPlotDrawsWhatGetWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := trace.NewWriter(f)
	w.Add(trace.Event{Type: trace.Start, Name: "ccnx:/a", CC: "fixed", Window: 64})
	const n = 20_000
	for i := range n {
		w.Add(trace.Event{
			At: time.Duration(i) * 100 * time.Microsecond, Type: trace.Data, Chunk: uint64(i), Size: 1000,
			RTT: 5 * time.Millisecond, SRTT: 5 * time.Millisecond, Window: 64, InFlight: 63,
		})
	}
	w.Add(trace.Event{At: 2 * time.Second, Type: trace.End})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	var out, msgs bytes.Buffer
	if code := run([]string{"plot", path, "-o", "-"}, strings.NewReader(""), &out, &msgs); code != exitOK {
		t.Fatalf("exit code %d: %s", code, msgs.String())
	}
	for _, want := range []string{"ccnx:/a (fixed)", "20000 chunks, 20 MB in 2 s", "mean (80 Mbit/s)", "round trips (5 to 5, mean 5 ms)", "Interests in flight (at most 63)"} {
		if !strings.Contains(out.String(), ">"+want+"<") {
			t.Errorf("the drawing has no text %q", want)
		}
	}
}

func TestPlotTarget(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, name := range []string{"there.svg", "dir.x/run"} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ trace, output, want string }{
		{"run.jsonl", "", "run.svg"},
		{"a/run.2.jsonl", "", "a/run.2.svg"},
		{"run", "", "run.svg"},
		{"dir.x/run", "", "dir.x/run.svg"},
		{"-", "", "-"},
		{"-", "x.svg", "x.svg"},
		{"run.jsonl", "-", "-"},
		{"run.jsonl", "there.svg", "there.svg"},
		{"there.svg", "other.svg", "other.svg"},
		{"there.svg", "", ""},
		{"there.svg", "./there.svg", ""},
		{"/dev/null", "/dev/null", "/dev/null"},
	} {
		o := plotOptions{output: tt.output, outputSet: tt.output != ""}
		got, err := o.target(tt.trace)
		if got != tt.want || (err != nil) != (tt.want == "") {
			t.Errorf("plot %s -o %q writes %q, %v; want %q", tt.trace, tt.output, got, err, tt.want)
		}
	}
}

func TestDimensionsValue(t *testing.T) {
	var v dimensionsValue
	for _, s := range []string{"400x400", "800x900", "10000x400"} {
		if err := v.Set(s); err != nil || v.String() != s {
			t.Errorf("%s is taken as %s: %v", s, v.String(), err)
		}
	}
	for _, s := range []string{"", "x", "800", "800x", "x900", "399x900", "800x399", "800x10001", "-800x900", "800x900x3", "800 x 900", "8e2x900"} {
		if err := v.Set(s); err == nil {
			t.Errorf("%q is taken as %s", s, v.String())
		}
	}
}
