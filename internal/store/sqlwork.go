package store

import (
	"context"
	"database/sql"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// Open implements [sweep.Worklist].
func (s *SQL) Open(ctx context.Context, account string) ([]revoker.Work, error) {
	var work []revoker.Work
	err := s.read(ctx, "reading the open revocations of account "+account, func(t *tx) error {
		open, err := t.revocations(ctx, `WHERE account = ? AND outcome = '' ORDER BY region, group_id, seq`, account)
		if err != nil {
			return err
		}
		for i := range open {
			r := &open[i].Revocation
			if n := len(work); n == 0 || work[n-1].Ref != r.Ref {
				work = append(work, revoker.Work{Ref: r.Ref})
			}
			last := &work[len(work)-1]
			last.Revocations = append(last.Revocations, *r)
		}
		for i := range work {
			ids := make([]string, 0, len(work[i].Revocations))
			for n := range work[i].Revocations {
				ids = append(ids, work[i].Revocations[n].ID)
			}
			if work[i].Calls, err = t.callsFor(ctx, revoker.ActionRevoke, ids); err != nil {
				return err
			}
		}
		return nil
	})
	return work, err
}

// OpenAccounts gives the names of the accounts that have open revocations or restores, sorted.
func (s *SQL) OpenAccounts(ctx context.Context) ([]string, error) {
	var names []string
	err := s.read(ctx, "reading which accounts have open work", func(t *tx) (err error) {
		names, err = t.texts(ctx, `SELECT account FROM revocations WHERE outcome = ''
			UNION SELECT account FROM restores WHERE outcome = '' ORDER BY account`)
		return err
	})
	return names, err
}

func (t *tx) texts(ctx context.Context, query string, args ...any) ([]string, error) {
	var list []string
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		list = append(list, text)
		return nil
	}, query, args...)
	return list, err
}

// revocations reads revocations with their policies, but without calls and restores.
func (t *tx) revocations(ctx context.Context, which string, args ...any) ([]RevocationRecord, error) {
	var list []RevocationRecord
	err := t.rows(ctx, func(rows *sql.Rows) (err error) {
		var r RevocationRecord
		var rule string
		var created, ended int64
		err = rows.Scan(&r.ID, &r.Sweep, &r.Ref.Account, &r.Ref.Region, &r.Ref.Group, &r.GroupName, &rule, &r.Origin, &r.Actor,
			&created, &r.Outcome, &r.Attribution, &r.Detail, &ended, &r.Effect.Class, &r.Effect.Sentence)
		if err != nil {
			return err
		}
		r.Created, r.Ended = fromMicros(created), fromMicros(ended)
		r.Rule, err = ruleFrom(rule)
		list = append(list, r)
		return err
	}, `SELECT id, sweep, account, region, group_id, group_name, rule, origin, actor, created, outcome, attribution, detail,
		ended, effect_class, effect FROM revocations `+which, args...)
	if err != nil {
		return nil, err
	}
	byID := map[string]*RevocationRecord{}
	for i := range list {
		byID[list[i].ID] = &list[i]
	}
	err = t.inParts(ctx, ids(list), func(rows *sql.Rows) error {
		var id string
		var c revoker.Cause
		if err := rows.Scan(&id, &c.Policy, &c.Hash); err != nil {
			return err
		}
		byID[id].Policies = append(byID[id].Policies, c)
		return nil
	}, `SELECT revocation, policy, hash FROM revocation_policies WHERE revocation IN `, ` ORDER BY revocation, position`)
	return list, err
}

func ids(list []RevocationRecord) []string {
	all := make([]string, len(list))
	for i := range list {
		all[i] = list[i].ID
	}
	return all
}

// idsPerQuery keeps the number of arguments below what every database allows.
const idsPerQuery = 500

// inParts runs a query once for every few hundred IDs, which stand in the brackets between head and tail.
func (t *tx) inParts(ctx context.Context, all []string, scan func(*sql.Rows) error, head, tail string) error {
	for len(all) > 0 {
		part := all[:min(len(all), idsPerQuery)]
		all = all[len(part):]
		list, args := among(part)
		if err := t.rows(ctx, scan, head+list+tail, args...); err != nil {
			return err
		}
	}
	return nil
}

// callsFor reads the calls of an action that carry one of some items, oldest first.
func (t *tx) callsFor(ctx context.Context, action string, items []string) ([]revoker.Call, error) {
	var calls []revoker.Call
	seqs := map[int64]bool{}
	order := []int64{}
	// A call can carry items of several parts.
	err := t.inParts(ctx, items, func(rows *sql.Rows) error {
		var seq int64
		c, err := scanCall(rows, &seq)
		if err != nil || c.Action != action || seqs[seq] {
			return err
		}
		seqs[seq] = true
		order, calls = append(order, seq), append(calls, *c)
		return nil
	}, `SELECT seq, id, action, account, region, group_id, parameters, recorded, deadline, state, class, code, request_id,
		detail, answered FROM calls WHERE id IN (SELECT call FROM call_items WHERE item IN `, `)`)
	if err != nil {
		return nil, err
	}
	sortBy(calls, order)
	byID := map[string]*revoker.Call{}
	callIDs := make([]string, 0, len(calls))
	for i := range calls {
		byID[calls[i].ID] = &calls[i]
		callIDs = append(callIDs, calls[i].ID)
	}
	err = t.inParts(ctx, callIDs, func(rows *sql.Rows) error {
		var call, item string
		if err := rows.Scan(&call, &item); err != nil {
			return err
		}
		byID[call].Carries = append(byID[call].Carries, item)
		return nil
	}, `SELECT call, item FROM call_items WHERE call IN `, ` ORDER BY call, position`)
	return calls, err
}

func scanCall(rows *sql.Rows, seq *int64) (*revoker.Call, error) {
	var c revoker.Call
	var parameters string
	var class string
	var recorded, deadline, answered int64
	err := rows.Scan(seq, &c.ID, &c.Action, &c.Ref.Account, &c.Ref.Region, &c.Ref.Group, &parameters, &recorded, &deadline,
		&c.State, &class, &c.Answer.Code, &c.Answer.RequestID, &c.Answer.Detail, &answered)
	if err != nil {
		return nil, err
	}
	c.Recorded, c.Deadline, c.Answer.At = fromMicros(recorded), fromMicros(deadline), fromMicros(answered)
	if c.State != revoker.CallRecorded {
		c.Answer.State, c.Answer.Class = c.State, sg.Class(class)
	}
	c.Parameters, err = parametersFrom(parameters)
	return &c, err
}
