package cefore

import (
	"errors"
	"fmt"
	"io/fs"
)

// Options is what the user said about the forwarder. The zero value asks for Cefore's own choice.
type Options struct {
	Dir      string // directory of cefnetd.conf (Cefore's -d). Default is by CEFORE_DIR, see ConfigPath
	Port     int    // Cefore's -p. Default is the file's PORT_NUM
	SocketID string // Default is the file's LOCAL_SOCK_ID

	// Where Port and SocketID came from, for Location. Default is "flag".
	PortFrom, SocketIDFrom string
}

// Location is where the forwarder of this machine should be, and how that was found out.
type Location struct {
	ConfigPath string // the file that counts; whether it exists, Config.Path tells
	Config     Config // as the file has it, before Options; Default if there is no file

	Port       int // in force, from Options or Config
	SocketID   string
	SocketPath string

	// Provenance: "flag" (or what Options says), "/path/cefnetd.conf:12", or "default".
	PortFrom, SocketIDFrom string
}

// ErrOption is wrapped by the errors of Locate that are the fault of a value in Options.
var ErrOption = errors.New("invalid option")

// Locate finds the forwarder by Cefore's rules (sheet a): options win over the file, the file over the
// defaults. It looks at the configuration only, not at whether anything listens.
//
// A missing file is an error, one that wraps fs.ErrNotExist, if the directory was named by Options or
// CEFORE_DIR. At the default path it means the defaults; Cefore's C library refuses to start there. A file
// that exists but cannot be read or parsed is always an error.
func Locate(opts Options, getenv func(string) string) (Location, error) {
	if err := opts.validate(); err != nil {
		return Location{}, err
	}
	path, explicit := ConfigPath(opts.Dir, getenv)
	return locate(opts, path, explicit)
}

// locate is Locate for a known path, so that tests need not own the default one.
func locate(opts Options, path string, explicit bool) (Location, error) {
	c, err := Load(path)
	if !explicit && errors.Is(err, fs.ErrNotExist) {
		c, err = Default(), nil
	}
	if err != nil {
		return Location{}, fmt.Errorf("cefore configuration: %w", err)
	}
	l := Location{
		ConfigPath: path, Config: c,
		Port: c.Port, PortFrom: c.Origin(KeyPort),
		SocketID: c.SocketID, SocketIDFrom: c.Origin(KeySocketID),
	}
	if opts.Port != 0 {
		l.Port, l.PortFrom = opts.Port, opts.portFrom()
	}
	if opts.SocketID != "" {
		l.SocketID, l.SocketIDFrom = opts.SocketID, opts.socketIDFrom()
	}
	l.SocketPath = SocketPath(l.Port, l.SocketID)
	return l, nil
}

func (o Options) validate() error {
	if o.Port != 0 {
		if err := ValidatePort(o.Port); err != nil {
			return fmt.Errorf("%w: port %d (%s): %w", ErrOption, o.Port, o.portFrom(), err)
		}
	}
	if o.SocketID != "" {
		if err := ValidateSocketID(o.SocketID); err != nil {
			return fmt.Errorf("%w: socket id %q (%s): %w", ErrOption, o.SocketID, o.socketIDFrom(), err)
		}
	}
	return nil
}

func (o Options) portFrom() string     { return orFlag(o.PortFrom) }
func (o Options) socketIDFrom() string { return orFlag(o.SocketIDFrom) }

func orFlag(from string) string {
	if from == "" {
		return "flag"
	}
	return from
}
