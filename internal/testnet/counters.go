package testnet

// Counters are what one direction of a link did to packets so far. With nothing under
// way, Offered + Duplicated = Delivered + Lost + Overflow + Outage + Socket + Failed.
type Counters struct {
	Offered    uint64 // given to the link
	Delivered  uint64 // arrived, copies included
	Lost       uint64 // by chance
	Overflow   uint64 // no room in the queue
	Outage     uint64 // while Down or restarting, or under way at a restart
	Socket     uint64 // a Network's: too much unread at the consumer
	Failed     uint64 // a Relay's: the socket did not send it
	Duplicated uint64 // copies made
	Truncated  uint64 // cut short
	Reordered  uint64 // held back
	// PeakQueue is the most bytes that the line had accepted and not wholly sent.
	PeakQueue int
}
