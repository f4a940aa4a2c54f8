// Package ccninfo asks for the path to a name and for what its caches hold, by CCNinfo
// (RFC 9344, as cefnetd speaks it: sheet k): it makes a Request and reads the Reply to
// it. It has no I/O and no clock, and imports tlv only.
//
// A Request carries the name, the asking node and when it asked. Each node that passes
// it on adds a report to its header: its own name and when the Request arrived there.
// The node that holds the name, or that can go no further, turns the Request into a
// Reply with a code, which comes back the same way. A Reply without error tells the
// answering node and what it holds in a block of its own; one with an error ends its
// reports with that node.
package ccninfo

import (
	"errors"
	"fmt"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

// MaxSkip is the largest number of hops that a Request can pass over: it has four bits.
const MaxSkip = 15

// requestIDBits are set in each request ID, as in those of Cefore's ccninfo.
const requestIDBits = 0x8080

// Query is a Request.
type Query struct {
	Name tlv.Name
	Node tlv.Name // who asks
	// ID tells this Request from others; any number will do.
	ID       uint16
	HopLimit uint8
	// SkipHops are the nodes that pass it on without a report, at most [MaxSkip].
	SkipHops uint8
	// Flags are those of tlv, InfoFlagCache and so on.
	Flags uint8
	Sent  time.Time
}

// AppendTo appends the packet. Its errors are those of [tlv.Info.AppendTo].
func (q *Query) AppendTo(b []byte) ([]byte, error) {
	i := tlv.Info{
		Type: tlv.PacketInfoRequest, HopLimit: q.HopLimit, RequestID: q.id(), SkipHop: q.SkipHops, Flags: q.Flags,
		Name: q.Name, Request: tlv.InfoStamp{Arrival: Stamp(q.Sent), Node: q.Node},
	}
	return i.AppendTo(b)
}

func (q *Query) id() uint16 { return q.ID | requestIDBits }

// Reply is the answer to a [Query].
type Reply struct {
	Code  tlv.InfoCode // without InfoFatal
	Fatal bool         // with InfoFatal: the path leads in a circle
	// Hops are the nodes on the path, the answering one last. Those that were skipped
	// are missing.
	Hops     []Hop
	Contents []Content // of the answering node; only where they were asked for
	// Validated says that the Reply carries a proof that holds; what a signing key is
	// worth is the caller's question.
	Validated bool
}

// Hop is a node on the path.
type Hop struct {
	Node tlv.Name
	// Delay is what the Request took to it from the node before it, or from whoever
	// asked. The clocks of both nodes are in it, so it can be negative.
	Delay time.Duration
}

// Content is what a node has of the name.
type Content struct {
	Name      tlv.Name
	Publisher bool // of an application there, not of a cache
	// What the node does not know is absent.
	SizeKB, Objects, Interests, FirstChunk, LastChunk, ElapsedSec, RemainingSec tlv.Opt[uint32]
}

var (
	// ErrUnreadable: the Reply's message is cut or malformed.
	ErrUnreadable = errors.New("the reply cannot be read")
	// ErrProof: the Reply's proof does not hold.
	ErrProof = errors.New("the reply's validation does not hold")
)

// Read reads pkt if it is a Reply to q; ok is false where it is something else. Of a
// Reply whose message cannot be read, such as cefnetd's to a Request for validation,
// the error is [ErrUnreadable]; of one whose proof fails, [ErrProof].
func (q *Query) Read(pkt []byte) (r Reply, ok bool, err error) {
	var i tlv.Info
	if err := i.Decode(pkt); err != nil {
		if !q.answeredBy(pkt) {
			return Reply{}, false, nil
		}
		return Reply{}, true, fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	if i.Type != tlv.PacketInfoReply || i.RequestID != q.id() || !i.Name.Equal(q.Name) || !i.Request.Node.Equal(q.Node) {
		return Reply{}, false, nil
	}
	if err := i.Validation.Check(); err != nil {
		return Reply{}, true, fmt.Errorf("%w: %w", ErrProof, err)
	}
	r.Code, r.Fatal = i.Code&^tlv.InfoFatal, i.Code&tlv.InfoFatal != 0
	r.Validated = i.Validation.Proves()
	r.Hops = hops(&i)
	for _, b := range i.Blocks {
		r.Contents = append(r.Contents, content(b))
	}
	return r, true, nil
}

// answeredBy reports whether pkt, which does not decode, is a Reply by its type and its
// request ID, which stand before all that cefnetd cuts.
func (q *Query) answeredBy(pkt []byte) bool {
	const idAt = tlv.FixedHeaderLen + 4 // behind the head of the first hop-by-hop TLV
	id := q.id()
	return len(pkt) >= idAt+2 && tlv.PacketType(pkt[1]) == tlv.PacketInfoReply &&
		pkt[idAt-4] == 0 && pkt[idAt-3] == requestHeader && pkt[idAt] == byte(id>>8) && pkt[idAt+1] == byte(id)
}

// requestHeader is the type of the hop-by-hop TLV with the request ID.
const requestHeader = 8

// hops are the nodes with a stamp in i, with the time from one to the next.
func hops(i *tlv.Info) []Hop {
	stamps := i.Reports
	if i.Reply.OK {
		stamps = append(stamps, i.Reply.V)
	}
	var all []Hop
	before := i.Request.Arrival
	for _, s := range stamps {
		all = append(all, Hop{Node: s.Node.Clone(), Delay: Between(before, s.Arrival)})
		before = s.Arrival
	}
	return all
}

// publisherBlock is the type of a sub-block about a publisher's content; a cache's is 0.
const publisherBlock = 1

// unknownCounter stands for what a node does not know.
const unknownCounter = 1<<32 - 1

func content(b tlv.InfoBlock) Content {
	known := func(k int) tlv.Opt[uint32] {
		return tlv.Opt[uint32]{V: b.Counters[k], OK: b.Counters[k] != unknownCounter}
	}
	c := Content{
		Name: b.Name.Clone(), Publisher: b.Type == publisherBlock,
		SizeKB: known(0), Objects: known(1), Interests: known(2), FirstChunk: known(3), LastChunk: known(4), ElapsedSec: known(5), RemainingSec: known(6),
	}
	if b.Counters[5] == 0 && b.Counters[6] == 0 { // cefnetd's local cache does not say
		c.ElapsedSec.OK, c.RemainingSec.OK = false, false
	}
	return c
}
