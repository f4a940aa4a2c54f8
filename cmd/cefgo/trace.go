package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/ccninfo"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// traceOptions are the flags of trace.
type traceOptions struct {
	cacheInfo bool
	publisher bool
	full      bool
	validate  bool
	skip      int
	hopLimit  int
	timeout   durationValue
}

func newTraceCommand(a *app) *cobra.Command {
	o := traceOptions{timeout: durationValue{4 * time.Second, time.Second}}
	cmd := &cobra.Command{
		Use:         "trace [flags] NAME",
		Annotations: withJSON,
		Short:       "Show the path to a name and what its caches hold",
		Long: `trace asks each forwarder on the way to NAME who it is (CCNinfo, RFC 9344) and
prints the path: the delay of each hop, the round trip, and who answered. The
delays are the nodes' own times of arrival, so that clocks which differ show in
them.

It ends with 0 where a node has the name, in its cache or of an application;
with 4 where the path ends without it, saying where and why; with 3 where no
answer came. Forwarders that know no CCNinfo are silent.`,
		Example: `  cefgo trace ccnx:/demo/README.md
  cefgo trace -c ccnx:/demo/README.md  # sizes and times of what the cache holds
  cefgo trace -o ccnx:/demo             # up to the publisher, past the caches`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return failed("trace", args[0], a.runTrace(cmd.Context(), o, args[0]))
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.cacheInfo, "cache-info", "c", false, "ask what the answering node holds")
	f.BoolVarP(&o.publisher, "publisher", "o", false, "go on to the publisher, past the caches")
	f.BoolVarP(&o.full, "full", "f", false, "take all paths and wait for all answers (most nodes prohibit it)")
	f.BoolVarP(&o.validate, "validate", "V", false, "ask for a proof with the answer; 6 where none comes")
	f.IntVarP(&o.skip, "skip", "s", 0, "pass over so many hops, 0 to 15")
	f.IntVarP(&o.hopLimit, "hop-limit", "r", tlv.DefaultHopLimit, "hops to go at most, 1 to 255")
	f.Var(&o.timeout, "timeout", "wait this long for an answer")
	return cmd
}

func (o *traceOptions) check() error {
	if err := checkHopLimit(o.hopLimit); err != nil {
		return err
	}
	switch {
	case o.skip < 0 || o.skip > ccninfo.MaxSkip:
		return usage("", "--skip is 0 to %d", ccninfo.MaxSkip)
	case o.skip >= o.hopLimit:
		return usage("", "--skip must be less than --hop-limit")
	case o.timeout.d == 0:
		return usage("", "--timeout must be more than 0")
	}
	return nil
}

// flags are those of the Request.
func (o *traceOptions) flags() (flags uint8) {
	for _, f := range []struct {
		on  bool
		bit uint8
	}{
		{o.cacheInfo, tlv.InfoFlagCache}, {o.publisher, tlv.InfoFlagPublisher},
		{o.full, tlv.InfoFlagFullDiscovery}, {o.validate, tlv.InfoFlagValidate},
	} {
		if f.on {
			flags |= f.bit
		}
	}
	return flags
}

func (a *app) runTrace(ctx context.Context, o traceOptions, uri string) error {
	if err := o.check(); err != nil {
		return err
	}
	name, err := a.parseName(uri)
	if err != nil {
		return err
	}
	fw, err := a.newForwarder(ends)
	if err != nil {
		return err
	}
	c, err := fw.dialPackets(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	q := ccninfo.Query{
		Name: name, Node: asker(), ID: uint16(rand.Uint32()),
		HopLimit: uint8(o.hopLimit), SkipHops: uint8(o.skip), Flags: o.flags(), Sent: time.Now(),
	}
	t := &tracer{a: a, o: o, q: q, st: a.style(a.stdout)}
	if a.json == jsonOff && !a.global.quiet {
		fmt.Fprintf(a.stdout, "TRACE %s\n", t.st.name.Render(printable(name.Display())))
	}
	if err := t.ask(ctx, c); err != nil {
		return err
	}
	return t.end()
}

// asker is the name of this node in a Request: the host's, as other nodes have one.
func asker() tlv.Name {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "cefgo"
	}
	n, err := tlv.NewName([]byte(host))
	if err != nil {
		n, _ = tlv.NewName([]byte("cefgo"))
	}
	return n
}

// tracer is one Request and its Replies.
type tracer struct {
	a       *app
	o       traceOptions
	q       ccninfo.Query
	st      styles
	replies []answer
}

// answer is a Reply and when it came, after the Request.
type answer struct {
	ccninfo.Reply
	rtt time.Duration
}

// errNoReply: no Reply came in time.
var errNoReply = errors.New("no answer")

// ask sends the Request and takes the first Reply; of a full discovery, all that come
// in time.
func (t *tracer) ask(ctx context.Context, c *packetConn) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.o.timeout.d, errNoReply)
	defer cancel()
	var b tlv.Batch
	if err := b.Encode(t.q.AppendTo); err != nil {
		return err
	}
	start := time.Now()
	if err := c.conn.Write(&b); err != nil {
		return c.lost(err)
	}
	for {
		pkt, err := c.next(ctx)
		switch {
		case errors.Is(err, errNoReply) && len(t.replies) > 0:
			return nil
		case errors.Is(err, errNoReply):
			return t.silence()
		case t.o.validate && isFraming(err):
			return t.proofless(ccninfo.ErrUnreadable)
		case err != nil:
			return err
		}
		r, ok, err := t.q.Read(pkt)
		switch {
		case !ok:
			continue
		case t.o.validate && errors.Is(err, ccninfo.ErrUnreadable):
			return t.proofless(err)
		case errors.Is(err, ccninfo.ErrProof):
			return &failure{code: exitIntegrity, err: err}
		case err != nil:
			return err
		}
		t.tell(answer{r, time.Since(start)})
		if !t.o.full {
			return nil
		}
	}
}

func isFraming(err error) bool {
	var f *transport.FramingError
	return errors.As(err, &f)
}

// silence is the failure of a trace without an answer.
func (t *tracer) silence() error {
	hint := "a node on the way may know no CCNinfo, or keep quiet; -r 1, -r 2 … find how far it goes"
	if t.o.validate {
		hint = cutHint // over UDP such an answer is no packet
	}
	return &failure{code: exitTimeout, err: fmt.Errorf("%w within %v", errNoReply, t.o.timeout.d), hint: hint}
}

// proofless is the failure of a trace whose answer should have brought a proof.
func (t *tracer) proofless(err error) error {
	return &failure{code: exitIntegrity, err: err, hint: cutHint}
}

// cutHint explains sheet m, 18.
const cutHint = "cefnetd 0.12.0 cuts its answer short where a proof is asked for: try without -V"
