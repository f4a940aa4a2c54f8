package cefore

import (
	"reflect"
	"testing"
	"time"
)

// The values are those of sheet a, table of keys, column "Default in code".
func TestDefault(t *testing.T) {
	want := Config{
		Port: 9695, SocketID: "0", PITSize: 65535,
		RegularLifetimeMax: 2 * time.Second, SymbolicLifetimeMax: 4 * time.Second,
		InterestReturn: false, CSMode: 0,
		LocalCacheCapacity: 65535, LocalCacheDefaultRCT: 10 * time.Minute, FIBSize: 1024,
	}
	if got := Default(); !reflect.DeepEqual(got, want) {
		t.Errorf("Default() = %+v, want %+v", got, want)
	}
}

func TestOrigin(t *testing.T) {
	c := Config{Path: "/etc/c/cefnetd.conf", Lines: map[Key]int{KeyPort: 12}}
	for k, want := range map[Key]string{KeyPort: "/etc/c/cefnetd.conf:12", KeySocketID: "default"} {
		if got := c.Origin(k); got != want {
			t.Errorf("Origin(%s) = %q, want %q", k, got, want)
		}
	}
	if got := Default().Origin(KeyPort); got != "default" {
		t.Errorf("Origin without a file = %q, want default", got)
	}
}

func TestConfigErrorText(t *testing.T) {
	tests := []struct {
		err  ConfigError
		want string
	}{
		{ConfigError{"/c/cefnetd.conf", 3, KeyPort, "80", "not in 1025..65535"}, `/c/cefnetd.conf:3: PORT_NUM="80": not in 1025..65535`},
		{ConfigError{Path: "/c/cefnetd.conf", Line: 3, Reason: "too long"}, "/c/cefnetd.conf:3: too long"},
		{ConfigError{Path: "/c/cefnetd.conf", Reason: "too large"}, "/c/cefnetd.conf: too large"},
		{ConfigError{Line: 3, Key: KeySocketID, Value: "\x1b", Reason: "bad"}, `cefnetd.conf:3: LOCAL_SOCK_ID="\x1b": bad`},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
