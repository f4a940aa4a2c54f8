package transport

import (
	"syscall"
	"unsafe"
)

// readNow and writeNow are one system call on a socket that does not block. The scheduler
// is not told of it: during a copy of some ten microseconds it would give the processor to
// another thread, and wake one for that, which costs more than the call itself.

func readNow(fd uintptr, p []byte) (int, error) { return callNow(syscall.SYS_READ, fd, p) }

func writeNow(fd uintptr, p []byte) (int, error) { return callNow(syscall.SYS_WRITE, fd, p) }

func callNow(call, fd uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
