package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// lineHandler logs in the form of all of cefgo's lines for people: "cefgo: ", the
// message, then its attributes.
type lineHandler struct {
	a     *app
	level slog.Level
	attrs []slog.Attr
}

func (h *lineHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

func (h *lineHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Message)
	add := func(at slog.Attr) bool {
		if at.Key == "err" {
			fmt.Fprintf(&b, ": %v", at.Value)
		} else {
			fmt.Fprintf(&b, " %s=%v", at.Key, at.Value)
		}
		return true
	}
	for _, at := range h.attrs {
		add(at)
	}
	r.Attrs(add)
	h.a.line(b.String())
	return nil
}

func (h *lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	g := *h
	g.attrs = append(g.attrs[:len(g.attrs):len(g.attrs)], attrs...)
	return &g
}

// WithGroup keeps attributes flat: nobody groups them here.
func (h *lineHandler) WithGroup(string) slog.Handler { return h }
