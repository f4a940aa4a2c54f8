package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// durationValue is a flag that takes a Go duration, or a bare number of its unit.
type durationValue struct {
	d    time.Duration
	unit time.Duration
}

// String prints no duration as 0, which the usage text takes for none.
func (v *durationValue) String() string {
	if v.d == 0 {
		return "0"
	}
	return v.d.String()
}
func (v *durationValue) Type() string { return "duration" }

func (v *durationValue) Set(s string) error {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		f := n * float64(v.unit)
		if math.IsNaN(f) || f < 0 || f > math.MaxInt64/2 {
			return fmt.Errorf("want a duration such as 500ms or 10s")
		}
		v.d = time.Duration(f)
		return nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return fmt.Errorf("want a duration such as 500ms or 10s, or a number of %v", unitName(v.unit))
	}
	v.d = d
	return nil
}

func unitName(d time.Duration) string {
	if d == time.Millisecond {
		return "milliseconds"
	}
	return "seconds"
}

// jsonValue is the flag --json, whose value may be left out.
type jsonValue jsonMode

func (v *jsonValue) String() string { return string(*v) }
func (v *jsonValue) Type() string   { return "object|stream" }

func (v *jsonValue) Set(s string) error {
	if m := jsonMode(s); m != jsonObject && m != jsonStream {
		return fmt.Errorf("want --json or --json=stream")
	}
	*v = jsonValue(s)
	return nil
}

// sizeValue is a flag that takes bytes, with a unit or without.
type sizeValue int64

func (v *sizeValue) String() string { return strconv.FormatInt(int64(*v), 10) }
func (v *sizeValue) Type() string   { return "size" }

var sizeUnits = []struct {
	suffix string
	factor float64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"b", 1}, {"", 1},
}

func (v *sizeValue) Set(s string) error {
	n, err := scaled(s, func(low string) (string, float64, bool) {
		for _, u := range sizeUnits {
			if rest, ok := strings.CutSuffix(low, u.suffix); ok {
				return rest, u.factor, true
			}
		}
		return "", 0, false
	})
	if err != nil || n != math.Trunc(n) || n > 1<<62 {
		return fmt.Errorf("want a size such as 4096, 64KiB or 1GB")
	}
	*v = sizeValue(n)
	return nil
}

// rateValue is a flag that takes bits per second; a bare number is Mbit/s, as with
// cefputfile -r.
type rateValue float64

func (v *rateValue) String() string {
	if *v == 0 {
		return "unlimited"
	}
	return strconv.FormatFloat(float64(*v)/1e6, 'g', -1, 64) + "Mbit/s"
}
func (v *rateValue) Type() string { return "rate" }

func (v *rateValue) Set(s string) error {
	n, err := scaled(s, func(low string) (string, float64, bool) {
		for _, tail := range []string{"bit/s", "bps", "bit", ""} {
			rest, ok := strings.CutSuffix(low, tail)
			if !ok {
				continue
			}
			for prefix, f := range map[string]float64{"k": 1e3, "m": 1e6, "g": 1e9} {
				if r, ok := strings.CutSuffix(rest, prefix); ok {
					return r, f, true
				}
			}
			if tail != "" {
				return rest, 1, true
			}
		}
		return low, 1e6, true
	})
	if err != nil || n <= 0 || n > 1e15 {
		return fmt.Errorf("want a rate such as 5 (Mbit/s), 800kbit/s or 1Gbit/s")
	}
	*v = rateValue(n)
	return nil
}

// scaled parses a number whose unit cut finds.
func scaled(s string, cut func(low string) (number string, factor float64, ok bool)) (float64, error) {
	number, factor, ok := cut(strings.ToLower(strings.TrimSpace(s)))
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || err != nil || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) {
		return 0, strconv.ErrSyntax
	}
	return n * factor, nil
}

// rangeValue is a flag that takes chunk numbers: A-B, A- or A.
type rangeValue struct {
	first uint64
	last  uint64
	open  bool // A-
	set   bool
}

func (v *rangeValue) Type() string { return "A-B" }

func (v *rangeValue) String() string {
	switch {
	case !v.set:
		return ""
	case v.open:
		return fmt.Sprintf("%d-", v.first)
	}
	return fmt.Sprintf("%d-%d", v.first, v.last)
}

func (v *rangeValue) Set(s string) error {
	bad := fmt.Errorf("want chunk numbers such as 0-99, 100- or 7")
	a, b, dash := strings.Cut(s, "-")
	first, err := strconv.ParseUint(a, 10, 32)
	if err != nil {
		return bad
	}
	r := rangeValue{first: first, last: first, set: true}
	switch {
	case dash && b == "":
		r.open = true
	case dash:
		if r.last, err = strconv.ParseUint(b, 10, 32); err != nil || r.last < first {
			return bad
		}
	}
	*v = r
	return nil
}

// checkHopLimit checks the value of --hop-limit, which get and ping have.
func checkHopLimit(n int) error {
	if n < 1 || n > math.MaxUint8 {
		return usage("", "--hop-limit is 1 to 255")
	}
	return nil
}

// bytesText is n as people read it.
func bytesText(n uint64) string {
	f := float64(n)
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if f < 1024 || unit == "GiB" {
			if unit == "B" {
				return fmt.Sprintf("%d B", n)
			}
			return fmt.Sprintf("%.1f %s", f, unit)
		}
		f /= 1024
	}
	return ""
}

// rateText is bits per second as people read them.
func rateText(bps float64) string {
	for _, u := range []struct {
		unit   string
		factor float64
	}{{"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}} {
		if bps >= u.factor {
			return fmt.Sprintf("%.3g %s", bps/u.factor, u.unit)
		}
	}
	return fmt.Sprintf("%.0f bit/s", bps)
}

// plural is n of what.
func plural(n uint64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
