package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/keys"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// getRun is one run of get: names fetched over one connection and one window.
type getRun struct {
	a        *app
	o        getOptions
	fw       *forwarder
	client   *client.Client
	feed     *client.Feed
	session  *pipeline.Session
	start    time.Time
	deadline time.Time   // zero: none
	trust    *keys.Trust // nil: nobody is trusted
	jobs     []*getJob
	asking   sync.WaitGroup // goroutines that ask for what a fetch needs to know
}

func (a *app) runGet(ctx context.Context, o getOptions, uris []string) error {
	a.payloadGoesTo(o.output)
	if err := cmp.Or(o.check(), o.checkTree(len(uris))); err != nil {
		return err
	}
	r := &getRun{a: a, o: o, start: time.Now()}
	if o.deadline.d > 0 {
		r.deadline = r.start.Add(o.deadline.d)
	}
	if err := r.openTrust(); err != nil {
		return err
	}
	if o.recursive {
		return r.runTree(ctx, uris[0])
	}
	if err := r.plan(uris); err != nil {
		return err
	}
	if err := r.dial(ctx); err != nil {
		return err
	}
	defer r.hangUp()
	path := o.path(r.fw)
	trace, err := r.openTrace(&path)
	if err != nil {
		return err
	}
	r.begin(path)
	stop := a.showProgress(r.label(), r.snapshot)
	r.fetchAll(ctx)
	r.session.Close()
	stop()
	if err := trace.close(); err != nil {
		if !r.broken() {
			return err
		}
		a.line(err.Error())
	}
	return r.tell(ctx)
}

// dial connects to the forwarder.
func (r *getRun) dial(ctx context.Context) (err error) {
	if r.fw, err = r.a.newForwarder(ends); err != nil {
		return err
	}
	r.client, err = r.fw.connectBy(ctx, r.o.deadline.d)
	return err
}

// begin begins the session that all is fetched over.
func (r *getRun) begin(p pipeline.Path) {
	r.feed = r.client.Open()
	r.session = pipeline.NewSession(r.feed, p)
}

// hangUp ends what dial and begin have begun, and all that asks over it.
func (r *getRun) hangUp() {
	if r.session != nil {
		r.session.Close()
		r.feed.Close()
	}
	r.client.Close()
	r.asking.Wait()
}

// fetchAll fetches all names: standard output takes one at a time.
func (r *getRun) fetchAll(ctx context.Context) {
	workers := min(r.o.parallel, len(r.jobs))
	if r.o.output == "-" {
		workers = 1
	}
	queue := make(chan *getJob)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for j := range queue {
				if ctx.Err() != nil || r.o.output == "-" && r.broken() {
					continue
				}
				j.begun = true
				j.out, j.err = r.fetchOne(ctx, j)
				r.tellOne(j)
			}
		})
	}
	for _, j := range r.jobs {
		queue <- j
	}
	close(queue)
	wg.Wait()
}

// broken reports whether a content on its way to standard output failed: what comes
// behind it would stand in the wrong place.
func (r *getRun) broken() bool {
	for _, j := range r.jobs {
		if j.err != nil {
			return true
		}
	}
	return false
}

// options are those of any fetch of the run.
func (r *getRun) options() pipeline.Options {
	o := &r.o
	return pipeline.Options{
		HopLimit: uint8(o.hopLimit), Lifetime: r.fw.lifetime(o.lifetime.d),
		Timeout: o.timeout.d, Stall: o.stall.d, UntilSilence: o.untilTimeout,
	}
}

// fetch is the session's Fetch within what is left of --deadline.
func (r *getRun) fetch(ctx context.Context, name tlv.Name, w io.Writer, p pipeline.Options) (pipeline.Result, error) {
	if err := r.late(ctx); err != nil {
		return pipeline.Result{}, err
	}
	if !r.deadline.IsZero() {
		p.Deadline = time.Until(r.deadline)
	}
	return r.session.Fetch(ctx, name, w, p)
}

// late is why nothing may be begun any more; nil where it may.
func (r *getRun) late(ctx context.Context) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !r.deadline.IsZero() && !time.Now().Before(r.deadline):
		return fmt.Errorf("the deadline has passed: %w", pipeline.ErrTimeout)
	}
	return nil
}

// inTime is ctx until --deadline.
func (r *getRun) inTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.deadline.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, r.deadline, &failure{code: exitPartial, err: errDeadline})
}

func (r *getRun) label() string {
	if len(r.jobs) == 1 {
		return "get " + r.jobs[0].uri
	}
	return fmt.Sprintf("get %d names", len(r.jobs))
}
