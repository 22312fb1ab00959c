package main

import (
	"fmt"
	"syscall"
	"time"
)

// cpuTime is the processor time that this process has used. Unlike the time that passes it does not count what the
// machine does for others in between.
func cpuTime() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("reading the processor time: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}
