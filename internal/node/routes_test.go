package node

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
)

// Vias at which nobody is.
const (
	via1 = "udp://127.0.0.1:1"
	via2 = "udp://127.0.0.1:2"
	via3 = "udp://[::1]:3"
	via4 = "tcp://127.0.0.1:4"
)

func (n *Node) hasRoutes(t testing.TB, what string, want ...string) {
	t.Helper()
	got := slices.Sorted(strings.Lines(n.routes(t)))
	for i := range got {
		got[i] = strings.TrimSuffix(got[i], "\n")
	}
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Errorf("%s: routes\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// neighbours are the addresses of the faces that have one.
func (n *Node) neighbours(t testing.TB) string {
	t.Helper()
	s := n.status(t)
	var all []string
	for _, f := range others(&s) {
		all = append(all, f.Addr)
	}
	return strings.Join(all, " ")
}

// TestSetRoutes: the configuration's routes are those of the last call; others stay.
func TestSetRoutes(t *testing.T) {
	n := start(t, Options{Routes: []Route{route(t, "ccnx:/a", via1), {mustName(t, "ccnx:/b"), via2, 3, "all"}}})
	n.hasRoutes(t, "at the start", "ccnx:/a best "+via1+"=0", "ccnx:/b all "+via2+"=3")
	must(t, n.ask(func(c *core) { must(t, c.makeRoutes([]Route{route(t, "ccnx:/c", via3)})) }))
	must(t, n.SetRoutes([]Route{{mustName(t, "ccnx:/a"), via1, 7, ""}, route(t, "ccnx:/a", via2), route(t, "ccnx:/d", via4)}))
	n.hasRoutes(t, "anew", "ccnx:/a best "+via1+"=7 "+via2+"=0", "ccnx:/c best "+via3+"=0", "ccnx:/d best "+via4+"=0")
	if s := n.status(t); s.RouteNum != 3 {
		t.Errorf("%d routes", s.RouteNum)
	}
	// A link of which a route stays is not made anew.
	id := uint64(0)
	face := func() uint64 {
		for _, f := range n.status(t).Faces {
			if f.Addr == via4 {
				return f.ID
			}
		}
		return 0
	}
	id = face()
	must(t, n.SetRoutes([]Route{route(t, "ccnx:/e", via4)}))
	n.hasRoutes(t, "another prefix", "ccnx:/c best "+via3+"=0", "ccnx:/e best "+via4+"=0")
	if got := face(); got != id {
		t.Errorf("face %d, was %d: the link was made anew for another prefix", got, id)
	}
	must(t, n.SetRoutes(nil))
	n.hasRoutes(t, "none", "ccnx:/c best "+via3+"=0")
	if got, want := n.neighbours(t), via1+" "+via2+" "+via3; got != want {
		t.Errorf("faces of %s, want %s: UDP peers go when they are idle, links at once", got, want)
	}
	n.Close()
	if err := n.SetRoutes(nil); err == nil {
		t.Error("a closed node takes routes")
	}
}

// TestRouteToTheSamePort: at the number of the node's own UDP port another may listen
// by TCP, and the other way round.
func TestRouteToTheSamePort(t *testing.T) {
	for network, other := range map[string]string{"udp": "tcp", "tcp": "udp"} {
		n := startNear(t, Options{Listen: []Listen{{Addr: netip.AddrPortFrom(loopbacks[0], 0), UDP: network == "udp", TCP: network == "tcp"}}})
		own := n.url(t, network)
		if err := n.SetRoutes([]Route{route(t, "ccnx:/x", own)}); err == nil || !strings.Contains(err.Error(), "itself") {
			t.Errorf("%s: %v", own, err)
		}
		via := strings.Replace(own, network, other, 1)
		must(t, n.SetRoutes([]Route{route(t, "ccnx:/x", via)}))
		n.hasRoutes(t, via, "ccnx:/x best "+via+"=0")
	}
}

// TestSetBadRoutes: each is refused with its reason, and nothing changes: neither what
// stands before it nor what it replaces.
func TestSetBadRoutes(t *testing.T) {
	n := startNear(t, Options{Forward: forward.Options{FIBSize: 3}})
	old := []Route{{mustName(t, "ccnx:/a"), via1, 5, "all"}, route(t, "ccnx:/b", via4)}
	must(t, n.SetRoutes(old))
	good := []Route{route(t, "ccnx:/new", via2), {mustName(t, "ccnx:/a"), via1, 6, "best"}}
	for name, tt := range map[string]struct {
		bad  Route
		says string
	}{
		"no URL":          {route(t, "ccnx:/x", "here"), "no next hop"},
		"empty":           {route(t, "ccnx:/x", ""), "no next hop"},
		"unix":            {route(t, "ccnx:/x", "unix:/s"), "no next hop"},
		"host name":       {route(t, "ccnx:/x", "udp://host.example"), "must be an address"},
		"no port":         {route(t, "ccnx:/x", "udp://127.0.0.1:0"), "no next hop"},
		"no such port":    {route(t, "ccnx:/x", "udp://127.0.0.1:65536"), "no next hop"},
		"negative cost":   {Route{mustName(t, "ccnx:/x"), via2, -1, ""}, "a cost is 0 to"},
		"a group's cost":  {Route{mustName(t, "ccnx:/x"), via2, groupCost, ""}, "a cost is 0 to"},
		"strategy":        {Route{mustName(t, "ccnx:/x"), via2, 0, "worst"}, "no strategy"},
		"itself, udp":     {route(t, "ccnx:/x", n.url(t, "udp")), "itself"},
		"itself, tcp":     {route(t, "ccnx:/x", n.url(t, "tcp")), "itself"},
		"itself, mapped":  {route(t, "ccnx:/x", strings.Replace(n.url(t, "udp"), "127.0.0.1", "[::ffff:127.0.0.1]", 1)), "itself"},
		"unspecified udp": {route(t, "ccnx:/x", "udp://0.0.0.0:9"), "no neighbour's address"},
		"unspecified tcp": {route(t, "ccnx:/x", "tcp://0.0.0.0:9"), "no neighbour's address"},
		"unspecified v6":  {route(t, "ccnx:/x", "tcp://[::]:9"), "no neighbour's address"},
		"a group":         {route(t, "ccnx:/x", "udp://224.0.23.170"), "no neighbour's address"},
		"a group, tcp":    {route(t, "ccnx:/x", "tcp://[ff02::1]"), "no neighbour's address"},
		"no interface":    {route(t, "ccnx:/x", "udp://[fe80::1%nosuch0]"), "no interface"},
		"no face":         {route(t, "ccnx:/x", "face:999"), "no face 999"},
		"no face's name":  {route(t, "ccnx:/x", "face:one"), "invalid syntax"},
		"no face at all":  {route(t, "ccnx:/x", "face:"), "invalid syntax"},
	} {
		err := n.SetRoutes(append(good[:2:2], tt.bad))
		var bad *RouteError
		if !errors.As(err, &bad) || bad.Via != tt.bad.Via || !bad.Prefix.Equal(tt.bad.Prefix) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want a *RouteError for %s that says %q", name, err, tt.bad.Via, tt.says)
		}
		n.hasRoutes(t, name, "ccnx:/a all "+via1+"=5", "ccnx:/b best "+via4+"=0")
	}
	// A table that is too small.
	err := n.SetRoutes(append(good[:2:2], old[1], route(t, "ccnx:/y", via1), route(t, "ccnx:/z", via1)))
	if !errors.Is(err, forward.ErrFIBFull) {
		t.Errorf("%v, want %v", err, forward.ErrFIBFull)
	}
	n.hasRoutes(t, "full", "ccnx:/a all "+via1+"=5", "ccnx:/b best "+via4+"=0")
	must(t, n.SetRoutes([]Route{route(t, "ccnx:/1", via1), route(t, "ccnx:/2", via1), route(t, "ccnx:/3", via1)}))
	n.hasRoutes(t, "all others", "ccnx:/1 best "+via1+"=0", "ccnx:/2 best "+via1+"=0", "ccnx:/3 best "+via1+"=0")

	for _, r := range []Route{route(t, "ccnx:/x", "here"), route(t, "ccnx:/x", n.url(t, "udp"))} {
		var bad *RouteError
		if n, err := Start(Options{Socket: socketPath(t), Listen: []Listen{{Addr: n.port(t, "udp"), UDP: true, Optional: true}}, Routes: []Route{r}}); r.Via == "here" {
			if !errors.As(err, &bad) {
				t.Errorf("Start: %v, want a *RouteError", err)
			}
		} else if err != nil {
			t.Errorf("Start with what is another's address: %v", err)
		} else {
			n.Close()
		}
	}
}

// TestRouteForms: one next hop, however it is written.
func TestRouteForms(t *testing.T) {
	n := start(t, Options{})
	for _, via := range []string{"udp://127.0.0.1", "udp://127.0.0.1:9695", "udp://[::ffff:127.0.0.1]:9695"} {
		must(t, n.SetRoutes([]Route{{mustName(t, "ccnx:/a"), via, 4, ""}}))
		n.hasRoutes(t, via, "ccnx:/a best udp://127.0.0.1:9695=4")
	}
	must(t, n.SetRoutes([]Route{{mustName(t, "ccnx:/a"), "udp://127.0.0.1", 4, ""}, {mustName(t, "ccnx:/a"), "udp://127.0.0.1:9695", 5, ""}}))
	must(t, n.SetRoutes([]Route{{mustName(t, "ccnx:/a"), "udp://127.0.0.1", 4, ""}}))
	n.hasRoutes(t, "one of two forms goes", "ccnx:/a best udp://127.0.0.1:9695=4")
	must(t, n.SetRoutes([]Route{route(t, "ccnx:/a/Chunk=3", via1)}))
	n.hasRoutes(t, "a chunk is no prefix", "ccnx:/a best "+via1+"=0")
	must(t, n.SetRoutes(nil))
	n.hasRoutes(t, "none")
}

// TestStrategies: a route's next hops are asked as its strategy says.
func TestStrategies(t *testing.T) {
	var far []*Node
	var has []*peer
	for range 2 {
		b := startNear(t, Options{})
		far, has = append(far, b), append(has, dial(t, b).registers("ccnx:/s"))
	}
	a := start(t, Options{})
	set := func(strategy string, costs ...int) {
		var routes []Route
		for i, b := range far {
			routes = append(routes, Route{mustName(t, "ccnx:/s"), b.url(t, "udp"), costs[i], strategy})
		}
		must(t, a.SetRoutes(routes))
	}
	asks := dial(t, a)
	uri := 0
	next := func(who ...int) {
		t.Helper()
		uri++
		name := fmt.Sprintf("ccnx:/s/%d", uri)
		asks.sends(interest(t, name))
		for _, w := range who {
			has[w].gets(interest(t, name))
		}
		has[who[0]].sends(data(t, name))
		asks.gets(data(t, name))
		for _, w := range who[1:] {
			has[w].sends(data(t, name))
			has[w].settled()
		}
	}
	set("best", 1, 2)
	next(0)
	next(0)
	set("best", 2, 1)
	next(1)
	set("all", 2, 1)
	next(0, 1)
	set("round-robin", 1, 1)
	uri++
	first := fmt.Sprintf("ccnx:/s/%d", uri)
	asks.sends(interest(t, first))
	turn := 0
	select {
	case <-has[0].in:
	case <-has[1].in:
		turn = 1
	}
	has[turn].sends(data(t, first))
	asks.gets(data(t, first))
	next(1 - turn)
	next(turn)
}

// TestRouteByFace: to an application, or a neighbour that spoke first.
func TestRouteByFace(t *testing.T) {
	n := holding(t, "ccnx:/x", Options{})
	has := stranger(t, n, "udp").answered("ccnx:/x")
	id := theOther(t, n.status(t)).ID
	via := fmt.Sprintf("face:%d", id)
	must(t, n.ask(func(c *core) { must(t, c.makeRoutes([]Route{route(t, "ccnx:/f", via)})) }))
	asks := dial(t, n)
	exchange(t, asks, has, "ccnx:/f/1")
	must(t, n.ask(func(c *core) {
		if had, err := c.delRoute(mustName(t, "ccnx:/f"), via); !had || err != nil {
			t.Errorf("deleting: %v, %v", had, err)
		}
		if had, err := c.delRoute(mustName(t, "ccnx:/f"), via); had || err != nil {
			t.Errorf("deleting again: %v, %v", had, err)
		}
	}))
	asks.refused("ccnx:/f/2", tlv.ReturnNoRoute)
}

// TestDelRoute: one next hop, or without via all of a prefix; and none that is not there.
func TestDelRoute(t *testing.T) {
	n := start(t, Options{Routes: []Route{
		route(t, "ccnx:/a", via1), route(t, "ccnx:/a", via3), route(t, "ccnx:/a", via4), route(t, "ccnx:/b", via1), route(t, "ccnx:/b", via4),
	}})
	del := func(prefix, via string, want bool) {
		t.Helper()
		must(t, n.ask(func(c *core) {
			if had, err := c.delRoute(mustName(t, prefix), via); had != want || err != nil {
				t.Errorf("deleting %s via %s: %v, %v", prefix, via, had, err)
			}
		}))
	}
	for _, via := range []string{via2, "tcp://127.0.0.1:1", "udp://127.0.0.1:4", "face:99"} {
		del("ccnx:/a", via, false)
	}
	del("ccnx:/none", "", false)
	del("ccnx:/none", via1, false)
	must(t, n.ask(func(c *core) {
		var bad *RouteError
		if _, err := c.delRoute(mustName(t, "ccnx:/a"), "nonsense"); !errors.As(err, &bad) {
			t.Errorf("deleting nonsense: %v", err)
		}
	}))
	del("ccnx:/a", via3, true)
	n.hasRoutes(t, "one less", "ccnx:/a best "+via1+"=0 "+via4+"=0", "ccnx:/b best "+via1+"=0 "+via4+"=0")
	del("ccnx:/a", "", true)
	n.hasRoutes(t, "a prefix less", "ccnx:/b best "+via1+"=0 "+via4+"=0")
	static := func() (text string) {
		for _, f := range n.status(t).Faces {
			if f.Static {
				text += f.Addr + " "
			}
		}
		return text
	}
	if got := static(); got != via1+" "+via4+" " {
		t.Errorf("static faces %s", got)
	}
	del("ccnx:/b", via4, true)
	del("ccnx:/b", via1, true)
	if got := static(); got != "" {
		t.Errorf("static faces %s", got)
	}
	n.hasRoutes(t, "none")
}

func FuzzVia(f *testing.F) {
	for _, s := range []string{via1, via2, via3, via4, "udp://127.0.0.1", "tcp://::1", "face:7", "unix:/s", "udp://[fe80::1%lo]:9", "udp://[::ffff:1.2.3.4]:5", "face:-1", "udp://:1", "udp://fe80::aaaa%00]", "udp://[fe80::1%1]", "udp://[fd00::1%\n]:9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := parseVia(s)
		if err != nil {
			return
		}
		text := fmt.Sprintf("%s://%v", v.network, v.addr)
		switch v.network {
		case "face":
			text = fmt.Sprintf("face:%d", v.id)
		case "udp", "tcp":
			if !v.addr.IsValid() || v.addr.Port() == 0 || v.addr.Addr().Is4In6() {
				t.Errorf("%q is %v", s, v)
			}
		default:
			t.Errorf("%q is of network %q", s, v.network)
		}
		if again, err := parseVia(text); again != v || err != nil {
			t.Errorf("%q is %v, %q is %v, %v", s, v, text, again, err)
		}
	})
}
