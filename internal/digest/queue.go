package digest

import "sync/atomic"

// hugeFrom: files of more bytes are huge, and never take all workers.
const hugeFrom = 8 << 20

// A task is a Job under way.
type task struct {
	Job
	mayBeOnDisk bool         // and nobody has looked yet
	done        atomic.Int64 // bytes read
	number      uint64       // counts the tasks as they are queued
}

// huge reports whether t takes long. To look on disk does not.
func (t *task) huge() bool { return t.Size > hugeFrom && !t.mayBeOnDisk }

// queues are the tasks that wait, and how many workers there are for them. Of the workers
// at least one is left for the quick tasks; apart from that the oldest goes first, so that
// neither kind starves the other. Pool.mu protects it.
type queues struct {
	workers     int // at most, 2 or more
	busy        int
	busyHuge    int // of these, workers with a huge task
	quick, huge []*task
	last        uint64 // task.number
}

func (q *queues) push(t *task) {
	q.last++
	t.number = q.last
	if t.huge() {
		q.huge = append(q.huge, t)
	} else {
		q.quick = append(q.quick, t)
	}
}

// pop returns the task whose turn it is; nil: none for now. A huge one is to be ended
// with a decrement of busyHuge.
func (q *queues) pop() *task {
	if q.hugeIsNext() {
		q.busyHuge++
		return shift(&q.huge)
	}
	return shift(&q.quick)
}

func (q *queues) hugeIsNext() bool {
	if len(q.huge) == 0 || q.busyHuge >= q.workers-1 {
		return false
	}
	return len(q.quick) == 0 || q.huge[0].number < q.quick[0].number
}

// spare reports whether each huge task may use two processors, with at least one left.
func (q *queues) spare() bool { return 2*q.busyHuge < q.workers }

func (q *queues) clear() { q.quick, q.huge = nil, nil }

// shift takes the first task off, nil where there is none.
func shift(s *[]*task) *task {
	if len(*s) == 0 {
		return nil
	}
	t := (*s)[0]
	(*s)[0] = nil // else the array keeps it
	*s = (*s)[1:]
	return t
}
