//go:build linux

package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// mdTable collects the rows of a Markdown table; the first is its head, and no row has
// more cells.
type mdTable struct{ rows [][]string }

func (b *mdTable) row(cells ...string) { b.rows = append(b.rows, cells) }

// log prints the table, if it has more than its head.
func (b *mdTable) log(t *testing.T) {
	t.Helper()
	if len(b.rows) < 2 {
		return
	}
	out := new(strings.Builder)
	for i, cells := range b.rows {
		cells = append(slices.Clone(cells), make([]string, len(b.rows[0])-len(cells))...)
		fmt.Fprintf(out, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			out.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
		}
	}
	t.Logf("\n%s", out)
}

// series is what the runs of one case measured.
type series []float64

// median is 0 where nothing was measured.
func (s series) median() float64 {
	if len(s) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(s))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// String is the median and what lies around it.
func (s series) String() string {
	if len(s) == 0 {
		return "–"
	}
	return fmt.Sprintf("%s (%s–%s)", figure(s.median()), figure(slices.Min(s)), figure(slices.Max(s)))
}

// figure is v with three digits that count.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// atLeast says whether got reaches the bar.
func atLeast(bar, got float64) string { return verdict(figure(bar), got >= bar) }

// atMost says whether got stays below the bar, which has that unit.
func atMost(bar, got float64, unit string) string { return verdict(figure(bar)+unit, got <= bar) }

func verdict(bar string, met bool) string {
	if met {
		return "bar " + bar + ": met"
	}
	return "bar " + bar + ": missed"
}
