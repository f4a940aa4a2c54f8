package pipeline

import "testing"

func TestParseMeta(t *testing.T) {
	for in, want := range map[string]uint64{
		"1": 1, "3": 3, "42": 42, "007": 7, "4294967296": 1 << 32,
		"": 0, "0": 0, "000": 0, "4294967297": 0, "9999999999": 0, "00000000001": 0, "18446744073709551617": 0,
		"-1": 0, "+1": 0, " 1": 0, "1\n": 0, "1 ": 0, "1_000": 0, "0x10": 0, "1e3": 0, "1.0": 0,
		"three": 0, "(empty)\x00": 0, "\x00\x00\x00\x03": 0, "３": 0,
	} {
		n, ok := parseMeta([]byte(in))
		if ok != (want > 0) || ok && n != want {
			t.Errorf("meta %q: %d, %v; want %d", in, n, ok, want)
		}
	}
}
