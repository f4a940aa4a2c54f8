package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/cefgo/cefgo/internal/keys"
)

const keysLong = `keys makes and keeps the keys that a publisher signs with, and says whose
signatures are trusted for which names.

Keys are of Ed25519 or RSA (2048 to 8192 bits), in PEM files as openssl writes
them. Your own are in $XDG_CONFIG_HOME/cefgo/keys (else ~/.config/cefgo/keys):
NAME.key, which nobody else may read, and NAME.pub, which you hand out. What is
trusted is in cefgo/trust beside it: public keys, and the file "prefixes", each
line of it a prefix and a key file.

Of the prefixes of a name THE LONGEST DECIDES ALONE. With the lines
  ccnx:/example      alice.pub
  ccnx:/example/bob  bob.pub
only bob's key signs below ccnx:/example/bob; alice's does not count there.
ccnx:/ is the prefix of every name.

A key is known by its id, the SHA-256 of its public half in DER, of which lists
show the first 16 digits. Before you trust a key, compare the whole id (cefgo
keys show), by another way than the key came.`

func newKeysCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make and keep keys, and say which are trusted",
		Long:  keysLong,
		Example: `  cefgo keys generate                         # one called default
  cefgo keys export default -o alice.pub      # its public half, to hand out
  cefgo keys trust ccnx:/example alice.pub    # who signs below ccnx:/example
  cefgo keys trusted`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, "keys "+args[0])
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(newKeysGenerateCommand(a), newKeysImportCommand(a), newKeysExportCommand(a), newKeysListCommand(a), newKeysShowCommand(a))
	cmd.AddCommand(newKeysTrustCommand(a), newKeysUntrustCommand(a), newKeysTrustedCommand(a))
	for _, c := range cmd.Commands() {
		wrapArgs(c)
	}
	return cmd
}

// keysFailed is [failed] for a command of keys, all of whose errors are of this machine.
func keysFailed(cmd, about string, err error) error {
	if err == nil {
		return nil
	}
	return failed("keys "+cmd, about, asLocal(err))
}

// keyStore is where the user's own keys are.
func (a *app) keyStore() (keys.Store, error) {
	dir, err := a.keyDir("keys")
	return keys.Store{Dir: dir}, err
}

// trustDir is where the trusted keys are.
func (a *app) trustDir() (string, error) { return a.keyDir("trust") }

func (a *app) keyDir(name string) (string, error) {
	dir := a.userConfigDir()
	if dir == "" {
		return "", usage("set HOME or XDG_CONFIG_HOME", "there is no directory for keys")
	}
	return filepath.Join(dir, "cefgo", name), nil
}

// readKey reads a key from a file, or from standard input where path is -. private is
// nil where it is a public one.
func (a *app) readKey(ctx context.Context, path string) (public keys.PublicKey, private *keys.PrivateKey, err error) {
	if path != "-" {
		return keys.Read(path)
	}
	var text []byte
	done := make(chan error, 1)
	go func() { // whoever writes may take for ever
		var err error
		text, err = io.ReadAll(io.LimitReader(a.stdin, keys.MaxFile+1))
		done <- err
	}()
	select {
	case err = <-done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		return public, nil, err
	}
	return keys.Parse(text)
}

// keyFields is what --json says of a key.
func keyFields(k keys.PublicKey) fields {
	return fields{"key_id": k.ID().String(), "key_type": k.Type().String(), "bits": k.Bits()}
}

// openTrust reads what is trusted, which is nothing where there is no directory.
func openTrust(dir string) (*keys.Trust, error) {
	t, err := keys.OpenTrust(dir)
	if errors.Is(err, keys.ErrNoTrust) {
		return &keys.Trust{}, nil
	}
	return t, err
}
