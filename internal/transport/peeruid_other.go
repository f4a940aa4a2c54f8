//go:build !linux && !darwin

package transport

import (
	"errors"
	"net"
)

func peerUID(*net.UnixConn) (int, error) { return 0, errors.ErrUnsupported }
