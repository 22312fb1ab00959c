package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// Start implements [sweep.Ledger].
func (s *SQL) Start(ctx context.Context, start *sweep.Start) ([]decision.ContentRef, error) {
	var refs []decision.ContentRef
	err := s.write(ctx, "recording the start of sweep "+start.ID, func(t *tx) error {
		if err := checkStart(start); err != nil {
			return err
		}
		regions, err := encode(start.Account.Regions)
		if err != nil {
			return err
		}
		err = t.exec(ctx, `INSERT INTO sweeps (id, account, account_id, regions, origin, actor, mode, acting, policy_hash,
			guards_hash, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			start.ID, start.Account.Name, start.Account.ID, regions, string(start.Origin), start.Actor, start.Mode,
			bit(start.Acting), start.PolicyHash, start.GuardsHash, micros(start.At))
		if err != nil {
			return err
		}
		if refs, err = t.contentsWithClock(ctx, start.Account.Name); err != nil {
			return err
		}
		return t.append(ctx, s.now(), startedEvent(start))
	})
	return refs, err
}

func (t *tx) contentsWithClock(ctx context.Context, account string) ([]decision.ContentRef, error) {
	var refs []decision.ContentRef
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var r decision.ContentRef
		if err := rows.Scan(&r.Region, &r.Group, &r.Key); err != nil {
			return err
		}
		refs = append(refs, r)
		return nil
	}, `SELECT DISTINCT region, group_id, content_key FROM clocks WHERE account = ?
		ORDER BY region, group_id, content_key`, account)
	return refs, err
}

// Commit implements [sweep.Ledger]. The database is locked while decide runs, so decide must not call the store.
func (s *SQL) Commit(
	ctx context.Context, r *sweep.Result, decide func(*decision.State) (*sweep.Commit, error),
) error {
	return s.write(ctx, "recording sweep "+r.ID, func(t *tx) error {
		record, err := t.sweep(ctx, r.ID)
		if err != nil {
			return err
		}
		if err := checkOngoing(record, r); err != nil {
			return err
		}
		now := s.now()
		state, err := s.state(ctx, t, stateOf{account: record.Account, policyHash: record.PolicyHash, now: now})
		if err != nil {
			return err
		}
		commit, err := decide(cloneState(state))
		if err != nil {
			return err
		}
		if err := checkCommit(record, commit, state.Open); err != nil {
			return err
		}
		record.finish(r, len(commit.Revocations))
		if err := t.insertResult(ctx, record, r, summarise(r, state.Past)); err != nil {
			return err
		}
		if err := t.replaceClocks(ctx, record.Account, commit.Clocks); err != nil {
			return err
		}
		if err := t.saveFirstSeen(ctx, record.Account, commit.FirstSeen); err != nil {
			return err
		}
		if err := t.insertRevocations(ctx, commit.Revocations, groupNames(r)); err != nil {
			return err
		}
		return t.append(ctx, now, commitEvents(record, commit)...)
	})
}

func (t *tx) sweep(ctx context.Context, id string) (*SweepRecord, error) {
	found, err := t.sweeps(ctx, SweepFilter{ID: id, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("sweep %q was never started", id)
	}
	return &found[0], nil
}

func (t *tx) insertResult(ctx context.Context, record *SweepRecord, r *sweep.Result, sum summary) error {
	problems, err := encode(record.Problems)
	if err != nil {
		return err
	}
	text, err := encode(sum)
	if err != nil {
		return err
	}
	err = t.changed(ctx, `UPDATE sweeps SET finished = ?, complete = ?, group_count = ?, rule_count = ?, finding_count = ?,
		revocation_count = ?, problems = ?, summary = ? WHERE id = ?`, micros(record.Finished), bit(record.Complete),
		record.Groups, record.Rules, record.Findings, record.Revocations, problems, text, record.ID)
	if err != nil {
		return err
	}
	return t.each(ctx, `INSERT INTO findings (sweep, position, region, group_id, group_name, rule, action, reason, detail,
		policies) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, len(r.Findings), func(i int) ([]any, error) {
		f := &r.Findings[i]
		rule, err := encode(fieldsOf(&f.Rule))
		if err != nil {
			return nil, err
		}
		policies, err := encode(findingPolicies(f))
		if err != nil {
			return nil, err
		}
		d := &f.Decision
		return []any{
			r.ID, i, f.Group.Region, f.Group.ID, f.Group.Name, rule, string(d.Action), d.Reason, d.Detail, policies,
		}, nil
	})
}

func (t *tx) replaceClocks(ctx context.Context, account string, clocks map[decision.ClockKey]decision.Clock) error {
	if err := t.exec(ctx, `DELETE FROM clocks WHERE account = ?`, account); err != nil {
		return err
	}
	keys := make([]decision.ClockKey, 0, len(clocks))
	for key := range clocks {
		keys = append(keys, key)
	}
	return t.each(ctx, `INSERT INTO clocks (account, region, group_id, content_key, policy, since, last_seen, sweeps)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, len(keys), func(i int) ([]any, error) {
		k, c := keys[i], clocks[keys[i]]
		return []any{account, k.Region, k.Group, k.Key, k.Policy, micros(c.Since), micros(c.LastSeen), c.Sweeps}, nil
	})
}

// saveFirstSeen moves first sightings back in time, never forward.
func (t *tx) saveFirstSeen(ctx context.Context, account string, first map[decision.ContentRef]time.Time) error {
	refs := slices.Collect(maps.Keys(first))
	return t.each(ctx, `INSERT INTO first_seen (account, region, group_id, content_key, at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (account, region, group_id, content_key) DO UPDATE SET at = excluded.at WHERE excluded.at < first_seen.at`,
		len(refs), func(i int) ([]any, error) {
			r := refs[i]
			return []any{account, r.Region, r.Group, r.Key, micros(first[r])}, nil
		})
}

func (t *tx) insertRevocations(ctx context.Context, list []revoker.Revocation, names map[decision.ContentRef]string) error {
	err := t.each(ctx, `INSERT INTO revocations (id, sweep, account, region, group_id, group_name, rule_id, rule_key,
		content_key, rule, protocol, destination, origin, actor, created, effect_class, effect)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		len(list), func(i int) ([]any, error) {
			r := &list[i]
			rule, err := encode(fieldsOf(&r.Rule))
			if err != nil {
				return nil, err
			}
			return []any{
				r.ID, r.Sweep, r.Ref.Account, r.Ref.Region, r.Ref.Group, names[groupRef(r)], r.Rule.ID, r.Rule.Key(),
				r.Rule.ContentKey(), rule, protocolLabel(r.Rule.Protocol), string(r.Rule.Destination.Kind), string(r.Origin),
				r.Actor, micros(r.Created), r.Effect.Class, r.Effect.Sentence,
			}, nil
		})
	if err != nil {
		return err
	}
	for i := range list {
		r := &list[i]
		err := t.each(ctx, `INSERT INTO revocation_policies (revocation, position, policy, hash) VALUES (?, ?, ?, ?)`,
			len(r.Policies), func(n int) ([]any, error) { return []any{r.ID, n, r.Policies[n].Policy, r.Policies[n].Hash}, nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// LastStarted tells when the last sweep of an account began that was not interrupted. Last is the one recorded last,
// whatever the clock said then.
func (s *SQL) LastStarted(ctx context.Context, account string) (at time.Time, ok bool, err error) {
	err = s.read(ctx, "reading the last sweep", func(t *tx) error {
		var started int64
		err := t.row(ctx, `SELECT started FROM sweeps WHERE account = ? AND interrupted = 0 ORDER BY seq DESC LIMIT 1`, account).
			Scan(&started)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		at, ok = fromMicros(started), err == nil
		return err
	})
	return at, ok, err
}

// Interrupted marks the sweeps of an account that never finished, and tells how many these are. Only who holds the lock
// of the account may ask: then nobody is at work on one.
func (s *SQL) Interrupted(ctx context.Context, account string) (int, error) {
	// Mostly there are none, and then nothing is to be written.
	var unfinished []SweepRecord
	find := func(t *tx) (err error) {
		unfinished, err = t.unfinished(ctx, account)
		return err
	}
	if err := s.read(ctx, "looking for interrupted sweeps", find); err != nil || len(unfinished) == 0 {
		return 0, err
	}
	err := s.write(ctx, "marking interrupted sweeps", func(t *tx) error {
		if err := find(t); err != nil {
			return err
		}
		for i := range unfinished {
			r := &unfinished[i]
			if err := t.changed(ctx, `UPDATE sweeps SET interrupted = 1 WHERE id = ?`, r.ID); err != nil {
				return err
			}
			if err := t.append(ctx, s.now(), interruptedEvent(r)); err != nil {
				return err
			}
		}
		return nil
	})
	return len(unfinished), err
}

func (t *tx) unfinished(ctx context.Context, account string) ([]SweepRecord, error) {
	return t.selectSweeps(ctx, `WHERE account = ? AND finished = 0 AND interrupted = 0 ORDER BY seq`, account)
}

// Sweeps gives recorded sweeps, the newest first.
func (s *SQL) Sweeps(ctx context.Context, f SweepFilter) ([]SweepRecord, error) {
	var list []SweepRecord
	err := s.read(ctx, "reading sweeps", func(t *tx) (err error) {
		list, err = t.sweeps(ctx, f)
		return err
	})
	return list, err
}

func (t *tx) sweeps(ctx context.Context, f SweepFilter) ([]SweepRecord, error) {
	w := &where{}
	w.text("account", f.Account)
	w.text("id", f.ID)
	return t.selectSweeps(ctx, w.String()+` ORDER BY seq DESC LIMIT ?`, append(w.args, bound(f.Limit))...)
}

func (t *tx) selectSweeps(ctx context.Context, which string, args ...any) ([]SweepRecord, error) {
	var list []SweepRecord
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var r SweepRecord
		var regions, problems string
		var acting, started, finished, complete, interrupted int64
		err := rows.Scan(&r.ID, &r.Account, &r.AccountID, &regions, &r.Origin, &r.Actor, &r.Mode, &acting, &r.PolicyHash,
			&r.GuardsHash, &started, &finished, &complete, &interrupted, &r.Groups, &r.Rules, &r.Findings, &r.Revocations, &problems)
		if err != nil {
			return err
		}
		r.Acting, r.Complete, r.Interrupted = acting != 0, complete != 0, interrupted != 0
		r.Started, r.Finished = fromMicros(started), fromMicros(finished)
		list = append(list, r)
		last := &list[len(list)-1]
		return errors.Join(json.Unmarshal([]byte(regions), &last.Regions), json.Unmarshal([]byte(problems), &last.Problems))
	}, `SELECT id, account, account_id, regions, origin, actor, mode, acting, policy_hash, guards_hash, started, finished,
		complete, interrupted, group_count, rule_count, finding_count, revocation_count, problems FROM sweeps `+which, args...)
	return list, err
}

// Findings gives what a sweep found, by region, group and rule. A sweep that is not recorded found nothing.
func (s *SQL) Findings(ctx context.Context, sweepID string) ([]FindingRecord, error) {
	var list []FindingRecord
	err := s.read(ctx, "reading the findings of sweep "+sweepID, func(t *tx) error {
		return t.rows(ctx, func(rows *sql.Rows) error {
			var f FindingRecord
			var rule, policies string
			err := rows.Scan(&f.Region, &f.Group, &f.GroupName, &rule, &f.Action, &f.Reason, &f.Detail, &policies)
			if err != nil {
				return err
			}
			if f.Rule, err = ruleFrom(rule); err != nil {
				return err
			}
			list = append(list, f)
			return json.Unmarshal([]byte(policies), &list[len(list)-1].Policies)
		}, `SELECT region, group_id, group_name, rule, action, reason, detail, policies FROM findings WHERE sweep = ?
			ORDER BY position`, sweepID)
	})
	return list, err
}
