package cefore

import (
	"fmt"
	"time"
)

// Key is the name of a setting in cefnetd.conf, as Cefore spells it.
type Key string

// The settings that matter to a client (sheet a, table of keys).
const (
	KeyPort                 Key = "PORT_NUM"
	KeySocketID             Key = "LOCAL_SOCK_ID"
	KeyPITSize              Key = "PIT_SIZE"
	KeyRegularLifetimeMax   Key = "REGULAR_INTEREST_MAX_LIFETIME"
	KeySymbolicLifetimeMax  Key = "SYMBOLIC_INTEREST_MAX_LIFETIME"
	KeyInterestReturn       Key = "ENABLE_INTEREST_RETURN"
	KeyCSMode               Key = "CS_MODE"
	KeyLocalCacheCapacity   Key = "LOCAL_CACHE_CAPACITY"
	KeyLocalCacheDefaultRCT Key = "LOCAL_CACHE_DEFAULT_RCT"
	KeyFIBSize              Key = "FIB_SIZE"
	KeyNodeName             Key = "NODE_NAME"
)

// Config is what a cefnetd started with a configuration file works with. Every field has its default
// where the file does not set it; Lines tells which is which.
type Config struct {
	Path  string      // the file that was read, "" if none
	Lines map[Key]int // the line that set a key, counted from 1; no entry: not set in the file

	Port                 int           // socket name, UDP and TCP port
	SocketID             string        // suffix of the socket name
	PITSize              int           // entries; a full PIT drops Interests silently
	RegularLifetimeMax   time.Duration // longer lifetimes of regular Interests are cut to this
	SymbolicLifetimeMax  time.Duration // the same for Symbolic Interests
	InterestReturn       bool          // Interest Returns are sent and forwarded
	CSMode               int           // 0 no content store, 1 in cefnetd, 2 csmgrd, 3 conpubd
	LocalCacheCapacity   int           // objects, in CSMode 1
	LocalCacheDefaultRCT time.Duration // recommended cache time; cefnetd ignores it in CSMode 1
	FIBSize              int           // routes to the network
	NodeName             string        // what CCNinfo calls the node, unchecked; "": its address
}

// Default returns the defaults as coded in cefnetd 0.12.0, which its documentation does not always state
// rightly (sheet a: PIT_SIZE).
func Default() Config {
	return Config{
		Port:                 9695,
		SocketID:             "0",
		PITSize:              65535,
		RegularLifetimeMax:   2 * time.Second,
		SymbolicLifetimeMax:  4 * time.Second,
		InterestReturn:       false,
		CSMode:               0,
		LocalCacheCapacity:   65535,
		LocalCacheDefaultRCT: 600 * time.Second,
		FIBSize:              1024,
	}
}

// Origin says where the value of k came from: "/path/cefnetd.conf:12" or "default".
func (c Config) Origin(k Key) string {
	line, ok := c.Lines[k]
	if !ok {
		return "default"
	}
	return position(c.Path, line)
}

// ConfigError is a cefnetd.conf that cannot be taken at its word. Line is 0 where the whole file is at
// fault, Key is "" where a whole line is.
type ConfigError struct {
	Path   string // "" if the file was given as a reader
	Line   int
	Key    Key
	Value  string // with blanks removed, as Cefore reads it
	Reason string
}

func (e *ConfigError) Error() string {
	at := position(e.Path, e.Line)
	if e.Key == "" {
		return fmt.Sprintf("%s: %s", at, e.Reason)
	}
	return fmt.Sprintf("%s: %s=%q: %s", at, e.Key, e.Value, e.Reason)
}

// position formats a place in a configuration file: path:line, or the path alone for line 0.
func position(path string, line int) string {
	if path == "" {
		path = configName
	}
	if line == 0 {
		return path
	}
	return fmt.Sprintf("%s:%d", path, line)
}
