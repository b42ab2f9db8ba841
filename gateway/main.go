// Command gatehouse is the gateway: the agent at a gate, the collector and the
// broker at the county, and tools to inspect them, each a subcommand.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"gatehouse/gateway/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
