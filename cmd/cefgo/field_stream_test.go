//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"os"
)

// The bare stream relay carries a file over two unix sockets with nothing in between:
// what the bytes cost by themselves. Its source, relay and sink are processes of their
// own, as serve, node and get are; Socket is what one listens at or connects to, Prefix
// a path.

// streamBuffer is what each of them moves at once, in bytes.
const streamBuffer = 64 << 10

// runStreamSource sends the file at o.Prefix to whoever connects first.
func runStreamSource(o bareOptions) error {
	c, err := firstAt(o.Socket)
	if err != nil {
		return err
	}
	defer c.Close()
	f, err := os.Open(o.Prefix)
	if err != nil {
		return err
	}
	return pump(c, f)
}

// firstAt is the connection of whoever connects first.
func firstAt(socket string) (net.Conn, error) {
	l, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	fmt.Println("ready")
	return l.Accept()
}

// runStreamRelay passes what comes from o.Prefix on to whoever connects first.
func runStreamRelay(o bareOptions) error {
	to, err := firstAt(o.Socket)
	if err != nil {
		return err
	}
	defer to.Close()
	from, err := net.Dial("unix", o.Prefix)
	if err != nil {
		return err
	}
	return pump(to, from)
}

// runStreamSink writes what comes to stdout.
func runStreamSink(o bareOptions) error {
	c, err := net.Dial("unix", o.Socket)
	if err != nil {
		return err
	}
	return pump(os.Stdout, c)
}

// pump copies by plain reads and writes: the system's own short cuts are not what is
// compared.
func pump(w io.Writer, r io.Reader) error {
	b := make([]byte, streamBuffer)
	for {
		n, err := r.Read(b)
		if n > 0 {
			if _, werr := w.Write(b[:n]); werr != nil {
				return werr
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
