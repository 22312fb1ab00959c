package store

import (
	"context"
	"fmt"
)

// Switches tells what holds revocations back now.
func (s *SQL) Switches(ctx context.Context) (Switches, error) {
	unwritten := s.unwritten(ctx)
	var switches Switches
	err := s.read(ctx, "reading the switches", func(t *tx) (err error) {
		switches, err = s.switches(ctx, t)
		return err
	})
	if switches.Behind == "" {
		switches.Behind = unwritten
	}
	return switches, err
}

func (s *SQL) switches(ctx context.Context, t *tx) (Switches, error) {
	// The checkpoint is read before the first query: a transaction sees the store as it is at that, and so is never behind
	// what another process commits meanwhile.
	behind, err := s.behind(ctx, t)
	if err != nil {
		return Switches{}, err
	}
	w := Switches{Behind: behind}
	var armed, paused, since int64
	err = t.row(ctx, `SELECT armed, paused, reason, actor, since FROM switches WHERE id = 1`).
		Scan(&armed, &paused, &w.Reason, &w.Actor, &since)
	if err != nil {
		return Switches{}, err
	}
	w.Armed, w.Paused, w.Since = armed != 0, paused != 0, fromMicros(since)
	return w, nil
}

// Pause lets nothing be revoked any more, in any process, from the moment it returns: what was recorded before may still
// be sent until its deadline.
func (s *SQL) Pause(ctx context.Context, actor, reason string) error {
	return s.write(ctx, "pausing", func(t *tx) error {
		now := s.now()
		err := t.changed(ctx, `UPDATE switches SET paused = 1, reason = ?, actor = ?, since = ? WHERE id = 1`,
			reason, actor, micros(now))
		if err != nil {
			return err
		}
		return t.append(ctx, now, switchEvent(KindPaused, actor, reason, ""))
	})
}

// Resume ends a pause, arms the store, and accepts it as it is if it is behind its checkpoint. What was accepted is in
// the audit log.
func (s *SQL) Resume(ctx context.Context, actor, reason string) error {
	var behind string
	err := s.write(ctx, "resuming", func(t *tx) (err error) {
		if behind, err = s.behind(ctx, t); err != nil {
			return err
		}
		now := s.now()
		err = t.changed(ctx, `UPDATE switches SET armed = 1, paused = 0, reason = ?, actor = ?, since = ? WHERE id = 1`,
			reason, actor, micros(now))
		if err != nil {
			return err
		}
		return t.append(ctx, now, switchEvent(KindResumed, actor, reason, behind))
	})
	if err != nil || behind == "" {
		return err
	}
	s.checkpointing.Lock()
	defer s.checkpointing.Unlock()
	err = s.read(ctx, "resuming", func(t *tx) error { return s.replaceCheckpoint(ctx, t) })
	if err != nil {
		return fmt.Errorf("writing a new checkpoint, without which the store stays paused: %w", err)
	}
	s.unsaved = nil
	return nil
}
