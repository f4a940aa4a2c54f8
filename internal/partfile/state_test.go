package partfile

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

func TestStateEncoding(t *testing.T) {
	s := State{V: 1, Name: `ccnx:/a<&"\b`, BlockSize: 4096, EndChunk: new(uint64(0)), Tag: "0aff"}
	want := `{"v":1,"name":"ccnx:/a<&\"\\b","block_size":4096,"end_chunk":0,"tag":"0aff"}` + "\n"
	if got := string(s.encode()); got != want {
		t.Errorf("encoded %s, want %s", got, want)
	}
	if got, want := goodState(), `{"v":1,"name":"ccnx:/demo/file","block_size":1000,"tag":"0a1b"}`+"\n"; got != want {
		t.Errorf("encoded %s, want %s", got, want)
	}
}

var validStates = []string{
	`{"v":1,"name":"ccnx:/a","block_size":1}`,
	`{"v":1,"name":"ccnx:/a","block_size":65535,"end_chunk":0}`,
	`{"v":1,"name":"\u65e5\u672c <>&","block_size":9,"end_chunk":18446744073709551615,"tag":"09af"}`,
	` {"tag":"","block_size":9 , "name":"x","v":1,"end_chunk":null} ` + "\n",
	`{"v":1,"name":"` + strings.Repeat(`\"`, maxName) + `","block_size":1,"tag":"` + strings.Repeat("f", maxTag) + `"}`,
}

var invalidStates = []string{
	"", " ", "\x00", "null", "[]", "1", `""`, "{", "{}",
	`{"name":"x","block_size":1}`,
	`{"v":0,"name":"x","block_size":1}`,
	`{"v":2,"name":"x","block_size":1}`,
	`{"v":"1","name":"x","block_size":1}`,
	`{"v":1,"name":"","block_size":1}`,
	`{"v":1,"block_size":1}`,
	`{"v":1,"name":"x"}`,
	`{"v":1,"name":"x","block_size":0}`,
	`{"v":1,"name":"x","block_size":-1}`,
	`{"v":1,"name":"x","block_size":65536}`,
	`{"v":1,"name":"x","block_size":1.5}`,
	`{"v":1,"name":"a\nb","block_size":1}`,
	`{"v":1,"name":"a` + "\x7f" + `b","block_size":1}`,
	`{"v":1,"name":"` + "\xff" + `","block_size":1}`,
	`{"v":1,"name":"` + strings.Repeat("x", maxName+1) + `","block_size":1}`,
	`{"v":1,"name":"x","block_size":1,"end_chunk":-1}`,
	`{"v":1,"name":"x","block_size":1,"end_chunk":18446744073709551616}`,
	`{"v":1,"name":"x","block_size":1,"tag":"0A"}`,
	`{"v":1,"name":"x","block_size":1,"tag":"xyz"}`,
	`{"v":1,"name":"x","block_size":1,"tag":"0g0"}`,
	`{"v":1,"name":"x","block_size":1,"tag":"` + strings.Repeat("f", maxTag+1) + `"}`,
	`{"v":1,"name":"x","block_size":1,"more":1}`,
	`{"v":1,"name":"x","block_size":1}x`,
	`{"v":1,"name":"x","block_size":1}{}`,
	`{"v":1,"name":"x","block_size":1}` + "\x00\x00",
	`{"v":1,"name":"x","block_size":1}` + strings.Repeat(" ", maxState),
}

func TestDecodeState(t *testing.T) {
	for _, data := range validStates {
		if _, err := decodeState([]byte(data)); err != nil {
			t.Errorf("%.60q: %v", data, err)
		}
	}
	for _, data := range invalidStates {
		if s, err := decodeState([]byte(data)); err == nil {
			t.Errorf("%.60q is accepted as %.60q", data, s.Name)
		}
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	data := strings.TrimSpace(goodState())
	for n := range len(data) {
		if s, err := decodeState([]byte(data[:n])); err == nil {
			t.Errorf("%q is accepted as %+v", data[:n], s)
		}
	}
}

func FuzzLoadState(f *testing.F) {
	for _, data := range append(validStates, invalidStates...) {
		if len(data) < 1000 { // the fuzzer would spend its time on shortening the long ones
			f.Add([]byte(data))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeState(data)
		if err != nil {
			return
		}
		again, err := decodeState(s.encode())
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Errorf("%+v comes back as %+v, %v", s, again, err)
		}
		if err := s.covers(0); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	})
}

func TestLoadState(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "good", goodState())
	put(t, "huge", goodState()+strings.Repeat(" ", maxState))
	check(t, os.Symlink("good", "link"))
	check(t, os.Mkdir("dir", 0o755))
	check(t, syscall.Mkfifo("pipe", 0o644)) // opening it must not wait for a writer
	want := testState()
	want.V = 1
	if got, err := loadState("good"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	for path, says := range map[string]string{
		"huge": "longer than", "link": "", "dir": "not a regular file", "pipe": "not a regular file", "none": "no such file",
	} {
		if _, err := loadState(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", path, err, says)
		}
	}
}

func TestSaveState(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	f := open(t, target, Options{})
	s := testState()
	s.Tag = ""
	check(t, f.SaveState(s))
	check(t, f.SaveState(testState())) // no byte yet: anything goes
	s.Name = "ccnx:/other"
	check(t, f.SaveState(s))
	write(t, f, content(0))

	s.EndChunk = new(uint64(7)) // now only more can be known
	check(t, f.SaveState(s))
	s.Tag = "01"
	check(t, f.SaveState(s))
	*s.EndChunk = 99 // the File has its own copy
	if *f.state.EndChunk != 7 {
		t.Error("the caller's State is aliased")
	}
	wantNames(t, dir, "out.cefgo-part", "out.cefgo-state")

	before, err := os.ReadFile(target + stateSuffix)
	check(t, err)
	for name, change := range map[string]func(*State){
		"name":       func(s *State) { s.Name = "ccnx:/third" },
		"block size": func(s *State) { s.BlockSize++ },
		"tag":        func(s *State) { s.Tag = "02" },
		"no tag":     func(s *State) { s.Tag = "" },
		"bad tag":    func(s *State) { s.Tag = "no" },
		"no name":    func(s *State) { s.Name = "" },
	} {
		s := s
		change(&s)
		if _, ok := errors.AsType[*StateError](f.SaveState(s)); !ok {
			t.Errorf("another %s is accepted", name)
		}
	}
	write(t, f, content(1))
	s.EndChunk = new(uint64(0))
	if f.SaveState(s) == nil {
		t.Error("an end before what is stored is accepted")
	}
	wantFile(t, target+stateSuffix, before)
}

// JSON would silently save these as another name.
func TestSaveStateRefusesNamesThatJSONChanges(t *testing.T) {
	f := open(t, inTemp(t, "out"), Options{})
	for _, name := range []string{"\xff", "ccnx:/\xc3(", "a\x00"} {
		s := testState()
		s.Name = name
		if _, ok := errors.AsType[*StateError](f.SaveState(s)); !ok {
			t.Errorf("name %q is accepted", name)
		}
	}
}

func TestSaveStateLate(t *testing.T) {
	dir := t.TempDir()
	f := open(t, filepath.Join(dir, "out"), Options{})
	write(t, f, content(0))
	if _, ok := errors.AsType[*StateError](f.SaveState(testState())); !ok {
		t.Error("a state after the first byte is accepted")
	}
	wantNames(t, dir, "out.cefgo-part")
}

func TestSaveStateAfterResume(t *testing.T) {
	target := inTemp(t, "out")
	left(t, target, 3, "", goodState())
	f := open(t, target, Options{Resume: true})
	s, _, _ := f.ResumeState()
	s.EndChunk = new(uint64(3))
	check(t, f.SaveState(s))
	got, _, _ := f.ResumeState()
	*got.EndChunk = 99
	if *f.state.EndChunk != 3 {
		t.Error("the caller got the File's own State")
	}
	s.Tag = "ffff"
	if f.SaveState(s) == nil {
		t.Error("the stored chunks got another tag")
	}
	check(t, f.Keep())
	check(t, resumable(target, 3))
}

func TestSaveStateLeavesNoTemporaryFile(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "out")
	f := open(t, target, Options{})
	check(t, os.Mkdir(target+stateSuffix, 0o755)) // the rename will fail
	err := f.SaveState(testState())
	if e, ok := errors.AsType[*WriteError](err); !ok || e.Path != target+stateSuffix {
		t.Errorf("SaveState: %v", err)
	}
	wantNames(t, dir, "out.cefgo-part", "out.cefgo-state")
	check(t, os.Remove(target+stateSuffix))
	check(t, f.SaveState(testState()))
}
