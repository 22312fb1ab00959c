package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// crashCycles is how often the process is killed. A soak asks for more by its environment.
func crashCycles(t *testing.T) int {
	t.Helper()
	text := os.Getenv("EGRESS_JANITOR_CRASH_CYCLES")
	if text == "" {
		return 120
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("EGRESS_JANITOR_CRASH_CYCLES=%q: expected a number above 0", text)
	}
	return n
}

// TestKilledAtAnyStepItNeitherLosesNorRepeatsAnything kills the real binary with SIGKILL, at each step of the protocol
// in turn and at random moments, while the cloud loses answers, fails before and after the effect, and claims effects
// that it did not have. A person adds and deletes rules meanwhile. Whatever was left open is settled by the next
// process, and the record must agree with what the cloud was asked and did.
func TestKilledAtAnyStepItNeitherLosesNorRepeatsAnything(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("EGRESS_JANITOR_CRASH_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("EGRESS_JANITOR_CRASH_SEED=%d", seed)
	b := newCrashBed(t, rand.New(rand.NewPCG(seed, 0)))
	b.run("resume", "--reason", "the test begins")
	b.run("sweep")
	for _, step := range crashSteps() { // each of them for sure, before chance has its turn
		b.edit(t)
		if b.crash(&life{args: enforcing(), failpoint: step, limit: time.Minute}) != killedAtStep {
			t.Errorf("the process was not killed at the step %q", step)
		}
	}
	killed, kills := map[string]int{}, len(crashSteps())
	for cycle := len(crashSteps()); cycle < crashCycles(t); cycle++ {
		b.edit(t)
		b.misbehave(t)
		next := b.life(cycle)
		switch b.crash(next) {
		case killedAtStep:
			killed[next.failpoint]++
			kills++
		case killedSomewhere:
			kills++
		case cameToAnEnd:
		}
	}
	t.Logf("killed %d times, by chance at steps: %v", kills, killed)
	b.setFaults(t, nil)
	b.converge(t)
	b.check(t)
}

// crashSteps are the steps of the protocol that are always reached when something is revoked.
func crashSteps() []string {
	return []string{
		stepSwept, revoker.StepChecked, revoker.StepCallRecorded, revoker.StepSent, revoker.StepAnswered,
		revoker.StepListed, revoker.StepFinished,
	}
}

// crashBed is an account in the emulator, a config and a binary.
type crashBed struct {
	t        *testing.T
	draw     *rand.Rand
	server   *ecsemu.Server
	endpoint string
	dir      string
	binary   string
	person   *http.Client
	next     int // of the addresses that rules are made for
}

const crashGroups = 6

func newCrashBed(t *testing.T, draw *rand.Rand) *crashBed {
	t.Helper()
	b := &crashBed{t: t, draw: draw, dir: t.TempDir(), person: &http.Client{Transport: &http.Transport{}}}
	estate := &ecsemu.Estate{Account: ecsemu.DefaultAccount, Regions: []ecsemu.Region{{ID: "cn-hangzhou"}}}
	for i := range crashGroups {
		estate.Regions[0].Groups = append(estate.Regions[0].Groups, ecsemu.Group{
			ID: fmt.Sprintf("sg-crash%d", i), Name: fmt.Sprintf("crash-%d", i), VPC: "vpc-crash",
			Egress: []ecsemu.Rule{
				{ID: fmt.Sprintf("sgr-keep%d", i), Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8"},
				{ID: fmt.Sprintf("sgr-exempt%d", i), Protocol: "tcp", Ports: "443/443", Peer: "198.51.100.255/32"},
			},
		})
	}
	var err error
	b.server, err = ecsemu.New(ecsemu.Options{
		Estate: estate, Keys: []ecsemu.AccessKey{{ID: canaryKeyID, Secret: canarySecret}},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.endpoint = serveEmulator(t, b.server)
	b.writeFiles()
	b.binary = buildFailpoints(t)
	return b
}

// serveEmulator has an emulator serve until the test ends.
func serveEmulator(tb testing.TB, server *ecsemu.Server) (endpoint string) {
	tb.Helper()
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, listener) }()
	tb.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			tb.Errorf("emulator: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

// buildFailpoints builds the binary with failpoints, without the race detector, under which SQLite is too slow.
func buildFailpoints(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "egress-janitor")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags", "failpoint", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, text)
	}
	return binary
}

func (b *crashBed) writeFiles() {
	b.t.Helper()
	for name, text := range map[string]string{
		"egress-janitor.yaml": fmt.Sprintf(`version: 1
mode: enforce
policies: [policies.yaml]
accounts:
  - name: prod
    id: %q
    regions: [cn-hangzhou]
    endpoint: %s
    quotas: {DescribeSecurityGroups: 1000, DescribeSecurityGroupAttribute: 1000, GetCallerIdentity: 1000,
             RevokeSecurityGroupEgress: 1000, AuthorizeSecurityGroupEgress: 1000}
limits: {per-group: 1000, per-sweep: 1000, percent: 100, per-window: 100000}
http: {metrics: "127.0.0.1:0"}
`, ecsemu.DefaultAccount, b.endpoint),
		"policies.yaml": `version: 1
sets:
  bad: {cidrs: [198.51.100.0/24, 203.0.113.0/24]}
policies:
  - name: no-bad
    description: Nothing reaches the bad.
    severity: high
    owner: netsec@example.com
    groups: all
    match:
      destination: {within: [$bad]}
    action: revoke
    grace: 0s
exceptions:
  - name: probe
    policies: [no-bad]
    groups: all
    match: {destination: {equals: [198.51.100.255/32]}}
    reason: The probe tests that exceptions are kept.
    owner: netsec@example.com
    expires: 2099-12-31
`,
	} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

// command makes a process of the binary. It ends at the step, if one is given.
func (b *crashBed) command(ctx context.Context, step string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, b.binary, args...)
	cmd.Dir = b.dir
	cmd.Env = []string{
		"HOME=" + b.dir, "TZ=UTC", "EGRESS_JANITOR_FAILPOINT=" + step,
		"ALIBABA_CLOUD_ACCESS_KEY_ID=" + canaryKeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + canarySecret,
	}
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	return cmd, &text
}

// run runs a command that must come to its end.
func (b *crashBed) run(args ...string) {
	b.t.Helper()
	cmd, text := b.command(b.t.Context(), "", args...)
	if err := cmd.Run(); err != nil {
		b.t.Fatalf("%v: %v\n%s", args, err, text)
	}
}

// life is what a process is to do, and how it is to end.
type life struct {
	args      []string
	failpoint string        // STEP or STEP:N; empty: at a random moment
	limit     time.Duration // when it is killed in any case
}

func enforcing() []string { return []string{"sweep", "--enforce", "--yes"} }

// life draws one: a sweep or the daemon, to be killed at each step in turn, the first or second time that it is reached,
// or at a random moment.
func (b *crashBed) life(cycle int) *life {
	steps := append(crashSteps(), "")
	l := &life{args: enforcing(), failpoint: steps[cycle%len(steps)]}
	l.limit = 2 * time.Second // waiting for an answer that was lost takes longer: that is cut off as well
	if l.failpoint != "" && b.draw.IntN(3) == 0 {
		l.failpoint += ":2"
	}
	if cycle%3 == 2 {
		l.args = []string{"run"}
	}
	if l.failpoint == "" || cycle%3 == 2 {
		l.limit = time.Duration(100+b.draw.IntN(900)) * time.Millisecond
	}
	return l
}

// How a cycle ended.
const (
	cameToAnEnd     = iota // the step was not reached as often as asked for
	killedAtStep           // by the failpoint
	killedSomewhere        // at a random moment
)

// crash runs a process until it is killed, and tells how that ended.
func (b *crashBed) crash(l *life) int {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), l.limit)
	defer cancel()
	cmd, text := b.command(ctx, l.failpoint, l.args...)
	err := cmd.Run()
	exit, _ := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return cameToAnEnd
	case exit == nil:
		b.t.Fatalf("%v: %v\n%s", l.args, err, text)
	case exit.Sys().(syscall.WaitStatus).Signaled(): //nolint:errcheck,forcetypeassert // on the systems that this runs on
		if ctx.Err() == nil {
			return killedAtStep
		}
		return killedSomewhere
	case strings.Contains(text.String(), "panic:") || exit.ExitCode() > exitWithheld:
		b.t.Fatalf("%v with %q: %v\n%s", l.args, l.failpoint, err, text)
	}
	return cameToAnEnd // with something failed or open
}

// edit is what a person does meanwhile: adds rules that violate the policy, always new ones, and deletes one now and
// then.
func (b *crashBed) edit(t *testing.T) {
	t.Helper()
	for range 1 + b.draw.IntN(3) {
		b.next++
		b.call(t, url.Values{
			"Action": {"AuthorizeSecurityGroupEgress"}, "SecurityGroupId": {b.group()}, "IpProtocol": {"tcp"},
			"PortRange": {fmt.Sprintf("%d/%d", 1+b.next/200, 1+b.next/200)}, "DestCidrIp": {fmt.Sprintf("203.0.113.%d", b.next%200)},
		})
	}
	if b.draw.IntN(15) > 0 {
		return
	}
	group := b.group()
	for _, rule := range b.server.Rules("cn-hangzhou", group) {
		if strings.HasPrefix(rule.Peer, "203.") {
			b.call(t, url.Values{
				"Action": {"RevokeSecurityGroupEgress"}, "SecurityGroupId": {group}, "SecurityGroupRuleId.1": {rule.ID},
			})
			return
		}
	}
}

func (b *crashBed) group() string { return fmt.Sprintf("sg-crash%d", b.draw.IntN(crashGroups)) }

// call makes a call of a person, at a moment without faults.
func (b *crashBed) call(t *testing.T, params url.Values) {
	t.Helper()
	b.setFaults(t, nil)
	params.Set("RegionId", "cn-hangzhou")
	sign(params)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.endpoint+"/?"+params.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := b.person.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", params.Get("Action"), response.Status)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
}

// misbehave sets faults of the cloud for one cycle.
func (b *crashBed) misbehave(t *testing.T) {
	t.Helper()
	const revoke = revoker.ActionRevoke
	faults := []ecsemu.Fault{
		{Kind: ecsemu.FaultLoseAnswer, Action: revoke, Times: 1},
		{Kind: ecsemu.FaultErrorAfter, Action: revoke, Times: 1},
		{Kind: ecsemu.FaultClose, Action: revoke, Times: 1},
		{Kind: ecsemu.FaultError, Action: revoke, Times: 1, Status: 503, Code: "ServiceUnavailable"},
		{Kind: ecsemu.FaultIgnore, Action: revoke, Times: 1},
		{Kind: ecsemu.FaultLatency, Latency: 20 * time.Millisecond},
		{Kind: ecsemu.FaultTruncate, Times: 1, Skip: b.draw.IntN(6)},
	}
	if at := b.draw.IntN(3 * len(faults)); at < len(faults) {
		b.setFaults(t, faults[at:at+1])
		return
	}
	b.setFaults(t, nil)
}

func (b *crashBed) setFaults(t *testing.T, faults []ecsemu.Fault) {
	t.Helper()
	if err := b.server.SetFaults(faults); err != nil {
		t.Fatal(err)
	}
}

// converge lets the daemon's commands work without faults until nothing is left to do.
func (b *crashBed) converge(t *testing.T) {
	t.Helper()
	b.run("sweep", "--enforce", "--yes")
	b.run("history", "verify")
}

// check holds the record against what the cloud was asked and what it did.
func (b *crashBed) check(t *testing.T) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{
		Path: filepath.Join(b.dir, "egress-janitor.db"), Now: time.Now, ReadOnly: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // it was only read
	records, err := db.Revocations(t.Context(), store.RevocationFilter{})
	if err != nil {
		t.Fatal(err)
	}
	asked := b.checkRequests(t, records)
	b.checkOutcomes(t, records, asked)
	left := b.rulesLeft()
	for i := range crashGroups {
		for _, id := range []string{fmt.Sprintf("sgr-keep%d", i), fmt.Sprintf("sgr-exempt%d", i)} {
			if !left[id] {
				t.Errorf("rule %s was removed, which no policy asked for", id)
			}
		}
	}
	if len(left) != 2*crashGroups {
		t.Errorf("%d rules are left, want %d: what violates was not all removed", len(left), 2*crashGroups)
	}
	t.Logf("%d revocations, %d rules asked to be removed", len(records), len(asked))
}

func (b *crashBed) rulesLeft() map[string]bool {
	left := map[string]bool{}
	for i := range crashGroups {
		for _, rule := range b.server.Rules("cn-hangzhou", fmt.Sprintf("sg-crash%d", i)) {
			left[rule.ID] = true
		}
	}
	return left
}

// checkRequests checks I1 and I2 on what the cloud was asked. It gives the rules that our calls named.
func (b *crashBed) checkRequests(t *testing.T, records []store.RevocationRecord) map[string]bool {
	t.Helper()
	calls := map[string]*revoker.Call{} // by token
	for i := range records {
		for j := range records[i].Calls {
			c := &records[i].Calls[j]
			if known := calls[c.ClientToken()]; known == nil || c.Recorded.Before(known.Recorded) {
				calls[c.ClientToken()] = c
			}
		}
	}
	asked, removed := map[string]bool{}, map[string]int{}
	for _, request := range b.server.Requests() {
		token := request.Parameters["ClientToken"]
		if request.Action != revoker.ActionRevoke {
			continue
		}
		rules := rulesOf(request.Parameters)
		if request.Effect {
			for _, id := range rules {
				removed[id]++
			}
		}
		if token == "" {
			continue // a person's
		}
		call := calls[token]
		if call == nil {
			t.Errorf("I1: the cloud was asked to remove %v under a token that is not on record", rules)
			continue
		}
		if call.Recorded.After(request.Time) {
			t.Errorf("I1: call %s was recorded at %s, after it was sent at %s", call.ID, call.Recorded, request.Time)
		}
		for _, p := range call.Parameters {
			if request.Parameters[p.Name] != p.Value {
				t.Errorf("I1: call %s was sent with %s=%q, on record is %q", call.ID, p.Name, request.Parameters[p.Name], p.Value)
			}
		}
		for _, id := range rules {
			asked[id] = true
		}
	}
	for id, n := range removed {
		if n > 1 {
			t.Errorf("I2: rule %s was removed %d times", id, n)
		}
	}
	return asked
}

func rulesOf(parameters map[string]string) []string {
	var ids []string
	for name, value := range parameters {
		if strings.HasPrefix(name, "SecurityGroupRuleId.") {
			ids = append(ids, value)
		}
	}
	slices.Sort(ids)
	return ids
}

// checkOutcomes checks I3 and I4 on the record.
func (b *crashBed) checkOutcomes(t *testing.T, records []store.RevocationRecord, asked map[string]bool) {
	t.Helper()
	left := b.rulesLeft()
	recorded := map[string]bool{}
	outcomes := map[revoker.Outcome]int{}
	for i := range records {
		r := &records[i]
		recorded[r.Rule.ID] = true
		outcomes[r.Outcome]++
		switch {
		case r.Outcome == "":
			t.Errorf("I3: revocation %s of %s is still open", r.ID, r.Rule.ID)
		case r.Outcome == revoker.Confirmed && left[r.Rule.ID]:
			t.Errorf("I4: %s is confirmed and still there", r.Rule.ID)
		case r.Outcome == revoker.Confirmed && len(r.Calls) == 0:
			t.Errorf("I4: %s is confirmed without a call", r.Rule.ID)
		}
	}
	for id := range asked {
		if !recorded[id] {
			t.Errorf("I1: the cloud was asked to remove %s, of which there is no revocation", id)
		}
	}
	t.Logf("outcomes: %v", outcomes)
}
