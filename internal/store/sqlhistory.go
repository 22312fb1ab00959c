package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/egress-janitor/egress-janitor/revoker"
)

// Revocations gives recorded revocations with their calls and restores, the newest first.
func (s *SQL) Revocations(ctx context.Context, f RevocationFilter) ([]RevocationRecord, error) {
	var list []RevocationRecord
	err := s.read(ctx, "reading revocations", func(t *tx) (err error) {
		w := f.where()
		list, err = t.revocations(ctx, w.String()+` ORDER BY seq DESC LIMIT ?`, append(w.args, bound(f.Limit))...)
		if err != nil {
			return err
		}
		return t.complete(ctx, list)
	})
	return list, err
}

func (f *RevocationFilter) where() *where {
	w := &where{}
	w.text("id", f.ID)
	w.text("sweep", f.Sweep)
	w.text("account", f.Account)
	w.text("region", f.Region)
	w.text("group_id", f.Group)
	w.text("rule_id", f.Rule)
	if f.Policy != "" {
		w.add("id IN (SELECT revocation FROM revocation_policies WHERE policy = ?)", f.Policy)
	}
	if f.Outcome == OutcomeOpen {
		w.add("outcome = ?", "")
	} else {
		w.text("outcome", f.Outcome)
	}
	if !f.Since.IsZero() {
		w.add("created >= ?", micros(f.Since))
	}
	if !f.Until.IsZero() {
		w.add("created < ?", micros(f.Until))
	}
	return w
}

// complete fills in the calls and restores of revocations.
func (t *tx) complete(ctx context.Context, list []RevocationRecord) error {
	byID := map[string]*RevocationRecord{}
	for i := range list {
		byID[list[i].ID] = &list[i]
	}
	calls, err := t.callsFor(ctx, revoker.ActionRevoke, ids(list))
	if err != nil {
		return err
	}
	for i := range calls {
		for _, id := range calls[i].Carries {
			if r := byID[id]; r != nil {
				r.Calls = append(r.Calls, calls[i])
			}
		}
	}
	return t.inParts(ctx, ids(list), func(rows *sql.Rows) error {
		r, err := scanRestore(rows)
		if err != nil {
			return err
		}
		byID[r.Revocation].Restores = append(byID[r.Revocation].Restores, r)
		return nil
	}, `SELECT `+restoreColumns+` FROM restores WHERE revocation IN `, ` ORDER BY seq`)
}

// sortBy sorts calls by the numbers that belong to them.
func sortBy(calls []revoker.Call, seqs []int64) {
	type numbered struct {
		seq  int64
		call revoker.Call
	}
	list := make([]numbered, len(calls))
	for i := range calls {
		list[i] = numbered{seqs[i], calls[i]}
	}
	slices.SortFunc(list, func(a, b numbered) int { return cmp.Compare(a.seq, b.seq) })
	for i := range list {
		calls[i] = list[i].call
	}
}
