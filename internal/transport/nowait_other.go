//go:build !linux

package transport

import "syscall"

// readNow and writeNow are one system call on a socket that does not block.

func readNow(fd uintptr, p []byte) (int, error) { return callNow(syscall.Read, fd, p) }

func writeNow(fd uintptr, p []byte) (int, error) { return callNow(syscall.Write, fd, p) }

func callNow(call func(int, []byte) (int, error), fd uintptr, p []byte) (int, error) {
	for {
		if n, err := call(int(fd), p); err != syscall.EINTR {
			return n, err
		}
	}
}
