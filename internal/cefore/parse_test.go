package cefore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// with is the default configuration, changed, with lines saying where.
func with(lines map[Key]int, change func(*Config)) Config {
	c := Default()
	c.Lines = lines
	if change != nil {
		change(&c)
	}
	return c
}

var goodConfigs = []struct {
	name, text string
	want       Config
}{
	{"empty", "", with(map[Key]int{}, nil)},
	{"all comments", "#\n# cefnetd.conf\n#PORT_NUM=9700\n", with(map[Key]int{}, nil)},
	{"every key", `
PORT_NUM=9711
LOCAL_SOCK_ID=a
PIT_SIZE=100
REGULAR_INTEREST_MAX_LIFETIME=3
SYMBOLIC_INTEREST_MAX_LIFETIME=5
ENABLE_INTEREST_RETURN=1
CS_MODE=2
LOCAL_CACHE_CAPACITY=200
LOCAL_CACHE_DEFAULT_RCT=30
`, with(map[Key]int{
		KeyPort: 2, KeySocketID: 3, KeyPITSize: 4, KeyRegularLifetimeMax: 5, KeySymbolicLifetimeMax: 6,
		KeyInterestReturn: 7, KeyCSMode: 8, KeyLocalCacheCapacity: 9, KeyLocalCacheDefaultRCT: 10,
	}, func(c *Config) {
		c.Port, c.SocketID, c.PITSize = 9711, "a", 100
		c.RegularLifetimeMax, c.SymbolicLifetimeMax = 3*time.Second, 5*time.Second
		c.InterestReturn, c.CSMode = true, 2
		c.LocalCacheCapacity, c.LocalCacheDefaultRCT = 200, 30*time.Second
	})},
	{"blanks and tabs anywhere", " P ORT\t_NUM = 9 7\t0 0 \n", with(map[Key]int{KeyPort: 1}, func(c *Config) { c.Port = 9700 })},
	{"no line feed at the end", "PORT_NUM=9700", with(map[Key]int{KeyPort: 1}, func(c *Config) { c.Port = 9700 })},
	{"carriage return", "PORT_NUM=9700\r\nPORT_NUM=9701\rPORT_NUM=9702\n", with(map[Key]int{KeyPort: 2}, func(c *Config) { c.Port = 9701 })},
	{"last value wins", "PORT_NUM=9700\n\nPORT_NUM=9701\n", with(map[Key]int{KeyPort: 3}, func(c *Config) { c.Port = 9701 })},
	{"default value is set all the same", "PORT_NUM=9695\n", with(map[Key]int{KeyPort: 1}, nil)},
	{"second equals sign", "PORT_NUM=9700=1\nPORT_NUM==9700\n", with(map[Key]int{}, nil)},
	{"no equals sign", "PORT_NUM 9700\nPORT_NUM\n", with(map[Key]int{}, nil)},
	{"no quoting", "LOCAL_SOCK_ID=\"a b\"\n", with(map[Key]int{KeySocketID: 1}, func(c *Config) { c.SocketID = `"ab"` })},
	{"hash after column 1 is no comment", " #PORT_NUM=9700\nLOCAL_SOCK_ID=a#b\n", with(map[Key]int{KeySocketID: 2}, func(c *Config) { c.SocketID = "a#b" })},
	{"node name and FIB", "Node_Name=ccnx:/r 1\nFIB_SIZE=7\n", with(map[Key]int{KeyNodeName: 1, KeyFIBSize: 2}, func(c *Config) { c.NodeName, c.FIBSize = "ccnx:/r1", 7 })},
	{"unknown keys", "CEF_LOG_LEVEL=0\nUSE_CEFBABEL=\nFOO=x\n=9700\n", with(map[Key]int{}, nil)},
	{"case of keys as in Cefore", "cs_mode=1\nport_num=9700\n", with(map[Key]int{KeyCSMode: 1}, func(c *Config) { c.CSMode = 1 })},
	{"longest line", "#" + strings.Repeat("x", 4095) + "\nPORT_NUM=9700\n", with(map[Key]int{KeyPort: 2}, func(c *Config) { c.Port = 9700 })},
	{"largest file", strings.Repeat(strings.Repeat(" ", 1023)+"\n", 1024), with(map[Key]int{}, nil)},
}

func TestParse(t *testing.T) {
	for _, tt := range goodConfigs {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// No known key begins with '#', so that only here a lost comment rule would show.
func TestSplitLine(t *testing.T) {
	tests := []struct {
		line, key, value string
		ok               bool
	}{
		{"a=b", "a", "b", true},
		{" a\t=\t b\r", "a", "b", true},
		{"a=", "a", "", true},
		{"=b", "", "b", true},
		{" #a=b", "#a", "b", true},
		{"#a=b", "", "", false},
		{"a=b=", "", "", false},
		{"a", "", "", false},
		{"a\r=b", "", "", false},
		{"", "", "", false},
	}
	for _, tt := range tests {
		key, value, ok := splitLine(tt.line)
		if key != tt.key || value != tt.value || ok != tt.ok {
			t.Errorf("splitLine(%q) = %q, %q, %t; want %q, %q, %t", tt.line, key, value, ok, tt.key, tt.value, tt.ok)
		}
	}
}

// Each accepted range of sheet a: its ends are taken, what lies beside them is not.
func TestParseRanges(t *testing.T) {
	const notNumber = "not a whole number"
	tests := []struct {
		key    Key
		good   []string
		bad    []string
		reason string
	}{
		{KeyPort, []string{"1025", "65535", "+9695", "09695"}, []string{"1024", "65536", "-9695", "99999999999999999999"}, "not in 1025..65535"},
		{KeyPort, nil, []string{"", "x", "9695x", "0x25df", "9695.0", "9_695", `"9695"`, "9695\x00"}, notNumber},
		{KeyPort, nil, []string{"9695 # the default"}, "comment only in column 1"},
		{KeySocketID, []string{"a", "0123456789abcdef"}, nil, ""},
		{KeySocketID, nil, []string{""}, "empty"},
		{KeySocketID, nil, []string{"0123456789abcdefg"}, "longer than 16 bytes"},
		{KeySocketID, nil, []string{"../x", "a\x00"}, "'/' or NUL"},
		{KeyPITSize, []string{"1", "16777215"}, []string{"0", "16777216"}, "not in 1..16777215"},
		{KeyRegularLifetimeMax, []string{"0", "2147483"}, []string{"-1", "2147484"}, "not in 0..2147483"},
		{KeySymbolicLifetimeMax, []string{"0", "2147483"}, []string{"-1", "2147484"}, "not in 0..2147483"},
		{KeyInterestReturn, []string{"0", "1"}, []string{"-1", "2"}, "not in 0..1"},
		{KeyCSMode, []string{"0", "3"}, []string{"-1", "4"}, "not in 0..3"},
		{KeyLocalCacheCapacity, []string{"2", "8000000"}, []string{"1", "8000001"}, "not in 2..8000000"},
		{KeyLocalCacheDefaultRCT, []string{"1", "3600"}, []string{"0", "3601"}, "not in 1..3600"},
	}
	for _, tt := range tests {
		for _, v := range tt.good {
			if _, err := Parse(strings.NewReader(string(tt.key) + "=" + v)); err != nil {
				t.Errorf("%s=%s: %v", tt.key, v, err)
			}
		}
		for _, v := range tt.bad {
			_, err := Parse(strings.NewReader("#\n" + string(tt.key) + "=" + v + "\n"))
			want := ConfigError{Line: 2, Key: tt.key, Value: strings.ReplaceAll(v, " ", "")}
			checkConfigError(t, err, want, tt.reason)
		}
	}
}

// checkConfigError holds err against want, whose Reason is left open but for containing reason.
func checkConfigError(t *testing.T, err error, want ConfigError, reason string) {
	t.Helper()
	var got *ConfigError
	if !errors.As(err, &got) {
		t.Errorf("error %v, want a ConfigError like %+v", err, want)
		return
	}
	want.Reason = got.Reason
	if *got != want || !strings.Contains(got.Reason, reason) {
		t.Errorf("error %+v, want %+v with reason %q", *got, want, reason)
	}
}

func TestParseFirstErrorCounts(t *testing.T) {
	_, err := Parse(strings.NewReader("PORT_NUM=80\nPORT_NUM=9700\nPIT_SIZE=0\n"))
	checkConfigError(t, err, ConfigError{Line: 1, Key: KeyPort, Value: "80"}, "not in")
}

func TestParseBounds(t *testing.T) {
	_, err := Parse(strings.NewReader("\n#" + strings.Repeat("x", 4096) + "\n"))
	checkConfigError(t, err, ConfigError{Line: 2}, "longer than 4096 bytes")
	_, err = Parse(strings.NewReader(strings.Repeat("\n", 1<<20+1)))
	checkConfigError(t, err, ConfigError{}, "larger than 1048576 bytes")
	_, err = Parse(endless{}) // returns at all
	checkConfigError(t, err, ConfigError{}, "larger than 1048576 bytes")
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestParseReaderError(t *testing.T) {
	failed := errors.New("disk on fire")
	if _, err := Parse(iotest.ErrReader(failed)); !errors.Is(err, failed) {
		t.Errorf("error %v, want %v", err, failed)
	}
}

// writeConf writes a cefnetd.conf below dir and returns its path.
func writeConf(t *testing.T, dir, text string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cefnetd.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	path := writeConf(t, t.TempDir(), "\nPORT_NUM=9711\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Path != path || c.Port != 9711 || c.Origin(KeyPort) != path+":2" {
		t.Errorf("Load = %+v, port from %s", c, c.Origin(KeyPort))
	}
}

func TestLoadErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cefnetd.conf")
	_, err := Load(path)
	wantError(t, err, path)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v, want fs.ErrNotExist", err)
	}

	dir := t.TempDir()
	_, err = Load(dir)
	wantError(t, err, dir)
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory: %v, which must not pass for a missing file", err)
	}

	path = writeConf(t, t.TempDir(), "PIT_SIZE=0\n")
	_, err = Load(path)
	checkConfigError(t, err, ConfigError{Path: path, Line: 1, Key: KeyPITSize, Value: "0"}, "not in")
}
