package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// SetUse is what a set of addresses held when it was last used without doubt, or accepted by a person.
type SetUse struct {
	Key       string     // names the set: its policy file and its own name
	Name      string     // of the set
	Place     string     // where its contents come from, without secrets
	SHA256    string     // of the contents, in hex
	Elements  int        // in the contents
	Addresses [2]float64 // in the contents by family, IPv4 first
	At        time.Time  // when this was recorded; set by the store
	Actor     string     // who used it: the daemon, or who ran the command or accepted it
}

// sameContents tells whether two uses of a set are of one and the same.
func (u *SetUse) sameContents(other *SetUse) bool {
	mine, its := *u, *other
	mine.At, its.At, mine.Actor, its.Actor = time.Time{}, time.Time{}, "", ""
	return mine == its
}

func checkSetUse(u *SetUse) error {
	if u.Key == "" || u.Name == "" || u.SHA256 == "" {
		return errors.New("use of a set without its name or its contents")
	}
	return nil
}

// UsedSets gives the last uses of all sets, by [SetUse.Key]. Sets that no policy has any more stay among them.
func (s *SQL) UsedSets(ctx context.Context) (map[string]SetUse, error) {
	var uses map[string]SetUse
	err := s.read(ctx, "reading what sets held", func(t *tx) (err error) {
		uses, err = t.usedSets(ctx)
		return err
	})
	return uses, err
}

func (t *tx) usedSets(ctx context.Context) (map[string]SetUse, error) {
	uses := map[string]SetUse{}
	err := t.rows(ctx, func(rows *sql.Rows) error {
		var u SetUse
		var addresses string
		var at int64
		if err := rows.Scan(&u.Key, &u.Name, &u.Place, &u.SHA256, &u.Elements, &addresses, &at, &u.Actor); err != nil {
			return err
		}
		u.At = fromMicros(at)
		if err := json.Unmarshal([]byte(addresses), &u.Addresses); err != nil {
			return fmt.Errorf("reading the size of set %s: %w", u.Name, err)
		}
		uses[u.Key] = u
		return nil
	}, `SELECT set_key, name, place, sha256, elements, addresses, at, actor FROM set_uses`)
	return uses, err
}

// UseSets records what a sweep used without doubt. Where nothing changed nothing is written; what changed goes to the
// audit log, since from now on contents are doubted by comparison with these.
func (s *SQL) UseSets(ctx context.Context, list []SetUse) error {
	var changed []SetUse
	find := func(t *tx) error {
		known, err := t.usedSets(ctx)
		if err == nil {
			changed, err = changedUses(known, list)
		}
		return err
	}
	if err := s.read(ctx, "reading what sets held", find); err != nil || len(changed) == 0 {
		return err
	}
	return s.write(ctx, "recording what sets held", func(t *tx) error {
		if err := find(t); err != nil {
			return err
		}
		now := s.now()
		return t.saveUses(ctx, now, changed, func(u, before *SetUse) event { return setEvent(KindSetUsed, u, before, "") })
	})
}

// changedUses gives the uses that are not known yet.
func changedUses(known map[string]SetUse, list []SetUse) ([]SetUse, error) {
	var changed []SetUse
	for i := range list {
		u := &list[i]
		if err := checkSetUse(u); err != nil {
			return nil, err
		}
		if before, there := known[u.Key]; !there || !u.sameContents(&before) {
			changed = append(changed, *u)
		}
	}
	return changed, nil
}

// AcceptSets records that a person accepts what sets hold, however much they have grown or shrunk. From now on it is what
// other contents are compared with. All of it is in the audit log, with the earlier size.
func (s *SQL) AcceptSets(ctx context.Context, list []SetUse, actor, reason string) error {
	return s.write(ctx, "accepting sets", func(t *tx) error {
		accepted, err := acceptedUses(list, actor)
		if err != nil {
			return err
		}
		return t.saveUses(ctx, s.now(), accepted, func(u, before *SetUse) event {
			return setEvent(KindSetAccepted, u, before, reason)
		})
	})
}

func acceptedUses(list []SetUse, actor string) ([]SetUse, error) {
	accepted := make([]SetUse, len(list))
	for i := range list {
		if err := checkSetUse(&list[i]); err != nil {
			return nil, err
		}
		accepted[i] = list[i]
		accepted[i].Actor = actor
	}
	return accepted, nil
}

// saveUses writes uses and what the audit log says of each.
func (t *tx) saveUses(ctx context.Context, now time.Time, list []SetUse, say func(u, before *SetUse) event) error {
	known, err := t.usedSets(ctx)
	if err != nil {
		return err
	}
	events := make([]event, len(list))
	err = t.each(ctx, `INSERT INTO set_uses (set_key, name, place, sha256, elements, addresses, at, actor)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (set_key) DO UPDATE SET name = excluded.name, place = excluded.place,
		sha256 = excluded.sha256, elements = excluded.elements, addresses = excluded.addresses, at = excluded.at,
		actor = excluded.actor`, len(list), func(i int) ([]any, error) {
		u := &list[i]
		addresses, err := encode(u.Addresses)
		if err != nil {
			return nil, err
		}
		events[i] = say(u, knownUse(known, u.Key))
		known[u.Key] = *u
		return []any{u.Key, u.Name, u.Place, u.SHA256, u.Elements, addresses, micros(now), u.Actor}, nil
	})
	if err != nil {
		return err
	}
	return t.append(ctx, now, events...)
}

// knownUse gives the earlier use of a set, nil if there is none.
func knownUse(known map[string]SetUse, key string) *SetUse {
	u, there := known[key]
	if !there {
		return nil
	}
	return &u
}
