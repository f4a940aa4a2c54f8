package pipeline

import (
	"errors"
	"fmt"

	"github.com/cefgo/cefgo/internal/tlv"
)

// Errors that end a fetch. Each has at most the chunks before the failing one
// written.
var (
	// ErrTimeout: nothing at all arrived within Options.Timeout.
	ErrTimeout = errors.New("nothing arrived")
)

// ReturnError: nothing arrived but Interest Returns.
type ReturnError struct{ Code tlv.ReturnCode }

func (e *ReturnError) Error() string { return "Interest Return: " + e.Code.String() }

// PartialError: something arrived, but not all.
type PartialError struct {
	Have    uint64          // chunks received
	Want    tlv.Opt[uint64] // chunks of the fetch, where its end is known
	Missing uint64          // the first chunk that is missing
	Reason  string
}

func (e *PartialError) Error() string {
	if e.Want.OK {
		return fmt.Sprintf("%s: %d of %d chunks received, chunk %d is missing", e.Reason, e.Have, e.Want.V, e.Missing)
	}
	return fmt.Sprintf("%s: %d chunks received, chunk %d is missing", e.Reason, e.Have, e.Missing)
}

// ChangedError: the chunks do not belong to one version of one content.
type ChangedError struct{ What string }

func (e *ChangedError) Error() string { return "the content changed during the fetch: " + e.What }

// IntegrityError: a chunk's answers were all corrupt.
type IntegrityError struct {
	Chunk uint64
	Err   error // wraps one of tlv's errors
}

func (e *IntegrityError) Error() string {
	return fmt.Sprintf("chunk %d is corrupt: %v", e.Chunk, e.Err)
}

// Unwrap returns what was wrong with the last answer.
func (e *IntegrityError) Unwrap() error { return e.Err }

// WriteError: the payloads could not be written.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }

// Unwrap returns the writer's error.
func (e *WriteError) Unwrap() error { return e.Err }
