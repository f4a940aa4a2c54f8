package cefore

import (
	"math/bits"
	"os"
	"strconv"
	"strings"
)

// DefaultSocketBuffer returns the send buffer that Linux gives a new socket, in the kernel's own measure,
// which UnixBacklogPackets takes. It is what cefnetd's local sockets have if cefnetd runs on this machine and
// the value has not changed since they were made. ok is false where the system does not tell.
func DefaultSocketBuffer() (bytes int, ok bool) {
	return readSocketBuffer("/proc/sys/net/core/wmem_default")
}

func readSocketBuffer(path string) (bytes int, ok bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n <= 0 {
		return 0, false
	}
	return n, true
}

// Linux charges a unix stream socket for the memory behind each packet, not for its bytes. The sizes hold for
// 64-bit Linux 6.18 with 4 KiB pages, where they give the counts that were measured (see the test).
const (
	skbStruct  = 256                                         // sk_buff itself
	skbTail    = 320                                         // skb_shared_info, in the block of the linear part
	skbPage    = 4096                                        // what lies outside the linear part comes in pages
	skbLinear  = 4096 - skbTail                              // most bytes in the linear part
	skbMax     = skbLinear + 8*skbPage                       // 36544: longer packets are split, see sheet l
	skbMaxSize = skbStruct + skbLinear + skbTail + 8*skbPage // what skbMax bytes cost
)

// UnixBacklogPackets estimates how many unread packets of packetSize bytes a Linux unix stream socket holds
// if its send buffer is bufBytes; cefnetd drops what comes after them without a word (sheet l). It is an
// estimate from a model of the kernel, checked against counts measured on Linux 6.18 with 212992 bytes, and
// never above those: a count is exact or one too low. Other kernels may hold more or fewer. The result grows
// linearly with bufBytes and is at least 1.
func UnixBacklogPackets(bufBytes, packetSize int) int {
	if packetSize > bufBytes/2 {
		return 1 // also keeps memoryCost from overflowing
	}
	return max(1, bufBytes/memoryCost(max(1, packetSize)))
}

// memoryCost models what the kernel charges for a packet of size bytes ("truesize").
func memoryCost(size int) int {
	cost := size / skbMax * skbMaxSize
	if rest := size % skbMax; rest > 0 {
		paged := min(rest, ceilTo(max(0, rest-skbLinear), skbPage))
		linear := ceilPowerOf2(rest - paged + skbTail)
		cost += skbStruct + linear + ceilTo(paged, skbPage)
	}
	return cost
}

func ceilTo(n, unit int) int { return (n + unit - 1) / unit * unit }

func ceilPowerOf2(n int) int { return 1 << bits.Len(uint(n-1)) }
