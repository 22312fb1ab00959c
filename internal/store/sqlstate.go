package store

import (
	"context"
	"database/sql"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// state reads what decisions about an account depend on.
func (s *SQL) state(ctx context.Context, t *tx, of stateOf) (*decision.State, error) {
	switches, err := s.switches(ctx, t)
	if err != nil {
		return nil, err
	}
	state := &decision.State{Paused: switches.Hold()}
	var reports int
	err = t.row(ctx, `SELECT COUNT(*) FROM sweeps WHERE account = ? AND policy_hash = ? AND finished <> 0 AND complete = 1`,
		of.account, of.policyHash).Scan(&reports)
	if err != nil {
		return nil, err
	}
	state.Reported = reports > 0
	if state.Clocks, err = t.clocks(ctx, of.account); err != nil {
		return nil, err
	}
	if state.Past, err = t.past(ctx, of.account); err != nil {
		return nil, err
	}
	if state.Open, err = t.openRules(ctx, of.account); err != nil {
		return nil, err
	}
	state.Window, err = t.window(ctx, of)
	return state, err
}

func (t *tx) clocks(ctx context.Context, account string) (map[decision.ClockKey]decision.Clock, error) {
	clocks := map[decision.ClockKey]decision.Clock{}
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var k decision.ClockKey
		var since, seen int64
		var c decision.Clock
		if err := rows.Scan(&k.Region, &k.Group, &k.Key, &k.Policy, &since, &seen, &c.Sweeps); err != nil {
			return err
		}
		c.Since, c.LastSeen = fromMicros(since), fromMicros(seen)
		clocks[k] = c
		return nil
	}, `SELECT region, group_id, content_key, policy, since, last_seen, sweeps FROM clocks WHERE account = ?`, account)
	return clocks, err
}

// past reads how often contents were removed, and until when their latest restore holds them. A restore that is open or
// failed holds too: a person wants the rule to be there.
func (t *tx) past(ctx context.Context, account string) (map[decision.ContentRef]decision.Past, error) {
	past := map[decision.ContentRef]decision.Past{}
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var ref decision.ContentRef
		var p decision.Past
		if err := rows.Scan(&ref.Region, &ref.Group, &ref.Key, &p.Revocations); err != nil {
			return err
		}
		past[ref] = p
		return nil
	}, `SELECT region, group_id, content_key, COUNT(*) FROM revocations WHERE account = ? AND outcome = ?
		GROUP BY region, group_id, content_key`, account, string(revoker.Confirmed))
	if err != nil {
		return nil, err
	}
	err = t.rows(ctx, func(rows *sql.Rows) error {
		var ref decision.ContentRef
		var until int64
		if err := rows.Scan(&ref.Region, &ref.Group, &ref.Key, &until); err != nil {
			return err
		}
		p := past[ref]
		p.HeldUntil = fromMicros(until)
		past[ref] = p
		return nil
	}, `SELECT region, group_id, content_key, hold_until FROM restores WHERE account = ? ORDER BY seq`, account)
	return past, err
}

func (t *tx) openRules(ctx context.Context, account string) (map[decision.RuleRef]bool, error) {
	open := map[decision.RuleRef]bool{}
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var r decision.RuleRef
		if err := rows.Scan(&r.Region, &r.Group, &r.Key); err != nil {
			return err
		}
		open[r] = true
		return nil
	}, `SELECT region, group_id, rule_key FROM revocations WHERE account = ? AND outcome = ''`, account)
	return open, err
}

// window counts the revocations of all accounts that count for the limit over [decision.Window]. One from the future, of
// a clock that has jumped back since, counts too.
func (t *tx) window(ctx context.Context, of stateOf) (int, error) {
	var n int
	err := t.row(ctx, `SELECT COUNT(*) FROM revocations WHERE created > ? AND outcome NOT IN (?, ?, ?)`,
		micros(of.now.Add(-decision.Window)), string(revoker.Withdrawn), string(revoker.Changed), string(revoker.AlreadyAbsent)).
		Scan(&n)
	return n, err
}

// Recheck implements [sweep.Worklist].
func (s *SQL) Recheck(ctx context.Context, ref sg.GroupRef, policyHash string) (*sweep.Recheck, error) {
	unwritten := s.unwritten(ctx)
	var again *sweep.Recheck
	err := s.read(ctx, "reading what decides about group "+ref.Group, func(t *tx) error {
		state, err := s.state(ctx, t, stateOf{account: ref.Account, policyHash: policyHash, now: s.now()})
		if err != nil {
			return err
		}
		if state.Paused == "" {
			state.Paused = unwritten
		}
		again = &sweep.Recheck{State: state, Sweeps: map[string]sweep.Share{}}
		return t.shares(ctx, ref, again.Sweeps)
	})
	return again, err
}

// shares reads, for every sweep with an open revocation in a group, what it did elsewhere.
func (t *tx) shares(ctx context.Context, ref sg.GroupRef, shares map[string]sweep.Share) error {
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var id string
		share := sweep.Share{Again: decision.Again{ElsewhereByPolicy: map[string]int{}}}
		if err := rows.Scan(&id, &share.Rules); err != nil {
			return err
		}
		shares[id] = share
		return nil
	}, `SELECT id, rule_count FROM sweeps WHERE id IN (SELECT sweep FROM revocations
		WHERE account = ? AND region = ? AND group_id = ? AND outcome = '')`, ref.Account, ref.Region, ref.Group)
	if err != nil {
		return err
	}
	for id, share := range shares {
		err := t.rows(ctx, func(rows *sql.Rows) error {
			var outcome revoker.Outcome
			var policy string
			var first bool
			if err := rows.Scan(&outcome, &policy, &first); err != nil {
				return err
			}
			if counts(outcome) {
				share.Again.ElsewhereByPolicy[policy]++
				if first {
					share.Again.Elsewhere++
				}
			}
			return nil
		}, `SELECT r.outcome, p.policy, p.position = 0 FROM revocations r JOIN revocation_policies p ON p.revocation = r.id
			WHERE r.sweep = ? AND NOT (r.region = ? AND r.group_id = ?)`, id, ref.Region, ref.Group)
		if err != nil {
			return err
		}
		shares[id] = share
	}
	return nil
}
