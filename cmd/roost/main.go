// Command roost runs serverless apps on this machine and deploys them to AWS.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/seed-615d3599/roost/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second ctrl-C ends it at once
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Environ()))
}
