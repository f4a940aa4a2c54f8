package main

import (
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// accept sets each text and compares what the flag prints then; "" is a refusal.
func accept(t *testing.T, fresh func() pflag.Value, cases map[string]string) {
	t.Helper()
	for text, want := range cases {
		v := fresh()
		err := v.Set(text)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q was taken for %s", text, v)
		case want != "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case want != "" && v.String() != want:
			t.Errorf("%q: got %s, want %s", text, v, want)
		}
	}
}

func TestDurations(t *testing.T) {
	accept(t, func() pflag.Value { return &durationValue{unit: time.Second} }, map[string]string{
		"10": "10s", "0": "0", "1.5": "1.5s", "200ms": "200ms", "2h": "2h0m0s",
		"-1": "", "-1s": "", "": "", "soon": "", "NaN": "", "1e30": "", "10 s": "",
	})
	accept(t, func() pflag.Value { return &durationValue{unit: time.Millisecond} }, map[string]string{"4000": "4s", "4s": "4s"})
}

func TestSizes(t *testing.T) {
	accept(t, func() pflag.Value { return new(sizeValue) }, map[string]string{
		"4096": "4096", "4k": "4096", "4KiB": "4096", "4kB": "4000", "1MB": "1000000", "1M": "1048576", "1.5k": "1536", "2GiB": "2147483648",
		"": "", "x": "", "-1": "", "1.5": "", "1TB": "", "inf": "", "1e300g": "",
	})
}

func TestRates(t *testing.T) {
	accept(t, func() pflag.Value { return new(rateValue) }, map[string]string{
		"5": "5Mbit/s", "5M": "5Mbit/s", "5Mbit/s": "5Mbit/s", "800kbit/s": "0.8Mbit/s", "1Gbps": "1000Mbit/s", "500bit/s": "0.0005Mbit/s",
		"0": "", "-1": "", "": "", "fast": "", "inf": "",
	})
}

func TestRanges(t *testing.T) {
	accept(t, func() pflag.Value { return new(rangeValue) }, map[string]string{
		"0-99": "0-99", "7": "7-7", "100-": "100-", "3-3": "3-3",
		"5-2": "", "-5": "", "": "", "a-b": "", "1-2-3": "", "4294967296": "",
	})
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"ccnx:/a/b.txt": "ccnx:/a/b.txt",
		"a b":           "'a b'",
		"it's":          `'it'\''s'`,
		"":              "''",
		"$(rm)":         "'$(rm)'",
		"~/x":           "'~/x'",
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 20: "1.0 MiB", 3 << 40: "3072.0 GiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
	for bps, want := range map[float64]string{0: "0 bit/s", 999: "999 bit/s", 1500: "1.5 kbit/s", 2.29e9: "2.29 Gbit/s"} {
		if got := rateText(bps); got != want {
			t.Errorf("%g: got %s, want %s", bps, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{"ccnx:/a/\u00e4": "ccnx:/a/\u00e4", "a\x1b[31mb\nc": `a\x1b[31mb\x0ac`, "": ""} {
		if got := printable(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
