package filesystem

import (
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// myself returns the name of the user that this program runs as.
func myself() string { return nameOf(os.Geteuid()) }

// owner returns the name of the user whose a file is.
func owner(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "somebody"
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "somebody"
	}
	return nameOf(int(st.Uid))
}

func nameOf(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}
