// Command simulator plays the county's hardware and people in bytes, for
// engineers without hardware, and proves that nothing is lost. It is a binary
// of its own, so that fakes never ship.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/gateway/version"
)

// errFound says that a proof ran and found something; its report is printed.
var errFound = errors.New("the proof failed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	root := &cobra.Command{
		Use:           "simulator",
		Short:         "Plays the county's hardware and people in bytes",
		Version:       version.String,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(demoCommand(), historyCommand(), tlogCommand(), countyCommand(), benchCommand(), pokeCommand(), proveCommand())
	err := root.ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}
