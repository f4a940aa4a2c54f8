package main

import (
	"fmt"
	"strings"

	"github.com/cefgo/cefgo/internal/ccninfo"
	"github.com/cefgo/cefgo/internal/tlv"
)

// nodeText is a node's name as people read it: without the scheme, which says nothing
// here.
func nodeText(n tlv.Name) string {
	return printable(strings.TrimPrefix(n.Display(), "ccnx:/"))
}

// codeText is the code of a Reply in words.
func codeText(r *ccninfo.Reply) string {
	if !r.Fatal {
		return ccninfo.Reason(r.Code)
	}
	if r.Code == tlv.InfoNoError {
		return "the path leads in a circle"
	}
	return ccninfo.Reason(r.Code) + ", and the path leads in a circle"
}

// failed reports whether a Reply says that the name was not found.
func (r *answer) failed() bool { return r.Code != tlv.InfoNoError || r.Fatal }

// source is what holds the name, as far as it is known: "cache" or "publisher".
func (t *tracer) source(r *answer) string {
	switch {
	case r.failed():
		return ""
	case len(r.Contents) > 0 && !r.Contents[0].Publisher:
		return "cache"
	case len(r.Contents) > 0, t.o.publisher:
		return "publisher"
	}
	return ""
}

// tell prints a Reply.
func (t *tracer) tell(r answer) {
	t.replies = append(t.replies, r)
	t.a.event("reply", t.fields(&r))
	if t.a.json != jsonOff || t.a.global.quiet {
		return
	}
	w := t.a.stdout
	widest := 0
	for _, h := range r.Hops {
		widest = max(widest, len([]rune(nodeText(h.Node))))
	}
	for i, h := range r.Hops {
		node := nodeText(h.Node)
		line := fmt.Sprintf("%2d  %s%*s  %8.3f ms", t.o.skip+i+1, node, widest-len([]rune(node)), "", ms(h.Delay))
		if i == len(r.Hops)-1 {
			line += "  " + t.verdict(&r)
		}
		fmt.Fprintln(w, line)
	}
	if len(r.Hops) == 0 {
		fmt.Fprintln(w, t.verdict(&r))
	}
	fmt.Fprintf(w, "round trip %.3f ms\n", ms(r.rtt))
	for _, c := range r.Contents {
		fmt.Fprintln(w, contentText(c))
	}
}

// verdict says how the path ends.
func (t *tracer) verdict(r *answer) string {
	if r.failed() {
		return t.st.bad.Render(codeText(&r.Reply))
	}
	return t.st.good.Render(map[string]string{
		"cache": "has it in its cache", "publisher": "has its publisher", "": "has it (-c tells whether in a cache)",
	}[t.source(r)])
}

// contentText is what a node holds of the name.
func contentText(c ccninfo.Content) string {
	kind := "cache"
	if c.Publisher {
		kind = "publisher"
	}
	var parts []string
	switch {
	case c.SizeKB.OK && c.SizeKB.V == 0:
		parts = append(parts, "under 1 KB")
	case c.SizeKB.OK:
		parts = append(parts, fmt.Sprintf("%d KB", c.SizeKB.V))
	}
	if c.Objects.OK {
		parts = append(parts, plural(uint64(c.Objects.V), "object"))
	}
	if c.FirstChunk.OK && c.LastChunk.OK {
		parts = append(parts, fmt.Sprintf("chunks %d to %d", c.FirstChunk.V, c.LastChunk.V))
	}
	if c.Interests.OK {
		parts = append(parts, plural(uint64(c.Interests.V), "Interest"))
	}
	if c.ElapsedSec.OK {
		parts = append(parts, fmt.Sprintf("for %d s", c.ElapsedSec.V))
	}
	if c.RemainingSec.OK {
		parts = append(parts, fmt.Sprintf("%d s left", c.RemainingSec.V))
	}
	text := fmt.Sprintf("%s: %s", kind, printable(c.Name.Display()))
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	return text
}

// fields is a Reply as JSON.
func (t *tracer) fields(r *answer) fields {
	hops := []fields{}
	for i, h := range r.Hops {
		hops = append(hops, fields{"hop": t.o.skip + i + 1, "node": h.Node.String(), "delay_ms": ms(h.Delay)})
	}
	f := fields{"reply_code": int(r.Code), "reply_reason": codeText(&r.Reply), "rtt_ms": ms(r.rtt), "hops": hops}
	if r.Fatal {
		f["loop"] = true
	}
	if k := len(r.Hops); k > 0 {
		f["responder"] = r.Hops[k-1].Node.String()
	}
	if s := t.source(r); s != "" {
		f["source"] = s
	}
	if t.o.validate {
		f["validated"] = r.Validated
	}
	if len(r.Contents) > 0 {
		contents := []fields{}
		for _, c := range r.Contents {
			contents = append(contents, contentFields(c))
		}
		f["contents"] = contents
	}
	return f
}

func contentFields(c ccninfo.Content) fields {
	f := fields{"name": c.Name.String(), "source": "cache"}
	if c.Publisher {
		f["source"] = "publisher"
	}
	put := func(key string, v tlv.Opt[uint32]) {
		if v.OK {
			f[key] = v.V
		}
	}
	put("size_kb", c.SizeKB)
	put("objects", c.Objects)
	put("interests", c.Interests)
	put("first_chunk", c.FirstChunk)
	put("last_chunk", c.LastChunk)
	put("elapsed_s", c.ElapsedSec)
	put("remaining_s", c.RemainingSec)
	return f
}

// end is the result: of the first Reply that found the name, else of the first.
func (t *tracer) end() error {
	best := &t.replies[0]
	for i := range t.replies {
		if !t.replies[i].failed() {
			best = &t.replies[i]
			break
		}
	}
	f := t.fields(best)
	f["hop_limit"] = t.o.hopLimit
	if t.o.full {
		all := []fields{}
		for i := range t.replies {
			all = append(all, t.fields(&t.replies[i]))
		}
		f["replies"] = all
	}
	switch {
	case best.failed():
		return t.failure(best, f)
	case t.o.validate && !best.Validated:
		return &failure{code: exitIntegrity, err: fmt.Errorf("the answer brings no proof"), more: f}
	}
	f["name"] = t.q.Name.String()
	return t.a.result(f)
}

// failure is that of a path that ends without the name.
func (t *tracer) failure(r *answer, f fields) error {
	out := &failure{code: exitReturned, err: fmt.Errorf("%s (CCNinfo code 0x%02x)", codeText(&r.Reply), uint8(r.Code)), more: f}
	if k := len(r.Hops); k > 0 {
		out.err = fmt.Errorf("%w at %s", out.err, nodeText(r.Hops[k-1].Node))
	}
	switch {
	case r.Code == tlv.InfoAdminProh && t.o.full:
		out.hint = "full discovery needs CCNINFO_FULL_DISCOVERY in that node's cefnetd.conf: try without -f"
	case r.Code == tlv.InfoNoSpace:
		out.hint = "the path is too long for one packet: pass over its beginning with -s"
	case r.Code == tlv.InfoNoInfo && t.o.hopLimit <= t.o.skip+len(r.Hops):
		out.hint = "the hop limit is used up: go further with -r"
	}
	return out
}
