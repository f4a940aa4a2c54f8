// Package tlv is the CCNx 1.0 codec: names and their URI form, and every packet
// of RFC 8569, RFC 8609 and RFC 9344 that Cefore's programs exchange, with
// Cefore's extensions. It imports the standard library only, holds no state and
// does no I/O.
//
// A packet is a fixed header of eight bytes, hop-by-hop TLVs, one message TLV
// and, optionally, a validation algorithm TLV followed by a validation payload
// TLV. Every TLV has a type and a length of two bytes each; all numbers are
// big-endian:
//
//	 0               1               2               3
//	+---------------+---------------+---------------+---------------+
//	|  version = 1  |  packet type  |         packet length         |
//	+---------------+---------------+---------------+---------------+
//	|   hop limit   |  return code  |       0       | header length |
//	+---------------+---------------+---------------+---------------+
//	| hop-by-hop TLVs, up to the header length                      |
//	+---------------------------------------------------------------+
//	| message TLV: 1 Interest, 2 Content Object, 5 CCNinfo          |
//	+---------------------------------------------------------------+
//	| validation algorithm TLV 3, validation payload TLV 4          |
//	+---------------------------------------------------------------+
//
// # Buffers
//
// Encoders append to the caller's slice. Decoders alias the packet they were
// given: every []byte and every [Name] in a decoded value points into it and is
// valid as long as the packet is left alone. Use [Name.Clone] and bytes.Clone to
// keep one.
//
// # Rules of decoding
//
// Decoding is about shape: a decoded packet is well formed, its validation
// payload is not yet checked (see [Validation.Check]). One rule each:
//
//   - A length that runs past what encloses it refuses the packet.
//   - The Name comes first and has at least one segment (RFC 8609 3.6). A chunk
//     segment is the last one and has at most eight bytes; an empty one is chunk 0.
//   - A TLV known to this package that stands twice refuses the packet.
//   - An unknown TLV, and a vendor TLV of another enterprise, is skipped, as
//     cefnetd does. Encoding a decoded packet drops it: forward the packet's
//     bytes, not its fields.
package tlv
