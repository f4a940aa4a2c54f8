package node

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"os"
	"strings"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// Verbs of Cefore's control protocol (sheet j).
const (
	verbStatus = tlv.ControlText + "STATUS"
	verbPIT    = tlv.ControlText + "STATUSPIT"
	verbRoute  = tlv.ControlText + "ROUTE"
	verbStop   = tlv.ControlText + "STOP"
)

// onText takes a text that a face sent between packets and reports whether the
// face stays: only the closing text, or a first part of it, ends it.
func (c *core) onText(s *streamFace, text []byte) bool {
	t := string(text)
	switch {
	case strings.HasPrefix(tlv.CloseText, t):
		return false
	case strings.HasPrefix(t, control.NodeVerb):
		s.reply(c.request(s, text[len(control.NodeVerb):]))
	case strings.HasPrefix(t, verbStatus) && len(s.text) > 0: // it would get no answer
	case strings.HasPrefix(t, verbPIT): // cefnetd answers with a file, not a text
	case strings.HasPrefix(t, verbStatus):
		s.reply(c.statusText())
	case strings.HasPrefix(t, verbRoute):
		answer := c.ceforeRoute(s, text[len(verbRoute):])
		s.reply(func() []byte { return []byte(answer) })
	case strings.HasPrefix(t, verbStop):
		if c.n.o.OnStop != nil && mayControl(s) {
			c.n.o.OnStop()
		}
	default:
		c.badTexts++
	}
	return true
}

// mayControl reports whether the process behind an application's connection may change
// routes and stop the node: its user is the node's own, or root. (cefnetd believes
// what the message says, sheet j.) A connection within the process is its own user's.
func mayControl(s *streamFace) bool {
	if _, ours := s.conn.(memoryConn); ours {
		return true
	}
	uid, ok := transport.PeerUID(s.conn)
	return ok && (uid == 0 || uid == os.Geteuid())
}

// request carries out a request of cefgo's own and returns the reply, to be made into
// text outside the loop.
func (c *core) request(s *streamFace, text []byte) func() []byte {
	var q control.NodeRequest
	var r control.NodeReply
	if err := json.Unmarshal(text, &q); err != nil {
		r.Error, r.Code = "not a request: "+err.Error(), control.CodeBadRequest
	} else {
		r = c.carryOut(s, &q)
	}
	return func() []byte {
		b, err := json.Marshal(r)
		if err != nil {
			panic("node: bug: a reply that is no JSON: " + err.Error())
		}
		return append(b, '\n')
	}
}

// What a status lists at most, whatever it is asked for: it is gathered while nothing is
// forwarded.
const (
	maxStatusPIT  = 10_000
	maxStatusApps = 10_000
	maxStatusFIB  = 100_000
)

func (c *core) carryOut(s *streamFace, q *control.NodeRequest) (r control.NodeReply) {
	if q.Op == control.OpStatus {
		if len(s.text) > 0 {
			return r // it would get no answer
		}
		st := c.status(forward.StatusLimits{Pending: min(q.PIT, maxStatusPIT), Apps: maxStatusApps, Routes: min(q.FIB, maxStatusFIB)})
		return control.NodeReply{Status: &st}
	}
	if !mayControl(s) {
		return control.NodeReply{Error: "permission denied", Code: control.CodeDenied}
	}
	prefix, err := tlv.ParseName(q.Prefix, tlv.PercentLiteral)
	switch q.Op {
	case control.OpRouteAdd:
		var routes []Route
		for _, v := range q.Via {
			routes = append(routes, Route{prefix, v, q.Cost, q.Strategy})
		}
		if err == nil && len(routes) == 0 {
			err = errors.New("no next hop")
		}
		if err == nil {
			err = c.makeRoutes(routes)
			r.Changed = err == nil
		}
	case control.OpRouteDel:
		via := q.Via
		if len(via) == 0 {
			via = []string{""}
		}
		for _, v := range via {
			if err == nil {
				var had bool
				had, err = c.delRoute(prefix, v)
				r.Changed = had || r.Changed
			}
		}
	case control.OpStrategy:
		if err == nil {
			r.Changed, err = c.setStrategy(prefix, q.Strategy)
		}
	default:
		err = errors.New("unknown operation " + q.Op)
	}
	if err != nil {
		r.Error, r.Code = err.Error(), codeOf(err)
	}
	return r
}

// codeOf tells what was wrong with the request from what went wrong in carrying it out.
func codeOf(err error) string {
	var system *net.OpError
	if errors.Is(err, forward.ErrFIBFull) || errors.As(err, &system) {
		return "" // another time it might have been carried out
	}
	return control.CodeBadRequest
}

func (c *core) setStrategy(prefix tlv.Name, word string) (bool, error) {
	st := c.n.o.Forward.Strategy
	if word != "" {
		var err error
		if st, err = forward.ParseStrategy(word); err != nil {
			return false, err
		}
	}
	return c.f.SetStrategy(prefix, st), nil
}

// Replies to cefroute.
const (
	routeDone   = "done. (cefroute)\n"
	routeFailed = "failed. (cefroute)\n"
	routeDenied = "Permission denied (cefroute)\n"
)

// ceforeRoute carries out cefroute's message (sheet j).
func (c *core) ceforeRoute(s *streamFace, msg []byte) string {
	m, ok := parseRoute(msg)
	switch {
	case !mayControl(s):
		return routeDenied
	case !ok:
		return routeFailed
	}
	prefix, err := tlv.ParseName(m.uri, tlv.PercentLiteral)
	if err != nil {
		return routeDone // cefnetd says so too
	}
	var routes []Route
	for _, host := range m.hosts {
		via := m.network + "://" + host
		if m.add {
			routes = append(routes, Route{Prefix: prefix.WithoutChunk(), Via: via, Cost: m.cost})
		} else if _, err := c.delRoute(prefix.WithoutChunk(), via); err != nil {
			return routeFailed
		}
	}
	if c.makeRoutes(routes) != nil {
		return routeFailed
	}
	return routeDone
}

// routeMessage is what cefroute sends. Its integers are in the host's byte order.
type routeMessage struct {
	add     bool
	network string
	uri     string
	cost    int
	hosts   []string
}

// Parts of a routeMessage, in bytes and by value.
const (
	routeUserLen = 256
	routeAdd     = 1
	routeDel     = 2
	routeTCP     = 1
	routeUDP     = 2
	costWord     = "rtcost="
	keyIDWord    = "keyid=0x"
	keyIDLen     = 32
)

func parseRoute(b []byte) (m routeMessage, ok bool) {
	if len(b) < routeUserLen+4 {
		return m, false
	}
	b = b[routeUserLen:]
	if m.add = b[0] == routeAdd; !m.add && b[0] != routeDel {
		return m, false
	}
	switch b[1] {
	case routeTCP:
		m.network = "tcp"
	case routeUDP:
		m.network = "udp"
	default:
		return m, false
	}
	n := int(binary.NativeEndian.Uint16(b[2:]))
	if b = b[4:]; n > len(b) {
		return m, false
	}
	m.uri, b = string(b[:n]), b[n:]
	if rest, has := bytes.CutPrefix(b, []byte(costWord)); has {
		if len(rest) < 4 {
			return m, false
		}
		m.cost, b = int(int32(binary.NativeEndian.Uint32(rest))), rest[4:]
	}
	if rest, has := bytes.CutPrefix(b, []byte(keyIDWord)); has {
		if len(rest) < keyIDLen {
			return m, false
		}
		b = rest[keyIDLen:]
	}
	for len(b) > 0 {
		n := int(b[0])
		if n == 0 || n > len(b)-1 {
			return m, false
		}
		m.hosts = append(m.hosts, string(b[1:1+n]))
		b = b[1+n:]
	}
	return m, len(m.hosts) > 0
}
