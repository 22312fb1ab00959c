package daemon

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
)

// pollEvery is how long a job waits at most until it is begun: on SQLite River is told of no job, not even its own.
const pollEvery = time.Second

// newClient builds the River client, which starts nothing yet.
//
// Sweeps take as long as they take: no timeout. A sweep that failed is not tried again before the schedule says so, and
// one that died with its process is found by the store and not by its job: one attempt. No job is unique, because a
// running one would count; the account's lock keeps doubles apart.
func (d *daemon) newClient() (*river.Client[*sql.Tx], error) {
	workers := river.NewWorkers()
	if err := river.AddWorkerSafely(workers, &sweeper{daemon: d}); err != nil {
		return nil, fmt.Errorf("building the scheduler: %w", err)
	}
	client, err := river.NewClient(riversqlite.New(d.DB), &river.Config{
		FetchPollInterval: pollEvery,
		JobTimeout:        -1,
		Logger:            slog.New(d.riverLog()),
		MaxAttempts:       1,
		// Listening would hold the only connection.
		PollOnly:          true,
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: d.Parallel}},
		ReindexerSchedule: river.NeverSchedule(),
		TestOnly:          d.unstaggered,
		Workers:           workers,
	})
	if err != nil {
		return nil, fmt.Errorf("building the scheduler: %w", err)
	}
	return client, nil
}

// riverLog takes what an operator should look at; River's own accounts of its day do not count.
func (d *daemon) riverLog() slog.Handler {
	return warnings{zapslog.NewHandler(d.Log.Core(), zapslog.WithName("river"))}
}

// warnings pass on what is a warning or worse.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

// stdLog takes what net/http says about connections.
func (d *daemon) stdLog() *log.Logger {
	std, err := zap.NewStdLogAt(d.Log.Named("http"), zap.WarnLevel)
	if err != nil { // only for a level that does not exist
		return nil
	}
	return std
}
