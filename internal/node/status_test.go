package node

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cefgo/cefgo/internal/control"
	"github.com/cefgo/cefgo/internal/forward"
	"github.com/cefgo/cefgo/internal/tlv"
)

const goldenStatus = `CCNx Version     : 1
Port             : 9695
Rx Interest      : 3 (RGL[2], SYM[1], SEL[0])
Tx Interest      : 3 (RGL[3], SYM[0], SEL[0])
Rx ContentObject : 1
Tx ContentObject : 0
Cache Mode       : Localcache
Cache Size       : 417 of 1048576 bytes, 1 objects
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
    Faces : 3 (-s-) RtCost=0 
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

// forgets is a face that sends to nobody.
type forgets struct{}

func (forgets) Send([]byte) bool { return true }

func TestStatus(t *testing.T) {
	now := time.Now()
	f := forward.New(forward.Options{CacheBytes: 1 << 20}, now)
	var ids [4]forward.FaceID // from 1
	for i := range 3 {
		ids[i+1] = f.AddFace(forgets{}, forward.FaceOptions{})
	}
	command := func(face int, c tlv.Command, uri string) {
		pkt, err := tlv.AppendCommand(nil, c, mustName(t, uri))
		must(t, err)
		f.OnPacket(ids[face], pkt, now)
	}
	text := func(port int) string {
		s := f.Status(forward.StatusLimits{Pending: statusPITEntries, Apps: maxStatusApps, Routes: statusRoutes}, now)
		s.Port = port
		return statusText(s, false)
	}
	command(2, tlv.CommandRegPrefix, "ccnx:/a")
	command(2, tlv.CommandRegPrefix, "ccnx:/a/b")
	command(3, tlv.CommandRegPrefix, "ccnx:/a")
	command(3, tlv.CommandRouteAdd, "ccnx:/")
	f.OnPacket(ids[1], interest(t, "ccnx:/a", func(i *tlv.Interest) { i.MsgVendor = tlv.VendorSymbolic }), now)
	f.OnPacket(ids[2], interest(t, "ccnx:/a/Chunk=7"), now)
	f.OnPacket(ids[3], interest(t, "ccnx:/none"), now)
	f.OnPacket(ids[1], data(t, "ccnx:/x/y"), now)
	if got := text(9695); got != goldenStatus {
		t.Errorf("status\n%s\nwant\n%s", got, goldenStatus)
	}
	empty := forward.New(forward.Options{CacheBytes: 1 << 20}, now).Status(forward.StatusLimits{}, now)
	empty.Port = 1
	if got := statusText(empty, true); got != goldenEmpty {
		t.Errorf("status\n%s\nwant\n%s", got, goldenEmpty)
	}
	for k := range 200 {
		f.OnPacket(ids[1], interest(t, fmt.Sprintf("ccnx:/none/%d/Chunk=1", k)), now)
	}
	if got := text(1); strings.Count(got, "DownFaces") != statusPITEntries || !strings.HasSuffix(got, "\nand more...\n") || !strings.Contains(got, "\nPIT : 203\n") {
		t.Errorf("%d entries shown of\n%s", strings.Count(got, "DownFaces"), got)
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
			if !strings.HasPrefix(line, control.CacheLine) {
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
	var routed []string
	for _, v := range load[vector](t, "vectors.json") {
		request := string(v.bytes(t))
		got := ""
		switch {
		case !strings.HasPrefix(v.ID, "control/"), strings.HasPrefix(request, verbPIT):
			continue
		case strings.HasPrefix(request, verbRoute):
			// Who is on this socket's other end counts, not whom the message names.
			if got = ask(t, c, request); got != routeDone {
				t.Errorf("%s is answered with %q", v.ID, got)
			}
			routed = append(routed, v.ID)
		default:
			got = ask(t, c, request)
			if !strings.HasPrefix(got, "CCNx Version     : 1\nPort             : 9731\n") || !strings.HasSuffix(got, "\nPIT :\n  Entry is empty\n") {
				t.Errorf("%s is answered with %q", v.ID, got)
			}
		}
	}
	if len(routed) < 8 {
		t.Errorf("messages of cefroute: %v", routed)
	}
}

// TestTexts: which of them are answered, and which end the face.
func TestTexts(t *testing.T) {
	c := newCore(&Node{net: new(network), begun: time.Now()})
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
		fc := c.newStreamFace(memoryConn{}, 1)
		stays := c.onText(fc, []byte(text))
		answer := ""
		if len(fc.text) > 0 {
			answer = string((<-fc.text)())
		}
		if stays != want.stays || !strings.HasPrefix(answer, want.answered) || (answer == "") != (want.answered == "") {
			t.Errorf("%.20q: stays %v, answered with %q", text, stays, answer)
		}
	}
	// Who does not read gets no second answer, and nobody waits for him.
	fc := c.newStreamFace(memoryConn{}, 1)
	for range 3 {
		c.onText(fc, []byte("/CTRLSTATUS"))
	}
	if len(fc.text) != 1 {
		t.Errorf("%d texts wait", len(fc.text))
	}
}
