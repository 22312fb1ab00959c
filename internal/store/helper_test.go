package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// twin is what both implementations have.
type twin interface {
	sweeping
	revoking
	reporting
}

type remembering interface {
	feeding
	policing
}

type feeding interface {
	FeedCopy(ctx context.Context, url string) (store.FeedCopy, bool, error)
	SaveFeedCopy(ctx context.Context, c store.FeedCopy) error
	setUsing
}

type setUsing interface {
	UsedSets(ctx context.Context) (map[string]store.SetUse, error)
	UseSets(ctx context.Context, list []store.SetUse) error
	AcceptSets(ctx context.Context, list []store.SetUse, actor, reason string) error
}

type policing interface {
	RecordPolicies(ctx context.Context, hash string, files []store.PolicyFile) error
	Policies(ctx context.Context, hash string) ([]store.PolicyFile, bool, error)
	LatestPolicies(ctx context.Context) (string, []store.PolicyFile, time.Time, bool, error)
}

type sweeping interface {
	sweep.Ledger
	sweep.Worklist
	scheduling
}

type scheduling interface {
	LastStarted(ctx context.Context, account string) (time.Time, bool, error)
	Interrupted(ctx context.Context, account string) (int, error)
	OpenAccounts(ctx context.Context) ([]string, error)
}

type revoking interface {
	revoker.Journal
	restoring
	switching
}

type restoring interface {
	AddRestores(ctx context.Context, list []revoker.Restore) error
	OpenRestores(ctx context.Context, account string) ([]revoker.RestoreWork, error)
	FinishRestore(ctx context.Context, r *revoker.Restore) error
}

type switching interface {
	Switches(ctx context.Context) (store.Switches, error)
	Pause(ctx context.Context, actor, reason string) error
	Resume(ctx context.Context, actor, reason string) error
}

type reporting interface {
	history
	auditing
	amending
}

type history interface {
	Sweeps(ctx context.Context, f store.SweepFilter) ([]store.SweepRecord, error)
	Revocations(ctx context.Context, f store.RevocationFilter) ([]store.RevocationRecord, error)
	Findings(ctx context.Context, sweepID string) ([]store.FindingRecord, error)
}

type auditing interface {
	Entries(ctx context.Context, after int64, limit int) ([]store.Entry, error)
	Verify(ctx context.Context) (*store.Verification, error)
	Totals(ctx context.Context) (*store.Totals, error)
}

type amending interface {
	remembering
	sweep.Doubts
	LockAccount(ctx context.Context, account string, wait time.Duration) (func() error, error)
}

var (
	_ twin = (*store.SQL)(nil)
	_ twin = (*store.Memory)(nil)
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 123_456_000, time.UTC)

// clock is a time that tests move.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{at: start} }

func (c *clock) now() time.Time { return c.at }

func (c *clock) tick() time.Time {
	c.at = c.at.Add(time.Second)
	return c.at
}

func openAt(t *testing.T, path string, c *clock) *store.SQL {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func storePath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "store.db")
}

// failer is a test, or a check of rapid.
type failer interface {
	Helper()
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func got[T any](t *testing.T) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		must(t, err)
		return value
	}
}

func same(t failer, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(sg.Rule{}.Destination.CIDR),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type() == reflect.TypeFor[json.RawMessage]() },
			cmp.Transformer("data", func(m json.RawMessage) string { return string(m) }))); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func rule(id, ports string) sg.Rule {
	return sg.NewRule(&sg.Fields{
		ID: id, Protocol: "TCP", PortRange: ports, CIDR4: "0.0.0.0/0", Policy: "Accept", Priority: "1",
		NICType: sg.NICIntranet, Description: `says "<hello>" & more`, Created: "2026-01-02T03:04:05Z",
	})
}

func ref(account, group string) sg.GroupRef {
	return sg.GroupRef{Account: account, Region: "cn-a", Group: group}
}

// run is one sweep of a test.
type run struct {
	id, account string
	accountID   string   // if it is not the one that belongs to the name
	regions     []string // nil: all
	at          time.Time
	hash        string
	guards      string
	rules       map[string][]sg.Rule // by group
	order       []string             // of the groups
	origin      revoker.Origin       // empty: by schedule
	first       map[decision.ContentRef]time.Time
	revoke      bool // everything that is found
	broken      bool
	effect      revoker.Effect // of each rule that is revoked
}

func (r *run) start() *sweep.Start {
	account := sweep.Account{Name: r.account, ID: r.accountID, Regions: r.regions}
	if r.accountID == "" {
		account.ID = "ID of " + r.account
	}
	if r.regions == nil {
		account.Regions = []string{"*"}
	}
	origin := revoker.BySchedule
	if r.origin != "" {
		origin = r.origin
	}
	return &sweep.Start{
		ID: r.id, Account: account,
		Origin: origin, Actor: "daemon", Mode: "enforce", Acting: r.revoke, PolicyHash: r.hash, GuardsHash: r.guards, At: r.at,
	}
}

func (r *run) result() *sweep.Result {
	result := &sweep.Result{
		Order: sweep.Order{ID: r.id, Account: r.start().Account}, Started: r.at, Finished: r.at.Add(time.Second),
		Regions: []scanner.Region{{ID: "cn-a", Complete: !r.broken, Groups: len(r.order), Rules: 150}},
	}
	if r.broken {
		result.Problems = []scanner.Problem{{Region: "cn-a", Group: "sg-9", Err: errors.New("page 2 is missing")}}
	}
	action := decision.Report
	if r.revoke {
		action = decision.Revoke
	}
	for _, group := range r.order {
		for _, x := range r.rules[group] {
			result.Findings = append(result.Findings, decision.Finding{
				Group: &sg.Group{Region: "cn-a", ID: group, Name: "name of " + group}, Rule: x,
				Violations: []policy.Violation{
					{Policy: &policy.Policy{Name: "p1", Severity: policy.Low}, Because: []string{"it is so"}},
					{Policy: &policy.Policy{Name: "p2", Severity: policy.Low}},
				},
				Decision: decision.Decision{
					Verdict:  decision.Verdict{Action: action, Detail: "in words"},
					Policies: []decision.Verdict{{Action: decision.Candidate}, {Action: decision.Exempt, Reason: "x"}},
				},
			})
		}
	}
	return result
}

func (r *run) revocations() []revoker.Revocation {
	if !r.revoke {
		return nil
	}
	var list []revoker.Revocation
	for _, group := range r.order {
		for _, x := range r.rules[group] {
			list = append(list, revoker.Revocation{
				ID: fmt.Sprintf("%s-r%d", r.id, len(list)+1), Sweep: r.id, Ref: ref(r.account, group), Rule: x,
				Policies: []revoker.Cause{{Policy: "p1", Hash: "h1"}}, Origin: revoker.BySchedule, Actor: "daemon", Created: r.at,
				Effect: r.effect,
			})
		}
	}
	return list
}

// one is a sweep that revokes one rule of group sg-1.
func one(id string, at time.Time) *run {
	return &run{
		id: id, account: "prod", at: at, hash: "hash", revoke: true, order: []string{"sg-1"},
		rules: map[string][]sg.Rule{"sg-1": {rule("sgr-1", "22/22")}},
	}
}

// do records the sweep whole, and gives what decide was given.
func (r *run) do(t *testing.T, s twin) *decision.State {
	t.Helper()
	_, err := s.Start(t.Context(), r.start())
	must(t, err)
	var seen *decision.State
	must(t, s.Commit(t.Context(), r.result(), func(state *decision.State) (*sweep.Commit, error) {
		seen = state
		return &sweep.Commit{Revocations: r.revocations(), Clocks: state.Clocks, FirstSeen: r.first}, nil
	}))
	return seen
}

func call(id string, at time.Time, of sg.GroupRef, carries ...string) *revoker.Call {
	return &revoker.Call{
		ID: id, Action: revoker.ActionRevoke, Ref: of, Carries: carries,
		Parameters: []revoker.Parameter{{Name: "RegionId", Value: of.Region}, {Name: "SecurityGroupId", Value: of.Group}},
		Recorded:   at, Deadline: at.Add(10 * time.Second), State: revoker.CallRecorded,
	}
}

func ending(id string, outcome revoker.Outcome, at time.Time) revoker.Ending {
	e := revoker.Ending{Revocation: id, Outcome: outcome, Detail: "said so", At: at}
	if outcome == revoker.Confirmed {
		e.Attribution = revoker.Answered
	}
	return e
}

func restore(id, revocation string, at time.Time) revoker.Restore {
	return revoker.Restore{
		ID: id, Revocation: revocation, Ref: ref("prod", "sg-1"), Rule: rule("sgr-1", "22/22"), HoldUntil: at.Add(24 * time.Hour),
		Actor: "ann", Created: at,
	}
}
