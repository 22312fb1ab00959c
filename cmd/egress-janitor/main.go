// Command egress-janitor keeps the outbound rules of ECS security groups of Alibaba Cloud in order: it audits them against
// policies, revokes violators if it may, proves it, and undoes it.
//
// See docs/ and `egress-janitor help`.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // time zones in policies and schedules must work in an image without any
)

func main() {
	os.Exit(start(failpoint()))
}

// start exists so that the signal handlers are taken down before the process exits. reached is told of every step of the
// revocation protocol; it is nil but in tests, which end the process there.
func start(reached func(step string)) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The second signal ends the process whatever it is doing: a write to a pipe that nobody reads knows no context.
	context.AfterFunc(ctx, stop)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hangups := &hangup{do: cancel}
	defer hangups.listen()()
	if os.Getenv("GOGC") == "" {
		// A scan makes much garbage beside a small live heap: collecting twice as often saves a quarter of the
		// memory and costs no time that can be measured.
		debug.SetGCPercent(50)
	}
	return run(ctx, os.Args[1:], system{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv, now: time.Now, onHangup: hangups.set, reached: reached,
	})
}

// hangup says what SIGHUP does: it ends every command but the daemon, which reads its config again.
type hangup struct {
	mu sync.Mutex
	do func()
}

func (h *hangup) set(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.do = do
}

func (h *hangup) listen() (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	var wg sync.WaitGroup
	wg.Go(func() {
		for range signals {
			h.mu.Lock()
			do := h.do
			h.mu.Unlock()
			do()
		}
	})
	return func() {
		signal.Stop(signals)
		close(signals)
		wg.Wait()
	}
}
