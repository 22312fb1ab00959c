package store

import (
	"context"
	"database/sql"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// AddRestores records the intent to restore, for all or none. A revocation has at most one open restore.
func (s *SQL) AddRestores(ctx context.Context, list []revoker.Restore) error {
	if len(list) == 0 {
		return nil
	}
	return s.write(ctx, "recording restores", func(t *tx) error {
		for i := range list {
			if err := s.addRestore(ctx, t, &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *SQL) addRestore(ctx context.Context, t *tx, r *revoker.Restore) error {
	undone, err := t.item(ctx, "revocations", r.Revocation)
	if err != nil {
		return err
	}
	var open int
	err = t.row(ctx, `SELECT COUNT(*) FROM restores WHERE revocation = ? AND outcome = ''`, r.Revocation).Scan(&open)
	if err != nil {
		return err
	}
	if err := checkRestore(r, undone, open > 0); err != nil {
		return err
	}
	rule, err := encode(fieldsOf(&r.Rule))
	if err != nil {
		return err
	}
	err = t.exec(ctx, `INSERT INTO restores (id, revocation, account, region, group_id, content_key, rule, hold_until, actor,
		created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.ID, r.Revocation, r.Ref.Account, r.Ref.Region, r.Ref.Group,
		r.Rule.ContentKey(),
		rule, micros(r.HoldUntil), r.Actor, micros(r.Created))
	if err != nil {
		return err
	}
	return t.append(ctx, s.now(), restoreEvent(r))
}

// OpenRestores gives the open restores of an account, oldest first, with every call that carries them.
func (s *SQL) OpenRestores(ctx context.Context, account string) ([]revoker.RestoreWork, error) {
	var work []revoker.RestoreWork
	err := s.read(ctx, "reading the open restores of account "+account, func(t *tx) error {
		open, err := t.restores(ctx, `WHERE account = ? AND outcome = '' ORDER BY seq`, account)
		if err != nil {
			return err
		}
		for i := range open {
			calls, err := t.callsFor(ctx, revoker.ActionAuthorize, []string{open[i].ID})
			if err != nil {
				return err
			}
			work = append(work, revoker.RestoreWork{Restore: open[i], Calls: calls})
		}
		return nil
	})
	return work, err
}

// FinishRestore implements [revoker.RestoreJournal].
func (s *SQL) FinishRestore(ctx context.Context, r *revoker.Restore) error {
	return s.write(ctx, "recording the end of restore "+r.ID, func(t *tx) error {
		found, err := t.item(ctx, "restores", r.ID)
		if err != nil {
			return err
		}
		if err := checkRestored(r, found); err != nil {
			return err
		}
		err = t.changed(ctx, `UPDATE restores SET outcome = ?, rule_id = ?, detail = ?, ended = ? WHERE id = ?`,
			string(r.Outcome), r.RuleID, r.Detail, micros(r.Ended), r.ID)
		if err != nil {
			return err
		}
		return t.append(ctx, s.now(), restoredEvent(found.account, r))
	})
}

const restoreColumns = `id, revocation, account, region, group_id, rule, hold_until, actor, created, outcome, rule_id,
	detail, ended`

func (t *tx) restores(ctx context.Context, which string, args ...any) ([]revoker.Restore, error) {
	var list []revoker.Restore
	err := t.rows(ctx, func(rows *sql.Rows) error {
		r, err := scanRestore(rows)
		list = append(list, r)
		return err
	}, `SELECT `+restoreColumns+` FROM restores `+which, args...)
	return list, err
}

func scanRestore(rows *sql.Rows) (revoker.Restore, error) {
	var r revoker.Restore
	var rule string
	var hold, created, ended int64
	err := rows.Scan(&r.ID, &r.Revocation, &r.Ref.Account, &r.Ref.Region, &r.Ref.Group, &rule, &hold, &r.Actor, &created,
		&r.Outcome, &r.RuleID, &r.Detail, &ended)
	if err != nil {
		return r, err
	}
	r.HoldUntil, r.Created, r.Ended = fromMicros(hold), fromMicros(created), fromMicros(ended)
	r.Rule, err = ruleFrom(rule)
	return r, err
}
