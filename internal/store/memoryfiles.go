package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// FeedCopy does what [SQL.FeedCopy] does.
func (m *Memory) FeedCopy(_ context.Context, url string) (c FeedCopy, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok = m.feeds[url]
	c.Data = slices.Clone(c.Data)
	return c, ok, nil
}

// SaveFeedCopy does what [SQL.SaveFeedCopy] does.
func (m *Memory) SaveFeedCopy(_ context.Context, c FeedCopy) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := checkFeedCopy(&c); err != nil {
		return err
	}
	c.Data, c.SHA256 = append([]byte{}, c.Data...), sumOf(c.Data)
	c.Fetched, c.Checked = stored(c.Fetched), stored(c.Checked)
	m.feeds[c.URL] = c
	return nil
}

// UsedSets does what [SQL.UsedSets] does.
func (m *Memory) UsedSets(context.Context) (map[string]SetUse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.setUses), nil
}

// UseSets does what [SQL.UseSets] does.
func (m *Memory) UseSets(_ context.Context, list []SetUse) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	changed, err := changedUses(m.setUses, list)
	if err != nil {
		return err
	}
	m.saveUses(changed, func(u, before *SetUse) event { return setEvent(KindSetUsed, u, before, "") })
	return nil
}

// AcceptSets does what [SQL.AcceptSets] does.
func (m *Memory) AcceptSets(_ context.Context, list []SetUse, actor, reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	accepted, err := acceptedUses(list, actor)
	if err != nil {
		return err
	}
	m.saveUses(accepted, func(u, before *SetUse) event { return setEvent(KindSetAccepted, u, before, reason) })
	return nil
}

func (m *Memory) saveUses(list []SetUse, say func(u, before *SetUse) event) {
	for i := range list {
		u := list[i]
		m.append(say(&u, knownUse(m.setUses, u.Key)))
		u.At = stored(m.now())
		m.setUses[u.Key] = u
	}
}

// RecordPolicies does what [SQL.RecordPolicies] does.
func (m *Memory) RecordPolicies(_ context.Context, hash string, files []PolicyFile) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := checkPolicyFiles(hash, files); err != nil || m.policies[hash] != nil {
		return err
	}
	m.policies[hash] = cloneFiles(files)
	m.append(policiesEvent(hash, files))
	return nil
}

// Policies does what [SQL.Policies] does.
func (m *Memory) Policies(_ context.Context, hash string) (files []PolicyFile, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	files = cloneFiles(m.policies[hash])
	return files, len(files) > 0, nil
}

// LatestPolicies does what [SQL.LatestPolicies] does.
func (m *Memory) LatestPolicies(
	context.Context,
) (hash string, files []PolicyFile, at time.Time, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var latest *SweepRecord
	for i := range m.sweeps {
		s := &m.sweeps[i]
		scheduled := s.Origin == revoker.BySchedule
		if m.policies[s.PolicyHash] != nil && (latest == nil || scheduled || latest.Origin != revoker.BySchedule) {
			latest = s
		}
	}
	if latest == nil {
		return "", nil, time.Time{}, false, nil
	}
	return latest.PolicyHash, cloneFiles(m.policies[latest.PolicyHash]), latest.Started, true, nil
}

func cloneFiles(files []PolicyFile) []PolicyFile {
	kept := make([]PolicyFile, len(files))
	for i := range files {
		kept[i] = PolicyFile{Name: files[i].Name, Data: slices.Clone(files[i].Data)}
	}
	return kept
}

func (m *Memory) keepFirstSeen(account string, first map[decision.ContentRef]time.Time) {
	if m.firstSeen[account] == nil {
		m.firstSeen[account] = map[decision.ContentRef]time.Time{}
	}
	known := m.firstSeen[account]
	for ref, at := range first {
		known[ref] = earlier(known[ref], stored(at))
	}
}

// earlier gives the earlier of two times; a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
