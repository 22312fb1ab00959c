package store

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// Sweeps does what [SQL.Sweeps] does.
func (m *Memory) Sweeps(_ context.Context, f SweepFilter) ([]SweepRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []SweepRecord
	for _, s := range slices.Backward(m.sweeps) {
		if f.Limit > 0 && len(list) == f.Limit {
			break
		}
		if (f.Account == "" || s.Account == f.Account) && (f.ID == "" || s.ID == f.ID) {
			s.Regions, s.Problems = slices.Clone(s.Regions), slices.Clone(s.Problems)
			list = append(list, s)
		}
	}
	return list, nil
}

// Findings does what [SQL.Findings] does.
func (m *Memory) Findings(_ context.Context, sweepID string) ([]FindingRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.findings[sweepID]), nil
}

// Revocations does what [SQL.Revocations] does.
func (m *Memory) Revocations(_ context.Context, f RevocationFilter) ([]RevocationRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []RevocationRecord
	for i := range slices.Backward(m.revocations) {
		if f.Limit > 0 && len(list) == f.Limit {
			break
		}
		r := m.copyRevocation(&m.revocations[i])
		if !f.selects(&r) {
			continue
		}
		r.Calls = m.callsFor(revoker.ActionRevoke, func(id string) bool { return id == r.ID })
		for _, restore := range m.restores {
			if restore.Revocation == r.ID {
				restore.Rule = restore.Rule.Clone()
				r.Restores = append(r.Restores, restore)
			}
		}
		list = append(list, r)
	}
	return list, nil
}

func (f *RevocationFilter) selects(r *RevocationRecord) bool {
	for _, field := range []struct{ want, got string }{
		{f.ID, r.ID},
		{f.Sweep, r.Sweep},
		{f.Account, r.Ref.Account},
		{f.Region, r.Ref.Region},
		{f.Group, r.Ref.Group},
		{f.Rule, r.Rule.ID},
		{f.Outcome, cmp.Or(string(r.Outcome), OutcomeOpen)},
	} {
		if field.want != "" && field.want != field.got {
			return false
		}
	}
	policy := func(c revoker.Cause) bool { return c.Policy == f.Policy }
	switch {
	case f.Policy != "" && !slices.ContainsFunc(r.Policies, policy):
		return false
	case !f.Since.IsZero() && r.Created.Before(stored(f.Since)):
		return false
	case !f.Until.IsZero() && !r.Created.Before(stored(f.Until)):
		return false
	}
	return true
}

// Entries does what [SQL.Entries] does.
func (m *Memory) Entries(_ context.Context, after int64, limit int) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Entry
	for _, e := range m.entries {
		if e.Seq > after && (limit <= 0 || len(list) < limit) {
			e.Data = bytes.Clone(e.Data)
			list = append(list, e)
		}
	}
	return list, nil
}

// Verify does what [SQL.Verify] does, without a checkpoint.
func (m *Memory) Verify(context.Context) (*Verification, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v := &Verification{}
	var last Entry
	for i := range m.entries {
		e := &m.entries[i]
		v.Entries++
		if wrong := e.follows(&last); wrong != "" {
			v.Broken, v.BrokenSeq = wrong, last.Seq+1
			return v, nil
		}
		last, v.Head = *e, e.Hash
	}
	return v, nil
}

// Totals does what [SQL.Totals] does.
func (m *Memory) Totals(context.Context) (*Totals, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := &m.entries[len(m.entries)-1]
	t := &Totals{
		Restores: map[string]int{}, RemovedEffects: map[string]int{},
		WindowUsed: m.window(), Entries: last.Seq, Head: last.Hash, Switches: m.switches,
	}
	for i := range m.restores {
		if r := &m.restores[i]; r.Outcome != "" {
			t.Restores[string(r.Outcome)]++
		}
	}
	m.countRevocations(t)
	m.countSweeps(t)
	return t, nil
}

func (m *Memory) countRevocations(t *Totals) {
	policies, regions, kinds := map[PolicyCount]int{}, map[RegionCount]int{}, map[KindCount]int{}
	for i := range m.revocations {
		r := &m.revocations[i]
		if r.Outcome == "" {
			if t.Open++; t.Open == 1 || r.Created.Before(t.OldestOpen) {
				t.OldestOpen = r.Created
			}
			continue
		}
		for _, c := range r.Policies {
			policies[PolicyCount{Policy: c.Policy, Outcome: string(r.Outcome)}]++
		}
		regions[RegionCount{Account: r.Ref.Account, Region: r.Ref.Region, Outcome: string(r.Outcome)}]++
		if r.Outcome == revoker.Confirmed {
			t.RemovedEffects[r.Effect.Class]++
			kinds[KindCount{Protocol: protocolLabel(r.Rule.Protocol), Destination: string(r.Rule.Destination.Kind)}]++
		}
	}
	for c, n := range policies {
		c.Count = n
		t.Revocations = append(t.Revocations, c)
	}
	for c, n := range regions {
		c.Count = n
		t.Regions = append(t.Regions, c)
	}
	for c, n := range kinds {
		c.Count = n
		t.Removed = append(t.Removed, c)
	}
	slices.SortFunc(t.Revocations, func(a, b PolicyCount) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Outcome, b.Outcome))
	})
	slices.SortFunc(t.Regions, func(a, b RegionCount) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region), cmp.Compare(a.Outcome, b.Outcome))
	})
	slices.SortFunc(t.Removed, func(a, b KindCount) int {
		return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Destination, b.Destination))
	})
}

func (m *Memory) countSweeps(t *Totals) {
	accounts := map[string]*AccountTimes{}
	lastFinished := map[string]string{}
	for i := range m.sweeps {
		s := &m.sweeps[i]
		if accounts[s.Account] == nil {
			accounts[s.Account] = &AccountTimes{Account: s.Account}
		}
		a := accounts[s.Account]
		a.LastStarted = later(a.LastStarted, s.Started)
		a.LastFinished = later(a.LastFinished, s.Finished)
		if s.Complete {
			a.LastComplete = later(a.LastComplete, s.Finished)
		}
		if !s.Finished.IsZero() {
			lastFinished[s.Account] = s.ID
		}
	}
	for _, name := range slices.Sorted(maps.Keys(accounts)) {
		t.Accounts = append(t.Accounts, *accounts[name])
		if id := lastFinished[name]; id != "" {
			sum := m.summaries[id]
			t.add(&sum)
		}
	}
}
