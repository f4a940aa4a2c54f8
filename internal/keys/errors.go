package keys

import (
	"errors"
	"fmt"
	"io/fs"
)

// ErrSignature says that a signature is not one of the key over the message, for
// whatever reason: bytes, algorithm or key.
var ErrSignature = errors.New("the signature is wrong")

// ErrUntrusted says that the key of a signature is not trusted for a name.
var ErrUntrusted = errors.New("signed by a key that is not trusted for the name")

// FormatError says why bytes are no key that is taken here. It holds none of them.
type FormatError struct{ Reason string }

func (e *FormatError) Error() string { return e.Reason }

func badKey(format string, args ...any) error {
	return &FormatError{fmt.Sprintf(format, args...)}
}

// PermissionError says that others may do too much with a file.
type PermissionError struct {
	Path    string
	Mode    fs.FileMode // permission bits
	Private bool        // of a private key, which they may not even read
}

func (e *PermissionError) Error() string {
	what := "lets anyone write it"
	if e.Private {
		what = "lets others at the private key"
	}
	return fmt.Sprintf("%s: mode %04o %s; chmod %s mends it", e.Path, e.Mode.Perm(), what, e.Chmod())
}

// Chmod is the mode for chmod(1) that mends it.
func (e *PermissionError) Chmod() string {
	if e.Private {
		return "600"
	}
	return "o-w"
}

// ExistsError says that a key is not overwritten.
type ExistsError struct {
	Path string
	// Kept says that it never is: it is a private key, and what was to be stored is
	// only a public one.
	Kept bool
}

func (e *ExistsError) Error() string {
	if e.Kept {
		return e.Path + " is a private key, which a public one does not replace"
	}
	return e.Path + " exists"
}

// MissingError says that a store has no key of that name; it is an fs.ErrNotExist.
type MissingError struct {
	Name, Dir string
	file      bool // there is no such file, either
}

func (e *MissingError) Error() string {
	if e.file {
		return fmt.Sprintf("no key %s in %s, and no such file here", e.Name, e.Dir)
	}
	return fmt.Sprintf("no key %s in %s", e.Name, e.Dir)
}

func (e *MissingError) Unwrap() error { return fs.ErrNotExist }

// NameError says that a text is no name of a key in a [Store].
type NameError struct{ Name string }

func (e *NameError) Error() string {
	return fmt.Sprintf("bad key name %q: 1 to %d letters, digits, - _ and ., the first no - or .", e.Name, maxName)
}

// TrustError says what is broken in a trust directory.
type TrustError struct {
	File string
	Line int // of File, from 1; 0: File as a whole
	Err  error
}

func (e *TrustError) Error() string {
	var p *PermissionError
	switch {
	case errors.As(e.Err, &p) && p.Path == e.File:
		return e.Err.Error() // it names the file
	case e.Line == 0:
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s: line %d: %v", e.File, e.Line, e.Err)
}

func (e *TrustError) Unwrap() error { return e.Err }
