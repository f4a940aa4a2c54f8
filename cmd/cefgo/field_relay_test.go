//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/testnet"
)

const (
	relayURI = "ccnx:/field/relay"
	// relaySize is the content's, in bytes, also where sizes are small: of less, no half
	// would be seen in the part file.
	relaySize = 2_000_000
	// relayDeadline ends a get that will not come to an end.
	relayDeadline = 2 * time.Minute
	// deadFor is how long the link is dead.
	deadFor = 5 * time.Second
)

// badDay is what happens on the way from the publisher to get.
type badDay struct {
	name string
	link testnet.Impairment // each way
	half func(*pair) error  // happens when half of the content has come; nil: nothing
	bar  float64            // seconds; 0: it need only complete
	// bound: the publisher is told its forwarder, and so does not take the place of one
	// that has gone.
	bound bool
}

// there is a link on which the content takes long enough to have a half.
var there = testnet.Impairment{Delay: 10 * time.Millisecond}

var badDays = []badDay{
	{name: "loss 0%"},
	{name: "loss 1%", link: testnet.Impairment{Loss: 0.01}, bar: 5},
	{name: "loss 5%", link: testnet.Impairment{Loss: 0.05}, bar: 10},
	{name: "loss 20%", link: testnet.Impairment{Loss: 0.20}, bar: 60},
	{name: "round trip 400ms", link: testnet.Impairment{Delay: 200 * time.Millisecond}, bar: 4},
	{name: "cut short 1%", link: testnet.Impairment{Truncate: 0.01}},
	{name: "link dead 5s", link: there, half: (*pair).dieForAWhile},
	{name: "far forwarder restarted", link: there, half: func(p *pair) error { return p.b.restart() }},
	{name: "far forwarder restarted, publisher bound to it", link: there, half: func(p *pair) error { return p.b.restart() }, bound: true},
	{name: "near forwarder restarted", link: there, half: (*pair).restartNear},
	{name: "publisher restarted", link: there, half: (*pair).restartPublisher},
}

// relay fetches 2 MB in blocks of 1024 over two cefnetds and a link that has bad days.
func (f *field) relay(t *testing.T) {
	haveOnPath(t, "cefnetd", "cefroute")
	b := &mdTable{}
	b.row("case (2 MB, blocks of 1024; losses each way)", "seconds by its own clock: median (least–most)", "seconds of the whole process", "Interests / chunks", "reconnects", "datagrams lost or cut on the link", "complete", "bar")
	for _, d := range badDays {
		t.Run(strings.NewReplacer(" ", "-", ",", "").Replace(d.name), func(t *testing.T) { f.relayDay(t, d, b) })
	}
	b.log(t)
}

func (f *field) relayDay(t *testing.T, d badDay, b *mdTable) {
	var own, wall, each, again, harm series
	runs := f.times(3)
	for seed := range runs {
		t.Run(fmt.Sprint(seed+1), func(t *testing.T) {
			p := f.newPair(t, uint64(seed), d)
			r := p.get(t, d)
			lost := p.harm()
			t.Logf("%s: %.2f s, %d Interests for %d chunks, %d sent again, %d reconnects, %d datagrams lost or cut; %v",
				d.name, r.wall.Seconds(), r.Interests, r.Chunks, r.Retransmits, r.Reconnects, lost, r.ended)
			if !r.ok {
				return
			}
			own = append(own, r.duration().Seconds())
			wall = append(wall, r.wall.Seconds())
			each = append(each, float64(r.Interests)/float64(r.Chunks))
			again = append(again, float64(r.Reconnects))
			harm = append(harm, float64(lost))
		})
	}
	complete := fmt.Sprintf("%d of %d", len(wall), runs)
	said := verdict("complete", len(wall) == runs)
	if d.bar > 0 {
		said = verdict(figure(d.bar)+" s", len(wall) == runs && wall.median() <= d.bar)
	}
	b.row(d.name, own.String(), wall.String(), each.String(), again.String(), harm.String(), complete, f.bar(t, d.name, wall.String()+" s, "+complete, said))
}

// pair is two cefnetds, joined by a relay: a get is at a, a publisher at b.
type pair struct {
	t         *testing.T
	a, b      *ground
	link      *testnet.Relay
	is        testnet.Impairment // each way
	content   content
	publisher *beside
	flags     []string // of the publisher
}

// newPair makes a pair over which the content has been seen to come, and then lets the
// link be what it is.
func (f *field) newPair(t *testing.T, seed uint64, d badDay) *pair {
	t.Helper()
	p := &pair{t: t, a: f.withCefnetd(t, "CS_MODE=0"), b: f.withCefnetd(t, "CS_MODE=0"), is: d.link}
	if d.bound {
		p.flags = []string{"--forwarder", "unix:" + p.b.socket}
	}
	var err error
	p.link, err = testnet.NewRelay(testnet.RelayConfig{
		Left: fmt.Sprint("127.0.0.1:", unusedPort(t)), Right: fmt.Sprint("127.0.0.1:", p.b.port), Seed: seed,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.link.Close() })
	p.content = writeContent(t, p.b.file("content"), relaySize)
	p.publish()
	p.route()
	p.a.fetchable(relayURI)
	p.impair(p.is)
	return p
}

func (p *pair) publish() {
	p.publisher = p.b.serve(relayURI, p.content.path, append(p.flags, "-b", "1024")...)
}

// route tells a where the content is.
func (p *pair) route() {
	p.t.Helper()
	host, port, _ := net.SplitHostPort(p.link.LeftAddr())
	e := p.a.run(p.t, "cefroute", "add", relayURI, "udp", host+":"+port, "-d", p.a.conf(), "-p", fmt.Sprint(p.a.port))
	if e.code != 0 {
		p.t.Fatalf("cefroute: %v", e)
	}
}

func (p *pair) impair(is testnet.Impairment) {
	p.link.SetToRight(is)
	p.link.SetToLeft(is)
}

func (p *pair) dieForAWhile() error {
	p.impair(testnet.Impairment{Down: true})
	<-time.After(deadFor)
	p.impair(p.is)
	return nil
}

// restartNear takes get's own forwarder away. Its routes are gone with it.
func (p *pair) restartNear() error {
	err := p.a.restart()
	if err == nil {
		p.route()
	}
	return err
}

func (p *pair) restartPublisher() error {
	p.publisher.kill()
	p.publish()
	return nil
}

// harm is how many datagrams the link has lost or cut.
func (p *pair) harm() uint64 {
	to, from := p.link.Counters()
	sum := func(c testnet.Counters) uint64 { return c.Lost + c.Outage + c.Overflow + c.Failed + c.Truncated }
	return sum(to) + sum(from)
}

// get fetches the content while the day takes its course.
func (p *pair) get(t *testing.T, d badDay) *got {
	t.Helper()
	p.a.fresh()
	half := growth{path: p.a.file(gotPart), reach: p.content.size / 2}
	if d.half != nil {
		half.at = func() {
			if err := d.half(p); err != nil {
				t.Logf("%s: %v", d.name, err)
			}
		}
	}
	r := p.a.tryGet(t, relayURI, p.content, func(*os.Process) func() { return half.watch() }, "--deadline", relayDeadline.String())
	if r.ok && half.at != nil {
		t.Errorf("%s: get was done before it happened", d.name)
	}
	return r
}
