// Command simulator plays the county's hardware and people in bytes, for
// engineers without hardware, and proves that nothing is lost. It is a binary
// of its own, so that fakes never ship.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/version"
)

// errFound says that a proof ran and found something; its report is printed.
var errFound = errors.New("the proof failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Execute(ctx, newRoot(), os.Stderr)
	stop()
	os.Exit(code)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "simulator",
		Short: "Plays the county's hardware and people in bytes",
		Long: `simulator plays the county's hardware and people in bytes.

Exit codes: 0 done, 1 failed, 2 wrong usage.`,
		Version: version.String,
	}
	root.AddCommand(demoCommand(), historyCommand(), tlogCommand(), countyCommand(), benchCommand(), pokeCommand(),
		proveCommand())
	return root
}
