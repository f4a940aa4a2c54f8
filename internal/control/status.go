package control

import "github.com/cefgo/cefgo/internal/tlv"

// Status is what cefnetd says of itself (sheet j). Of what it does not mention, the
// field is zero, nil or false; as JSON it is absent. Counters run from its start.
type Status struct {
	Text string `json:"-"`
	Port int    `json:"port,omitempty"`
	// CacheMode is "None", "Localcache", "Excache" or "Conpub".
	CacheMode string `json:"cache_mode,omitempty"`
	// CacheCapacity is the content store's size in bytes; only cefgo's forwarder
	// tells it.
	CacheCapacity int64 `json:"capacity_bytes,omitempty"`
	// Strategy is FORWARDING_STRATEGY of cefnetd.conf.
	Strategy string `json:"forwarding_strategy,omitempty"`
	// Returns says whether it sends Interest Returns.
	Returns *bool          `json:"interest_return,omitempty"`
	Packets *StatusPackets `json:"packets,omitempty"`

	Listening []Addr        `json:"listening,omitempty"`
	Faces     []StatusFace  `json:"faces,omitzero"`
	Apps      []App         `json:"apps,omitzero"`
	Routes    []StatusRoute `json:"routes,omitzero"`
	RouteNum  int           `json:"route_count"`
	// AppPIT holds what applications subscribed to by PIT registration (sheet e).
	AppPIT StatusPIT `json:"app_pit"`
	PIT    StatusPIT `json:"pit"`
}

// StatusPackets counts packets. Received Interests are those that were new or could be
// forwarded; the kinds of Interests add up to their sum.
type StatusPackets struct {
	RxInterests uint64 `json:"rx_interests"`
	RxRegular   uint64 `json:"rx_regular"`
	RxSymbolic  uint64 `json:"rx_symbolic"`
	RxSelective uint64 `json:"rx_selective"`
	TxInterests uint64 `json:"tx_interests"`
	TxRegular   uint64 `json:"tx_regular"`
	TxSymbolic  uint64 `json:"tx_symbolic"`
	TxSelective uint64 `json:"tx_selective"`
	RxData      uint64 `json:"rx_data"`
	TxData      uint64 `json:"tx_data"`
}

// StatusFace is a connection or a peer of cefnetd. What it listens with is none.
type StatusFace struct {
	ID   uint64 `json:"id"`
	Kind string `json:"kind"` // "app", "babel", "udp" or "tcp"
	// Addr is the peer's, as a URL; absent for an application.
	Addr string `json:"addr,omitempty"`
	Down bool   `json:"down,omitempty"`
}

// StatusRoute is a prefix of cefnetd's FIB.
type StatusRoute struct {
	// Prefix is as cefnetd prints it, which is not always what it reads: see
	// [Status.Route].
	Prefix   string      `json:"prefix"`
	NextHops []StatusHop `json:"next_hops"`
	// Interests are those that arrived for it.
	Interests *uint64 `json:"interests,omitempty"`
}

// StatusHop is one way of a [StatusRoute].
type StatusHop struct {
	Face uint64 `json:"face"`
	Addr string `json:"addr,omitempty"` // of the face; absent for an application
	// Origin is "static", "dynamic" or "controller", or several joined by "+".
	Origin string `json:"origin,omitempty"`
	Cost   int    `json:"cost"`
	KeyID  string `json:"key_id,omitempty"` // 0x and hexadecimal
	// Interests are those that went this way.
	Interests *uint64 `json:"interests,omitempty"`
}

// StatusPIT is a table of pending Interests.
type StatusPIT struct {
	Entries int             `json:"entries"`
	Pending []StatusPending `json:"-"` // some or all of them
}

// StatusPending is a pending Interest.
type StatusPending struct {
	Name string   `json:"name"`
	Down []uint64 `json:"down"` // the faces that wait
	Up   []uint64 `json:"up"`   // the faces that were asked
}

// Route finds the route whose prefix is name.
func (s *Status) Route(name tlv.Name) (StatusRoute, bool) {
	printed := printedByCefnetd(name)
	for _, r := range s.Routes {
		if r.Prefix == printed {
			return r, true
		}
	}
	return StatusRoute{}, false
}
