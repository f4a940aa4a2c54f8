package keys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// TrustFile trusts the key of one file for every name. Errors are those of [Read].
func TrustFile(path string) (*Trust, error) {
	key, err := readTrusted(path)
	if err != nil {
		return nil, err
	}
	return TrustKey(key, path), nil
}

// TrustKey trusts one key for every name; path says where it is from.
func TrustKey(key PublicKey, path string) *Trust { return &Trust{[]Trusted{{root, key, path}}} }

// OpenTrust reads a trust directory. A directory that is not there is an error that
// wraps [ErrNoTrust]; all others are *[TrustError].
func OpenTrust(dir string) (*Trust, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	lines, _, err := readPrefixes(dir)
	if err != nil {
		return nil, err
	}
	return loadKeys(dir, lines)
}

// loadKeys reads each key file once.
func loadKeys(dir string, lines []line) (*Trust, error) {
	t := &Trust{}
	read := make(map[string]PublicKey)
	for _, l := range lines {
		key, known := read[l.file]
		if !known {
			var err error
			if key, err = readTrusted(filepath.Join(dir, l.file)); err != nil {
				return nil, &TrustError{filepath.Join(dir, prefixesFile), l.number, err}
			}
			read[l.file] = key
		}
		t.all = append(t.all, Trusted{l.prefix, key, l.file})
	}
	return t, nil
}

// checkDir refuses a directory into which anyone may write.
func checkDir(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &TrustError{File: dir, Err: ErrNoTrust}
	case err != nil:
		return &TrustError{File: dir, Err: bare(err)}
	case !info.IsDir():
		return &TrustError{File: dir, Err: errors.New("not a directory")}
	}
	if err := checkShared(dir, info.Mode()); err != nil {
		return &TrustError{File: dir, Err: err}
	}
	return nil
}

// readTrusted reads a key that others cannot exchange.
func readTrusted(path string) (PublicKey, error) {
	key, _, mode, err := readKey(path)
	if err == nil {
		err = checkShared(path, mode)
	}
	if err != nil {
		return PublicKey{}, err
	}
	return key, nil
}

// readPrefixes reads and parses the prefixes file of dir.
func readPrefixes(dir string) ([]line, []byte, error) {
	path := filepath.Join(dir, prefixesFile)
	text, mode, err := readFile(path, maxPrefixes)
	if err == nil {
		err = checkShared(path, mode)
	}
	if err != nil {
		return nil, nil, &TrustError{File: path, Err: bare(err)}
	}
	lines, err := parsePrefixes(path, text)
	return lines, text, err
}

// checkShared refuses what anyone may write.
func checkShared(path string, mode fs.FileMode) error {
	if mode&0o002 != 0 {
		return &PermissionError{Path: path, Mode: mode.Perm()}
	}
	return nil
}

// bare is err without the path that a *[TrustError] names already.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
