package tlv

// Interest is a request for Data, or, with a [Command], one to the forwarder
// itself. Decoded, it aliases its packet.
type Interest struct {
	HopByHop
	// HopLimit is how many network links it may still cross; Cefore's tools
	// send 32, and a registration 1.
	HopLimit uint8
	Name     Name
	Payload  []byte // nil when absent
	// KeyID and ObjectHash restrict what may answer. cefnetd forwards an
	// ObjectHash but never satisfies it (sheet c).
	KeyID      Hash
	ObjectHash Hash
	// MsgVendor holds the flags of a symbolic or long-life Interest.
	MsgVendor  Vendor
	Validation Validation
}

// DefaultHopLimit is the hop limit that Cefore's tools use (sheet i).
const DefaultHopLimit = 32

// Symbolic reports whether the Interest asks for every chunk of its name.
func (i *Interest) Symbolic() bool { return i.MsgVendor.Has(FlagSymbolic) }

// LongLife reports whether Data leaves the Interest pending.
func (i *Interest) LongLife() bool { return i.MsgVendor.Has(FlagLongLife) }

// Decode reads the one Interest that pkt holds; an Interest Return is refused
// with [ErrType]. On error *i is undefined.
func (i *Interest) Decode(pkt []byte) error {
	h, hop, msg, val, err := body(pkt, PacketInterest)
	if err != nil {
		return err
	}
	return i.decode(h, hop, msg, val)
}

func (i *Interest) decode(h Header, hop, msg []byte, val Validation) (err error) {
	*i = Interest{HopLimit: h.HopLimit, Validation: val}
	if _, err := i.HopByHop.decode(hop, nil); err != nil {
		return err
	}
	name, rest, err := leadingName(msg)
	if err != nil {
		return err
	}
	i.Name = name
	var seen seenTLVs
	for len(rest) > 0 {
		typ, v, r, ok := next(rest)
		if !ok {
			return bad("message TLV", ErrLength)
		}
		rest = r
		dup := false
		switch typ {
		case msgName:
			dup = true
		case msgPayload:
			dup = seen.twice(1)
			i.Payload = v
		case msgKeyIDRestr:
			dup = seen.twice(2)
			i.KeyID, err = decodeHash("KeyId restriction", v)
		case msgObjectHash:
			dup = seen.twice(4)
			i.ObjectHash, err = decodeHash("object hash restriction", v)
		case msgVendor:
			dup, err = messageVendor(v, &i.MsgVendor)
		}
		if err != nil {
			return err
		}
		if dup {
			return bad("message TLV "+hexType(typ), ErrDuplicate)
		}
	}
	return nil
}

// AppendTo appends the packet. It fails with [ErrName] without a Name and with
// [ErrTooLarge] where the Name, the hop-by-hop part or the whole is too long; b is
// then returned as it was.
func (i *Interest) AppendTo(b []byte) ([]byte, error) {
	return i.append(b, PacketInterest, 0)
}

func (i *Interest) append(b []byte, t PacketType, code ReturnCode) ([]byte, error) {
	if err := sendable(i.Name); err != nil {
		return b, err
	}
	start := len(b)
	b = appendHeader(b, t, i.HopLimit, code)
	b = i.HopByHop.appendTo(b)
	if err := endHeader(b, start); err != nil {
		return b[:start], err
	}
	covered := len(b)
	b, msg := open(b, typeInterest)
	b = i.Name.AppendTo(b)
	if i.Payload != nil {
		b = appendTLV(b, msgPayload, i.Payload)
	}
	if i.KeyID.Sum != nil {
		b = appendHash(b, msgKeyIDRestr, i.KeyID)
	}
	if i.ObjectHash.Sum != nil {
		b = appendHash(b, msgObjectHash, i.ObjectHash)
	}
	if i.MsgVendor != nil {
		b = appendVendor(b, msgVendor, penNICT, i.MsgVendor)
	}
	shut(b, msg)
	b = i.Validation.appendTo(b, covered)
	return finish(b, start)
}

// sendable checks that a packet may carry n.
func sendable(n Name) error {
	if n.IsZero() {
		return bad("packet without a name", ErrName)
	}
	if n.WireLen() > MaxNameLen {
		return bad("name", ErrTooLarge)
	}
	return nil
}

// leadingName splits the Name, which comes first (RFC 8609 3.6), off a message.
func leadingName(msg []byte) (Name, []byte, error) {
	if len(msg) == 0 {
		return Name{}, nil, bad("empty where a name belongs", ErrName)
	}
	typ, v, rest, ok := next(msg)
	if !ok {
		return Name{}, nil, bad("name", ErrLength)
	}
	if typ != msgName {
		return Name{}, nil, bad("first message TLV is not the name", ErrName)
	}
	n, err := decodeName(v)
	return n, rest, err
}

// messageVendor reads a message's vendor TLV into *dst; one of another
// enterprise is skipped (cefnetd drops the packet, sheet c).
func messageVendor(val []byte, dst *Vendor) (dup bool, err error) {
	pen, items, err := vendorTLV(val)
	if err != nil || pen != penNICT {
		return false, err
	}
	dup = *dst != nil
	*dst = items
	return dup, nil
}

// Return is an Interest Return: the Interest as it was sent, and why it came
// back (RFC 8569 10).
type Return struct {
	Interest
	Code ReturnCode
}

// Decode reads the one Interest Return that pkt holds. On error *r is undefined.
func (r *Return) Decode(pkt []byte) error {
	h, hop, msg, val, err := body(pkt, PacketReturn)
	if err != nil {
		return err
	}
	r.Code = h.ReturnCode
	return r.Interest.decode(h, hop, msg, val)
}

// AppendTo appends the packet; see [Interest.AppendTo].
func (r *Return) AppendTo(b []byte) ([]byte, error) {
	return r.Interest.append(b, PacketReturn, r.Code)
}

// AppendReturn appends the Interest packet pkt turned into an Interest Return
// with that code, byte for byte otherwise, as forwarders send it (sheet f). pkt
// must be a decoded Interest.
func AppendReturn(b, pkt []byte, code ReturnCode) []byte {
	start := len(b)
	b = append(b, pkt...)
	b[start+1], b[start+5] = byte(PacketReturn), byte(code)
	return b
}

// CheckName reports, as AppendTo would, whether a packet may carry the Interest's
// name.
func (i *Interest) CheckName() error { return sendable(i.Name) }
