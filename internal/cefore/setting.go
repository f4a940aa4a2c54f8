package cefore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// setting is one key of cefnetd.conf: how Cefore compares it, and how its value is checked and stored.
type setting struct {
	key     Key
	anyCase bool // cefnetd_config_read compares some keys without regard to case, others not
	set     func(c *Config, value string) error
}

// maxSeconds bounds the lifetimes. Sheet a gives none, but cefnetd keeps milliseconds in a C int.
const maxSeconds = (1<<31 - 1) / 1000

// settings holds the accepted ranges of sheet a, table of keys.
var settings = []setting{
	{KeyPort, false, number(MinPort, MaxPort, func(c *Config, n int) { c.Port = n })},
	{KeySocketID, false, setSocketID},
	{KeyPITSize, false, number(1, 16777215, func(c *Config, n int) { c.PITSize = n })},
	{KeyRegularLifetimeMax, true, number(0, maxSeconds, func(c *Config, n int) { c.RegularLifetimeMax = seconds(n) })},
	{KeySymbolicLifetimeMax, true, number(0, maxSeconds, func(c *Config, n int) { c.SymbolicLifetimeMax = seconds(n) })},
	{KeyInterestReturn, true, number(0, 1, func(c *Config, n int) { c.InterestReturn = n == 1 })},
	{KeyCSMode, true, number(0, 3, func(c *Config, n int) { c.CSMode = n })},
	{KeyLocalCacheCapacity, false, number(2, 8000000, func(c *Config, n int) { c.LocalCacheCapacity = n })},
	{KeyLocalCacheDefaultRCT, false, number(1, 3600, func(c *Config, n int) { c.LocalCacheDefaultRCT = seconds(n) })},
	{KeyFIBSize, false, number(1, 16777215, func(c *Config, n int) { c.FIBSize = n })},
	{KeyNodeName, true, setNodeName},
}

// lookup finds the setting that Cefore would take key for.
func lookup(key string) (setting, bool) {
	for _, s := range settings {
		if key == string(s.key) || s.anyCase && strings.EqualFold(key, string(s.key)) {
			return s, true
		}
	}
	return setting{}, false
}

func setSocketID(c *Config, value string) error {
	if err := ValidateSocketID(value); err != nil {
		return err
	}
	c.SocketID = value
	return nil
}

// maxNodeName is sheet a's bound of NODE_NAME, in bytes.
const maxNodeName = 1024

func setNodeName(c *Config, value string) error {
	if len(value) > maxNodeName {
		return fmt.Errorf("longer than %d bytes", maxNodeName)
	}
	c.NodeName = value
	return nil
}

// number makes a setter for whole numbers in lo..hi. Cefore's atoi would read "9695x" as 9695 and "x" as 0;
// here both are errors.
func number(lo, hi int, store func(*Config, int)) func(*Config, string) error {
	return func(c *Config, value string) error {
		n, err := strconv.Atoi(value)
		switch {
		case errors.Is(err, strconv.ErrRange) || err == nil && (n < lo || n > hi):
			return notInRange(lo, hi)
		case err != nil && strings.Contains(value, "#"):
			return errors.New("not a whole number ('#' begins a comment only in column 1)")
		case err != nil:
			return errors.New("not a whole number")
		}
		store(c, n)
		return nil
	}
}

func notInRange(lo, hi int) error {
	return fmt.Errorf("not in %d..%d", lo, hi)
}

func seconds(n int) time.Duration {
	return time.Duration(n) * time.Second
}
