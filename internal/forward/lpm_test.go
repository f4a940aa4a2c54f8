package forward

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cefgo/cefgo/internal/tlv"
)

// drawName is a name of up to seven segments, few of which differ: empty ones, typed ones
// and ones that begin like others are among them.
func drawName(t *rapid.T, label string) tlv.Name {
	segs := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "aa", "b", "0x0004=a", "\x00\x01\x00\x00"}), 1, 7).Draw(t, label)
	var n tlv.Name
	for _, s := range segs {
		seg := tlv.Segment{Type: tlv.SegmentName, Value: []byte(s)}
		if v, typed := strings.CutPrefix(s, "0x0004="); typed {
			seg = tlv.Segment{Type: 4, Value: []byte(v)}
		}
		var err error
		if n, err = n.Append(seg); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// parts is a name's segments, none for ccnx:/.
func parts(n tlv.Name) (ps []string) {
	if n.IsDefault() {
		return nil
	}
	for s := range n.Segments() {
		ps = append(ps, fmt.Sprintf("%x=%x", s.Type, s.Value))
	}
	return ps
}

// TestLongestPrefixModel: a search finds what comparing segment by segment with every
// prefix finds, in that order, whatever was entered and deleted before.
func TestLongestPrefixModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPrefixes[string]()
		in := make(map[string]tlv.Name)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				n := drawName(t, "prefix")
				p.set(keyOf(n), n.String())
				in[n.String()] = n
			},
			"delete": func(t *rapid.T) {
				n := drawName(t, "prefix")
				if len(in) > 0 && rapid.Bool().Draw(t, "one that is there") {
					n = in[rapid.SampledFrom(slices.Sorted(maps.Keys(in))).Draw(t, "which")]
				}
				p.delete(keyOf(n))
				delete(in, n.String())
				if _, had := p.get(keyOf(n)); had {
					t.Errorf("%v is still there", n)
				}
			},
			"match": func(t *rapid.T) {
				n := drawName(t, "name")
				refused := rapid.IntRange(0, 3).Draw(t, "refused")
				var want []string
				for s, prefix := range in {
					if ps := parts(prefix); len(ps) <= len(parts(n)) && slices.Equal(ps, parts(n)[:len(ps)]) {
						want = append(want, s)
					}
				}
				slices.SortFunc(want, func(a, b string) int { return len(parts(in[b])) - len(parts(in[a])) })
				if len(want) > refused {
					want = want[:refused+1]
				}
				var got []string
				found := p.match(n.Bytes(), segmentEnds(nil, n.Bytes()), func(v string, whole bool) bool {
					if len(got) > 0 && got[len(got)-1] == v {
						return false // ccnx:/ for a name that begins with an empty segment
					}
					got = append(got, v)
					if whole != bytes.Equal(in[v].Bytes(), n.Bytes()) {
						t.Errorf("%v for %v: whole %v", v, n, whole)
					}
					return len(got) > refused
				})
				if !slices.Equal(got, want) || found != (len(want) > refused) {
					t.Errorf("%v: %v %v, want %v of %v", n, got, found, want, slices.Sorted(maps.Keys(in)))
				}
			},
			"": func(t *rapid.T) {
				if p.len() != len(in) {
					t.Errorf("%d prefixes, want %d", p.len(), len(in))
				}
				p.sound(t)
			},
		})
	})
}

// empties is a name of that many empty segments, at least two.
func empties(n int) string { return "ccnx:/0x0001=" + strings.Repeat("/", n-1) }

// TestDeepestNames: the table takes names of as many segments as a packet can have.
func TestDeepestNames(t *testing.T) {
	w := newWorld(t, Options{})
	asks := w.app()
	deep := empties(maxSegments)
	n := mustName(t, deep)
	if got := len(segmentEnds(nil, n.Bytes())); got != maxSegments || depthOf(string(n.Bytes())) != maxSegments {
		t.Fatalf("%d segments, want %d", got, maxSegments)
	}
	if _, err := n.Child(""); err == nil {
		t.Fatal("a name can have more segments")
	}
	links := make(map[int]*app)
	for _, d := range []int{maxSegments, maxSegments - 1, 128, 9, 2} {
		links[d] = w.link()
		w.route(empties(d), links[d])
		w.f.sound(t)
	}
	for d := maxSegments; d > 1; d-- {
		to := 0
		for k := range links {
			if k <= d {
				to = max(to, k)
			}
		}
		links[to].gets(asks.interest(empties(d)))
	}
	links[maxSegments].leaves()
	links[maxSegments-1].gets(asks.interest(deep, marked, hopLimit(99)))
	has := w.app().registers(deep)
	has.gets(asks.interest(deep))
	w.quiet("the application's")
	has.leaves()
}

func TestDepthOf(t *testing.T) {
	for uri, want := range map[string]int{
		"ccnx:/": 0, "ccnx:/a": 1, "ccnx:/a/": 2, "ccnx:/0x0001=/": 2, "ccnx:/a//b": 3, "ccnx:/0x0004=": 1, "ccnx:/" + strings.Repeat("x", 1000): 1,
	} {
		if got := depthOf(keyOf(mustName(t, uri))); got != want {
			t.Errorf("%.20s: %d, want %d", uri, got, want)
		}
	}
}
