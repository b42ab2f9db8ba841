package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/logpipe"
	"gatehouse/gateway/systemd"
)

// Exit codes, documented in the root command's help.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
	// exitAgain asks a supervisor to start the program again (EX_TEMPFAIL of sysexits.h).
	exitAgain  = 75
	exitUnread = 128 + int(syscall.SIGPIPE) // as a shell says it
)

// usageError marks an error in the command line.
type usageError struct{ error }

// Execute runs a command line and returns its exit code: 0 done, 1 failed, 2 wrong usage,
// 75 when an agent is to be started again. Each error is printed to errOut once. An error
// before a command's own RunE is wrong usage: an unknown command or flag, a missing
// argument or flag. The simulator uses it too.
//
// When whoever reads standard output has ended (gatehouse runs | head), Go ends the
// process with SIGPIPE at the next write. A process that ignores SIGPIPE gets an error
// instead; then Execute prints nothing, and returns 141, which a shell shows for both.
func Execute(ctx context.Context, root *cobra.Command, errOut io.Writer) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	began := false
	noteBegin(root, &began)
	c, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case unread(err):
		return exitUnread
	}
	var said saidError
	if errors.As(err, &said) {
		return said.code
	}
	failed := exitFailed
	if errors.Is(err, agent.ErrRestart) {
		failed = exitAgain
	}
	var usage usageError
	// A pipe that is full must not keep a program that has failed from being restarted.
	pipe := logpipe.New(errOut, nil)
	defer pipe.Close()
	text := fmt.Sprintf("%s: %v\n", root.Name(), err)
	switch {
	case errors.As(err, &usage):
		failed = exitUsage
	case !began:
		text = fmt.Sprintf("%s: %s\nsee: %s --help\n", root.Name(), strings.TrimSpace(err.Error()), c.CommandPath())
		failed = exitUsage
	}
	if systemd.Journal(errOut) {
		text = systemd.Errors(text)
	}
	fmt.Fprint(pipe, text)
	return failed
}

// unread reports whether err comes from a write to standard output that nobody reads
// any more.
func unread(err error) bool {
	var at *fs.PathError
	return errors.As(err, &at) && at.Path == os.Stdout.Name() && errors.Is(at.Err, syscall.EPIPE)
}

// noteBegin makes every command set began when its own work begins.
func noteBegin(c *cobra.Command, began *bool) {
	if run := c.RunE; run != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			*began = true
			return run(c, args)
		}
	}
	for _, sub := range c.Commands() {
		noteBegin(sub, began)
	}
}
