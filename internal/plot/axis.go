package plot

import (
	"math"
	"strconv"
)

// tick is a place on an axis.
type tick struct {
	v    float64
	text string
}

// ticks are round numbers from 0 to top, about n of them.
func ticks(top float64, n int) []tick {
	step, decimals := tickStep(top / float64(max(n, 1)))
	var t []tick
	for i := 0.0; i*step <= top*(1+1e-9); i++ {
		t = append(t, tick{i * step, number(i*step, decimals)})
	}
	return t
}

// tickStep is the least of 1, 2 and 5 times a power of ten that is at least v, and
// the decimals that it needs.
func tickStep(v float64) (step float64, decimals int) {
	exp := math.Floor(math.Log10(v))
	for _, m := range []float64{1, 2, 5, 10} {
		if step = m * math.Pow(10, exp); step >= v*(1-1e-9) {
			if m == 10 {
				exp++
			}
			break
		}
	}
	return step, int(max(-exp, 0))
}

func number(v float64, decimals int) string {
	if v >= 1e6 {
		return strconv.FormatFloat(v, 'g', 6, 64)
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// digits is v with three digits, or all of a whole number's.
func digits(v float64) string {
	if v >= 99.95 && v < 1e6 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
