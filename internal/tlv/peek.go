package tlv

// PeekName reads no more of pkt than its type and its name, which aliases pkt: what
// it takes to decide whose a packet is. Neither the rest nor the packet's end is
// checked. Errors are as those of decoding.
func PeekName(pkt []byte) (PacketType, Name, error) {
	h, err := ParseHeader(pkt)
	if err != nil {
		return 0, Name{}, err
	}
	if len(pkt) < h.Length {
		return 0, Name{}, bad("packet", ErrTruncated)
	}
	typ, msg, _, ok := next(pkt[h.HeaderLen:])
	if !ok {
		return 0, Name{}, bad("message", ErrLength)
	}
	if typ != messageType(h.Type) {
		return 0, Name{}, bad("message", ErrType)
	}
	n, _, err := leadingName(msg)
	return h.Type, n, err
}
