// Command simulator simulates the county's hardware and people down to the
// bytes, for engineers without hardware, and tests that nothing is lost. It is a
// program of its own, so that no simulated device ships with the product.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/logpipe"
	"gatehouse/gateway/version"
)

// errFound is returned when a proof ran and failed; its report is printed
// already.
var errFound = errors.New("the proof failed")

func main() {
	logpipe.IgnoreBrokenPipes() // a proof must stop what it has started, whoever reads its report
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Execute(ctx, newRoot(), os.Stderr)
	stop()
	os.Exit(code)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "simulator",
		Short: "Simulates the county's hardware and people down to the bytes",
		Long: `simulator simulates the county's hardware and people down to the bytes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 141 nobody reads the output any more.`,
		Version: version.String,
	}
	root.AddCommand(demoCommand(), historyCommand(), tlogCommand(), countyCommand(), benchCommand(), pokeCommand(),
		proveCommand(), threatsCommand(), benchPeersCommand())
	return root
}
