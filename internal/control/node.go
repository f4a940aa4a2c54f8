package control

import "github.com/cefgo/cefgo/internal/tlv"

// NodeVerb begins a request to a forwarder of cefgo: the verb, then one [NodeRequest]
// as JSON, in one write. The answer is one [NodeReply] as JSON and a line feed. cefnetd
// does not know the verb and says nothing.
const NodeVerb = tlv.ControlText + "CEFGO"

// Operations of a [NodeRequest].
const (
	OpStatus   = "status"
	OpRouteAdd = "route-add" // makes the route, or changes its cost
	OpRouteDel = "route-del" // without Via: all next hops of the prefix
	OpStrategy = "strategy"  // sets a prefix's strategy; "" takes it back
)

// NodeRequest is what a forwarder of cefgo is asked. Routes are changed for its own
// user and root only.
type NodeRequest struct {
	Op string `json:"op"`
	// PIT and FIB are how many pending Interests and routes a status lists at most.
	PIT int `json:"pit,omitempty"`
	FIB int `json:"fib,omitempty"`
	// Prefix is a URI by Cefore's rules; ccnx:/ is the default route.
	Prefix string `json:"prefix,omitempty"`
	// Via are next hops: udp://HOST[:PORT], tcp://HOST[:PORT] with a numeric host,
	// or face:ID.
	Via      []string `json:"via,omitempty"`
	Cost     int      `json:"cost,omitempty"`
	Strategy string   `json:"strategy,omitempty"`
}

// Codes of a [NodeReply].
const (
	CodeDenied     = "denied"      // for another user only
	CodeBadRequest = "bad-request" // an operation, prefix, next hop or strategy that is none
)

// NodeReply is the answer. Error is empty where the request was carried out; Changed
// says whether there was anything to do: of a strategy, whether there is such a route.
type NodeReply struct {
	Error string `json:"error,omitempty"`
	// Code tells of some errors what kind they are, for exit codes.
	Code    string      `json:"code,omitempty"`
	Changed bool        `json:"changed,omitempty"`
	Status  *NodeStatus `json:"status,omitempty"`
}

// NodeStatus is what a forwarder of cefgo says of itself. Counters run from its start.
type NodeStatus struct {
	Version   string `json:"version"`
	PID       int    `json:"pid"`
	UptimeMS  int64  `json:"uptime_ms"`
	NodeName  string `json:"node_name"`
	Socket    string `json:"socket"`
	Port      int    `json:"port"`
	Listening []Addr `json:"listening,omitempty"`

	Sockets []Socket `json:"sockets,omitempty"`

	Faces    []Face  `json:"faces"`
	Apps     []App   `json:"apps"`      // what applications are registered for, by name; perhaps not all
	AppNum   int     `json:"app_count"` // their prefixes
	Routes   []Route `json:"routes"`    // at most as many as asked for, by name
	RouteNum int     `json:"route_count"`
	PIT      PIT     `json:"pit"`
	Store    Store   `json:"store"`
	Packets  Packets `json:"packets"`
	Drops    Drops   `json:"drops"`
	// Garbage is bytes that came over sockets and were no packet's.
	Garbage uint64    `json:"garbage_bytes"`
	Pending []Pending `json:"pending,omitempty"` // at most as many as asked for, by name
}

// Addr is where a forwarder listens, such as udp://127.0.0.1:9695.
type Addr string

// Socket is a UDP socket and what did not go over it, or not in one piece.
type Socket struct {
	Addr       Addr   `json:"addr"`
	Refused    uint64 `json:"refused"` // by the system: no way there
	TooLarge   uint64 `json:"too_large"`
	Fragmented uint64 `json:"fragmented"` // sent, as IP fragments
	QueueDrops uint64 `json:"queue_drops"`
}

// CacheLine starts the line of cefgo's status text that tells what the content store
// holds and can hold; cefnetd has none like it.
const CacheLine = "Cache Size       : "

// Face is a connection or a peer.
type Face struct {
	ID   uint64 `json:"id"`
	Kind string `json:"kind"` // "app", "udp", "tcp" or "multicast"
	// Addr is the peer's, as a URL; absent for an application.
	Addr   string `json:"addr,omitempty"`
	Static bool   `json:"static,omitempty"` // a route's: it is kept, and dialled again
	Down   bool   `json:"down,omitempty"`
	Marked bool   `json:"marked,omitempty"` // carries cefgo's mark
	// IdleMS is how long nothing has come from it; absent where nothing ever has.
	IdleMS    *int64 `json:"idle_ms,omitempty"`
	RxPackets uint64 `json:"rx_packets"`
	TxPackets uint64 `json:"tx_packets"`
	RxBytes   uint64 `json:"rx_bytes"`
	TxBytes   uint64 `json:"tx_bytes"`
	// QueueDrops are packets that it did not read in time.
	QueueDrops uint64 `json:"queue_drops"`
	Pending    int    `json:"pending"` // Interests of this face
}

// App is a registration.
type App struct {
	Prefix string   `json:"prefix"`
	Exact  bool     `json:"exact,omitempty"`
	Faces  []uint64 `json:"faces"`
}

// Route is a prefix of the FIB.
type Route struct {
	Prefix   string    `json:"prefix"`
	Strategy string    `json:"strategy"`
	NextHops []NextHop `json:"next_hops"`
}

// NextHop is one way of a [Route].
type NextHop struct {
	Face uint64 `json:"face"`
	Addr string `json:"addr,omitempty"`
	Cost int    `json:"cost"`
	Down bool   `json:"down,omitempty"`
	// RTTMS is the smoothed round trip; absent before the first answer.
	RTTMS     float64 `json:"rtt_ms,omitempty"`
	Interests uint64  `json:"interests"`
	Answered  uint64  `json:"answered"`
}

// PIT is the table of pending Interests.
type PIT struct {
	Entries int    `json:"entries"`
	Size    int    `json:"size"`
	PerFace int    `json:"per_face"` // quota of one face, in entries
	Expired uint64 `json:"expired"`
}

// Store is the content store.
type Store struct {
	Objects  int    `json:"objects"`
	Bytes    int    `json:"bytes"`
	Capacity int    `json:"capacity_bytes"`
	Policy   string `json:"policy"`
	Hits     uint64 `json:"hits"`
	Misses   uint64 `json:"misses"`
	Evicted  uint64 `json:"evicted"`
}

// Packets counts what was received and sent.
type Packets struct {
	RxInterests uint64 `json:"rx_interests"`
	TxInterests uint64 `json:"tx_interests"`
	RxSymbolic  uint64 `json:"rx_symbolic"`
	RxData      uint64 `json:"rx_data"`
	TxData      uint64 `json:"tx_data"`
	RxReturns   uint64 `json:"rx_returns"`
	TxReturns   uint64 `json:"tx_returns"`
	Aggregated  uint64 `json:"aggregated"` // Interests that joined a pending one
	RxInfo      uint64 `json:"rx_ccninfo"`
}

// Drops counts what was refused, by reason.
type Drops struct {
	Malformed    uint64 `json:"malformed"`
	Corrupt      uint64 `json:"corrupt"`
	HopLimit     uint64 `json:"hop_limit"`
	NoRoute      uint64 `json:"no_route"`
	PITFull      uint64 `json:"pit_full"`
	FaceQuota    uint64 `json:"face_quota"`
	Unsolicited  uint64 `json:"unsolicited_data"` // Data from the network that nobody asked for
	Unexpected   uint64 `json:"unexpected_data"`  // Data from a face that was not asked
	RemoteApp    uint64 `json:"remote_app"`       // commands from the network
	Rejected     uint64 `json:"rejected"`         // commands that are unknown, or beyond a bound
	FacesFull    uint64 `json:"faces_full"`
	TooLarge     uint64 `json:"too_large_data"` // Data that fits no packet of the way back
	RestrictFail uint64 `json:"restriction"`    // Data that met no restriction
}

// Pending is a pending Interest.
type Pending struct {
	Name      string   `json:"name"`
	Symbolic  bool     `json:"symbolic,omitempty"`
	Down      []uint64 `json:"down"` // the faces that wait
	Up        []uint64 `json:"up"`   // the faces that were asked
	ExpiresMS int64    `json:"expires_ms"`
}
