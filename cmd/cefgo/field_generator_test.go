//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

const (
	// resendAfter is how long the generator waits for an answer.
	resendAfter = 200 * time.Millisecond
	// generatorLimit ends a generator whose window loses more than it gets: its rate is
	// that of what has come.
	generatorLimit = 5 * time.Second
)

// generated is what a generator reports.
type generated struct {
	DurationMS float64 `json:"duration_ms"`
	Chunks     int     `json:"chunks"` // that have come
	Resent     int     `json:"resent"`
}

// generator asks for a content's chunks in their order, with a fixed window.
type generator struct {
	conn     net.Conn
	packets  *packets
	segments []byte    // of the content's name
	asks     tlv.Batch // all Interests, made before the clock starts
	window   int

	begun  time.Time
	sent   []time.Duration // of the last Interest for each chunk, since begun
	came   []bool
	next   int // the first chunk that has not been asked for
	oldest int // the first that has not come
	result generated
}

func runGenerator(o bareOptions) error {
	name, err := tlv.ParseName(o.Prefix, tlv.PercentLiteral)
	if err != nil {
		return err
	}
	conn, err := net.Dial("unix", o.Socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	g := &generator{
		conn: conn, packets: newPackets(conn), segments: name.Bytes(), window: o.Window,
		sent: make([]time.Duration, o.Chunks), came: make([]bool, o.Chunks),
	}
	for k := range o.Chunks {
		i := tlv.Interest{HopLimit: tlv.DefaultHopLimit, Name: name.WithChunk(uint64(k))}
		i.Lifetime = tlv.Lifetime(tlv.DefaultLifetime)
		if err := g.asks.Encode(i.AppendTo); err != nil {
			return err
		}
	}
	if err := g.run(); err != nil {
		return err
	}
	return sayJSON(g.result)
}

func (g *generator) run() error {
	g.begun = time.Now()
	var now time.Duration
	for g.result.Chunks < len(g.came) && now < generatorLimit {
		if err := g.fill(now); err != nil {
			return err
		}
		_ = g.conn.SetReadDeadline(time.Now().Add(resendAfter))
		err := g.packets.read(g.take)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		now = time.Since(g.begun)
		for g.oldest < g.next && g.came[g.oldest] {
			g.oldest++
		}
		if g.oldest < g.next && now-g.sent[g.oldest] >= resendAfter {
			if err := g.resend(now); err != nil {
				return err
			}
		}
	}
	g.result.DurationMS = ms(now)
	return nil
}

// fill asks for as many chunks as the window has room for, in one write.
func (g *generator) fill(now time.Duration) error {
	flying := g.next - g.result.Chunks
	to := min(len(g.came), g.next+g.window-flying)
	if to <= g.next {
		return nil
	}
	asks := g.asks.Range(g.next, to)
	for ; g.next < to; g.next++ {
		g.sent[g.next] = now
	}
	_, err := g.conn.Write(asks)
	return err
}

func (g *generator) take(pkt []byte) {
	k, ok := chunkOf(pkt, g.segments)
	if ok && k < len(g.came) && !g.came[k] {
		g.came[k] = true
		g.result.Chunks++
	}
}

// resend asks again for what has not come in time.
func (g *generator) resend(now time.Duration) error {
	var again tlv.Batch
	for k := g.oldest; k < g.next; k++ {
		if !g.came[k] && now-g.sent[k] >= resendAfter {
			again.Append(g.asks.Packet(k))
			g.sent[k] = now
		}
	}
	g.result.Resent += again.Len()
	_, err := g.conn.Write(again.Range(0, again.Len()))
	return err
}

// generate runs a generator for the chunks of a content of that block size.
func (g *ground) generate(t *testing.T, uri string, chunks, block, window int) sample {
	t.Helper()
	env, args := g.bareCommand("generator", bareOptions{Prefix: uri, Chunks: chunks, Window: window})
	e := program{env: env, args: args}.run(t)
	var r generated
	if err := json.Unmarshal(e.stdout, &r); e.code != 0 || err != nil {
		return sample{note: e.String()}
	}
	return sample{
		bytes: int64(r.Chunks) * int64(block),
		own:   time.Duration(r.DurationMS * float64(time.Millisecond)),
		wall:  e.wall, cpu: e.cpu, extra: int64(r.Resent),
	}
}
