package partfile

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func init() { children["filltmpfs"] = fillTmpfsChild }

// A disk of 512 KiB, in a mount namespace of its own that ends with the child.
func TestDiskFull(t *testing.T) {
	cmd := child(t, "filltmpfs", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		t.Skip("no mount namespace here:", err)
	}
	err := cmd.Wait()
	if cmd.ProcessState.ExitCode() == cannotMount {
		t.Skip("mounting is not permitted here")
	}
	check(t, err)
}

const cannotMount = 77

func fillTmpfsChild(args []string) error {
	err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("tmpfs", args[0], "tmpfs", 0, "size=512k")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(cannotMount)
	}
	return fill(filepath.Join(args[0], "out"), syscall.ENOSPC)
}
