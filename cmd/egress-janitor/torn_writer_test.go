package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// tornCycles is how often the writer is killed. A soak asks for more by its environment.
func tornCycles(t *testing.T) int {
	t.Helper()
	text := os.Getenv("EGRESS_JANITOR_TORN_CYCLES")
	if text == "" {
		return 4
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("EGRESS_JANITOR_TORN_CYCLES=%q: expected a number above 0", text)
	}
	return n
}

// TestAWriterThatIsKilledAtAnyByteEndsNoException has a process write the policy file bit by bit, kills it, and has
// another one complete what it left, or begin anew. Meanwhile the armed daemon watches the file and sweeps whenever it
// reads it, and commands sweep beside it. No rule that the whole file exempts may ever be asked to be removed, and all
// others must be gone in the end.
func TestAWriterThatIsKilledAtAnyByteEndsNoException(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("EGRESS_JANITOR_TORN_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("EGRESS_JANITOR_TORN_SEED=%d", seed)
	b := newTornBed(t, rand.New(rand.NewPCG(seed, 0)))
	b.site.run(t, exitDone, "resume", "--reason", "the test begins")
	b.site.run(t, exitDone, "sweep")
	b.daemon = b.site.start(t, "")
	b.site.scheduled(t)
	for cycle := range tornCycles(t) {
		b.violate(t)
		cut := b.cut(cycle)
		b.follow(t, func() { b.write(t, 0, cut) })
		b.sweep(t)
		from := cut
		if b.draw.IntN(2) == 0 {
			from = 0
		}
		b.follow(t, func() { b.write(t, from, len(tornPolicy)) })
	}
	b.sweep(t)
	terminate(t, b.daemon)
	b.check(t)
}

// tornBed is a site whose policy file is written again and again.
type tornBed struct {
	site    *site
	account *emulatedAccount
	draw    *rand.Rand
	daemon  *process
	policy  string          // the file
	exempt  map[string]bool // rules, by ID
	added   int             // rules that violate
}

func newTornBed(t *testing.T, draw *rand.Rand) *tornBed {
	t.Helper()
	estate, exempt := tornEstate(), map[string]bool{}
	rules := estate.Regions[0].Groups[0].Egress
	for i := range rules {
		rules[i].ID = fmt.Sprintf("sgr-exempt%d", i)
		exempt[rules[i].ID] = true
	}
	estate.Account = ecsemu.DefaultAccount
	b := &tornBed{account: emulate(t, estate), draw: draw, exempt: exempt}
	config := configOf("@every 1m", map[string]*emulatedAccount{"prod": b.account}, "prod")
	config, _, _ = strings.Cut(config, "limits:")
	b.site = newSite(t, buildFailpoints(t), map[string]string{
		"egress-janitor.yaml": config +
			"limits: {per-group: 1000, per-sweep: 1000, percent: 100, per-window: 100000}\nhttp: {metrics: \"METRICS\"}\n",
		"policies.yaml": tornPolicy,
	})
	b.policy = filepath.Join(b.site.dir, "policies.yaml")
	return b
}

// violate has a person add a rule that no exception speaks of.
func (b *tornBed) violate(t *testing.T) {
	t.Helper()
	b.added++
	b.account.call(t, url.Values{
		"Action": {"AuthorizeSecurityGroupEgress"}, "RegionId": {"eu-west-1"}, "SecurityGroupId": {"sg-bp1web"},
		"IpProtocol": {"tcp"}, "PortRange": {fmt.Sprintf("%d/%d", 1000+b.added, 1000+b.added)}, "DestCidrIp": {"0.0.0.0/0"},
	})
}

// cut draws where the writer is killed. The first cuts are those that leave a legal file with fewer exceptions, or one
// exception that exempts less; of the others every second is at the end of a line, where most legal ones are.
func (b *tornBed) cut(cycle int) int {
	for i, next := range []string{"  - name: web", "          - 203.0.113.2/32", "exceptions:"} {
		if i == cycle {
			return strings.Index(tornPolicy, next)
		}
	}
	at := b.draw.IntN(len(tornPolicy))
	line := strings.IndexByte(tornPolicy[at:], '\n')
	if end := at + line + 1; b.draw.IntN(2) == 0 && line >= 0 && end < len(tornPolicy) { // the whole file is no change
		return end
	}
	return at
}

// write has a process write the bytes from one place of the file to another in small pieces, and kills it then. Beside it
// a command sweeps.
func (b *tornBed) write(t *testing.T, from, to int) {
	t.Helper()
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { b.sweep(t) })
	script := `exec cat >>"$1"`
	if from == 0 {
		script = `exec cat >"$1"`
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	writer := exec.CommandContext(ctx, "sh", "-c", script, "sh", b.policy)
	in, err := writer.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	if from == 0 {
		b.sized(ctx, t, 0) // it has opened the file
	}
	for from < to {
		next := min(to, from+1+b.draw.IntN(20))
		if _, err := io.WriteString(in, tornPolicy[from:next]); err != nil {
			t.Fatal(err)
		}
		b.sized(ctx, t, next)
		from = next
	}
	if err := writer.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := writer.Wait(); err == nil {
		t.Fatal("the writer came to its end")
	}
}

// sized waits until the file has a size.
func (b *tornBed) sized(ctx context.Context, t *testing.T, size int) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		info, err := os.Stat(b.policy)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() == int64(size) {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("the file has %d bytes, and not %d", info.Size(), size)
		}
	}
}

// follow has the daemon follow what is done to the file: its watch reads it, and then it sweeps by it, if it can be read.
func (b *tornBed) follow(t *testing.T, change func()) {
	t.Helper()
	before := len(b.daemon.stderr.text())
	change()
	b.reads(t, before, false)
	if _, err := b.site.open(t).ExecContext(t.Context(), `UPDATE sweeps SET started = started - 120000000`); err != nil {
		t.Fatal(err)
	}
	before = len(b.daemon.stderr.text())
	if err := b.daemon.cmd.Process.Signal(syscall.SIGHUP); err != nil { // so that it sees that its account is due
		t.Fatal(err)
	}
	b.reads(t, before, true)
}

// reads waits until the daemon has logged, after so many bytes, that it has read its files, and has swept by them.
func (b *tornBed) reads(t *testing.T, after int, swept bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		text, more := b.daemon.stderr.state()
		_, then, loaded := strings.Cut(text[after:], `"msg":"configuration loaded"`)
		refused := strings.Contains(text[after:], `"msg":"reload failed`)
		if refused || loaded && (!swept || strings.Contains(then, sweepDone)) {
			return
		}
		select {
		case <-more:
		case <-b.daemon.ended:
			t.Fatalf("the daemon ended: %v", b.daemon.err)
		case <-ctx.Done():
			t.Fatal("the daemon does not see that its policies were changed")
		}
	}
}

// sweep enforces by command, which may find that the file is none, or the account in use by the daemon.
func (b *tornBed) sweep(t *testing.T) {
	t.Helper()
	cmd := b.site.command(t.Context(), "", enforcing()...)
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	exit, _ := errors.AsType[*exec.ExitError](cmd.Run())
	if exit != nil && !exit.Exited() || strings.Contains(text.String(), "panic:") {
		t.Errorf("sweep: %v\n%s", exit, text.Bytes())
	}
}

// check asks the cloud what was removed.
func (b *tornBed) check(t *testing.T) {
	t.Helper()
	removed := map[string]bool{}
	for _, request := range b.account.server.Requests() {
		if request.Action != revoker.ActionRevoke {
			continue
		}
		for _, id := range rulesOf(request.Parameters) {
			removed[id] = true
			if b.exempt[id] {
				t.Errorf("at %s the cloud was asked to remove %s, which is exempted", request.Time, id)
			}
		}
	}
	for _, rule := range b.account.server.Rules("eu-west-1", "sg-bp1web") {
		if !b.exempt[rule.ID] {
			t.Errorf("rule %s is left, which violates and is not exempted", rule.ID)
		}
	}
	whole, err := readPolicies([]string{b.policy})
	if err != nil {
		t.Fatal(err)
	}
	torn := map[string]int{} // sweeps that meant to act, by policies
	for _, s := range b.site.sweeps(t) {
		if s.Acting && s.PolicyHash != whole.Hash() {
			torn[s.PolicyHash]++
		}
	}
	repeated := 0 // only the second sweep under the same policies may act
	for _, n := range torn {
		if n > 1 {
			repeated++
		}
	}
	t.Logf("%d rules were removed; %d cut files were swept by, %d of them more than once", len(removed), len(torn), repeated)
	if repeated == 0 || len(removed) != b.added {
		t.Errorf("no cut file was swept by twice, or not %d rules were removed: the test has lost its sense", b.added)
	}
}
