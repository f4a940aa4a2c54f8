package node

import (
	"strings"
	"testing"

	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
)

// TestNodeName: two nodes of one host have two names, unless they are given any.
func TestNodeName(t *testing.T) {
	one, two := start(t, Options{Port: 9731}), start(t, Options{Port: 9732})
	given := start(t, Options{Port: 9733, Forward: forward.Options{NodeName: mustName(t, "ccnx:/r/1")}})
	var names []string
	for _, n := range []*Node{one, two, given} {
		s, err := n.Status(forward.StatusLimits{})
		must(t, err)
		names = append(names, s.NodeName)
		if _, err := tlv.ParseName(s.NodeName, tlv.PercentLiteral); err != nil {
			t.Errorf("node name %s: %v", s.NodeName, err)
		}
	}
	if names[0] == names[1] || !strings.HasSuffix(names[0], "/9731") || names[2] != "ccnx:/r/1" {
		t.Errorf("names %v", names)
	}
}

// TestGroupIsNoNextHop: a group is the way for what has no other, and not to be moved.
func TestGroupIsNoNextHop(t *testing.T) {
	c := newCore(&Node{net: new(network)})
	c.groups = append(c.groups, &groupFace{udpFace: udpFace{id: 7}})
	err := c.makeRoutes([]Route{{Prefix: mustName(t, "ccnx:/a"), Via: "face:7"}})
	if err == nil || !strings.Contains(err.Error(), "multicast group") {
		t.Errorf("a route by a group's face: %v", err)
	}
}

// TestStatusNobodyReads: what is not read is not made.
func TestStatusNobodyReads(t *testing.T) {
	c := newCore(&Node{net: new(network)})
	s := c.newStreamFace(memoryConn{}, 1)
	for _, text := range []string{"/CTRLSTATUS", `/CTRLCEFGO{"op":"status"}`} {
		c.onText(s, []byte("/CTRLSTATUS"))
		n := testing.AllocsPerRun(10, func() { c.onText(s, []byte(text)) })
		<-s.text
		c.onText(s, []byte(text))
		if got := len(s.text); got != 1 {
			t.Errorf("%s: %d answers", text, got)
		}
		made := testing.AllocsPerRun(10, func() { <-s.text; c.onText(s, []byte(text)) })
		<-s.text
		if n >= made {
			t.Errorf("%s: %v allocations while nobody reads, %v when one does", text, n, made)
		}
	}
}
