package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/store"
)

// site is what an operator has: a directory with config, policies and store, and a binary to work on it with.
type site struct {
	dir     string
	binary  string // with failpoints, and without the race detector, under which SQLite is too slow
	metrics string // host:port that the config has the daemon listen on
}

// newSite lays out a directory. In the files, METRICS stands for the address of the metrics.
func newSite(t *testing.T, binary string, files map[string]string) *site {
	t.Helper()
	s := &site{dir: t.TempDir(), binary: binary, metrics: unusedAddress(t)}
	for name, text := range files {
		text = strings.ReplaceAll(text, "METRICS", s.metrics)
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What is cleaned up first runs last: by then all processes are gone.
	t.Cleanup(func() { checkFilesForSecrets(t, s.dir) })
	return s
}

// unusedAddress gives an address that nobody listens on. A daemon has to come back on the one that it had.
func unusedAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

func (s *site) command(ctx context.Context, failpoint string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.binary, args...)
	cmd.Dir = s.dir
	cmd.Env = []string{
		"HOME=" + s.dir, "TZ=UTC", "EGRESS_JANITOR_FAILPOINT=" + failpoint,
		"ALIBABA_CLOUD_ACCESS_KEY_ID=" + canaryKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + canarySecret,
	}
	return cmd
}

// run runs a command that must end with the code, and gives what it wrote to standard output.
func (s *site) run(t *testing.T, code int, args ...string) []byte {
	t.Helper()
	cmd := s.command(t.Context(), "", args...)
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.Exited() && exit.ExitCode() == code {
		err = nil
	}
	if got := cmd.ProcessState.ExitCode(); err != nil || got != code {
		t.Fatalf("%v: exit code %d, want %d; error %v\n%s%s", args, got, code, err, text.Bytes(), out.Bytes())
	}
	if secret(out.String() + text.String()) {
		t.Errorf("%v: a secret is in its output", args)
	}
	return out.Bytes()
}

// start starts the daemon. It dies at the failpoint if one is given, and with the test.
func (s *site) start(t *testing.T, failpoint string) *process {
	t.Helper()
	ctx, kill := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &process{cmd: s.command(ctx, failpoint, "run"), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		kill()
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		kill()
		<-p.ended
		if text := p.stderr.text(); secret(text) {
			t.Error("a secret is in the daemon's log")
		} else if t.Failed() {
			t.Logf("the daemon's log:\n%s", text)
		}
	})
	return p
}

// logged waits until the daemon has logged something.
func logged(t *testing.T, p *process, pattern string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := p.await(ctx, &p.stderr, regexp.MustCompile(pattern)); err != nil {
		t.Fatalf("waiting for %q: %v", pattern, err)
	}
}

// gone waits for the end of a process.
func gone(t *testing.T, p *process) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		t.Fatal("the process does not end")
		return nil
	}
}

// terminate ends the daemon as a supervisor does. It must end in time, and without an error.
func terminate(t *testing.T, p *process) {
	t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := gone(t, p); err != nil {
		t.Errorf("ending on SIGTERM: %v", err)
	}
	if took := time.Since(began); took > 11*time.Second {
		t.Errorf("ending on SIGTERM took %s", took)
	}
}

// kill ends the daemon as a power cut does.
func kill(t *testing.T, p *process) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed(t, p)
}

// killed waits for a process that was killed, or killed itself at a failpoint.
func killed(t *testing.T, p *process) {
	t.Helper()
	exit, _ := errors.AsType[*exec.ExitError](gone(t, p))
	if exit == nil || exit.Exited() {
		t.Fatalf("it was not killed, but ended with %v", exit)
	}
}

// page is the page of metrics, or nothing while nobody serves it.
func (s *site) page(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.metrics+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Do(request)
	if err != nil {
		return ""
	}
	page, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the metrics: %s, error %v", response.Status, err)
	}
	return string(page)
}

// sweeps are all sweeps on record, the newest first.
func (s *site) sweeps(t *testing.T) []store.SweepRecord {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{
		Path: filepath.Join(s.dir, "egress-janitor.db"), Now: time.Now, ReadOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := db.Sweeps(t.Context(), store.SweepFilter{})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return list
}

// emulatedAccount is an account of the cloud, and a person with its console.
type emulatedAccount struct {
	server   *ecsemu.Server
	endpoint string
	person   *http.Client
}

func emulate(t *testing.T, estate *ecsemu.Estate) *emulatedAccount {
	t.Helper()
	server, err := ecsemu.New(ecsemu.Options{
		Estate: estate, Keys: []ecsemu.AccessKey{{ID: canaryKeyID, Secret: canarySecret}},
	})
	if err != nil {
		t.Fatal(err)
	}
	person := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(person.CloseIdleConnections)
	return &emulatedAccount{server: server, endpoint: serveEmulator(t, server), person: person}
}

// call makes a call of the person.
func (a *emulatedAccount) call(t *testing.T, params url.Values) {
	t.Helper()
	sign(params)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.endpoint+"/?"+params.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := a.person.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, error %v", params.Get("Action"), response.Status, err)
	}
}

// misbehave sets the faults of the account.
func (a *emulatedAccount) misbehave(t *testing.T, faults ...ecsemu.Fault) {
	t.Helper()
	if err := a.server.SetFaults(faults); err != nil {
		t.Fatal(err)
	}
}

// configOf is a config with one account for each emulated one, in the order of their names.
func configOf(schedule string, accounts map[string]*emulatedAccount, names ...string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "version: 1\nmode: enforce\nschedule: %q\npolicies: [policies.yaml]\naccounts:\n", schedule)
	for _, name := range names {
		fmt.Fprintf(&text, `  - name: %s
    id: %q
    regions: ["*"]
    endpoint: %s
    quotas: {DescribeRegions: 1000, DescribeSecurityGroups: 1000, DescribeSecurityGroupAttribute: 1000,
             GetCallerIdentity: 1000, RevokeSecurityGroupEgress: 1000, AuthorizeSecurityGroupEgress: 1000}
`, name, accounts[name].server.Account(), accounts[name].endpoint)
	}
	text.WriteString("limits: {per-group: 3, per-sweep: 20, percent: 10, per-window: 50}\nhttp: {metrics: \"METRICS\"}\n")
	return text.String()
}
