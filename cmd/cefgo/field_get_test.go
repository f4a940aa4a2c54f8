//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"
)

// got is one run of cefgo get.
type got struct {
	*ended
	ok bool // complete, and every byte right
	// What its result told:
	Fetched     int64   `json:"fetched_bytes"` // by this run
	Chunks      int64   `json:"chunks"`
	DurationMS  float64 `json:"duration_ms"`
	Interests   int64   `json:"interests"`
	Retransmits int64   `json:"retransmits"`
	Duplicates  int64   `json:"duplicates"`
	Resumed     int64   `json:"resumed_bytes"`
	Reconnects  int64   `json:"reconnects"`
}

// duration is by get's own clock.
func (r *got) duration() time.Duration {
	return time.Duration(r.DurationMS * float64(time.Millisecond))
}

// gotFile is where every get writes to, and gotPart the part file of that.
const (
	gotFile = "out"
	gotPart = gotFile + ".cefgo-part"
)

// fresh takes away what an earlier get has left.
func (g *ground) fresh() {
	for _, name := range []string{gotFile, gotPart, gotFile + ".cefgo-state"} {
		os.Remove(g.file(name))
	}
}

// get fetches uri into a new file and checks what came: a run that does not end with 0
// and the right bytes is a failure.
func (g *ground) get(t *testing.T, uri string, want content, flags ...string) *got {
	t.Helper()
	g.fresh()
	r := g.tryGet(t, uri, want, nil, flags...)
	if !r.ok {
		t.Errorf("get %s %q: %v", uri, flags, r.ended)
	}
	return r
}

// tryGet fetches uri on top of what is there. It may end before all is there, but then
// neither with 0 nor with anything under the file's name; for started see program.
func (g *ground) tryGet(t *testing.T, uri string, want content, started func(*os.Process) func(), flags ...string) *got {
	t.Helper()
	args := []string{g.f.cefgo, "get", "-q", "--json", "-d", g.conf(), uri, "-o", g.file(gotFile)}
	args = append(append(args, g.f.args...), flags...)
	r := &got{ended: program{env: g.env(), args: args, started: started}.run(t)}
	right := want.holds(g.file(gotFile))
	_, err := os.Stat(g.file(gotFile))
	switch r.ok = r.code == 0 && right; {
	case r.code == 0 && !right:
		t.Errorf("get %s %q ended with 0 and other bytes", uri, flags)
	case r.code > 0 && !errors.Is(err, fs.ErrNotExist):
		t.Errorf("get %s %q ended with %d, but the file is there", uri, flags, r.code)
	case r.ok:
		if err := r.result(r.stdout); err != nil {
			t.Errorf("get %s %q: its result is no JSON object: %v", uri, flags, err)
		}
	}
	return r
}

// result reads the result that get has printed.
func (r *got) result(said []byte) error { return json.Unmarshal(said, r) }

// warmChunks is twice the packets that wait in cefnetd to be sent at most (TX_QUEUE_SIZE):
// the first use of each place in that queue costs it fresh memory, so that a cefnetd that
// has just started is slow for that long.
const warmChunks = 2 * 16384

// warm fetches until the forwarder is as fast as it is going to be.
func (g *ground) warm(t *testing.T, uri string, c content) {
	t.Helper()
	for n := int64(0); n < g.f.size(warmChunks); {
		r := g.get(t, uri, c)
		if !r.ok {
			t.FailNow()
		}
		n += r.Chunks
	}
}
