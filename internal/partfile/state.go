package partfile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode/utf8"
)

const (
	stateVersion = 1
	maxState     = 64 << 10 // bytes of JSON
	maxBlock     = 65535
	maxTag       = 128
	// maxName keeps every valid state below maxState: JSON at most doubles a name without control
	// characters.
	maxName = 30000
)

// A State says of what the part file is the beginning: the object Name, cut into chunks of BlockSize
// bytes, of which only the last may be shorter.
type State struct {
	V         int     `json:"v"`                   // 1; SaveState sets it
	Name      string  `json:"name"`                // as the URI
	BlockSize int     `json:"block_size"`          // 1 to 65535
	EndChunk  *uint64 `json:"end_chunk,omitempty"` // number of the last chunk; nil: not known yet
	Tag       string  `json:"tag,omitempty"`       // version of the content, lower-case hex; "": not known
}

func (s State) clone() State {
	if s.EndChunk != nil {
		s.EndChunk = new(*s.EndChunk)
	}
	return s
}

// check is about sense, for states from a file and from the caller alike.
func (s State) check() error {
	control := func(r rune) bool { return r < 0x20 || r == 0x7f }
	switch {
	case s.V != stateVersion:
		return fmt.Errorf("version %d is not %d", s.V, stateVersion)
	case s.Name == "" || len(s.Name) > maxName:
		return fmt.Errorf("name of %d bytes", len(s.Name))
	case !utf8.ValidString(s.Name) || strings.ContainsFunc(s.Name, control):
		return errors.New("name is not printable UTF-8")
	case s.BlockSize < 1 || s.BlockSize > maxBlock:
		return fmt.Errorf("block size %d", s.BlockSize)
	case len(s.Tag) > maxTag || strings.Trim(s.Tag, "0123456789abcdef") != "":
		return errors.New("tag is not hex")
	}
	return nil
}

// covers says whether size bytes can be a prefix of what s describes.
func (s State) covers(size int64) error {
	if size > 0 && s.EndChunk != nil && uint64(size-1)/uint64(s.BlockSize) > *s.EndChunk {
		return fmt.Errorf("%d bytes are more than chunks 0 to %d hold", size, *s.EndChunk)
	}
	return nil
}

// mayFollow says whether s can take the place of the state old once bytes are stored under it: it may
// know more, but not describe something else.
func (s State) mayFollow(old *State) error {
	switch {
	case old == nil:
		return errors.New("saved after the first byte")
	case s.Name != old.Name, s.BlockSize != old.BlockSize, old.Tag != "" && s.Tag != old.Tag:
		return errors.New("describes other content than the bytes before it")
	}
	return nil
}

// SaveState writes s beside the part file, replacing at once what was there. It goes before the first
// Write; later it may add an EndChunk or a Tag, while other content needs Restart first. A State that
// makes no sense, comes late or contradicts the last one is a *StateError, and nothing has changed.
// On a direct target SaveState does nothing.
func (f *File) SaveState(s State) error {
	if f.closed {
		return fs.ErrClosed
	}
	if f.direct {
		return nil
	}
	s = s.clone()
	s.V = stateVersion
	err := s.check()
	if err == nil && f.Size() > 0 {
		err = cmp.Or(s.mayFollow(f.state), s.covers(f.Size()))
	}
	if err != nil {
		return &StateError{Err: err}
	}
	if err := f.writeState(s); err != nil {
		return err
	}
	f.state = &s
	return nil
}

// writeState needs no random name for the temporary file, as the lock is held.
func (f *File) writeState(s State) error {
	tmp := f.path + tmpSuffix
	err := writeNew(tmp, s.encode())
	if err == nil {
		err = os.Rename(tmp, f.path+stateSuffix)
	}
	if err != nil {
		_ = remove(tmp)
		return &WriteError{f.path + stateSuffix, cause(err)}
	}
	return nil
}

func writeNew(path string, data []byte) error {
	fd, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	_, err = fd.Write(data)
	return cmp.Or(err, fd.Close())
}

func (f *File) dropState() error {
	f.state = nil
	return remove(f.path + stateSuffix)
}

// loadState trusts nothing: the file may be torn, foreign, huge, or not a file.
func loadState(path string) (State, error) {
	fd, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return State{}, cause(err)
	}
	defer fd.Close()
	if info, err := fd.Stat(); err != nil || !info.Mode().IsRegular() {
		return State{}, cmp.Or(cause(err), errors.New("not a regular file"))
	}
	data, err := io.ReadAll(io.LimitReader(fd, maxState+1))
	if err != nil {
		return State{}, cause(err)
	}
	return decodeState(data)
}

// decodeState refuses unknown fields too: a later version that needs them must not be half understood.
func decodeState(data []byte) (State, error) {
	var s State
	if len(data) > maxState {
		return s, fmt.Errorf("longer than %d bytes", maxState)
	}
	if !utf8.Valid(data) {
		return s, errors.New("not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return s, fmt.Errorf("not a state: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return s, errors.New("more follows the state")
	}
	return s, s.check()
}

func (s State) encode() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("partfile: bug: a State is always JSON: " + err.Error())
	}
	return b.Bytes()
}
