package digest

import (
	"context"
	"sync"
	"time"
)

// maxJobs bounds the jobs that wait, run, or wait to be taken.
const maxJobs = 65536

// A Pool computes and remembers Sums. All its methods may be called at once, and none but
// Close waits for a file.
type Pool struct {
	opts  Options
	disk  *disk // nil: none
	ready chan struct{}

	ctx  context.Context // ended by Close
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex // protects the following, held for no I/O
	memory *memory
	jobs   map[Key]*task // those that wait or run
	queues queues
	ended  []Outcome
	closed bool
}

// New starts a Pool, which cleans up its directory first of all. It is to be closed.
func New(o Options) *Pool {
	o = o.withDefaults()
	p := &Pool{
		opts:   o,
		ready:  make(chan struct{}, 1),
		memory: newMemory(o.Memory),
		jobs:   make(map[Key]*task),
		queues: queues{workers: o.Workers},
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	if o.Dir != "" {
		p.disk = newDisk(o.Dir, o.Log)
		p.wg.Go(func() { p.disk.prune(p.ctx, time.Now()) })
	}
	return p
}

// Lookup returns the Sums of that version of a file where they are in memory.
func (p *Pool) Lookup(k Key) (*Sums, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.memory.get(k)
}

// Want sees to it that there will be an Outcome for j.Key, unless its Sums are in memory
// or it is under way. An error is not remembered: whoever wants the file again has it
// tried again. With 65536 jobs that wait, run or have not been taken, and after Close, j
// is dropped; who asks again later has another chance. Jobs of up to 8 MiB, and those
// whose Sums are on disk, wait for no larger ones.
func (p *Pool) Want(j Job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.memory.get(j.Key); known || p.jobs[j.Key] != nil {
		return
	}
	if p.closed || len(p.jobs)+len(p.ended) >= maxJobs {
		return
	}
	t := &task{Job: j, mayBeOnDisk: p.disk.keeps(j.Size)}
	p.jobs[j.Key] = t
	p.push(t)
}

// Progress returns how many bytes of that version of a file have been read, and whether
// its job waits or runs.
func (p *Pool) Progress(k Key) (done int64, underWay bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.jobs[k]
	if t == nil {
		return 0, false
	}
	return t.done.Load(), true
}

// Ready yields a token when there is something to take. It is never closed, and Take can
// find that an earlier one took it all.
func (p *Pool) Ready() <-chan struct{} { return p.ready }

// Take returns the jobs that have ended since, in that order. Their Sums, which the caller
// now has, may have left the memory already.
func (p *Pool) Take() []Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	ended := p.ended
	p.ended = nil
	return ended
}

// Close ends the jobs, which then have no Outcome, and waits for all goroutines: not
// longer than a call of a Source or of Open takes. What is in memory can still be looked
// up. It may be called twice.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.queues.clear()
	clear(p.jobs)
	p.mu.Unlock()
	p.stop()
	p.wg.Wait()
}
