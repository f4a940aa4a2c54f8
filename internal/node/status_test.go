package node

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/tlv"
)

const goldenStatus = `CCNx Version     : 1
Port             : 9695
Rx Interest      : 3 (RGL[2], SYM[1], SEL[0])
Tx Interest      : 3 (RGL[3], SYM[0], SEL[0])
Rx ContentObject : 1
Tx ContentObject : 0
Cache Mode       : Localcache
Cache Size       : 247 of 1048576 bytes, 1 objects
FWD Strategy     : None
Interest Return  : Disabled
Faces : 3
  faceid =   1 : Local face
  faceid =   2 : Local face
  faceid =   3 : Local face
FIB(App) : 2
  ccnx:/a
    Faces : 2 3
  ccnx:/a/b
    Faces : 2
FIB : 1
  ccnx:/
    Faces : 3
PIT(App) :
  Entry is empty
PIT : 3
  ccnx:/a
    DownFaces : 1 
    UpFaces   : 2 3 
  ccnx:/a/Chunk=7
    DownFaces : 2 
    UpFaces   : 3 
  ccnx:/none
    DownFaces : 3 
    UpFaces   : 
`

const goldenEmpty = `CCNx Version     : 1
Port             : 1
Rx Interest      : 0 (RGL[0], SYM[0], SEL[0])
Tx Interest      : 0 (RGL[0], SYM[0], SEL[0])
Rx ContentObject : 0
Tx ContentObject : 0
Cache Mode       : Localcache
Cache Size       : 0 of 1048576 bytes, 0 objects
FWD Strategy     : None
Interest Return  : Enabled
Faces : 0
FIB(App) :
  Entry is empty
FIB :
  Entry is empty
PIT(App) :
  Entry is empty
PIT :
  Entry is empty
`

func TestStatus(t *testing.T) {
	w := newWorld(t, Options{})
	one, two, three := w.app(), w.app(), w.app()
	two.registers("ccnx:/a", "ccnx:/a/b")
	three.registers("ccnx:/a")
	three.command(tlv.CommandRouteAdd, "ccnx:/")
	one.interest("ccnx:/a", symbolic)
	two.interest("ccnx:/a/Chunk=7")
	three.interest("ccnx:/none")
	one.data("ccnx:/x/y")
	for _, a := range w.apps {
		a.got = nil
	}
	if got := w.f.status(Options{Port: 9695}); got != goldenStatus {
		t.Errorf("status\n%s\nwant\n%s", got, goldenStatus)
	}
	if got := newWorld(t, Options{ReturnToAll: true}).f.status(Options{Port: 1}); got != goldenEmpty {
		t.Errorf("status\n%s\nwant\n%s", got, goldenEmpty)
	}
	for k := range 200 {
		one.interest(fmt.Sprintf("ccnx:/none/%d/Chunk=1", k))
	}
	three.got = nil
	text := w.f.status(Options{})
	if n := strings.Count(text, "DownFaces"); n != statusPITEntries || !strings.HasSuffix(text, "\nand more...\n") || !strings.Contains(text, "\nPIT : 203\n") {
		t.Errorf("%d entries shown of\n%s", n, text)
	}
}

// TestStatusLikeCefnetds: line for line, ours begins as a status of the real one, but
// for the line that only ours has.
func TestStatusLikeCefnetds(t *testing.T) {
	values := regexp.MustCompile(`\d+|Localcache|None|Enabled|Disabled`)
	form := func(text string) string {
		head, _, _ := strings.Cut(text, "Faces : ")
		var b strings.Builder
		for line := range strings.Lines(head) {
			if !strings.HasPrefix(line, CacheLine) {
				b.WriteString(values.ReplaceAllString(line, "…"))
			}
		}
		return b.String()
	}
	seen := 0
	for _, v := range load[vector](t, "vectors.json") {
		if !strings.HasPrefix(v.ID, "control-reply/cefstatus") {
			continue
		}
		seen++
		if got, want := form(goldenEmpty), form(string(v.bytes(t))); got != want {
			t.Errorf("status\n%s\nwant\n%s", got, want)
		}
	}
	if seen != 2 {
		t.Errorf("%d statuses of cefnetd, want 2", seen)
	}
}

// ask writes text and reads what is answered before the reply to a link request.
func ask(t *testing.T, c net.Conn, text string) string {
	t.Helper()
	_, err := c.Write([]byte(text))
	must(t, err)
	must(t, c.SetReadDeadline(time.Now().Add(patience)))
	buf := make([]byte, 1<<16)
	n, err := c.Read(buf)
	must(t, err)
	return string(buf[:n])
}

func TestControl(t *testing.T) {
	n := start(t, Options{Port: 9731})
	c := raw(t, n)
	for _, v := range load[vector](t, "vectors.json") {
		request := string(v.bytes(t))
		got := ""
		switch {
		case !strings.HasPrefix(v.ID, "control/"), strings.HasPrefix(request, verbPIT):
			continue
		case strings.HasPrefix(request, verbRoute):
			if got = ask(t, c, request); got != "failed. (cefroute)\n" {
				t.Errorf("%s is answered with %q", v.ID, got)
			}
		default:
			got = ask(t, c, request)
			if !strings.HasPrefix(got, "CCNx Version     : 1\nPort             : 9731\n") || !strings.HasSuffix(got, "\nPIT :\n  Entry is empty\n") {
				t.Errorf("%s is answered with %q", v.ID, got)
			}
		}
	}
}

// TestTexts: which of them are answered, and which end the face.
func TestTexts(t *testing.T) {
	user := strings.Repeat("\x00", 256)
	for text, want := range map[string]struct {
		answered string
		stays    bool
	}{
		"/CTRLSTATUS":                            {"CCNx Version", true},
		"/CTRLSTATUSroot" + user[4:]:             {"CCNx Version", true},
		"/CTRLSTATUSSTAT\x01\x00root" + user:     {"CCNx Version", true},
		"/CTRLSTATUSPITroot" + user[4:]:          {"", true}, // cefnetd writes a file
		"/CTRLROUTE":                             {"failed. (cefroute)\n", true},
		"/CTRLROUTEroot" + user[4:] + "\x01\x02": {"failed. (cefroute)\n", true},
		"/CTRLSTOProot" + user[4:]:               {"", true}, // not by everybody who can connect
		"/CTRLFOO":                               {"", true},
		"/CTRL":                                  {"", true},
		"/ctrlstatus":                            {"", true},
		"ERROR:cefnetd is resource busy, #1.\n":  {"", true},
		"/CLOSE:Face":                            {"", false},
		"/CLOSE:Fa":                              {"", false},
		"/":                                      {"", false},
		"/CLOSE:Face again":                      {"", true},
		"/C":                                     {"", false},
	} {
		fc := newFace(1, nil)
		stays := new(Node).onText(newForwarder(Options{}), fc, []byte(text))
		answer := ""
		if len(fc.text) > 0 {
			answer = string(<-fc.text)
		}
		if stays != want.stays || !strings.HasPrefix(answer, want.answered) || (answer == "") != (want.answered == "") {
			t.Errorf("%.20q: stays %v, answered with %q", text, stays, answer)
		}
	}
	// Who does not read gets no second answer, and nobody waits for him.
	fc := newFace(1, nil)
	for range 3 {
		new(Node).onText(newForwarder(Options{}), fc, []byte("/CTRLSTATUS"))
	}
	if len(fc.text) != 1 {
		t.Errorf("%d texts wait", len(fc.text))
	}
}
