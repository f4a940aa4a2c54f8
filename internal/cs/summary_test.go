package cs

import (
	"testing"
	"time"
)

func TestSummarize(t *testing.T) {
	s := New(8<<20, nil)
	doc := mustName(t, "ccnx:/doc")
	put := func(uri string, size int, after, until time.Duration) {
		t.Helper()
		var end time.Time
		if until > 0 {
			end = begin.Add(until)
		}
		if !s.Insert(mustName(t, uri), make([]byte, size), end, begin.Add(after)) {
			t.Fatalf("%s was not kept", uri)
		}
	}
	put("ccnx:/doc/Chunk=3", 20, 2*time.Second, time.Minute)
	put("ccnx:/doc/Chunk=7", 10, 3*time.Second, 0)
	put("ccnx:/doc/Chunk=9", 40, time.Second, time.Hour)
	put("ccnx:/doc/x/Chunk=0", 80, 0, time.Second)
	put("ccnx:/bare", 5, 0, 0)
	for _, uri := range []string{"ccnx:/doc/Chunk=3", "ccnx:/doc/Chunk=3", "ccnx:/doc/Chunk=9"} {
		s.Lookup(mustName(t, uri), begin)
	}
	was := s.Stats()
	for _, c := range []struct {
		uri   string
		after time.Duration
		want  Summary
	}{
		{"ccnx:/doc", 0, Summary{3, 70, 3, 3, 9, begin.Add(time.Second), begin.Add(time.Minute)}},
		{"ccnx:/doc/Chunk=9", 0, Summary{1, 40, 1, 9, 9, begin.Add(time.Second), begin.Add(time.Hour)}},
		{"ccnx:/doc/Chunk=7", 0, Summary{1, 10, 0, 7, 7, begin.Add(3 * time.Second), forever}},
		{"ccnx:/doc", time.Minute, Summary{2, 50, 1, 7, 9, begin.Add(time.Second), begin.Add(time.Hour)}},
		{"ccnx:/doc/Chunk=3", time.Minute, Summary{}},
		{"ccnx:/doc/Chunk=4", 0, Summary{}},
		{"ccnx:/doc/x", time.Second, Summary{}},
		{"ccnx:/bare", 0, Summary{1, 5, 0, 0, 0, begin, forever}},
		{"ccnx:/bare/Chunk=0", 0, Summary{}},
		{"ccnx:/none", 0, Summary{}},
	} {
		got, ok := s.Summarize(mustName(t, c.uri), begin.Add(c.after))
		if got != c.want || ok != (c.want.Objects > 0) {
			t.Errorf("%s after %v: %+v, %v, want %+v", c.uri, c.after, got, ok, c.want)
		}
	}
	if s.Stats() != was {
		t.Errorf("looking left a trace: %+v, was %+v", s.Stats(), was)
	}
	for k := range uint64(maxSummary + 10) {
		s.Insert(doc.WithChunk(k), []byte("x"), forever, begin)
	}
	if got, ok := s.Summarize(doc, begin); !ok || got.Objects != maxSummary {
		t.Errorf("of %d chunks it looked at %d", maxSummary+10, got.Objects)
	}
}
