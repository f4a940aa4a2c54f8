package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// Content of the fakes: fakeChunks chunks of fakeBlock bytes of pattern.
const (
	fakeBlock  = 100
	fakeChunks = 50
)

func fakePayload(k uint64) []byte {
	return pattern(fakeBlock * fakeChunks)[k*fakeBlock : (k+1)*fakeBlock]
}

// fakes are applications that answer for a content of 50 chunks, each in its own
// bad way. They change the Data of chunk k, or answer nothing by returning false.
var fakes = map[string]func(k uint64, o *tlv.Object) bool{
	// onceonly: chunk 24 is answered once, however often it is asked for.
	"onceonly": func(k uint64, _ *tlv.Object) bool { return k != fakeChunks/2-1 || asked24.Add(1) == 1 },
	"good":     func(uint64, *tlv.Object) bool { return true },
	"othercontent": func(_ uint64, o *tlv.Object) bool {
		o.Payload = bytes.ToUpper(bytes.Repeat([]byte("other"), fakeBlock/5))
		return true
	},
	"otherend": func(_ uint64, o *tlv.Object) bool {
		o.EndChunk.V++
		return true
	},
	"silent": func(uint64, *tlv.Object) bool { return false },
	// halfway: stops after the first half, forgetting what it said before.
	// ragged: chunks of several sizes, of zeros, and no further than the first half.
	"ragged": func(k uint64, o *tlv.Object) bool {
		o.Payload = make([]byte, raggedSize(k))
		return k < fakeChunks/2
	},
	"raggedwhole": func(k uint64, o *tlv.Object) bool {
		o.Payload = make([]byte, raggedSize(k))
		return true
	},
	// shortmiddle: chunk 10 has 50 bytes, and none tells the end.
	"shortmiddle": func(k uint64, o *tlv.Object) bool {
		o.EndChunk = tlv.Opt[uint64]{}
		if k == 10 {
			o.Payload = o.Payload[:fakeBlock/2]
		}
		return true
	},
	// endinlast: only the last chunk, of 50 bytes, tells the end.
	"endinlast": func(k uint64, o *tlv.Object) bool {
		if k == fakeChunks-1 {
			o.Payload = o.Payload[:fakeBlock/2]
		} else {
			o.EndChunk = tlv.Opt[uint64]{}
		}
		return k < fakeChunks
	},
	"halfway": func(k uint64, _ *tlv.Object) bool { return k < fakeChunks/2 },
	"hole":    func(k uint64, _ *tlv.Object) bool { return k != 7 },
	"badcrc": func(k uint64, o *tlv.Object) bool {
		if k == 9 {
			o.Validation.Payload = []byte{1, 2, 3, 4}
		}
		return true
	},
	"wrongname": func(k uint64, o *tlv.Object) bool {
		o.Name, _ = tlv.ParseName("ccnx:/another/name", tlv.PercentLiteral)
		o.Name = o.Name.WithChunk(k)
		return true
	},
	"wrongchunk": func(k uint64, o *tlv.Object) bool {
		o.Name = o.Name.WithChunk(k + 1000)
		return true
	},
	"twoversions": func(k uint64, o *tlv.Object) bool {
		o.Version = []byte{byte(k / 25)}
		return true
	},
	"endmoves": func(k uint64, o *tlv.Object) bool {
		if k >= 20 {
			o.EndChunk.V--
		}
		return true
	},
	"beyond": func(k uint64, o *tlv.Object) bool {
		o.EndChunk.OK = k == 5 // which is behind it, and comes for certain
		o.EndChunk.V = 2
		return true
	},
	// noend: neither an EndChunkNumber nor a meta.
	"noend": withoutEnd,
	// meta: the end is told as cefapp's producer does, falsemeta: wrongly.
	"meta":      withoutEnd,
	"falsemeta": withoutEnd,
	"lastonly": func(k uint64, o *tlv.Object) bool {
		o.EndChunk.OK = k == fakeChunks-1
		return k < fakeChunks
	},
}

// fakeMetas are the payloads of the meta of those fakes that have one.
var fakeMetas = map[string]string{"meta": "50", "falsemeta": "20"}

func withoutEnd(k uint64, o *tlv.Object) bool {
	o.EndChunk.OK = false
	return k < fakeChunks
}

// asked24 counts for onceonly, which one script has.
var asked24 atomic.Int64

func raggedSize(k uint64) int { return []int{100, 200, 0, 50}[k%4] }

// cmdFake starts a fake in this process, as an application on the script's socket.
func cmdFake(ts *testscript.TestScript, neg bool, args []string) {
	answer := fakes[args[0]]
	name, err := tlv.ParseName(args[1], tlv.PercentLiteral)
	if answer == nil || err != nil {
		ts.Fatalf("usage: fake MODE NAME")
	}
	addr := transport.Address{Network: "unix", Addr: ts.Getenv("SOCKET")}
	dial := func(ctx context.Context) (transport.Conn, error) { return transport.Dial(ctx, addr) }
	ctx, cancel := context.WithCancel(context.Background())
	c, err := client.New(ctx, client.Config{Dial: dial, DialSecond: dial})
	ts.Check(err)
	reg, err := c.Register(ctx, name, client.Prefix)
	ts.Check(err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		serveFake(ctx, reg, c, answer, fakeMetas[args[0]])
	}()
	stop := sync.OnceFunc(func() {
		cancel()
		c.Close()
		<-ended
	})
	ts.Value(procsKey).(*processes).fakes[args[1]] = stop
	ts.Defer(stop)
}

func serveFake(ctx context.Context, reg *client.Registration, c *client.Client, answer func(uint64, *tlv.Object) bool, meta string) {
	var in, out tlv.Batch
	for {
		if reg.Receive(&in) != nil {
			return
		}
		out.Reset(1 << 20)
		for i := range in.Len() {
			var asked tlv.Interest
			k, hasChunk := uint64(0), false
			if asked.Decode(in.Packet(i)) == nil {
				k, hasChunk = asked.Name.Chunk()
			}
			if meta != "" && strings.HasSuffix(asked.Name.WithoutChunk().String(), "/meta") {
				_ = out.Encode((&tlv.Object{Name: asked.Name, Payload: []byte(meta)}).AppendTo)
			}
			if !hasChunk || strings.Contains(asked.Name.String(), "/meta") || asked.Name.WithoutChunk().String() != reg.Prefix().String() {
				continue
			}
			o := tlv.Object{Name: asked.Name, EndChunk: tlv.Some[uint64](fakeChunks - 1), Payload: []byte("beyond the end")}
			if k < fakeChunks {
				o.Payload = fakePayload(k)
			}
			o.Expiry = tlv.Some(tlv.TimestampOf(time.Now().Add(time.Hour)))
			o.Validation.Alg = tlv.AlgCRC32C
			if answer(k, &o) {
				_ = out.Encode(o.AppendTo)
			}
		}
		if c.Send(ctx, &out) != nil {
			return
		}
		select {
		case <-reg.Ready():
		case <-ctx.Done():
			return
		}
	}
}

// brokens are forwarders that do one thing with a connection.
var brokens = map[string]func(net.Conn){
	"closes": func(c net.Conn) { c.Close() },
	"busy":   func(c net.Conn) { _, _ = c.Write([]byte("ERROR:cefnetd is resource busy, #14.\n")) },
	"mute":   func(net.Conn) {},
	"babble": func(c net.Conn) { _, _ = c.Write(bytes.Repeat([]byte{0xff}, 1000)) },
	// half: the first part of a packet, and no more.
	"half": func(c net.Conn) { _, _ = c.Write([]byte{1, 1, 0x20, 0}) },
}

func cmdBroken(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("unix", ts.Getenv("SOCKET"))
	ts.Check(err)
	var conns sync.Map
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Store(c, true)
			brokens[args[0]](c)
		}
	}()
	stop := sync.OnceFunc(func() {
		l.Close()
		<-ended
		conns.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
	})
	ts.Value(procsKey).(*processes).fakes[args[0]] = stop
	ts.Defer(stop)
}
