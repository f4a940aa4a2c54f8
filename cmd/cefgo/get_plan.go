package main

import (
	"github.com/cefgo/cefgo/internal/partfile"
	"github.com/cefgo/cefgo/internal/pipeline"
	"github.com/cefgo/cefgo/internal/tlv"
)

// getJob is one name of a run. Its fields but the counters are its worker's until all
// workers have ended.
type getJob struct {
	uri      string
	name     tlv.Name // without a chunk number
	full     tlv.Name
	chunks   rangeValue
	verify   proofValue
	path     string // of the file that -o and the name say; "": standard output
	counters pipeline.Counters
	begun    bool
	tree     bool // it is one of many of -R: what is there already stays

	out outcome
	err error
}

// plan reads the names, and refuses two that would go to one file.
func (r *getRun) plan(uris []string) error {
	seen := make(map[string]string)
	for _, uri := range uris {
		full, err := r.a.parseName(uri)
		if err != nil {
			return failed("get", uri, err)
		}
		j := &getJob{uri: uri, full: full, name: full.WithoutChunk()}
		if j.name.IsDefault() {
			return failed("get", uri, usage("name what is below it", "there is nothing under the empty name"))
		}
		if j.chunks, err = r.o.chunksOf(full); err != nil {
			return failed("get", uri, err)
		}
		j.verify = r.demand(j.name)
		if r.o.output != "-" {
			if err := r.aim(j, len(uris) > 1); err != nil {
				return failed("get", uri, err)
			}
			if other, ok := seen[j.path]; ok {
				return failed("get", uri, usage("fetch them one after the other, with -o FILE", "it would go to the same file as %s: %s", printable(other), j.path))
			}
			seen[j.path] = uri
		}
		r.jobs = append(r.jobs, j)
	}
	return nil
}

// aim finds the file that j goes to.
func (r *getRun) aim(j *getJob, several bool) error {
	if several && r.o.output != "" && !isDirectory(r.o.output) {
		return usage("make the directory first, or leave -o out", "several names need a directory to go to, and %s is none", r.o.output)
	}
	_, last, _ := j.name.Parent()
	path, err := partfile.TargetPath(r.o.output, last.Value)
	if err != nil {
		return asLocal(err)
	}
	j.path = path
	return nil
}
