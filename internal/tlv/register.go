package tlv

// AppendCommand appends the Interest by which an application gives its
// forwarder a command for name, as Cefore's library sends it: hop limit 1 and,
// but for routes, a lifetime of 1 ms (sheet e). There is never an answer. name
// must carry no chunk.
func AppendCommand(b []byte, c Command, name Name) ([]byte, error) {
	i := Interest{HopLimit: 1, Name: name}
	i.Command = c
	if c != CommandRouteAdd && c != CommandRouteDel {
		i.Lifetime = Some[uint64](1)
	}
	if name.hasChunk {
		return b, bad("command for a chunk", ErrName)
	}
	return i.AppendTo(b)
}

// Texts that go over the local socket between packets, each alone in one write
// (sheet b, j).
const (
	CloseText   = "/CLOSE:Face"
	ControlText = "/CTRL"
	// BusyText starts what cefnetd writes to a connection for which it has no
	// face; the connection is dead then.
	BusyText = "ERROR:"
)
