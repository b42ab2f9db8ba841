package audit

import (
	"os"
	"os/user"
	"strconv"
)

// AtTerminal says who runs this process: its user, and who became that by sudo, as far as
// the environment says.
func AtTerminal() By {
	by := By{Actor: "uid " + strconv.Itoa(os.Getuid()), From: Terminal}
	if u, err := user.Current(); err == nil && u.Username != "" {
		by.Actor = u.Username
	}
	if as := os.Getenv("SUDO_USER"); as != "" && as != by.Actor {
		by.From += ", sudo of " + as
	}
	return by
}
