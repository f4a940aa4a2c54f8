package object

// RunSize is how many bytes of content a run has, but for the last one of a content
// (docs/objects.md).
const RunSize = 256 << 10

// Runs is how many runs content of that size has.
func Runs(size int64) int64 { return size/RunSize + min(1, size%RunSize) }
