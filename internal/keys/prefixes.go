package keys

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/cefgo/cefgo/internal/tlv"
)

// prefixesFile is the name of the file in a trust directory that says which key is
// trusted for which names.
const prefixesFile = "prefixes"

// maxPrefixes bounds it, in bytes.
const maxPrefixes = 1 << 20

// line is a line of the prefixes file that is neither blank nor a comment.
type line struct {
	prefix tlv.Name
	file   string
	number int // from 1
}

// String is the line as it is written, without its end.
func (l line) String() string { return l.prefix.String() + " " + l.file }

// parsePrefixes reads the content of a prefixes file called file. Errors are *[TrustError].
func parsePrefixes(file string, text []byte) ([]line, error) {
	var lines []line
	number := 0
	for raw := range bytes.Lines(text) {
		number++
		s := strings.TrimSpace(string(raw))
		if s == "" || s[0] == '#' {
			continue
		}
		l, err := parseLine(s)
		if err != nil {
			return nil, &TrustError{file, number, err}
		}
		l.number = number
		lines = append(lines, l)
	}
	return lines, nil
}

var errLine = errors.New("want a prefix and a key file: ccnx:/a/b bob.pub")

// parseLine quotes nothing of a line that is of another form: it may be a private key
// that was written to the wrong file.
func parseLine(s string) (line, error) {
	parts := strings.Fields(s)
	if len(parts) != 2 || !strings.HasPrefix(parts[0], "ccnx:") {
		return line{}, errLine
	}
	prefix, err := tlv.ParseName(parts[0], tlv.PercentLiteral)
	if err != nil {
		return line{}, err
	}
	if err := checkPrefix(prefix); err != nil {
		return line{}, err
	}
	return line{prefix: prefix, file: parts[1]}, checkKeyFile(parts[1])
}

func checkPrefix(prefix tlv.Name) error {
	if _, chunk := prefix.Chunk(); chunk || prefix.IsZero() {
		return errors.New("a prefix has no chunk number")
	}
	return nil
}

func checkKeyFile(name string) error {
	if ext := filepath.Ext(name); !isFileName(name) || ext != publicEnding && ext != ".pem" {
		return fmt.Errorf("bad key file %q: want a file in the same directory, of letters, digits, - _ and ., that ends in .pub or .pem", name)
	}
	return nil
}
