// Command gatehouse is the gateway: the agent at a gate, the collector and the
// broker at the county, and tools to inspect them, each a subcommand.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/secret"
)

func main() {
	if err := secret.NoCore(); err != nil {
		fmt.Fprintln(os.Stderr, "gatehouse:", err) // it works all the same
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
