// Command gatehouse is the gateway: the agent at a gate, and the collector and
// broker at the county. The tools that look at them are its other subcommands.
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
