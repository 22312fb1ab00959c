package store

import (
	"context"
	"database/sql"
	"time"

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
	latest, err := t.sweeps(ctx, SweepFilter{Account: of.account, Limit: 1})
	if err != nil {
		return nil, err
	}
	names := []string{of.account}
	if len(latest) > 0 {
		if state.Reported, err = t.reported(ctx, &latest[0], of.policyHash); err != nil {
			return nil, err
		}
		if names, err = t.namesOf(ctx, &latest[0]); err != nil {
			return nil, err
		}
	}
	if state.Clocks, err = t.clocks(ctx, of); err != nil {
		return nil, err
	}
	if state.Past, err = t.past(ctx, names, of); err != nil {
		return nil, err
	}
	if state.FirstSeen, err = t.firstSeen(ctx, names, of); err != nil {
		return nil, err
	}
	if state.Open, err = t.openRules(ctx, names, of); err != nil {
		return nil, err
	}
	state.Window, err = t.window(ctx, of)
	return state, err
}

// reported tells whether the last complete sweep reported by a set of policies, of what the latest one is of. An earlier
// one does not count: what was true of policies that were in force once may not be meant any more.
func (t *tx) reported(ctx context.Context, latest *SweepRecord, policyHash string) (bool, error) {
	last, err := t.selectSweeps(ctx, `WHERE account = ? AND complete = 1 ORDER BY seq DESC LIMIT 1`, latest.Account)
	return err == nil && len(last) == 1 && reports(&last[0], latest, policyHash), err
}

// namesOf gives all names under which the account of a sweep was ever swept.
func (t *tx) namesOf(ctx context.Context, latest *SweepRecord) ([]string, error) {
	if latest.AccountID == "" {
		return []string{latest.Account}, nil
	}
	var names []string
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		names = append(names, name)
		return err
	}, `SELECT DISTINCT account FROM sweeps WHERE account_id = ?`, latest.AccountID)
	return names, err
}

func (t *tx) clocks(ctx context.Context, of stateOf) (map[decision.ClockKey]decision.Clock, error) {
	within, args := of.within()
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
	}, `SELECT region, group_id, content_key, policy, since, last_seen, sweeps FROM clocks WHERE account = ?`+within,
		append([]any{of.account}, args...)...)
	return clocks, err
}

// past reads how often contents were removed, and until when their latest restore holds them. A restore that is open or
// failed holds too: a person wants the rule to be there.
func (t *tx) past(
	ctx context.Context, accounts []string, of stateOf,
) (map[decision.ContentRef]decision.Past, error) {
	past := map[decision.ContentRef]decision.Past{}
	in, args := among(accounts)
	within, more := of.within()
	args = append(args, more...)
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var ref decision.ContentRef
		var p decision.Past
		if err := rows.Scan(&ref.Region, &ref.Group, &ref.Key, &p.Revocations); err != nil {
			return err
		}
		past[ref] = p
		return nil
	}, `SELECT region, group_id, content_key, COUNT(*) FROM revocations WHERE outcome = ? AND account IN `+in+within+`
		GROUP BY region, group_id, content_key`, append([]any{string(revoker.Confirmed)}, args...)...)
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
	}, `SELECT region, group_id, content_key, hold_until FROM restores WHERE account IN `+in+within+` ORDER BY seq`, args...)
	return past, err
}

// firstSeen reads since when contents are known, under whatever name the account had.
func (t *tx) firstSeen(
	ctx context.Context, accounts []string, of stateOf,
) (map[decision.ContentRef]time.Time, error) {
	first := map[decision.ContentRef]time.Time{}
	in, args := among(accounts)
	within, more := of.within()
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var ref decision.ContentRef
		var at int64
		if err := rows.Scan(&ref.Region, &ref.Group, &ref.Key, &at); err != nil {
			return err
		}
		first[ref] = fromMicros(at)
		return nil
	}, `SELECT region, group_id, content_key, MIN(at) FROM first_seen WHERE account IN `+in+within+`
		GROUP BY region, group_id, content_key`, append(args, more...)...)
	return first, err
}

func (t *tx) openRules(ctx context.Context, accounts []string, of stateOf) (map[decision.RuleRef]bool, error) {
	open := map[decision.RuleRef]bool{}
	in, args := among(accounts)
	within, more := of.within()
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var r decision.RuleRef
		if err := rows.Scan(&r.Region, &r.Group, &r.Key); err != nil {
			return err
		}
		open[r] = true
		return nil
	}, `SELECT region, group_id, rule_key FROM revocations WHERE outcome = '' AND account IN `+in+within,
		append(args, more...)...)
	return open, err
}

// counted is the condition that a revocation r counts for limits: see [counts]. A call says what it carries by its action.
const counted = `r.outcome NOT IN (?, ?, ?) AND (r.outcome <> ? OR EXISTS (SELECT 1 FROM call_items i
	JOIN calls c ON c.id = i.call WHERE i.item = r.id AND c.action = ? AND c.state IN (?, ?, ?)))`

func countedArgs() []any {
	return []any{
		string(revoker.Withdrawn), string(revoker.Changed), string(revoker.AlreadyAbsent), string(revoker.Failed),
		revoker.ActionRevoke, string(revoker.CallRecorded), string(revoker.CallSucceeded), string(revoker.CallUnknown),
	}
}

// window counts the revocations of all accounts that count for the limit over [decision.Window]. One from the future, of
// a clock that has jumped back since, counts too.
func (t *tx) window(ctx context.Context, of stateOf) (int, error) {
	var n int
	err := t.row(ctx, `SELECT COUNT(*) FROM revocations r WHERE r.created > ? AND `+counted,
		append([]any{micros(of.now.Add(-decision.Window))}, countedArgs()...)...).Scan(&n)
	return n, err
}

// Recheck implements [sweep.Worklist].
func (s *SQL) Recheck(ctx context.Context, ref sg.GroupRef, policyHash string) (*sweep.Recheck, error) {
	unwritten := s.unwritten(ctx)
	var again *sweep.Recheck
	err := s.read(ctx, "reading what decides about group "+ref.Group, func(t *tx) error {
		state, err := s.state(ctx, t, stateOf{account: ref.Account, policyHash: policyHash, now: s.now(), group: &ref})
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
		if err := rows.Scan(&id, &share.AccountID, &share.Rules); err != nil {
			return err
		}
		shares[id] = share
		return nil
	}, `SELECT id, account_id, rule_count FROM sweeps WHERE id IN (SELECT sweep FROM revocations
		WHERE account = ? AND region = ? AND group_id = ? AND outcome = '')`, ref.Account, ref.Region, ref.Group)
	if err != nil {
		return err
	}
	for id, share := range shares {
		err := t.rows(ctx, func(rows *sql.Rows) error {
			var policy string
			var all, first int // of a revocation's policies the first counts it
			if err := rows.Scan(&policy, &all, &first); err != nil {
				return err
			}
			share.Again.ElsewhereByPolicy[policy] = all
			share.Again.Elsewhere += first
			return nil
		}, `SELECT p.policy, COUNT(*), SUM(CASE WHEN p.position = 0 THEN 1 ELSE 0 END)
			FROM revocations r JOIN revocation_policies p ON p.revocation = r.id
			WHERE r.sweep = ? AND NOT (r.region = ? AND r.group_id = ?) AND `+counted+` GROUP BY p.policy`,
			append([]any{id, ref.Region, ref.Group}, countedArgs()...)...)
		if err != nil {
			return err
		}
		shares[id] = share
	}
	return nil
}
