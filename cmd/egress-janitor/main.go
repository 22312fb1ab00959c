// Command egress-janitor audits the outbound rules of ECS security groups of Alibaba Cloud against policies.
//
// See docs/ and `egress-janitor help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
	_ "time/tzdata" // time zones in policies and schedules must work in an image without any
)

func main() {
	os.Exit(start())
}

// start exists so that the signal handler is taken down before the process exits.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// The second signal ends the process whatever it is doing: a write to a pipe that nobody reads knows no context.
	context.AfterFunc(ctx, stop)
	if os.Getenv("GOGC") == "" {
		// A scan makes much garbage beside a small live heap: collecting twice as often saves a quarter of the
		// memory and costs no time that can be measured.
		debug.SetGCPercent(50)
	}
	return run(ctx, os.Args[1:], system{
		out: os.Stdout, err: os.Stderr, getenv: os.Getenv, now: time.Now,
	})
}
