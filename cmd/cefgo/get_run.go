package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/partfile"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// getRun is one run of get: names fetched over one connection and one window.
type getRun struct {
	a        *app
	o        getOptions
	fw       *forwarder
	client   *client.Client
	session  *pipeline.Session
	start    time.Time
	deadline time.Time // zero: none
	jobs     []*getJob
}

// getJob is one name of a run. Its fields but the counters are its worker's until all
// workers have ended.
type getJob struct {
	uri      string
	name     tlv.Name // without a chunk number
	full     tlv.Name
	chunks   rangeValue
	path     string // of the file that -o and the name say; "": standard output
	counters pipeline.Counters
	begun    bool

	out outcome
	err error
}

// outcome is what a complete fetch brought.
type outcome struct {
	result pipeline.Result
	target *target
}

func (a *app) runGet(ctx context.Context, o getOptions, uris []string) error {
	if o.output == "-" {
		a.jsonTo = a.stderr
	}
	if err := o.check(); err != nil {
		return err
	}
	r := &getRun{a: a, o: o, start: time.Now()}
	if o.deadline.d > 0 {
		r.deadline = r.start.Add(o.deadline.d)
	}
	if err := r.plan(uris); err != nil {
		return err
	}
	var err error
	if r.fw, err = a.newForwarder(ends); err != nil {
		return err
	}
	if r.client, err = r.fw.connectBy(ctx, o.deadline.d); err != nil {
		return err
	}
	defer r.client.Close()
	path := o.path(r.fw)
	trace, err := r.openTrace(&path)
	if err != nil {
		return err
	}
	feed := r.client.Open()
	defer feed.Close()
	r.session = pipeline.NewSession(feed, path)
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

// plan reads the names, and refuses two that would go to one file.
func (r *getRun) plan(uris []string) error {
	seen := make(map[string]string)
	for _, uri := range uris {
		full, err := r.a.parseName(uri)
		if err != nil {
			return failed("get", uri, err)
		}
		j := &getJob{uri: uri, full: full, name: full.WithoutChunk()}
		if j.name.IsDefault() {
			return failed("get", uri, usage("name what is below it", "there is nothing under the empty name"))
		}
		if j.chunks, err = r.o.chunksOf(full); err != nil {
			return failed("get", uri, err)
		}
		if r.o.output != "-" {
			if err := r.aim(j, len(uris) > 1); err != nil {
				return failed("get", uri, err)
			}
			if other, ok := seen[j.path]; ok {
				return failed("get", uri, usage("fetch them one after the other, with -o FILE", "it would go to the same file as %s: %s", printable(other), j.path))
			}
			seen[j.path] = uri
		}
		r.jobs = append(r.jobs, j)
	}
	return nil
}

// aim finds the file that j goes to.
func (r *getRun) aim(j *getJob, several bool) error {
	if several && r.o.output != "" && !isDirectory(r.o.output) {
		return usage("make the directory first, or leave -o out", "several names need a directory to go to, and %s is none", r.o.output)
	}
	_, last, _ := j.name.Parent()
	path, err := partfile.TargetPath(r.o.output, last.Value)
	if err != nil {
		return asLocal(err)
	}
	j.path = path
	return nil
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

// fetchOne fetches one name to its target.
func (r *getRun) fetchOne(ctx context.Context, j *getJob) (outcome, error) {
	out := outcome{}
	if err := r.late(ctx); err != nil {
		return out, err
	}
	t, err := r.openTarget(ctx, j)
	if err != nil {
		return out, err
	}
	defer t.close()
	out.target = t
	r.a.event("start", fields{"name": j.full.String()})
	out.result, err = r.fetchTo(ctx, j, t)
	if err == nil {
		err = t.recheck(ctx, r, j.name, out.result)
	}
	if err == nil {
		err = t.commit()
	}
	if err != nil {
		err = t.keep(r.fw.blame(r.client, err), r.a.resumeCommand(j.name.String(), r.o, t))
	}
	return out, err
}

// fetchTo fetches what the flags say of one name.
func (r *getRun) fetchTo(ctx context.Context, j *getJob, t *target) (pipeline.Result, error) {
	p := r.options()
	p.Counters = &j.counters
	p.First = j.chunks.first
	if j.chunks.set && !j.chunks.open {
		p.Last = tlv.Some(j.chunks.last)
	}
	if r.o.bytes.set {
		return r.fetchRange(ctx, j.name, t, p)
	}
	return t.fetch(ctx, r, j.name, p)
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

func (r *getRun) label() string {
	if len(r.jobs) == 1 {
		return "get " + r.jobs[0].uri
	}
	return fmt.Sprintf("get %d names", len(r.jobs))
}
