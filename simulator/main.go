// Command simulator simulates the county's hardware and people down to the
// bytes, for engineers without hardware, and tests that nothing is lost. It is a
// program of its own, so that no simulated device ships with the product.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/logpipe"
	"gatehouse/gateway/version"
)

// installedName is the name of the program in its package.
const installedName = "gatehouse-simulator"

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
		Use:   programName(os.Args[0]),
		Short: "Simulates the county's hardware and people down to the bytes",
		Long: `simulator simulates the county's hardware and people down to the bytes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 141 nobody reads the output any more.`,
		Version: version.String,
	}
	root.AddCommand(demoCommand(), historyCommand(), dashboardsCommand(), tlogCommand(),
		countyCommand(), benchCommand(), pokeCommand(),
		proveCommand(), threatsCommand(), benchPeersCommand(), cli.DocsCommand())
	return root
}

// programName returns what the program is called: gatehouse-simulator where a package has
// installed it, simulator where it was built.
func programName(called string) string {
	if name := filepath.Base(called); name == installedName {
		return name
	}
	return "simulator"
}

// gatehouseProgram returns where the gatehouse program is by default: where its package has
// installed it, or where it was built.
func gatehouseProgram(called string) string {
	if programName(called) == installedName {
		return "/usr/bin/gatehouse"
	}
	return "bin/gatehouse"
}

// simulatorProgram returns what people type to call this program, likewise.
func simulatorProgram(called string) string {
	if programName(called) == installedName {
		return installedName
	}
	return "bin/simulator"
}
