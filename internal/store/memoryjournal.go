package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// Record implements [revoker.Journal] and [revoker.RestoreJournal], as [SQL.Record] does.
func (m *Memory) Record(_ context.Context, c *revoker.Call) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := checkCall(c); err != nil {
		return err
	}
	find := m.restoreState
	if c.Action == revoker.ActionRevoke {
		find = m.revocationState
		if hold := m.switches.Hold(); hold != "" {
			return fmt.Errorf("recording call %s: %w: %s", c.ID, ErrOnHold, hold)
		}
	}
	if m.call(c.ID) != nil {
		return fmt.Errorf("call %s is recorded already", c.ID)
	}
	for _, item := range c.Carries {
		if err := checkItem(c, item, find(item)); err != nil {
			return err
		}
	}
	kept := copyCall(c)
	kept.Recorded, kept.Deadline = stored(c.Recorded), stored(c.Deadline)
	kept.State, kept.Answer = revoker.CallRecorded, revoker.Answer{}
	m.calls = append(m.calls, kept)
	m.append(callEvent(c))
	return nil
}

func (m *Memory) call(id string) *revoker.Call {
	i := slices.IndexFunc(m.calls, func(c revoker.Call) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &m.calls[i]
}

func (m *Memory) revocationState(id string) *itemState {
	r := m.revocation(id)
	if r == nil {
		return nil
	}
	return &itemState{account: r.Ref.Account, region: r.Ref.Region, group: r.Ref.Group, outcome: string(r.Outcome)}
}

func (m *Memory) restoreState(id string) *itemState {
	r := m.restore(id)
	if r == nil {
		return nil
	}
	return &itemState{account: r.Ref.Account, region: r.Ref.Region, group: r.Ref.Group, outcome: string(r.Outcome)}
}

func (m *Memory) restore(id string) *revoker.Restore {
	i := slices.IndexFunc(m.restores, func(r revoker.Restore) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &m.restores[i]
}

// Answer implements [revoker.Journal].
func (m *Memory) Answer(_ context.Context, callID string, a revoker.Answer) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.call(callID)
	if c == nil {
		return fmt.Errorf("call %s is not recorded", callID)
	}
	if err := checkAnswer(callID, c.State, &a); err != nil {
		return err
	}
	m.append(answerEvent(c.Ref.Account, callID, &a))
	c.State, c.Answer = a.State, a
	c.Answer.At = stored(a.At)
	return nil
}

// Finish implements [revoker.Journal].
func (m *Memory) Finish(_ context.Context, endings []revoker.Ending) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	seen := map[string]bool{}
	for i := range endings {
		e := &endings[i]
		if err := checkEnding(e, m.revocationState(e.Revocation)); err != nil {
			return err
		}
		if seen[e.Revocation] {
			return fmt.Errorf("revocation %s ends twice", e.Revocation)
		}
		seen[e.Revocation] = true
	}
	for i := range endings {
		m.end(KindOutcome, &endings[i])
	}
	return nil
}

// Amend does what [SQL.Amend] does.
func (m *Memory) Amend(_ context.Context, e revoker.Ending) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := checkAmendment(&e, m.revocationState(e.Revocation)); err != nil {
		return err
	}
	m.end(KindAmended, &e)
	return nil
}

func (m *Memory) end(kind string, e *revoker.Ending) {
	r := m.revocation(e.Revocation)
	r.Outcome, r.Attribution, r.Detail, r.Ended = e.Outcome, e.Attribution, e.Detail, stored(e.At)
	m.append(endingEvent(kind, r.Ref.Account, e))
}

// AddRestores does what [SQL.AddRestores] does.
func (m *Memory) AddRestores(_ context.Context, list []revoker.Restore) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := len(m.restores)
	for i := range list {
		r := &list[i]
		open := slices.ContainsFunc(m.restores, func(other revoker.Restore) bool {
			return other.Revocation == r.Revocation && other.Outcome == ""
		})
		err := checkRestore(r, m.revocationState(r.Revocation), open)
		if err == nil && m.restore(r.ID) != nil {
			err = fmt.Errorf("restore %s is recorded already", r.ID)
		}
		if err != nil {
			m.restores = m.restores[:before] // all or none
			return err
		}
		m.restores = append(m.restores, revoker.Restore{
			ID: r.ID, Revocation: r.Revocation, Ref: r.Ref, Rule: storedRule(&r.Rule), HoldUntil: stored(r.HoldUntil),
			Actor: r.Actor, Created: stored(r.Created),
		})
	}
	for i := range list {
		m.append(restoreEvent(&list[i]))
	}
	return nil
}

// OpenRestores does what [SQL.OpenRestores] does.
func (m *Memory) OpenRestores(_ context.Context, account string) ([]revoker.RestoreWork, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var work []revoker.RestoreWork
	for _, r := range m.restores {
		if r.Ref.Account == account && r.Outcome == "" {
			calls := m.callsFor(revoker.ActionAuthorize, func(id string) bool { return id == r.ID })
			r.Rule = r.Rule.Clone()
			work = append(work, revoker.RestoreWork{Restore: r, Calls: calls})
		}
	}
	return work, nil
}

// FinishRestore implements [revoker.RestoreJournal].
func (m *Memory) FinishRestore(_ context.Context, r *revoker.Restore) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := checkRestored(r, m.restoreState(r.ID)); err != nil {
		return err
	}
	kept := m.restore(r.ID)
	kept.Outcome, kept.RuleID, kept.Detail, kept.Ended = r.Outcome, r.RuleID, r.Detail, stored(r.Ended)
	m.append(restoredEvent(kept.Ref.Account, r))
	return nil
}

// LastStarted does what [SQL.LastStarted] does.
func (m *Memory) LastStarted(_ context.Context, account string) (at time.Time, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.sweeps {
		if s := &m.sweeps[i]; s.Account == account && !s.Interrupted {
			at, ok = s.Started, true
		}
	}
	return at, ok, nil
}

// Interrupted does what [SQL.Interrupted] does.
func (m *Memory) Interrupted(_ context.Context, account string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for i := range m.sweeps {
		if s := &m.sweeps[i]; s.Account == account && s.Finished.IsZero() && !s.Interrupted {
			s.Interrupted = true
			m.append(interruptedEvent(s))
			n++
		}
	}
	return n, nil
}

// OpenAccounts does what [SQL.OpenAccounts] does.
func (m *Memory) OpenAccounts(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := map[string]bool{}
	for i := range m.revocations {
		if r := &m.revocations[i]; r.Outcome == "" {
			names[r.Ref.Account] = true
		}
	}
	for i := range m.restores {
		if r := &m.restores[i]; r.Outcome == "" {
			names[r.Ref.Account] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// Switches does what [SQL.Switches] does.
func (m *Memory) Switches(context.Context) (Switches, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.switches, nil
}

// Pause does what [SQL.Pause] does.
func (m *Memory) Pause(_ context.Context, actor, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.switches = Switches{Armed: m.switches.Armed, Paused: true, Reason: reason, Actor: actor, Since: stored(m.now())}
	m.append(switchEvent(KindPaused, actor, reason, ""))
	return nil
}

// Resume does what [SQL.Resume] does.
func (m *Memory) Resume(_ context.Context, actor, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.switches = Switches{Armed: true, Reason: reason, Actor: actor, Since: stored(m.now())}
	m.append(switchEvent(KindResumed, actor, reason, ""))
	return nil
}
