package store

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// Totals counts what metrics say about the store, at one moment.
func (s *SQL) Totals(ctx context.Context) (*Totals, error) {
	unwritten := s.unwritten(ctx)
	totals := &Totals{Restores: map[string]int{}, RemovedEffects: map[string]int{}}
	err := s.read(ctx, "counting", func(t *tx) (err error) {
		if totals.Switches, err = s.switches(ctx, t); err != nil {
			return err
		}
		head, err := t.head(ctx)
		if err != nil {
			return err
		}
		totals.Entries, totals.Head = head.Seq, head.Hash
		if totals.WindowUsed, err = t.window(ctx, stateOf{now: s.now()}); err != nil {
			return err
		}
		for _, count := range []func(context.Context, *Totals) error{t.countRevocations, t.countRestores, t.countSweeps} {
			if err := count(ctx, totals); err != nil {
				return err
			}
		}
		return nil
	})
	if totals.Switches.Behind == "" {
		totals.Switches.Behind = unwritten
	}
	if err != nil {
		return nil, err
	}
	return totals, nil
}

func (t *tx) countRevocations(ctx context.Context, totals *Totals) error {
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var c PolicyCount
		err := rows.Scan(&c.Policy, &c.Outcome, &c.Count)
		totals.Revocations = append(totals.Revocations, c)
		return err
	}, `SELECT p.policy, r.outcome, COUNT(*) FROM revocations r JOIN revocation_policies p ON p.revocation = r.id
		WHERE r.outcome <> '' GROUP BY p.policy, r.outcome ORDER BY p.policy, r.outcome`)
	if err != nil {
		return err
	}
	err = t.rows(ctx, func(rows *sql.Rows) error {
		var c RegionCount
		err := rows.Scan(&c.Account, &c.Region, &c.Outcome, &c.Count)
		totals.Regions = append(totals.Regions, c)
		return err
	}, `SELECT account, region, outcome, COUNT(*) FROM revocations WHERE outcome <> ''
		GROUP BY account, region, outcome ORDER BY account, region, outcome`)
	if err != nil {
		return err
	}
	err = t.rows(ctx, func(rows *sql.Rows) error {
		var c KindCount
		err := rows.Scan(&c.Protocol, &c.Destination, &c.Count)
		totals.Removed = append(totals.Removed, c)
		return err
	}, `SELECT protocol, destination, COUNT(*) FROM revocations WHERE outcome = ?
		GROUP BY protocol, destination ORDER BY protocol, destination`, string(revoker.Confirmed))
	if err != nil {
		return err
	}
	err = t.rows(ctx, func(rows *sql.Rows) error {
		var class string
		var n int
		err := rows.Scan(&class, &n)
		totals.RemovedEffects[class] = n
		return err
	}, `SELECT effect_class, COUNT(*) FROM revocations WHERE outcome = ? GROUP BY effect_class`, string(revoker.Confirmed))
	if err != nil {
		return err
	}
	var oldest int64
	err = t.row(ctx, `SELECT COUNT(*), COALESCE(MIN(created), 0) FROM revocations WHERE outcome = ''`).
		Scan(&totals.Open, &oldest)
	totals.OldestOpen = fromMicros(oldest)
	return err
}

func (t *tx) countRestores(ctx context.Context, totals *Totals) error {
	return t.rows(ctx, func(rows *sql.Rows) error {
		var outcome string
		var n int
		err := rows.Scan(&outcome, &n)
		totals.Restores[outcome] = n
		return err
	}, `SELECT outcome, COUNT(*) FROM restores WHERE outcome <> '' GROUP BY outcome`)
}

func (t *tx) countSweeps(ctx context.Context, totals *Totals) error {
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var a AccountTimes
		var started, finished, complete int64
		err := rows.Scan(&a.Account, &started, &finished, &complete)
		a.LastStarted, a.LastFinished, a.LastComplete = fromMicros(started), fromMicros(finished), fromMicros(complete)
		totals.Accounts = append(totals.Accounts, a)
		return err
	}, `SELECT account, MAX(started), MAX(finished), MAX(finished * complete) FROM sweeps GROUP BY account ORDER BY account`)
	if err != nil {
		return err
	}
	return t.rows(ctx, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		var sum summary
		if err := json.Unmarshal([]byte(text), &sum); err != nil {
			return err
		}
		totals.add(&sum)
		return nil
	}, `SELECT summary FROM sweeps WHERE seq IN (SELECT MAX(seq) FROM sweeps WHERE finished <> 0 GROUP BY account)
		ORDER BY account`)
}
