package control

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// MetricsType is the media type of what [WriteMetrics] writes.
const MetricsType = "text/plain; version=0.0.4; charset=utf-8"

// WriteMetrics writes s in Prometheus' text exposition format 0.0.4. Labels are
// bounded by the numbers of faces and of kinds: no name becomes one. It fails with the
// writer's error.
func WriteMetrics(w io.Writer, s *NodeStatus) error {
	b := bufio.NewWriter(w)
	m := metrics{b}
	m.one("build_info", gauge, "The forwarder's version; always 1.", 1, "version", s.Version)
	m.one("uptime_seconds", gauge, "Time since the forwarder started.", float64(s.UptimeMS)/1e3)
	m.packets(&s.Packets)
	m.drops(s)
	m.tables(s)
	m.store(&s.Store)
	m.faces(s.Faces)
	m.sockets(s.Sockets)
	return b.Flush()
}

// metrics writes families of samples; its writer keeps the first error.
type metrics struct{ b *bufio.Writer }

// kind is the TYPE of a family.
type kind string

const (
	counter kind = "counter"
	gauge   kind = "gauge"
)

// family writes what stands above the samples of name.
func (m metrics) family(name string, k kind, help string) {
	fmt.Fprintf(m.b, "# HELP cefgo_%s %s\n# TYPE cefgo_%s %s\n", name, help, name, k)
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes one line; labels are names and values in turn.
func (m metrics) sample(name string, v float64, labels ...string) {
	m.b.WriteString("cefgo_" + name)
	for i := 0; i < len(labels); i += 2 {
		open := ","
		if i == 0 {
			open = "{"
		}
		fmt.Fprintf(m.b, `%s%s="%s"`, open, labels[i], labelEscapes.Replace(strings.ToValidUTF8(labels[i+1], "�")))
	}
	if len(labels) > 0 {
		m.b.WriteByte('}')
	}
	m.b.WriteString(" " + strconv.FormatFloat(v, 'f', -1, 64) + "\n")
}

// one writes a family of one sample.
func (m metrics) one(name string, k kind, help string, v float64, labels ...string) {
	m.family(name, k, help)
	m.sample(name, v, labels...)
}

// labelled is a counter among several of a family.
type labelled struct {
	label string
	v     uint64
}

// by writes a family of counters that one label tells apart.
func (m metrics) by(name, help, label string, all ...labelled) {
	m.family(name, counter, help)
	for _, l := range all {
		m.sample(name, float64(l.v), label, l.label)
	}
}

func (m metrics) packets(p *Packets) {
	m.by("packets_received_total", "Packets received, by type.", "type",
		labelled{"interest", p.RxInterests}, labelled{"data", p.RxData}, labelled{"return", p.RxReturns}, labelled{"ccninfo", p.RxInfo})
	m.by("packets_sent_total", "Packets sent, by type.", "type",
		labelled{"interest", p.TxInterests}, labelled{"data", p.TxData}, labelled{"return", p.TxReturns})
	m.one("interests_symbolic_total", counter, "Symbolic Interests among those received.", float64(p.RxSymbolic))
	m.one("interests_aggregated_total", counter, "Interests that joined a pending one.", float64(p.Aggregated))
}

func (m metrics) drops(s *NodeStatus) {
	m.by("drops_total", "Packets and commands refused, by reason.", "reason", s.Drops.list()...)
	m.one("garbage_bytes_total", counter, "Bytes received that were no packet's.", float64(s.Garbage))
}

// list is d by the names of its JSON.
func (d *Drops) list() []labelled {
	return []labelled{
		{"malformed", d.Malformed}, {"corrupt", d.Corrupt}, {"hop_limit", d.HopLimit}, {"no_route", d.NoRoute},
		{"pit_full", d.PITFull}, {"face_quota", d.FaceQuota}, {"unsolicited_data", d.Unsolicited},
		{"unexpected_data", d.Unexpected}, {"remote_app", d.RemoteApp}, {"rejected", d.Rejected},
		{"faces_full", d.FacesFull}, {"too_large_data", d.TooLarge}, {"restriction", d.RestrictFail},
	}
}

func (m metrics) tables(s *NodeStatus) {
	m.one("applications", gauge, "Prefixes that applications are registered for.", float64(s.AppNum))
	m.one("routes", gauge, "Prefixes in the FIB.", float64(s.RouteNum))
	m.one("pit_entries", gauge, "Pending Interests.", float64(s.PIT.Entries))
	m.one("pit_size", gauge, "Most pending Interests.", float64(s.PIT.Size))
	m.one("pit_expired_total", counter, "Pending Interests that nobody answered in time.", float64(s.PIT.Expired))
}

func (m metrics) store(s *Store) {
	m.one("store_objects", gauge, "Objects in the content store.", float64(s.Objects))
	m.one("store_bytes", gauge, "Bytes in the content store.", float64(s.Bytes))
	m.one("store_capacity_bytes", gauge, "Most bytes in the content store.", float64(s.Capacity))
	m.one("store_hits_total", counter, "Interests that the content store answered.", float64(s.Hits))
	m.one("store_misses_total", counter, "Interests that the content store could not answer.", float64(s.Misses))
	m.one("store_evicted_total", counter, "Objects that made room for others.", float64(s.Evicted))
}

func (m metrics) faces(faces []Face) {
	each := func(name string, k kind, help string, of func(*Face) float64) {
		m.family(name, k, help)
		for i := range faces {
			f := &faces[i]
			m.sample(name, of(f), "face", strconv.FormatUint(f.ID, 10), "kind", f.Kind, "addr", f.Addr)
		}
	}
	each("face_up", gauge, "Whether the face is connected.", func(f *Face) float64 {
		if f.Down {
			return 0
		}
		return 1
	})
	each("face_received_packets_total", counter, "Packets received.", func(f *Face) float64 { return float64(f.RxPackets) })
	each("face_received_bytes_total", counter, "Bytes received.", func(f *Face) float64 { return float64(f.RxBytes) })
	each("face_sent_packets_total", counter, "Packets sent.", func(f *Face) float64 { return float64(f.TxPackets) })
	each("face_sent_bytes_total", counter, "Bytes sent.", func(f *Face) float64 { return float64(f.TxBytes) })
	each("face_queue_drops_total", counter, "Packets that the peer did not read in time.", func(f *Face) float64 { return float64(f.QueueDrops) })
	each("face_pending_interests", gauge, "Pending Interests of the face.", func(f *Face) float64 { return float64(f.Pending) })
}

func (m metrics) sockets(sockets []Socket) {
	each := func(name, help string, of func(*Socket) uint64) {
		m.family(name, counter, help)
		for i := range sockets {
			m.sample(name, float64(of(&sockets[i])), "addr", string(sockets[i].Addr))
		}
	}
	each("socket_refused_total", "Packets that the system refused to send.", func(s *Socket) uint64 { return s.Refused })
	each("socket_too_large_total", "Packets that fit no datagram.", func(s *Socket) uint64 { return s.TooLarge })
	each("socket_fragmented_total", "Packets that went as IP fragments.", func(s *Socket) uint64 { return s.Fragmented })
	each("socket_queue_drops_total", "Packets that there was no room for.", func(s *Socket) uint64 { return s.QueueDrops })
}
