package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// Record implements [revoker.Journal] and [revoker.RestoreJournal]. A revoking call while something holds revocations
// back is refused with [ErrOnHold]; one that was recorded just before may still be sent until its deadline.
func (s *SQL) Record(ctx context.Context, c *revoker.Call) error {
	return s.write(ctx, "recording call "+c.ID, func(t *tx) error {
		if err := checkCall(c); err != nil {
			return err
		}
		table := "revocations"
		if c.Action == revoker.ActionRevoke {
			switches, err := s.switches(ctx, t)
			if err != nil {
				return err
			}
			if hold := switches.Hold(); hold != "" {
				return fmt.Errorf("%w: %s", ErrOnHold, hold)
			}
		} else {
			table = "restores"
		}
		for _, item := range c.Carries {
			found, err := t.item(ctx, table, item)
			if err != nil {
				return err
			}
			if err := checkItem(c, item, found); err != nil {
				return err
			}
		}
		return t.insertCall(ctx, s, c)
	})
}

func (t *tx) insertCall(ctx context.Context, s *SQL, c *revoker.Call) error {
	parameters, err := encode(storedParameters(c.Parameters))
	if err != nil {
		return err
	}
	err = t.exec(ctx, `INSERT INTO calls (id, action, account, region, group_id, parameters, token, recorded, deadline, state)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, c.ID, c.Action, c.Ref.Account, c.Ref.Region, c.Ref.Group, parameters,
		c.ClientToken(), micros(c.Recorded), micros(c.Deadline), string(revoker.CallRecorded))
	if err != nil {
		return err
	}
	err = t.each(ctx, `INSERT INTO call_items (call, position, item) VALUES (?, ?, ?)`, len(c.Carries),
		func(i int) ([]any, error) { return []any{c.ID, i, c.Carries[i]}, nil })
	if err != nil {
		return err
	}
	return t.append(ctx, s.now(), callEvent(c))
}

// item reads the state of a revocation or a restore, nil if there is none. The table is a constant of this package.
func (t *tx) item(ctx context.Context, table, id string) (*itemState, error) {
	var i itemState
	err := t.row(ctx, `SELECT account, region, group_id, outcome FROM `+table+` WHERE id = ?`, id).
		Scan(&i.account, &i.region, &i.group, &i.outcome)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // nothing is there, which the callers' checks say in their words
	}
	return &i, err
}

// Answer implements [revoker.Journal].
func (s *SQL) Answer(ctx context.Context, callID string, a revoker.Answer) error {
	return s.write(ctx, "recording the answer of call "+callID, func(t *tx) error {
		var account string
		var state revoker.CallState
		err := t.row(ctx, `SELECT account, state FROM calls WHERE id = ?`, callID).Scan(&account, &state)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("call %s is not recorded", callID)
		}
		if err != nil {
			return err
		}
		if err := checkAnswer(callID, state, &a); err != nil {
			return err
		}
		err = t.changed(ctx, `UPDATE calls SET state = ?, class = ?, code = ?, request_id = ?, detail = ?, answered = ?
			WHERE id = ?`, string(a.State), string(a.Class), a.Code, a.RequestID, a.Detail, micros(a.At), callID)
		if err != nil {
			return err
		}
		return t.append(ctx, s.now(), answerEvent(account, callID, &a))
	})
}

// Finish implements [revoker.Journal].
func (s *SQL) Finish(ctx context.Context, endings []revoker.Ending) error {
	if len(endings) == 0 {
		return nil
	}
	return s.write(ctx, "recording outcomes", func(t *tx) error {
		return s.end(ctx, t, KindOutcome, endings)
	})
}

// Amend records that a revocation which was given up as withdrawn or failed was carried out after all: a call of it that
// was on its way took effect later. The outcome can become confirmed, nothing else.
func (s *SQL) Amend(ctx context.Context, e revoker.Ending) error {
	return s.write(ctx, "amending an outcome", func(t *tx) error { return s.end(ctx, t, KindAmended, []revoker.Ending{e}) })
}

func (s *SQL) end(ctx context.Context, t *tx, kind string, endings []revoker.Ending) error {
	check := checkEnding
	if kind == KindAmended {
		check = checkAmendment
	}
	events := make([]event, len(endings))
	err := t.each(ctx, `UPDATE revocations SET outcome = ?, attribution = ?, detail = ?, ended = ? WHERE id = ?`, len(endings),
		func(i int) ([]any, error) {
			e := &endings[i]
			found, err := t.item(ctx, "revocations", e.Revocation)
			if err != nil {
				return nil, err
			}
			if err := check(e, found); err != nil { // which also refuses one that is not there
				return nil, err
			}
			events[i] = endingEvent(kind, found.account, e)
			return []any{string(e.Outcome), string(e.Attribution), e.Detail, micros(e.At), e.Revocation}, nil
		})
	if err != nil {
		return err
	}
	return t.append(ctx, s.now(), events...)
}
