package cli

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// serviceRuns has a command, and those below it, run as the user of the services when root
// starts it for what the services keep (asService): what it writes there would otherwise be
// root's, and the services could not read it. The flags name the files or folders that say so.
func serviceRuns(c *cobra.Command, flags ...string) *cobra.Command {
	for _, sub := range c.Commands() {
		serviceRuns(sub, flags...)
	}
	run := c.RunE
	if run == nil || c.HasSubCommands() {
		return c
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		var paths []string
		for _, name := range flags {
			if f := c.Flag(name); f != nil && f.Value.String() != "" {
				path, err := filepath.Abs(f.Value.String())
				if err != nil {
					return err
				}
				paths = append(paths, path)
			}
		}
		if done, err := asService(c, paths, line(c, args)); done {
			return err
		}
		return run(c, args)
	}
	return c
}

// line returns the arguments by which this program runs a command again, with the flags that
// were given.
func line(c *cobra.Command, args []string) []string {
	out := strings.Fields(c.CommandPath())[1:]
	c.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if many, ok := f.Value.(pflag.SliceValue); ok {
			values = many.GetSlice()
		}
		for _, v := range values {
			out = append(out, "--"+f.Name+"="+v)
		}
	})
	return append(append(out, "--"), args...)
}

// giveLike gives a file that root has made to who owns the one that it is to replace; where there is
// none, to the services, if it lies in one of their folders.
func giveLike(path, old string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	if info, err := os.Stat(old); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			return os.Lchown(path, int(st.Uid), int(st.Gid))
		}
		return nil
	}
	at, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	account, err := user.Lookup(serviceUser)
	if err != nil || !ofServices([]string{at}) {
		return nil //nolint:nilerr // without the account everything belongs to who makes it
	}
	ids, err := credential(account)
	if err != nil {
		return err
	}
	if err := os.Lchown(path, int(ids.Uid), int(ids.Gid)); err != nil {
		return fmt.Errorf("give %s to %s: %w", path, serviceUser, err)
	}
	return nil
}
