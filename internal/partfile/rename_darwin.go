package partfile

import "golang.org/x/sys/unix"

func renameExcl(from, to string) error { return unix.RenamexNp(from, to, unix.RENAME_EXCL) }
