package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/cefgo/cefgo/internal/client"
	"github.com/cefgo/cefgo/internal/node"
	"github.com/cefgo/cefgo/internal/object"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/publish"
	"github.com/cefgo/cefgo/internal/tlv"
	"github.com/cefgo/cefgo/internal/transport"
)

// BenchmarkLoopbackFetch fetches a file from a publisher through the embedded
// forwarder, all in this process, with real unix sockets between them.
func BenchmarkLoopbackFetch(b *testing.B) {
	for _, block := range []int{1024, object.DefaultBlock, object.MaxFastBlock} {
		b.Run(fmt.Sprintf("block=%d", block), func(b *testing.B) { benchFetch(b, block) })
	}
}

func benchFetch(b *testing.B, block int) {
	const size = 16 << 20
	dir, err := os.MkdirTemp("", "cefgo")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "content")
	if err := os.WriteFile(file, pattern(size), 0o666); err != nil {
		b.Fatal(err)
	}
	n, err := node.Start(node.Options{Socket: filepath.Join(dir, "socket")})
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	dial := func(ctx context.Context) (transport.Conn, error) {
		return transport.Dial(ctx, transport.Address{Network: "unix", Addr: n.Socket()})
	}
	name, _ := tlv.ParseName("ccnx:/bench", tlv.PercentLiteral)
	pub, get := benchClient(b, dial), benchClient(b, dial)
	defer pub.Close()
	defer get.Close()
	reg, err := pub.Register(b.Context(), name, client.Prefix)
	if err != nil {
		b.Fatal(err)
	}
	tree, err := publish.OpenTree(name, file)
	if err != nil {
		b.Fatal(err)
	}
	defer tree.Close()
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- publish.New(tree, publish.Options{Blocks: []int{block}}).Serve(ctx, reg, pub) }()
	defer func() { cancel(); <-ended }()
	feed := get.Open(name)
	defer feed.Close()
	session := pipeline.NewSession(feed, pipeline.Path{})
	defer session.Close()

	b.SetBytes(size)
	b.ReportAllocs()
	chunks := 0
	for b.Loop() {
		res, err := session.Fetch(b.Context(), name, io.Discard, pipeline.Options{})
		if err != nil || res.Bytes != size {
			b.Fatalf("%d bytes: %v", res.Bytes, err)
		}
		chunks = int(res.Chunks)
	}
	b.ReportMetric(float64(chunks)*float64(b.N)/b.Elapsed().Seconds(), "chunks/s")
}

func benchClient(b *testing.B, dial client.Dialer) *client.Client {
	b.Helper()
	c, err := client.New(b.Context(), client.Config{Dial: dial, DialSecond: dial})
	if err != nil {
		b.Fatal(err)
	}
	return c
}
