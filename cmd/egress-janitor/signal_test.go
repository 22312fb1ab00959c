package main

import (
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestTheSecondSignalEndsAProcessThatBlocksOnItsOutput is about a report into a pipe whose reader stalls. The first
// signal asks for an orderly end, of which a blocked write knows nothing; the next one must not be swallowed.
func TestTheSecondSignalEndsAProcessThatBlocksOnItsOutput(t *testing.T) {
	t.Parallel()
	// The report must be larger than a pipe takes, or nothing would block.
	cmd := exec.CommandContext(t.Context(), "egress-janitor", "demo", "--once", "--output", "json")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // a killed demo cannot clean up
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil { // the audit is done, and the report begun
		t.Fatal(err)
	}
	bound, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := cmd.Process.Wait()
		ended <- err
	}()
	again := time.NewTicker(20 * time.Millisecond) // the moment of the handover cannot be seen from here
	defer again.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			return
		case <-again.C:
			_ = cmd.Process.Signal(syscall.SIGTERM) // fails once it ended
		case <-bound.Done():
			_ = cmd.Process.Kill() // fails only if it ended after all
			t.Fatal("the process outlives its signals")
		}
	}
}
