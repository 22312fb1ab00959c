package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// bottleneck stands in front of an emulated account and keeps calls of one action waiting until their client is gone.
type bottleneck struct {
	held    atomic.Pointer[string] // the action; none if nil
	arrived chan struct{}          // has one for each call that waits
	next    http.Handler
}

func (b *bottleneck) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if held := b.held.Load(); held != nil && *held == r.URL.Query().Get("Action") {
		b.arrived <- struct{}{}
		<-r.Context().Done()
		return
	}
	b.next.ServeHTTP(w, r)
}

// hold holds calls of an action from now on; of none, if it is empty.
func (b *bottleneck) hold(action string) {
	b.held.Store(&action)
}

// await waits until a call is held.
func (b *bottleneck) await(t *testing.T, action string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	select {
	case <-b.arrived:
	case <-ctx.Done():
		t.Fatalf("no call of %s came", action)
	}
}

// tickSite is a site with one account, which has one rule that violates.
func tickSite(t *testing.T, binary, schedule string) (*site, *emulatedAccount, *bottleneck) {
	t.Helper()
	a := emulate(t, &ecsemu.Estate{Account: ecsemu.DefaultAccount, Regions: []ecsemu.Region{{
		ID: "cn-hangzhou", Groups: []ecsemu.Group{{ID: "sg-web", Name: "web", VPC: "vpc-a", Egress: []ecsemu.Rule{
			{ID: "sgr-world", Protocol: "tcp", Ports: "22/22", Peer: "0.0.0.0/0"},
		}}},
	}}})
	target, err := url.Parse(a.endpoint)
	if err != nil {
		t.Fatal(err)
	}
	b := &bottleneck{arrived: make(chan struct{}, 100), next: httputil.NewSingleHostReverseProxy(target)}
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	a.endpoint = front.URL
	s := newSite(t, binary, map[string]string{
		"egress-janitor.yaml": configOf(schedule, map[string]*emulatedAccount{"prod": a}, "prod"),
		"policies.yaml":       historyPolicies,
	})
	return s, a, b
}

// sweepTally counts the sweeps on record by how they ended.
func sweepTally(sweeps []store.SweepRecord) map[string]int {
	counts := map[string]int{}
	for i := range sweeps {
		switch r := &sweeps[i]; {
		case r.Interrupted:
			counts["interrupted"]++
		case r.Finished.IsZero():
			counts["unfinished"]++
		default:
			counts["finished"]++
		}
	}
	return counts
}

func (s *site) wantSweeps(t *testing.T, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, sweepTally(s.sweeps(t))); diff != "" {
		t.Fatalf("sweeps (-want +got):\n%s", diff)
	}
}

// scheduled waits until the scheduler is at work: it has looked then which accounts are due. After a kill that takes 20
// seconds, for which the lease of the process that died goes on.
func (s *site) scheduled(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for !strings.Contains(s.page(t), "\negress_janitor_next_sweep_timestamp_seconds 1.") {
		select {
		case <-ctx.Done():
			t.Fatal("the scheduler does not begin its work")
		case <-ticker.C:
		}
	}
}

// watch looks for some seconds whether a sweep begins that must not. Where one is due it begins within two.
func (s *site) watch(t *testing.T) {
	t.Helper()
	s.scheduled(t)
	before := len(s.sweeps(t))
	over := time.After(4 * time.Second)
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticker.C:
			if now := len(s.sweeps(t)); now != before {
				t.Fatalf("there are %d sweeps, which were %d: a tick was doubled", now, before)
			}
		}
	}
}

const sweepDone = `"msg":"sweep by schedule done"`

// TestNoTickIsLostOrDoubledByAKill kills the daemon at moments of its sweep and starts it again within the same hour of
// its schedule. What was interrupted is swept again at once, and only once; what was recorded is not.
func TestNoTickIsLostOrDoubledByAKill(t *testing.T) {
	t.Parallel()
	binary := buildFailpoints(t)
	for _, test := range []struct {
		action      string // that the cloud has not answered when the daemon is killed
		times       int
		interrupted int // sweeps on record that did not finish
	}{
		{"GetCallerIdentity", 1, 1},
		{"DescribeSecurityGroups", 1, 1},
		{"DescribeSecurityGroupAttribute", 2, 2},
	} {
		t.Run("killed during "+test.action, func(t *testing.T) {
			t.Parallel()
			s, _, cloud := tickSite(t, binary, "@every 1h")
			cloud.hold(test.action)
			for range test.times {
				daemon := s.start(t, "")
				s.scheduled(t)
				cloud.await(t, test.action)
				kill(t, daemon)
			}
			if got := s.jobs(t)["running"]; got != 1 { // each start forgets those of the daemon before
				t.Errorf("%d jobs of the scheduler were left running, want 1: this test is about them", got)
			}
			cloud.hold("")
			daemon := s.start(t, "")
			s.scheduled(t)
			logged(t, daemon, sweepDone)
			s.watch(t)
			s.wantSweeps(t, map[string]int{"interrupted": test.interrupted, "finished": 1})
			kill(t, daemon)
			s.start(t, "")
			s.watch(t)
		})
	}
	t.Run("killed after the sweep is recorded", func(t *testing.T) {
		t.Parallel()
		s, account, _ := tickSite(t, binary, "@every 1h")
		s.run(t, exitDone, "resume", "--reason", "the reports were read")
		s.run(t, exitDone, "sweep")
		s.age(t, `UPDATE sweeps SET started = started - 7200000000, finished = finished - 7200000000`)
		killed(t, s.start(t, stepSwept))
		s.wantSweeps(t, map[string]int{"finished": 2})
		logged(t, s.start(t, ""), `"msg":"revocation ended".*"outcome":"confirmed"`)
		s.watch(t)
		removals := 0
		for _, request := range account.server.Requests() {
			if request.Action == revoker.ActionRevoke {
				removals++
			}
		}
		if removals != 1 || len(account.server.Rules("cn-hangzhou", "sg-web")) != 0 {
			t.Errorf("the rule was asked to be removed %d times, want once", removals)
		}
	})
	t.Run("the next tick comes in its time", func(t *testing.T) {
		t.Parallel()
		nextTick(t, binary)
	})
}

// nextTick waits for a tick of the schedule in real time, after a crash that left a job behind, which must neither be
// worked on again nor be in the way.
func nextTick(t *testing.T, binary string) {
	t.Helper()
	s, _, cloud := tickSite(t, binary, "@every 1m")
	cloud.hold("DescribeSecurityGroupAttribute")
	daemon := s.start(t, "")
	cloud.await(t, "DescribeSecurityGroupAttribute")
	kill(t, daemon)
	cloud.hold("")
	// As if a day had passed, after which the scheduler looks for jobs that are stuck.
	s.age(t, `UPDATE river_job SET attempted_at = datetime('now', '-1 day'), created_at = datetime('now', '-1 day'),
		scheduled_at = datetime('now', '-1 day')`)
	daemon = s.start(t, "")
	second := regexp.MustCompile(`(?s)` + sweepDone + `.*` + sweepDone)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	for {
		text, more := daemon.stderr.state()
		if second.MatchString(text) {
			break
		}
		select {
		case <-more:
		case <-daemon.ended:
			t.Fatalf("the daemon ended: %v", daemon.err)
		case <-ctx.Done():
			t.Fatal("no tick came for more than a minute")
		}
	}
	s.watch(t)
	sweeps := s.sweeps(t)
	if diff := cmp.Diff(map[string]int{"interrupted": 1, "finished": 2}, sweepTally(sweeps)); diff != "" {
		t.Fatalf("sweeps (-want +got):\n%s", diff)
	}
	if apart := sweeps[0].Started.Sub(sweeps[1].Started); apart < 59*time.Second || apart > 75*time.Second {
		t.Errorf("two sweeps of a schedule of every minute are %s apart", apart)
	}
}

// open opens the store as nobody but a test does.
func (s *site) open(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "egress-janitor.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// age changes times in the store.
func (s *site) age(t *testing.T, statement string) {
	t.Helper()
	result, err := s.open(t).ExecContext(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n != 1 {
		t.Fatalf("%s: %d rows, error %v", statement, n, err)
	}
}

// jobs counts the jobs of the scheduler by their state.
func (s *site) jobs(t *testing.T) map[string]int {
	t.Helper()
	rows, err := s.open(t).QueryContext(t.Context(), `SELECT state, COUNT(*) FROM river_job GROUP BY state`)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			t.Fatal(err)
		}
		counts[state] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(fmt.Errorf("reading jobs: %w", err))
	}
	return counts
}
