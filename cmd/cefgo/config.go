package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// envPrefix starts the environment variables that stand for flags: CEFGO_TIMEOUT
// for --timeout.
const envPrefix = "CEFGO"

// systemConfig holds what the user's own file does not say.
const systemConfig = "/etc/cefgo/config.yaml"

// notConfigured are the flags that only the command line can give: those of what cannot
// be undone, too.
var notConfigured = map[string]bool{"config": true, "help": true, "force": true, "private": true}

// origins tells for each flag that the command line did not give where its value
// came from.
type origins map[string]string

// configure gives every flag that the command line left alone its value from
// CEFGO_*, else the configuration file: under the command's own section (get:
// {window: 32}), else at its top. A value that does not fit its flag, a key that no
// flag has, and a file that cannot be read are errors of usage.
func (a *app) configure(cmd *cobra.Command) error {
	v := viper.New()
	v.SetConfigType("yaml")
	file, err := a.readConfig(v)
	if err != nil {
		return err
	}
	if err := checkKeys(cmd.Root(), v, file); err != nil {
		return err
	}
	a.global.origin = make(origins)
	var failure error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if failure != nil || f.Changed || notConfigured[f.Name] {
			return
		}
		values, from, ok := a.lookup(v, file, commandName(cmd), f)
		if !ok {
			return
		}
		for _, value := range values {
			if err := cmd.Flags().Set(f.Name, value); err != nil {
				failure = usage("", "%s: bad value %q: %w", from, value, err)
				return
			}
		}
		a.global.origin[f.Name] = from
	})
	return failure
}

// lookup finds the value of a flag outside the command line; one that may be repeated
// can have several there, or none.
func (a *app) lookup(v *viper.Viper, file, command string, f *pflag.Flag) (values []string, from string, ok bool) {
	flag := f.Name
	env := envPrefix + "_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	if s := a.getenv(env); s != "" {
		return []string{s}, env, true
	}
	for _, key := range []string{command + "." + flag, flag} {
		// CEFORE_DIR stands between CEFGO_* and the files.
		if flag == "cefore-dir" && a.getenv("CEFORE_DIR") != "" {
			return nil, "", false
		}
		if v.InConfig(strings.SplitN(key, ".", 2)[0]) && v.IsSet(key) {
			if _, section := v.Get(key).(map[string]any); !section {
				if _, repeated := f.Value.(pflag.SliceValue); repeated {
					return listOf(v, key), file + ": " + key, true
				}
				return []string{v.GetString(key)}, file + ": " + key, true
			}
		}
	}
	return nil, "", false
}

// listOf is the values of key: a list, or one. (viper splits one at its blanks.)
func listOf(v *viper.Viper, key string) []string {
	if s, one := v.Get(key).(string); one {
		return []string{s}
	}
	return v.GetStringSlice(key)
}

// configured reads again what the environment or the configuration files say of a flag
// of cmd that the command line did not give; nil is nothing.
func (a *app) configured(cmd *cobra.Command, flag string) ([]string, error) {
	f := cmd.Flags().Lookup(flag)
	if a.global.origin[flag] == "" && f.Changed {
		return nil, nil
	}
	v := viper.New()
	v.SetConfigType("yaml")
	file, err := a.readConfig(v)
	if err == nil {
		err = checkKeys(cmd.Root(), v, file)
	}
	if err != nil {
		return nil, err
	}
	values, _, _ := a.lookup(v, file, commandName(cmd), f)
	return append([]string{}, values...), nil
}

// readConfig reads the configuration files into v, the user's own over the system's,
// and returns their paths; "" where there is none.
func (a *app) readConfig(v *viper.Viper) (string, error) {
	explicit := a.global.config
	if explicit == "" {
		explicit = a.getenv(envPrefix + "_CONFIG")
	}
	paths := []string{explicit}
	if explicit == "" {
		paths = []string{systemConfig}
		if dir := a.userConfigDir(); dir != "" {
			paths = []string{filepath.Join(dir, "cefgo", "config.yaml"), systemConfig}
		}
	}
	file := ""
	for _, path := range slices.Backward(paths) { // what comes first in paths wins
		b, err := os.ReadFile(path)
		if explicit == "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR)) {
			continue // with another user's HOME it is not even to be seen
		}
		if err == nil {
			err = v.MergeConfig(strings.NewReader(string(b)))
		}
		if err != nil {
			return "", usage("", "configuration file %s: %w", path, err)
		}
		file = strings.TrimPrefix(path+", "+file, ", ")
	}
	return strings.TrimSuffix(file, ", "), nil
}

// userConfigDir is $XDG_CONFIG_HOME, else ~/.config; "" where neither is known.
func (a *app) userConfigDir() string {
	if dir := a.getenv("XDG_CONFIG_HOME"); dir != "" {
		return dir
	}
	if home := a.getenv("HOME"); home != "" {
		return filepath.Join(home, ".config")
	}
	return ""
}

// checkKeys refuses a key of the file that is no flag: a mistyped one would be
// ignored silently otherwise.
func checkKeys(root *cobra.Command, v *viper.Viper, file string) error {
	known := make(map[string]bool)
	add := func(section string, f *pflag.FlagSet) {
		f.VisitAll(func(f *pflag.Flag) {
			if !notConfigured[f.Name] {
				known[section+f.Name] = true
				known[f.Name] = true
			}
		})
	}
	add("", root.PersistentFlags())
	for _, c := range root.Commands() {
		add(c.Name()+".", c.Flags())
		add(c.Name()+".", root.PersistentFlags())
	}
	sections := make(map[string]bool)
	for _, c := range root.Commands() {
		sections[c.Name()] = true
	}
	for _, key := range v.AllKeys() {
		empty := sections[key] && v.Get(key) == nil
		if !known[key] && !empty {
			return usage("", "configuration file %s: no option %q", file, key)
		}
	}
	return nil
}

// from says where the value of a flag came from, for messages.
func (g *globalOptions) from(flag string) string {
	if o, ok := g.origin[flag]; ok {
		return o
	}
	return fmt.Sprintf("--%s", flag)
}
