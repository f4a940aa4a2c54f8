package digest

import (
	"fmt"
	"time"
)

// push queues t, and starts a worker where there may be one more. p.mu is held, and p is
// not closed.
func (p *Pool) push(t *task) {
	p.queues.push(t)
	if p.queues.busy < p.queues.workers {
		p.queues.busy++
		p.wg.Go(p.work)
	}
}

// work is a worker. It ends when there is nothing for it to do.
func (p *Pool) work() {
	h := newHasher()
	for t := p.next(); t != nil; t = p.next() {
		p.run(t, h)
	}
}

func (p *Pool) next() *task {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.queues.pop()
	if t == nil {
		p.queues.busy--
	}
	return t
}

// run does with t what it is queued for: a look on disk, and hashing. A huge task is
// queued for one after the other.
func (p *Pool) run(t *task, h *hasher) {
	if t.huge() {
		defer p.leaveHuge()
	}
	if t.mayBeOnDisk {
		t.mayBeOnDisk = false
		if s := p.disk.load(t.Key, t.Size); s != nil {
			p.end(t, s, nil)
			return
		}
		if t.huge() {
			p.pushAgain(t)
			return
		}
	}
	s, err := p.hash(t, h)
	p.end(t, s, err)
	if err == nil && p.disk.keeps(t.Size) && p.disk.store(t.Key, s) {
		p.disk.prune(p.ctx, time.Now())
	}
}

func (p *Pool) hash(t *task, h *hasher) (*Sums, error) {
	if t.Size < 0 {
		return nil, fmt.Errorf("a size of %d bytes", t.Size)
	}
	src, err := t.Open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	var spare func() bool
	if t.huge() {
		spare = p.spare
	}
	return h.sum(p.ctx, src, t.Size, &t.done, spare)
}

func (p *Pool) spare() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queues.spare()
}

func (p *Pool) leaveHuge() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queues.busyHuge--
}

func (p *Pool) pushAgain(t *task) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.push(t)
	}
}

// end remembers what became of t.
func (p *Pool) end(t *task, s *Sums, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	delete(p.jobs, t.Key)
	if err == nil {
		p.memory.add(t.Key, s)
	}
	p.ended = append(p.ended, Outcome{t.Key, s, err})
	select {
	case p.ready <- struct{}{}:
	default: // there is a token
	}
}
