package cefore

import (
	"strings"
	"testing"
)

// env makes a getenv of one directory; "" leaves CEFORE_DIR unset.
func env(ceforeDir string) func(string) string {
	return func(name string) string {
		if name == "CEFORE_DIR" {
			return ceforeDir
		}
		return ""
	}
}

func TestConfigPath(t *testing.T) {
	tests := []struct {
		name, flag, env string
		want            string
		explicit        bool
	}{
		{"default", "", "", "/usr/local/cefore/cefnetd.conf", false},
		{"environment", "", "/opt/c", "/opt/c/cefore/cefnetd.conf", true},
		{"flag", "/etc/c", "", "/etc/c/cefnetd.conf", true},
		{"flag wins", "/etc/c", "/opt/c", "/etc/c/cefnetd.conf", true},
		{"trailing slash", "/etc/c/", "", "/etc/c/cefnetd.conf", true},
		{"root", "/", "", "/cefnetd.conf", true},
		{"relative", ".", "", "./cefnetd.conf", true},
		{"dot-dot may cross a link", "link/..", "", "link/../cefnetd.conf", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, explicit := ConfigPath(tt.flag, env(tt.env))
			if path != tt.want || explicit != tt.explicit {
				t.Errorf("ConfigPath(%q) = %q, %t; want %q, %t", tt.flag, path, explicit, tt.want, tt.explicit)
			}
		})
	}
}

func TestSocketPath(t *testing.T) {
	if got, want := SocketPath(9711, "a"), "/tmp/cef_9711.a"; got != want {
		t.Errorf("SocketPath = %q, want %q", got, want)
	}
}

func TestValidatePort(t *testing.T) {
	for port, ok := range map[int]bool{-1: false, 0: false, 1024: false, 1025: true, 9695: true, 65535: true, 65536: false} {
		if err := ValidatePort(port); (err == nil) != ok {
			t.Errorf("ValidatePort(%d) = %v, want ok %t", port, err, ok)
		}
	}
}

func TestValidateSocketID(t *testing.T) {
	tests := []struct{ id, wantErr string }{
		{"0", ""},
		{strings.Repeat("x", 16), ""},
		{"é", ""},
		{"", "empty"},
		{strings.Repeat("x", 17), "longer than 16 bytes"},
		{strings.Repeat("é", 9), "longer than 16 bytes"},
		{"a/b", "'/'"},
		{"a\x00b", "NUL"},
	}
	for _, tt := range tests {
		wantError(t, ValidateSocketID(tt.id), tt.wantErr)
	}
}

// wantError checks that err is nil for want "", else that its text contains want.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil {
		t.Errorf("unexpected error: %v", err)
	}
	if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}
