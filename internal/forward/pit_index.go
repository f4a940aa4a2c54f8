package forward

// pitIndex finds numbers by their tags: a hash table with open addressing, in which a
// tag stands at its home or behind it, without a gap between. It holds no pointers, and a
// search touches one line of the processor's cache, as a rule.
type pitIndex struct {
	slots []pitSlot // a power of two, of which at most three quarters are used
	used  int
}

// pitSlot is a tag and a number plus one; the zero pitSlot is empty.
type pitSlot struct{ tag, plus1 uint32 }

func (s pitSlot) used() bool { return s.plus1 != 0 }

func (s pitSlot) number() uint32 { return s.plus1 - 1 }

const firstSlots = 1 << 10

func newPITIndex() pitIndex { return pitIndex{slots: make([]pitSlot, firstSlots)} }

func (x *pitIndex) mask() uint32 { return uint32(len(x.slots) - 1) }

// home is where a search for a tag begins.
func (x *pitIndex) home(tag uint32) uint32 { return tag & x.mask() }

// after is where it goes on.
func (x *pitIndex) after(i uint32) uint32 { return (i + 1) & x.mask() }

func (x *pitIndex) add(tag, number uint32) {
	if 4*(x.used+1) > 3*len(x.slots) {
		x.grow()
	}
	x.put(pitSlot{tag, number + 1})
	x.used++
}

func (x *pitIndex) put(s pitSlot) {
	i := x.home(s.tag)
	for x.slots[i].used() {
		i = x.after(i)
	}
	x.slots[i] = s
}

func (x *pitIndex) grow() {
	old := x.slots
	x.slots = make([]pitSlot, 2*len(old))
	for _, s := range old {
		if s.used() {
			x.put(s)
		}
	}
}

// remove takes out a number that is there, and moves up those behind it that its gap
// would cut off from their homes.
func (x *pitIndex) remove(tag, number uint32) {
	gap := x.home(tag)
	for x.slots[gap].plus1 != number+1 {
		gap = x.after(gap)
	}
	for i := x.after(gap); x.slots[i].used(); i = x.after(i) {
		fromHome := (i - x.home(x.slots[i].tag)) & x.mask()
		if fromHome >= (i-gap)&x.mask() {
			x.slots[gap] = x.slots[i]
			gap = i
		}
	}
	x.slots[gap] = pitSlot{}
	x.used--
}
