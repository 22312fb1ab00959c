package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long anything in a script may take to happen. It is shorter than the 30 seconds that one call of
// the cloud may take, so that who waits for a call to end before ending itself is found out.
const patience = 20 * time.Second

// inherited are the variables of a script that its processes get.
func inherited() []string {
	return []string{
		"PATH", "HOME", "TMPDIR", "TZ", "NO_COLOR", "TERM", "GOCOVERDIR", "SSL_CERT_FILE",
		"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN",
	}
}

// process is an egress-janitor that runs beside its script. It is killed at the end of the script at the latest.
type process struct {
	cmd    *exec.Cmd
	stdout output
	stderr output
	ended  chan struct{} // closed when it is over
	err    error         // of Wait, once it is over
}

func startProcess(ts *testscript.TestScript, args []string) *process {
	ctx, cancel := context.WithCancel(storyOf(ts).tb.Context())
	p := &process{cmd: exec.CommandContext(ctx, "egress-janitor", args...), ended: make(chan struct{})}
	p.cmd.Dir = ts.MkAbs(".")
	for _, name := range inherited() {
		if value := ts.Getenv(name); value != "" {
			p.cmd.Env = append(p.cmd.Env, name+"="+value)
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		cancel()
		ts.Fatalf("starting: %v", err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	ts.Defer(func() {
		cancel()
		<-p.ended
	})
	return p
}

// within takes a leading "-within DURATION" off the arguments. Without it things may take as long as patience.
func within(ts *testscript.TestScript, args []string) (d time.Duration, rest []string) {
	if len(args) < 2 || args[0] != "-within" {
		return patience, args
	}
	d, err := time.ParseDuration(args[1])
	ts.Check(err)
	return d, args[2:]
}

// wait is for the end of a process.
func (p *process) wait(ts *testscript.TestScript, within time.Duration) error {
	ctx, cancel := context.WithTimeout(storyOf(ts).tb.Context(), within)
	defer cancel()
	select {
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		ts.Fatalf("it does not end within %s; on stderr:\n%s", within, p.stderr.text())
		return nil
	}
}

// output is what a process wrote so far.
type output struct {
	mu      sync.Mutex
	written bytes.Buffer
	more    chan struct{} // closed at the next write
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.more != nil {
		close(o.more)
		o.more = nil
	}
	return o.written.Write(p)
}

// state is what was written, and a channel that is closed once there is more.
func (o *output) state() (string, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.more == nil {
		o.more = make(chan struct{})
	}
	return o.written.String(), o.more
}

func (o *output) text() string {
	text, _ := o.state()
	return text
}

// await waits until a pattern is there and gives what it and its groups match. The context bounds how long.
func (p *process) await(ctx context.Context, o *output, pattern *regexp.Regexp) ([]string, error) {
	for {
		text, more := o.state()
		if match := pattern.FindStringSubmatch(text); match != nil {
			return match, nil
		}
		select {
		case <-more:
		case <-p.ended:
			if match := pattern.FindStringSubmatch(o.text()); match != nil {
				return match, nil
			}
			return nil, errors.New("it ended without")
		case <-ctx.Done():
			return nil, fmt.Errorf("%w; so far there is %q", ctx.Err(), text)
		}
	}
}

func cmdStart(ts *testscript.TestScript, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: start NAME ARGS...")
	}
	storyOf(ts).processes[args[0]] = startProcess(ts, args[1:])
}

func running(ts *testscript.TestScript, name string) *process {
	p := storyOf(ts).processes[name]
	if p == nil {
		ts.Fatalf("there is no process %s", name)
	}
	return p
}

// cmdAwait waits for a pattern on the standard error of a process. Named groups of the pattern become variables.
func cmdAwait(ts *testscript.TestScript, args []string) {
	if len(args) == 1 && args[0] == "held" {
		storyOf(ts).gate.await(ts)
		return
	}
	patience, args := within(ts, args)
	if len(args) != 2 {
		ts.Fatalf("usage: await [-within DURATION] NAME PATTERN, or await held")
	}
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	p := running(ts, args[0])
	ctx, cancel := context.WithTimeout(storyOf(ts).tb.Context(), patience)
	defer cancel()
	match, err := p.await(ctx, &p.stderr, pattern)
	if err != nil {
		ts.Fatalf("waiting for %q: %v", args[1], err)
	}
	for i, name := range pattern.SubexpNames() {
		if name != "" {
			ts.Setenv(name, match[i])
		}
	}
}

func cmdInterrupt(ts *testscript.TestScript, args []string) { send(ts, args, os.Interrupt) }

func cmdTerminate(ts *testscript.TestScript, args []string) { send(ts, args, syscall.SIGTERM) }

func cmdHangUp(ts *testscript.TestScript, args []string) { send(ts, args, syscall.SIGHUP) }

func send(ts *testscript.TestScript, args []string, signal os.Signal) {
	if len(args) != 1 {
		ts.Fatalf("usage: interrupt NAME, terminate NAME or hangup NAME")
	}
	ts.Check(running(ts, args[0]).cmd.Process.Signal(signal))
}

// cmdCrash ends a process in the way that leaves it no time for anything.
func cmdCrash(ts *testscript.TestScript, args []string) {
	send(ts, args, os.Kill)
	if err := running(ts, args[0]).wait(ts, patience); err == nil {
		ts.Fatalf("it ended as if nothing had happened")
	}
}

// cmdFinished waits for the end of a process and leaves what it wrote in NAME.out and NAME.err.
func cmdFinished(ts *testscript.TestScript, args []string) {
	patience, args := within(ts, args)
	if len(args) != 2 {
		ts.Fatalf("usage: finished NAME CODE")
	}
	p := running(ts, args[0])
	err := p.wait(ts, patience)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), []byte(p.stdout.text()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), []byte(p.stderr.text()), 0o600))
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && !exit.Exited() {
		ts.Fatalf("it was ended by a signal: %v", exit)
	}
	if _, numeric := strconv.Atoi(args[1]); numeric != nil {
		ts.Fatalf("%q is no exit code", args[1])
	}
	checkCode(ts, err, args[1])
}
