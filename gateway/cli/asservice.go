package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// serviceUser is the account of the services.
const serviceUser = "gatehouse"

// gateFile is the configuration of this computer's gate if no other is given.
const gateFile = gateFolder + "/agent.yaml"

// serviceFolders hold the files of the services.
var serviceFolders = []string{"/etc/gatehouse/", "/var/lib/gatehouse/"}

// saidError marks what the same program, started as another user, has said already.
type saidError struct{ code int }

func (e saidError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// asService runs a command line as the user of the services when root asks about their
// files: what root may read, the services may not. done reports whether it did.
func asService(c *cobra.Command, paths, args []string) (done bool, err error) {
	account, err := user.Lookup(serviceUser)
	if err != nil || !forService(paths...) {
		return false, nil //nolint:nilerr // without the account everything belongs to who asks
	}
	ids, err := credential(account)
	if err != nil {
		return true, err
	}
	self, err := os.Executable()
	if err != nil {
		return true, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(c.Context(), self, args...) //nolint:gosec // this program
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: ids}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return true, saidError{exit.ExitCode()}
	}
	if err != nil {
		return true, fmt.Errorf("start %s as the user %s: %w: may that user read the folders above it?", self,
			serviceUser, err)
	}
	return true, nil
}

// forService reports whether asService would do something about files.
func forService(paths ...string) bool {
	_, err := user.Lookup(serviceUser)
	return err == nil && os.Geteuid() == 0 && ofServices(paths)
}

func ofServices(paths []string) bool {
	for _, p := range paths {
		for _, dir := range serviceFolders {
			if strings.HasPrefix(p, dir) {
				return true
			}
		}
	}
	return false
}

// credential returns the ids of an account.
func credential(account *user.User) (*syscall.Credential, error) {
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", account.Username, err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", account.Username, err)
	}
	groups, err := account.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("groups of %s: %w", account.Username, err)
	}
	out := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	for _, g := range groups {
		if id, err := strconv.ParseUint(g, 10, 32); err == nil {
			out.Groups = append(out.Groups, uint32(id))
		}
	}
	return out, nil
}
