package publish

import (
	"context"
	"time"
)

// pacer spreads bytes over time: rate bits per second, 0 for no bound.
type pacer struct {
	rate float64
	next time.Time // when the next byte may go
}

// burst bounds what goes at once below the rate.
const burst = 20 * time.Millisecond

// batch is how many bytes to send at once: at most most, and no more than burst
// takes, so that what is paced does not come in lumps.
func (p *pacer) batch(most int) int {
	if p.rate <= 0 {
		return most
	}
	return int(min(float64(most), p.rate/8*burst.Seconds()))
}

// wait waits until n bytes may go.
func (p *pacer) wait(ctx context.Context, n int) error {
	if p.rate <= 0 {
		return nil
	}
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	delay := p.next.Sub(now)
	p.next = p.next.Add(time.Duration(float64(n) * 8 / p.rate * float64(time.Second)))
	if delay <= 0 {
		return nil
	}
	t := time.NewTimer(delay)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
