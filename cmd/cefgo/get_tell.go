package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// snapshot is how far the run is.
func (r *getRun) snapshot() snapshot {
	var s snapshot
	var again, flying, window, rtt, complete uint64
	known := true
	for _, j := range r.jobs {
		c := &j.counters
		s.done += c.Bytes.Load()
		total := c.Total.Load() * c.LargestPayload.Load()
		s.total += total
		known = known && total > 0
		again += c.Retransmits.Load()
		flying += uint64(c.InFlight.Load())
		window = max(window, uint64(c.Window.Load()))
		rtt = max(rtt, uint64(c.SmoothedRTT.Load()))
		if chunks := c.Total.Load(); chunks > 0 && c.Chunks.Load() == chunks {
			complete++
		}
	}
	if !known {
		s.total = 0
	}
	s.line = bytesText(s.done)
	if s.total > 0 {
		s.line += fmt.Sprintf(" of about %s", bytesText(s.total))
	}
	if len(r.jobs) > 1 {
		s.line += fmt.Sprintf(", %d of %d names", complete, len(r.jobs))
		s.note = fmt.Sprintf(" (%d/%d)", complete, len(r.jobs))
	}
	round := time.Duration(rtt).Round(10 * time.Microsecond)
	s.line += fmt.Sprintf(", %d of %d in flight, round trip %v, %d sent again", flying, window, round, again)
	s.note += fmt.Sprintf(" w %d rtt %s", window, shortDuration(round))
	if again > 0 {
		s.note += fmt.Sprintf(" again %d", again)
	}
	return s
}

// shortDuration is d in three digits or so.
func shortDuration(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// tellOne tells how one name of several went, as soon as it is known.
func (r *getRun) tellOne(j *getJob) {
	if j.err == nil {
		r.sayGot(j)
	}
	if len(r.jobs) == 1 {
		return
	}
	if j.err != nil {
		r.a.line(failed("get", j.uri, j.err).Error())
		return
	}
	r.a.event("file", r.resultOf(j))
}

func (r *getRun) sayGot(j *getJob) {
	res, t := j.out.result, j.out.target
	secs := res.Duration.Seconds()
	r.a.say("got %s in %.2f s (%s), %s%s", bytesText(res.Bytes), secs, rateText(float64(res.Bytes)*8/secs), j.out.how(), t.whereTo())
}

// tell gives the run's result, or the error that it ends with.
func (r *getRun) tell(ctx context.Context) error {
	if len(r.jobs) == 1 {
		j := r.jobs[0]
		if j.err != nil {
			return j.err
		}
		if !j.begun {
			return context.Cause(ctx)
		}
		return r.a.result(r.resultOf(j))
	}
	missing := 0
	for _, j := range r.jobs {
		if j.err != nil || !j.begun {
			missing++
		}
	}
	if missing > 0 {
		return r.incomplete(ctx, missing)
	}
	return r.a.result(r.totals())
}

// incomplete is the failure of a run of which some names are missing: with the code of
// all that failed where none came, else 7.
func (r *getRun) incomplete(ctx context.Context, missing int) error {
	f := &failure{code: exitPartial, err: fmt.Errorf("%d of %d names are missing", missing, len(r.jobs))}
	codes := make(map[exitCode]bool)
	var resume []tlv.Name
	for _, j := range r.jobs {
		switch {
		case j.err != nil:
			one := newFailure(j.err)
			codes[one.code] = true
			if one.resume != "" {
				resume = append(resume, j.full)
			}
		case !j.begun:
			resume = append(resume, j.full)
		}
	}
	if len(codes) == 1 && missing == len(r.jobs) {
		for code := range codes {
			f.code = code
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		f = newFailure(cause)
		f.err = fmt.Errorf("%w: %d of %d names are missing", f.err, missing, len(r.jobs))
	}
	if len(resume) > 0 && r.o.output != "-" && !r.o.chunks.set && !r.o.bytes.set {
		f.resume = r.a.resumeLine(resume, r.o.output)
	}
	f.more = r.totals()
	return f
}

// totals is the JSON of several names.
func (r *getRun) totals() fields {
	files := make([]fields, 0, len(r.jobs))
	var size, interests, again uint64
	for _, j := range r.jobs {
		switch {
		case j.err != nil:
			f := newFailure(j.err)
			files = append(files, fields{"name": j.full.String(), "code": int(f.code), "kind": f.code.kind(), "message": f.err.Error()})
		case !j.begun:
			files = append(files, fields{"name": j.full.String(), "code": int(exitPartial), "kind": exitPartial.kind(), "message": "not begun"})
		default:
			f := r.resultOf(j)
			f["code"], f["kind"] = 0, exitOK.kind()
			files = append(files, f)
			size += j.out.target.size(j.out.result)
		}
		interests += j.out.result.Stats.Interests
		again += j.out.result.Stats.Retransmits
	}
	took := time.Since(r.start)
	return fields{
		"files": files, "size_bytes": size, "duration_ms": ms(took), "goodput_bps": float64(size) * 8 / took.Seconds(),
		"interests": interests, "retransmits": again,
	}
}

// proven reports whether checksums held for every chunk in the file, of which
// nobody knows where an earlier run wrote some; and whether the chunks themselves told
// the end: a meta may be another content's.
func proven(t *target, res pipeline.Result) bool {
	return t.resumed == 0 && res.Checksummed && res.EndSource != pipeline.EndMeta && res.EndSource != pipeline.EndSilence
}

// resultOf is the JSON of a complete fetch.
func (r *getRun) resultOf(j *getJob) fields {
	t, res := j.out.target, j.out.result
	st := &res.Stats
	f := fields{
		"name": j.full.String(), "size_bytes": t.size(res), "fetched_bytes": res.Bytes, "chunks": res.Chunks,
		"duration_ms": ms(res.Duration), "goodput_bps": float64(res.Bytes) * 8 / res.Duration.Seconds(),
		"interests": st.Interests, "retransmits": st.Retransmits,
		"lost": st.Lost, "timeouts": st.Timeouts, "spurious": st.Spurious, "silences": st.Silences,
		"duplicates": st.Duplicates, "corrupt": st.Corrupt, "reconnects": st.Relinks,
		"cc": string(r.session.CC()), "window_decreases": st.Decreases,
		"verified": j.out.proof.String(),
	}
	if res.EndSource != "" {
		f["end_source"] = string(res.EndSource)
	}
	if t.path() != "" {
		f["file"] = t.path()
	}
	if res.End.OK {
		f["end_chunk"] = res.End.V
	}
	if len(res.Version) > 0 {
		f["content_version"] = fmt.Sprintf("%x", res.Version)
	}
	j.out.addManifest(f)
	if rtt := &st.RTT; rtt.Count > 0 {
		f["rtt_min_ms"], f["rtt_avg_ms"], f["rtt_max_ms"] = ms(rtt.Min), ms(rtt.Mean()), ms(rtt.Max)
		f["rtt_p50_ms"], f["rtt_p90_ms"], f["rtt_p99_ms"] = ms(rtt.Percentile(50)), ms(rtt.Percentile(90)), ms(rtt.Percentile(99))
		f["window_max"], f["window_avg"] = hundredths(st.WindowMax), hundredths(st.WindowMean)
	}
	if len(st.Returns) > 0 {
		returns := make(map[string]uint64)
		for code, n := range st.Returns {
			returns[fmt.Sprint(code)] = n
		}
		f["returns"] = returns
	}
	if t.resumed > 0 {
		f["resumed_bytes"] = t.resumed
	}
	if r.o.bytes.set {
		f["range"] = r.o.bytes.String()
	}
	return f
}

// hundredths is f with two decimals.
func hundredths(f float64) float64 { return math.Round(f*100) / 100 }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
