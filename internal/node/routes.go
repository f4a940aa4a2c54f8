package node

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// Route is a next hop of a prefix.
type Route struct {
	Prefix tlv.Name
	// Via is udp://HOST[:PORT] or tcp://HOST[:PORT] with a numeric host, or face:ID.
	Via  string
	Cost int
	// Strategy of the prefix; "" leaves it.
	Strategy string
}

// RouteError says what is wrong with a route.
type RouteError struct {
	Prefix tlv.Name
	Via    string
	Err    error
}

func (e *RouteError) Error() string {
	return fmt.Sprintf("route for %s via %s: %v", e.Prefix, e.Via, e.Err)
}

func (e *RouteError) Unwrap() error { return e.Err }

// defaultRoute is ccnx:/.
var defaultRoute = func() tlv.Name {
	n, err := tlv.NewName(nil)
	if err != nil {
		panic("node: bug: " + err.Error())
	}
	return n
}()

// routeTable knows which routes the configuration made, so that reading it anew can
// take back what it no longer has and leave alone what came by the control socket.
type routeTable struct{ configured map[routeKey]Route }

type routeKey struct {
	prefix string
	via    via
}

func newRouteTable() routeTable { return routeTable{make(map[routeKey]Route)} }

func (r Route) key(v via) routeKey { return routeKey{string(r.Prefix.WithoutChunk().Bytes()), v} }

// SetRoutes makes the configuration's routes these. Those of an earlier call that are
// not among them go; those added by the control socket stay. Where one makes no sense
// it fails with a *RouteError and changes nothing.
func (n *Node) SetRoutes(routes []Route) error {
	var failed error
	err := n.ask(func(c *core) { failed = c.setRoutes(routes) })
	if failed != nil {
		return failed
	}
	return err
}

func (c *core) setRoutes(routes []Route) error {
	wanted := make(map[routeKey]Route, len(routes))
	faces := make([]forward.FaceID, 0, len(routes))
	touched := make(map[forward.FaceID]bool)
	defer func() {
		for id := range touched {
			c.tidyFace(id)
		}
	}()
	for _, r := range routes {
		v, id, err := c.nextHop(r)
		if err != nil {
			return err
		}
		wanted[r.key(v)], touched[id] = r, true
		faces = append(faces, id)
	}
	for key, r := range c.routes.configured {
		if _, stays := wanted[key]; stays {
			continue
		}
		for _, id := range c.facesOf(key.via) {
			c.f.DelRoute(r.Prefix, id)
			touched[id] = true
		}
	}
	if err := c.addRoutes(routes, faces); err != nil {
		for _, r := range c.routes.configured {
			_ = c.makeRoutes([]Route{r}) // there was room for it
		}
		return err
	}
	c.routes.configured = wanted
	return nil
}

// addRoutes makes next hops by those faces; all of them, or none.
func (c *core) addRoutes(routes []Route, faces []forward.FaceID) error {
	var made []int
	for i, r := range routes {
		if !slices.Contains(c.f.NextHops(r.Prefix), faces[i]) {
			made = append(made, i)
		}
		if err := c.f.AddRoute(r.Prefix, faces[i], r.Cost); err != nil {
			for _, k := range made {
				c.f.DelRoute(routes[k].Prefix, faces[k])
			}
			return &RouteError{r.Prefix, r.Via, err}
		}
	}
	for _, r := range routes {
		if r.Strategy != "" {
			s, _ := forward.ParseStrategy(r.Strategy)
			c.f.SetStrategy(r.Prefix, s)
		}
	}
	return nil
}

// via is a next hop as it is written.
type via struct {
	network string // "udp", "tcp" or "face"
	addr    netip.AddrPort
	id      forward.FaceID
}

func parseVia(s string) (v via, err error) {
	if id, ok := strings.CutPrefix(s, "face:"); ok {
		n, err := strconv.ParseUint(id, 10, 64)
		return via{network: "face", id: forward.FaceID(n)}, err
	}
	a, err := transport.ParseAddress(s)
	if err != nil || a.Network == "unix" {
		return v, fmt.Errorf("%q is no next hop: want udp://HOST[:PORT] or tcp://HOST[:PORT]", s)
	}
	v.network = a.Network
	if v.addr, err = netip.ParseAddrPort(a.Addr); err != nil {
		return v, fmt.Errorf("%q: the host must be an address", s)
	}
	host, err := zoned(v.addr.Addr().Unmap())
	if err != nil {
		return via{}, fmt.Errorf("%q: %w", s, err)
	}
	v.addr = netip.AddrPortFrom(host, v.addr.Port())
	return v, nil
}

// zoned is a with its zone as the system gives it of who sends from there: where it is
// link-local, its interface's name, else none.
func zoned(a netip.Addr) (netip.Addr, error) {
	zone := a.Zone()
	if zone == "" || !a.IsLinkLocalUnicast() {
		return a.WithZone(""), nil
	}
	ifi, err := net.InterfaceByName(zone)
	if index, nerr := strconv.Atoi(zone); err != nil && nerr == nil {
		ifi, err = net.InterfaceByIndex(index)
	}
	if err != nil {
		return a, fmt.Errorf("no interface %q: %w", zone, err)
	}
	return a.WithZone(ifi.Name), nil
}

// maxCost is the highest cost of a route; a multicast group's is above it.
const maxCost = groupCost - 1

func (r Route) check() (via, error) {
	v, err := parseVia(r.Via)
	if err == nil && (r.Cost < 0 || r.Cost > maxCost) {
		err = fmt.Errorf("a cost is 0 to %d", maxCost)
	}
	if err == nil && r.Strategy != "" {
		_, err = forward.ParseStrategy(r.Strategy)
	}
	return v, err
}

// nextHop is the face of a route, which is made where there is none.
func (c *core) nextHop(r Route) (v via, id forward.FaceID, err error) {
	if v, err = r.check(); err == nil {
		id, err = c.faceFor(v)
	}
	if err != nil {
		return v, 0, &RouteError{r.Prefix, r.Via, err}
	}
	return v, id, nil
}

// makeRoutes makes next hops, or changes their costs; all of them, or none.
func (c *core) makeRoutes(routes []Route) error {
	faces := make([]forward.FaceID, 0, len(routes))
	defer func() {
		for _, id := range faces {
			c.tidyFace(id)
		}
	}()
	for _, r := range routes {
		_, id, err := c.nextHop(r)
		if err != nil {
			return err
		}
		faces = append(faces, id)
	}
	return c.addRoutes(routes, faces)
}

// delRoute ends a next hop, or, without via, all of a prefix, and reports whether
// there were any. Multicast groups stay.
func (c *core) delRoute(prefix tlv.Name, text string) (had bool, err error) {
	ids := c.f.NextHops(prefix)
	if text != "" {
		v, err := parseVia(text)
		if err != nil {
			return false, &RouteError{prefix, text, err}
		}
		ids = c.facesOf(v)
	}
	for _, id := range ids {
		if !c.isGroup(id) {
			had = c.f.DelRoute(prefix, id) || had
			c.tidyFace(id)
		}
	}
	return had, nil
}

// facesOf are the faces of a next hop, as far as there are any.
func (c *core) facesOf(v via) (ids []forward.FaceID) {
	switch v.network {
	case "udp":
		for _, p := range slices.Concat(c.n.net.ports, c.n.net.outs()) {
			if u := c.peers.byKey[peerKey{p, v.addr}]; u != nil {
				ids = append(ids, u.id)
			}
		}
	case "tcp":
		if l := c.links[v.addr.String()]; l != nil {
			ids = append(ids, l.id)
		}
	default:
		ids = append(ids, v.id)
	}
	return ids
}

// faceFor is the face of a next hop, which is made where there is none.
func (c *core) faceFor(v via) (forward.FaceID, error) {
	if v.network != "face" {
		switch {
		case v.addr.Addr().IsUnspecified() || v.addr.Addr().IsMulticast():
			return 0, fmt.Errorf("%s is no neighbour's address", v.addr)
		case c.peers.own.has(v.network, v.addr, c.n.net, time.Now()):
			return 0, fmt.Errorf("%s is this node itself", v.addr)
		}
	}
	switch v.network {
	case "tcp":
		return c.link(transport.Address{Network: "tcp", Addr: v.addr.String()}).id, nil
	case "udp":
		p, err := c.portFor(v.addr.Addr())
		if err != nil {
			return 0, err
		}
		return c.peers.static(peerKey{p, v.addr}).id, nil
	}
	if c.isGroup(v.id) {
		return 0, fmt.Errorf("face %d is a multicast group: it is the way for what has no other", v.id)
	}
	return v.id, nil
}

// tidyFace lets go of a next hop's face where no route leads to it.
func (c *core) tidyFace(id forward.FaceID) {
	if c.f.Routed(id) {
		return
	}
	if u := c.peers.byID[id]; u != nil {
		c.peers.release(u)
	}
	for _, l := range c.links {
		if l.id == id {
			c.unlink(l)
			return
		}
	}
}
