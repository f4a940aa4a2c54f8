package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/manifest"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/tlv"
)

const (
	// manifestTries is how often a manifest is asked for.
	manifestTries = 3
	// manifestAgain is after how long it is asked for again, while nothing is known of the
	// path; then it is some round trips, and minAgain at least.
	manifestAgain = 200 * time.Millisecond
	minAgain      = 50 * time.Millisecond
	// manifestLast is how long the last of these may take on a path of which nothing is
	// known.
	manifestLast = 2 * time.Second
)

// inquiry asks for a manifest.
type inquiry struct {
	r      *getRun
	j      *getJob
	asks   tlv.Name // the manifest's
	cancel context.CancelFunc
	rtt    chan time.Duration // takes what is learned of the round trip, once
	answer chan reply         // gets one
}

// reply is a manifest, or why there is none.
type reply struct {
	m        *manifest.Manifest
	proof    proof
	signer   keys.ID        // whose signature on it counts; zero: nobody's
	cameWith tlv.Opt[uint8] // see tlv.Object.CameWith
	rtt      time.Duration
	err      error
}

// errNoManifest: nobody answered for the manifest.
var errNoManifest = errors.New("there is no manifest")

// inquire begins to ask for the manifest of what j is to get. The caller ends it with cancel.
func (r *getRun) inquire(ctx context.Context, j *getJob) *inquiry {
	q := &inquiry{r: r, j: j, rtt: make(chan time.Duration, 1), answer: make(chan reply, 1)}
	asks, err := object.ManifestName(j.name)
	if err != nil || !asks.CanChunk() {
		q.cancel = func() {}
		q.answer <- reply{err: errNoManifest}
		return q
	}
	q.asks = asks.WithChunk(0)
	ctx, q.cancel = context.WithCancel(ctx)
	r.asking.Go(func() { q.answer <- q.ask(ctx) })
	return q
}

// ask asks up to manifestTries times.
func (q *inquiry) ask(ctx context.Context) reply {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan reply, manifestTries)
	again := time.NewTimer(0)
	defer again.Stop()
	wait, last, sent, ended := manifestAgain, manifestLast, 0, 0
	for {
		select {
		case <-again.C:
			if sent == manifestTries {
				return reply{err: errNoManifest}
			}
			sent++
			q.r.asking.Go(func() { answers <- q.express(ctx) })
			if again.Reset(wait); sent == manifestTries {
				again.Reset(last)
			}
		case rtt := <-q.rtt:
			wait = max(3*rtt, minAgain)
			last = wait
			again.Reset(wait)
		case a := <-answers:
			if ended++; a.m != nil || a.wrong() || ended == manifestTries {
				return a
			}
		case <-ctx.Done():
			return reply{err: errNoManifest}
		}
	}
}

// wrong reports whether there was an answer that is no good, which more asking would not
// mend.
func (a *reply) wrong() bool { return a.err != nil && newFailure(a.err).code == exitIntegrity }

// express sends one Interest for the manifest and reads the answer.
func (q *inquiry) express(ctx context.Context) reply {
	r := q.r
	a, err := r.client.Express(ctx, &tlv.Interest{
		HopByHop: tlv.HopByHop{Lifetime: tlv.Lifetime(r.fw.lifetime(r.o.lifetime.d))},
		HopLimit: uint8(r.o.hopLimit), Name: q.asks,
	})
	if err != nil {
		if errors.Is(err, tlv.ErrChecksum) || errors.Is(err, client.ErrClosed) {
			return reply{err: err}
		}
		return reply{err: errNoManifest}
	}
	m, signed, sig, err := manifest.Decode(a.Payload)
	switch {
	case err != nil:
		return reply{err: forged(fmt.Errorf("what came as its manifest is none: %w", err))}
	case !m.Name.Equal(q.j.name):
		return reply{err: forged(fmt.Errorf("what came as its manifest is that of %s", m.Name))}
	}
	out := reply{m: m, cameWith: a.CameWith, rtt: a.RTT}
	out.proof, out.signer, out.err = q.j.judge(r.trust, dated{m.Issued, m.Expires, m.Status == manifest.Object || m.Version != nil}, signed, sig, time.Now())
	if out.err != nil {
		out.m = nil
	}
	return out
}

// forged is an answer that must not be believed.
func forged(err error) error {
	return &failure{code: exitIntegrity, err: err, hint: "whoever answered is not who publishes it, or something on the path changes what is sent"}
}
