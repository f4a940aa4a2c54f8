package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/node"
)

// httpPatience bounds each part of a conversation over HTTP.
const httpPatience = 10 * time.Second

// serveHTTP serves the node's metrics and health at a loopback address, until the
// function it returns is called. Without an address it does nothing.
func (a *app) serveHTTP(addr string, n *node.Node) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil || !at.Addr().IsLoopback() {
		return nil, usage("such as --http 127.0.0.1:9697", "--http %q: want a loopback address and a port", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, &failure{code: exitRegister, err: &node.ListenError{What: "http://" + addr, Err: err}}
	}
	s := &http.Server{
		Handler: nodeHandler(n), ReadTimeout: httpPatience, WriteTimeout: httpPatience, IdleTimeout: httpPatience,
		MaxHeaderBytes: 16 << 10,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Warn("the metrics' address", "err", err)
		}
	}()
	a.say("  metrics at http://%s/metrics", l.Addr())
	return func() {
		_ = s.Close()
		<-done
	}, nil
}

func nodeHandler(n *node.Node) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		if err := n.Alive(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		s, err := n.Status(forward.StatusLimits{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", control.MetricsType)
		_ = control.WriteMetrics(w, &s) // to somebody who has gone
	})
	return mux
}
