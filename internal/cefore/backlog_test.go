package cefore

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Packets of one size that a unix stream socket with a send buffer of 212992 bytes took before it was full,
// measured on Linux 6.18. The pairs like 192 and 193 are the steps of the kernel's allocator.
var measuredBacklog = map[int]int{
	1: 278, 100: 278, 192: 278, 193: 167, 300: 167, 600: 167, 704: 167, 705: 93, 1024: 93, 1200: 93, 1728: 93,
	1729: 49, 2048: 49, 3000: 49, 3776: 49, 3777: 44, 4096: 44, 4250: 44, 4288: 44, 4289: 40, 4801: 34, 5825: 26,
	6000: 26, 7873: 24, 8192: 24, 16000: 13, 30000: 7, 32100: 7, 36544: 6, 36545: 5, 50000: 4, 60000: 3, 65535: 3,
}

// The law that callers rely on: never more than there is room for. One too low is the price of linearity.
func TestUnixBacklogPackets(t *testing.T) {
	for size, measured := range measuredBacklog {
		if got := UnixBacklogPackets(212992, size); got > measured || got < measured-1 {
			t.Errorf("%d bytes: %d packets, measured %d", size, got, measured)
		}
	}
}

// 542 packets of 60000 bytes were measured with the buffers of Cefore's own sysctl file (sheet l).
func TestUnixBacklogPacketsCeforeSysctl(t *testing.T) {
	if got := UnixBacklogPackets(33554432, 60000); got != 541 {
		t.Errorf("%d packets, want 541", got)
	}
}

func TestUnixBacklogPacketsScales(t *testing.T) {
	for size := range measuredBacklog {
		one, ten := UnixBacklogPackets(212992, size), UnixBacklogPackets(2129920, size)
		if ten < 10*one || ten > 10*one+9 {
			t.Errorf("%d bytes: %d packets, %d with ten times the buffer", size, one, ten)
		}
	}
}

func TestUnixBacklogPacketsEdges(t *testing.T) {
	const maxInt = int(^uint(0) >> 1)
	tests := []struct{ buf, size, want int }{
		{212992, 1 << 20, 1}, {0, 1, 1}, {-1, -1, 1}, {100, 1, 1}, {212992, maxInt, 1}, {maxInt, maxInt, 1}, {maxInt, maxInt/2 + 1, 1}, {maxInt, maxInt / 2, 1},

		{7680, 0, 10}, {7680, -5, 10}, {7679, 1, 9}, // an empty packet costs as much as one byte, 768
	}
	for _, tt := range tests {
		if got := UnixBacklogPackets(tt.buf, tt.size); got != tt.want {
			t.Errorf("UnixBacklogPackets(%d, %d) = %d, want %d", tt.buf, tt.size, got, tt.want)
		}
	}
}

func TestReadSocketBuffer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wmem_default")
	if n, ok := readSocketBuffer(path); n != 0 || ok {
		t.Errorf("missing file: %d, %t", n, ok)
	}
	for text, want := range map[string]int{"212992\n": 212992, "33554432": 33554432, "": 0, "x\n": 0, "0\n": 0, "-1\n": 0} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if n, ok := readSocketBuffer(path); n != want || ok != (want != 0) {
			t.Errorf("%q: %d, %t; want %d", text, n, ok, want)
		}
	}
}

func TestDefaultSocketBuffer(t *testing.T) {
	const path = "/proc/sys/net/core/wmem_default"
	_, err := os.Stat(path)
	n, ok := DefaultSocketBuffer()
	if ok != (err == nil) || ok != (n > 0) {
		t.Errorf("DefaultSocketBuffer() = %d, %t on %s; %s: %v", n, ok, runtime.GOOS, path, err)
	}
}
