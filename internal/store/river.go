package store

import (
	"context"
	"fmt"
)

// ForgetDaemon removes what a killed daemon has left in River's tables: its leadership, which the next one would wait for
// until it expires, and the jobs that it was at work on, which would stay for ever. Nothing is lost by it, since what
// there is to do is never taken from a job. Only for who holds the lock of [SQL.LockRun].
func (s *SQL) ForgetDaemon(ctx context.Context) error {
	for _, statement := range []string{
		`DELETE FROM river_leader`,
		`DELETE FROM river_job WHERE state = 'running'`,
	} {
		if _, err := s.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("forgetting the daemon before: %w", s.fault("tidying up", err))
		}
	}
	return nil
}
