// Package cefore owns where Cefore's configuration and sockets are, and what cefnetd.conf says about them.
// It may import the standard library only; "sheet a" in its comments is section a of the Cefore protocol sheet.
package cefore

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// DirEnv names the environment variable whose directory holds cefore/cefnetd.conf (sheet a).
	DirEnv = "CEFORE_DIR"

	// DefaultPath is the file Cefore reads where nothing says otherwise (sheet a).
	DefaultPath = "/usr/local/cefore/" + configName

	configName = "cefnetd.conf"
)

// Bounds of what can name a forwarder's socket (sheet a, table of keys).
const (
	MinPort        = 1025
	MaxPort        = 65535
	MaxSocketIDLen = 16 // bytes
)

// ConfigPath returns the cefnetd.conf that Cefore's own tools would read (sheet a): in dirFlag, else below
// CEFORE_DIR, else DefaultPath. An empty value counts as unset. explicit says that the flag or the
// environment named the directory, so that a missing file is a mistake rather than a default installation.
func ConfigPath(dirFlag string, getenv func(string) string) (path string, explicit bool) {
	if dirFlag != "" {
		return inDir(dirFlag, configName), true
	}
	if dir := getenv(DirEnv); dir != "" {
		return inDir(dir, "cefore/"+configName), true
	}
	return DefaultPath, false
}

// inDir joins as Cefore does. filepath.Join would resolve ".." without looking at symbolic links, and so
// could name a file other than the one Cefore opens.
func inDir(dir, name string) string {
	return strings.TrimRight(dir, "/") + "/" + name
}

// SocketPath returns cefnetd's local socket for a valid port and id. It is always in /tmp: Cefore does not
// look at TMPDIR (sheet a).
func SocketPath(port int, id string) string {
	return fmt.Sprintf("/tmp/cef_%d.%s", port, id)
}

// ValidatePort says why cefnetd would not take port, nil if it would (sheet a, PORT_NUM).
func ValidatePort(port int) error {
	if port < MinPort || port > MaxPort {
		return notInRange(MinPort, MaxPort)
	}
	return nil
}

// ValidateSocketID says why id is no LOCAL_SOCK_ID, nil if it is. Cefore checks the length only (sheet a);
// an empty id, '/' and NUL are refused here as well, since with them the socket is not /tmp/cef_<port>.<id>.
func ValidateSocketID(id string) error {
	switch {
	case id == "":
		return errors.New("empty")
	case len(id) > MaxSocketIDLen:
		return fmt.Errorf("longer than %d bytes", MaxSocketIDLen)
	case strings.ContainsAny(id, "/\x00"):
		return errors.New("contains '/' or NUL")
	}
	return nil
}
