package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// Each database has migrations of its own, since types of keys and triggers differ. The queries are the same.
//
//go:embed migrations
var migrations embed.FS

const versionTable = "store_versions"

// schema is the newest version of our own tables that this binary knows.
const schema = 3

// migrate brings our tables and then River's to the version of this binary. A newer database is refused: this binary
// would not know what its rows mean.
func (s *SQL) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.db, files, goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	version, err := provider.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	if version > schema {
		return tooNew(s.path, version)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrating from version %d to %d: %w", version, schema, err)
	}
	return s.migrateRiver(ctx)
}

func (s *SQL) migrateRiver(ctx context.Context) error {
	migrator, err := rivermigrate.New(riversqlite.New(s.db), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("reading the migrations of the queue: %w", err)
	}
	existing, err := migrator.ExistingVersions(ctx)
	if err != nil {
		return fmt.Errorf("the queue in the store cannot be read, perhaps since it is newer than this binary: "+
			"use the binary that wrote it, or a newer one: %w", err)
	}
	if len(existing) == len(migrator.AllVersions()) {
		return nil
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("migrating the queue: %w", err)
	}
	return nil
}

// checkVersion refuses a store of another version when nothing may be migrated.
func (s *SQL) checkVersion(ctx context.Context) error {
	var version sql.NullInt64
	err := s.db.QueryRowContext(ctx, `SELECT MAX(version_id) FROM `+versionTable).Scan(&version)
	if err != nil {
		if advise(err) != "" {
			return err
		}
		return fmt.Errorf("%s is no store of egress-janitor, or an empty one: %w", s.path, err)
	}
	switch {
	case version.Int64 > schema:
		return tooNew(s.path, version.Int64)
	case version.Int64 < schema:
		return fmt.Errorf("store %s is of version %d, and this binary reads version %d: "+
			"start `egress-janitor run` of this version once, it migrates", s.path, version.Int64, schema)
	}
	return nil
}

func tooNew(path string, version int64) error {
	return fmt.Errorf("store %s is of version %d, and this binary knows versions up to %d: "+
		"use the binary that wrote it, or a newer one", path, version, schema)
}
