package cefore

import (
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestLocate(t *testing.T) {
	dir := t.TempDir()
	flagConf := writeConf(t, filepath.Join(dir, "flag"), "# a\nPORT_NUM=9711\nLOCAL_SOCK_ID=a\n")
	envConf := writeConf(t, filepath.Join(dir, "env", "cefore"), "PORT_NUM=9712\n")
	flagDir, envDir := filepath.Dir(flagConf), filepath.Join(dir, "env")

	tests := []struct {
		name string
		opts Options
		env  string
		want Location // without Config
	}{
		{"file", Options{Dir: flagDir}, "",
			Location{flagConf, Config{}, 9711, "a", "/tmp/cef_9711.a", flagConf + ":2", flagConf + ":3"}},
		{"file by environment", Options{}, envDir,
			Location{envConf, Config{}, 9712, "0", "/tmp/cef_9712.0", envConf + ":1", "default"}},
		{"directory flag over environment", Options{Dir: flagDir}, envDir,
			Location{flagConf, Config{}, 9711, "a", "/tmp/cef_9711.a", flagConf + ":2", flagConf + ":3"}},
		{"port flag", Options{Dir: flagDir, Port: 9800}, "",
			Location{flagConf, Config{}, 9800, "a", "/tmp/cef_9800.a", "flag", flagConf + ":3"}},
		{"socket id flag", Options{Dir: flagDir, SocketID: "z"}, "",
			Location{flagConf, Config{}, 9711, "z", "/tmp/cef_9711.z", flagConf + ":2", "flag"}},
		{"flag equal to the file", Options{Dir: flagDir, Port: 9711}, "",
			Location{flagConf, Config{}, 9711, "a", "/tmp/cef_9711.a", "flag", flagConf + ":3"}},
		{"named provenance", Options{Dir: flagDir, Port: 1025, SocketID: "z", PortFrom: "CEFGO_PORT", SocketIDFrom: "config.yaml"}, "",
			Location{flagConf, Config{}, 1025, "z", "/tmp/cef_1025.z", "CEFGO_PORT", "config.yaml"}},
		{"provenance of nothing", Options{Dir: flagDir, PortFrom: "CEFGO_PORT", SocketIDFrom: "config.yaml"}, "",
			Location{flagConf, Config{}, 9711, "a", "/tmp/cef_9711.a", flagConf + ":2", flagConf + ":3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Locate(tt.opts, env(tt.env))
			if err != nil {
				t.Fatal(err)
			}
			file, err := Load(tt.want.ConfigPath)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Config = file // options change the Location, not what the file said
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// The default path itself belongs to the machine, so this stands in for it.
func TestLocateDefaultPathMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cefnetd.conf")
	got, err := locate(Options{SocketID: "z"}, path, false)
	if err != nil {
		t.Fatal(err)
	}
	want := Location{path, Default(), 9695, "z", "/tmp/cef_9695.z", "default", "flag"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLocateDefaultPathBroken(t *testing.T) {
	path := writeConf(t, t.TempDir(), "PORT_NUM=80\n")
	_, err := locate(Options{}, path, false)
	checkConfigError(t, err, ConfigError{Path: path, Line: 1, Key: KeyPort, Value: "80"}, "not in")
	wantError(t, err, "cefore configuration: "+path+":1: ")
}

// Whatever this machine has there, it is the default path that is looked at.
func TestLocateLooksAtDefaultPath(t *testing.T) {
	l, err := Locate(Options{}, env(""))
	if err != nil {
		wantError(t, err, DefaultPath)
	} else if l.ConfigPath != DefaultPath {
		t.Errorf("ConfigPath %q, want %q", l.ConfigPath, DefaultPath)
	}
}

func TestLocateMissing(t *testing.T) {
	dir := t.TempDir()
	whole := Options{Port: 9711, SocketID: "a"} // the file would not even be needed
	inFlag := whole
	inFlag.Dir = dir
	tests := []struct {
		name, env, path string
		opts            Options
	}{
		{"flag", "", filepath.Join(dir, "cefnetd.conf"), inFlag},
		{"environment", dir, filepath.Join(dir, "cefore", "cefnetd.conf"), whole},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Locate(tt.opts, env(tt.env))
			wantError(t, err, tt.path)
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("error %v, want fs.ErrNotExist", err)
			}
		})
	}
}

func TestLocateBadOption(t *testing.T) {
	dir := filepath.Dir(writeConf(t, t.TempDir(), ""))
	tests := []struct {
		opts Options
		want string
	}{
		{Options{Dir: dir, Port: 1024}, "port 1024 (flag): not in 1025..65535"},
		{Options{Dir: dir, Port: 65536, PortFrom: "CEFGO_PORT"}, "port 65536 (CEFGO_PORT): not in 1025..65535"},
		{Options{Dir: dir, Port: -9695}, "port -9695 (flag): not in 1025..65535"},
		{Options{Dir: dir, SocketID: "a/b"}, `socket id "a/b" (flag): contains '/' or NUL`},
		{Options{Dir: dir, SocketID: strings.Repeat("x", 17), SocketIDFrom: "config.yaml"}, "(config.yaml): longer than 16 bytes"},
	}
	for _, tt := range tests {
		_, err := Locate(tt.opts, env(""))
		wantError(t, err, tt.want)
		if !errors.Is(err, ErrOption) {
			t.Errorf("error %v, want ErrOption", err)
		}
	}
}

func TestLocateFileErrorIsNoOptionError(t *testing.T) {
	dir := filepath.Dir(writeConf(t, t.TempDir(), "PORT_NUM=80\n"))
	_, err := Locate(Options{Dir: dir, Port: 9711}, env(""))
	wantError(t, err, "PORT_NUM")
	if errors.Is(err, ErrOption) {
		t.Errorf("error %v blames an option", err)
	}
}
