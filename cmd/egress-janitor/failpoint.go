//go:build failpoint

package main

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// failpoint gives a function that kills the process, as kill -9 would, at a step of the protocol: the one that
// EGRESS_JANITOR_FAILPOINT names as STEP or STEP:N, where it is reached for the N-th time. Only binaries that are built
// for the crash tests have it.
func failpoint() func(step string) {
	name, text, _ := strings.Cut(os.Getenv("EGRESS_JANITOR_FAILPOINT"), ":")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		n = 1
	}
	var left atomic.Int64
	left.Store(n)
	return func(step string) {
		if step != name || left.Add(-1) != 0 {
			return
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // the signal may take a moment
	}
}
