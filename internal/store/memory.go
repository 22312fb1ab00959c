package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// Memory is the store that forgets: the twin of [SQL] for tests and simulation. Its methods do and refuse the same, and
// it is never behind a checkpoint, since it has none. All of it is in the order in which it was written.
type Memory struct {
	now   func() time.Time
	locks locks

	mu          sync.Mutex
	sweeps      []SweepRecord
	summaries   map[string]summary                              // by sweep
	findings    map[string][]FindingRecord                      // by sweep
	clocks      map[string]map[decision.ClockKey]decision.Clock // by account
	revocations []RevocationRecord                              // without calls and restores
	calls       []revoker.Call
	restores    []revoker.Restore
	switches    Switches
	entries     []Entry
	firstSeen   map[string]map[decision.ContentRef]time.Time // by account
	feeds       map[string]FeedCopy                          // by URL
	setUses     map[string]SetUse                            // by key
	policies    map[string][]PolicyFile                      // by hash
}

// NewMemory gives an empty store that is not armed.
func NewMemory(now func() time.Time) *Memory {
	m := &Memory{
		now: now, summaries: map[string]summary{}, findings: map[string][]FindingRecord{},
		clocks: map[string]map[decision.ClockKey]decision.Clock{}, firstSeen: map[string]map[decision.ContentRef]time.Time{},
		feeds: map[string]FeedCopy{}, setUses: map[string]SetUse{}, policies: map[string][]PolicyFile{},
	}
	m.append(createdEvent())
	return m
}

// append puts events at the end of the log.
func (m *Memory) append(events ...event) {
	for i := range events {
		var last Entry
		if n := len(m.entries); n > 0 {
			last = m.entries[n-1]
		}
		e, err := chain(&last, m.now(), &events[i])
		if err != nil {
			panic(err) // events are made of strings, numbers and times
		}
		m.entries = append(m.entries, e)
	}
}

// LockAccount does what [SQL.LockAccount] does, within this store.
func (m *Memory) LockAccount(ctx context.Context, account string, wait time.Duration) (release func() error, err error) {
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	free, ok := m.locks.take(bounded, account, wait)
	switch {
	case ok:
		return func() error { free(); return nil }, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("locking account %s: %w", account, ctx.Err())
	}
	return nil, &HeldError{What: "account " + account, Holder: "this process"}
}

// Start implements [sweep.Ledger].
func (m *Memory) Start(_ context.Context, s *sweep.Start) ([]decision.ContentRef, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := checkStart(s); err != nil {
		return nil, err
	}
	if m.sweep(s.ID) != nil {
		return nil, fmt.Errorf("sweep %s was started before", s.ID)
	}
	m.sweeps = append(m.sweeps, SweepRecord{
		ID: s.ID, Account: s.Account.Name, AccountID: s.Account.ID, Regions: slices.Clone(s.Account.Regions), Origin: s.Origin,
		Actor: s.Actor, Mode: s.Mode, Acting: s.Acting, PolicyHash: s.PolicyHash, GuardsHash: s.GuardsHash, Started: stored(s.At),
	})
	m.append(startedEvent(s))
	seen := map[decision.ContentRef]bool{}
	for key := range m.clocks[s.Account.Name] {
		seen[key.ContentRef] = true
	}
	return slices.SortedFunc(maps.Keys(seen), func(a, b decision.ContentRef) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Key, b.Key))
	}), nil
}

func (m *Memory) sweep(id string) *SweepRecord {
	i := slices.IndexFunc(m.sweeps, func(s SweepRecord) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return &m.sweeps[i]
}

// Commit implements [sweep.Ledger]. The store is locked while decide runs, so decide must not call it.
func (m *Memory) Commit(
	_ context.Context, r *sweep.Result, decide func(*decision.State) (*sweep.Commit, error),
) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	record := m.sweep(r.ID)
	if record == nil {
		return fmt.Errorf("sweep %q was never started", r.ID)
	}
	if err := checkOngoing(record, r); err != nil {
		return err
	}
	state := m.state(record.Account, record.PolicyHash)
	commit, err := decide(cloneState(state))
	if err != nil {
		return err
	}
	if err := checkCommit(record, commit, state.Open); err != nil {
		return err
	}
	for i := range commit.Revocations {
		id := commit.Revocations[i].ID
		same := func(other revoker.Revocation) bool { return other.ID == id }
		if m.revocation(id) != nil || slices.ContainsFunc(commit.Revocations[:i], same) {
			return fmt.Errorf("revocation %s is recorded already", id)
		}
	}
	record.finish(r, len(commit.Revocations))
	m.summaries[r.ID] = summarise(r, state.Past)
	m.keepFindings(r)
	m.keepClocks(record.Account, commit.Clocks)
	m.keepFirstSeen(record.Account, commit.FirstSeen)
	names := groupNames(r)
	for i := range commit.Revocations {
		v := &commit.Revocations[i]
		kept := RevocationRecord{Revocation: *v, GroupName: names[groupRef(v)]}
		kept.Rule, kept.Policies = storedRule(&v.Rule), slices.Clone(v.Policies)
		kept.Created, kept.Ended, kept.Attribution, kept.Detail = stored(v.Created), time.Time{}, "", ""
		m.revocations = append(m.revocations, kept)
	}
	m.append(commitEvents(record, commit)...)
	return nil
}

func (m *Memory) keepFindings(r *sweep.Result) {
	for i := range r.Findings {
		f := &r.Findings[i]
		m.findings[r.ID] = append(m.findings[r.ID], FindingRecord{
			Region: f.Group.Region, Group: f.Group.ID, GroupName: f.Group.Name, Rule: storedRule(&f.Rule),
			Action: string(f.Decision.Action), Reason: f.Decision.Reason, Detail: f.Decision.Detail, Policies: findingPolicies(f),
		})
	}
}

func (m *Memory) keepClocks(account string, clocks map[decision.ClockKey]decision.Clock) {
	kept := map[decision.ClockKey]decision.Clock{}
	for k, c := range clocks {
		kept[k] = decision.Clock{Since: stored(c.Since), LastSeen: stored(c.LastSeen), Sweeps: c.Sweeps}
	}
	m.clocks[account] = kept
}

// state gathers what decisions about an account depend on.
func (m *Memory) state(account, policyHash string) *decision.State {
	state := &decision.State{
		Paused: m.switches.Hold(), Clocks: maps.Clone(m.clocks[account]), Past: map[decision.ContentRef]decision.Past{},
		Open: map[decision.RuleRef]bool{}, Window: m.window(), FirstSeen: map[decision.ContentRef]time.Time{},
	}
	if state.Clocks == nil {
		state.Clocks = map[decision.ClockKey]decision.Clock{}
	}
	names := map[string]bool{account: true}
	if latest := m.latest(account); latest != nil {
		state.Reported = m.reported(latest, policyHash)
		names = m.namesOf(latest)
	}
	for name := range names {
		for ref, at := range m.firstSeen[name] {
			state.FirstSeen[ref] = earlier(state.FirstSeen[ref], at)
		}
	}
	for i := range m.revocations {
		r := &m.revocations[i].Revocation
		if !names[r.Ref.Account] {
			continue
		}
		switch r.Outcome {
		case "":
			state.Open[ruleRef(r)] = true
		case revoker.Confirmed:
			ref := contentOf(r.Ref, &r.Rule)
			p := state.Past[ref]
			p.Revocations++
			state.Past[ref] = p
		case revoker.AlreadyAbsent, revoker.Changed, revoker.Withdrawn, revoker.Failed:
		}
	}
	for i := range m.restores {
		if r := &m.restores[i]; names[r.Ref.Account] {
			ref := contentOf(r.Ref, &r.Rule)
			p := state.Past[ref]
			p.HeldUntil = r.HoldUntil
			state.Past[ref] = p
		}
	}
	return state
}

// latest gives the latest sweep that was started under a name; nil if there is none.
func (m *Memory) latest(account string) *SweepRecord {
	for i := range slices.Backward(m.sweeps) {
		if s := &m.sweeps[i]; s.Account == account {
			return s
		}
	}
	return nil
}

func (m *Memory) reported(latest *SweepRecord, policyHash string) bool {
	for i := range slices.Backward(m.sweeps) {
		if s := &m.sweeps[i]; s.Account == latest.Account && s.Complete {
			return reports(s, latest, policyHash)
		}
	}
	return false
}

func (m *Memory) namesOf(latest *SweepRecord) map[string]bool {
	names := map[string]bool{latest.Account: true}
	for i := range m.sweeps {
		if s := &m.sweeps[i]; latest.AccountID != "" && s.AccountID == latest.AccountID {
			names[s.Account] = true
		}
	}
	return names
}

// counts does what [counted] does.
func (m *Memory) counts(r *RevocationRecord) bool {
	return counts(r.Outcome, func() []revoker.Call {
		return m.callsFor(revoker.ActionRevoke, func(id string) bool { return id == r.ID })
	})
}

func contentOf(ref sg.GroupRef, rule *sg.Rule) decision.ContentRef {
	return decision.ContentRef{Region: ref.Region, Group: ref.Group, Key: rule.ContentKey()}
}

func (m *Memory) window() int {
	n := 0
	from := stored(m.now().Add(-decision.Window))
	for i := range m.revocations {
		if r := &m.revocations[i]; r.Created.After(from) && m.counts(r) {
			n++
		}
	}
	return n
}

// Recheck implements [sweep.Worklist].
func (m *Memory) Recheck(_ context.Context, ref sg.GroupRef, policyHash string) (*sweep.Recheck, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	again := &sweep.Recheck{State: m.state(ref.Account, policyHash), Sweeps: map[string]sweep.Share{}}
	keepGroup(again.State, ref)
	for i := range m.revocations {
		if r := &m.revocations[i]; r.Ref == ref && r.Outcome == "" {
			again.Sweeps[r.Sweep] = m.share(r.Sweep, ref)
		}
	}
	return again, nil
}

// keepGroup leaves of a state what is about one group.
func keepGroup(s *decision.State, ref sg.GroupRef) {
	other := func(c decision.ContentRef) bool { return c.Region != ref.Region || c.Group != ref.Group }
	maps.DeleteFunc(s.Clocks, func(k decision.ClockKey, _ decision.Clock) bool { return other(k.ContentRef) })
	maps.DeleteFunc(s.Past, func(c decision.ContentRef, _ decision.Past) bool { return other(c) })
	maps.DeleteFunc(s.FirstSeen, func(c decision.ContentRef, _ time.Time) bool { return other(c) })
	maps.DeleteFunc(s.Open, func(r decision.RuleRef, _ bool) bool { return r.Region != ref.Region || r.Group != ref.Group })
}

// share says what a sweep did in other groups.
func (m *Memory) share(id string, ref sg.GroupRef) sweep.Share {
	share := sweep.Share{
		AccountID: m.sweep(id).AccountID, Rules: m.sweep(id).Rules, Again: decision.Again{ElsewhereByPolicy: map[string]int{}},
	}
	for i := range m.revocations {
		r := &m.revocations[i]
		if r.Sweep != id || r.Ref == ref || !m.counts(r) {
			continue
		}
		share.Again.Elsewhere++
		for _, c := range r.Policies {
			share.Again.ElsewhereByPolicy[c.Policy]++
		}
	}
	return share
}

// Open implements [sweep.Worklist].
func (m *Memory) Open(_ context.Context, account string) ([]revoker.Work, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var work []revoker.Work
	for i := range m.revocations {
		r := m.copyRevocation(&m.revocations[i])
		if r.Ref.Account != account || r.Outcome != "" {
			continue
		}
		n := slices.IndexFunc(work, func(w revoker.Work) bool { return w.Ref == r.Ref })
		if n < 0 {
			n, work = len(work), append(work, revoker.Work{Ref: r.Ref})
		}
		work[n].Revocations = append(work[n].Revocations, r.Revocation)
	}
	for i := range work {
		w := &work[i]
		w.Calls = m.callsFor(revoker.ActionRevoke, func(id string) bool {
			return slices.ContainsFunc(w.Revocations, func(r revoker.Revocation) bool { return r.ID == id })
		})
	}
	slices.SortFunc(work, func(a, b revoker.Work) int {
		return cmp.Or(strings.Compare(a.Ref.Region, b.Ref.Region), strings.Compare(a.Ref.Group, b.Ref.Group))
	})
	return work, nil
}

func (m *Memory) callsFor(action string, item func(string) bool) []revoker.Call {
	var calls []revoker.Call
	for i := range m.calls {
		if c := &m.calls[i]; c.Action == action && slices.ContainsFunc(c.Carries, item) {
			calls = append(calls, copyCall(c))
		}
	}
	return calls
}

func copyCall(c *revoker.Call) revoker.Call {
	kept := *c
	kept.Carries, kept.Parameters = slices.Clone(c.Carries), slices.Clone(c.Parameters)
	return kept
}

func (m *Memory) revocation(id string) *RevocationRecord {
	i := slices.IndexFunc(m.revocations, func(r RevocationRecord) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &m.revocations[i]
}

func (m *Memory) copyRevocation(r *RevocationRecord) RevocationRecord {
	kept := *r
	kept.Rule, kept.Policies = r.Rule.Clone(), slices.Clone(r.Policies)
	return kept
}
