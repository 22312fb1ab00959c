package store_test

import (
	"database/sql"
	"os"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/egress-janitor/egress-janitor/internal/store"
)

// intoVersion1 makes of a store what a binary of the time of version 1 would have left behind.
func intoVersion1(t *testing.T, path string) {
	t.Helper()
	forge(t, path, `DROP TABLE policy_files; DROP TABLE feeds; DROP TABLE blobs; DROP TABLE set_uses; DROP TABLE first_seen;
		ALTER TABLE revocations DROP COLUMN effect_class; ALTER TABLE revocations DROP COLUMN effect;
		DELETE FROM store_versions WHERE version_id > 1`)
}

// objects are the tables, indexes and triggers of a store, as they were created.
func objects(t *testing.T, path string) map[string]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), `SELECT name, sql FROM sqlite_master
		WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'river%' AND tbl_name NOT LIKE 'sqlite%'`)
	must(t, err)
	defer func() { must(t, rows.Close()) }()
	all := map[string]string{}
	for rows.Next() {
		var name, text string
		must(t, rows.Scan(&name, &text))
		all[name] = text
	}
	must(t, rows.Err())
	return all
}

func TestMigratingFromVersion1KeepsEverything(t *testing.T) {
	path, c := storePath(t), newClock()
	s, err := store.Open(t.Context(), store.Options{Path: path, Now: c.now})
	must(t, err)
	must(t, s.Resume(t.Context(), "ann", "start"))
	storied(t, s, c)
	everything := func(s *store.SQL) map[string]any {
		all := map[string]any{
			"sweeps":      got[[]store.SweepRecord](t)(s.Sweeps(t.Context(), store.SweepFilter{})),
			"revocations": got[[]store.RevocationRecord](t)(s.Revocations(t.Context(), store.RevocationFilter{})),
			"entries":     got[[]store.Entry](t)(s.Entries(t.Context(), 0, 0)),
			"switches":    got[store.Switches](t)(s.Switches(t.Context())),
			"totals":      got[*store.Totals](t)(s.Totals(t.Context())),
			"findings":    got[[]store.FindingRecord](t)(s.Findings(t.Context(), "s")),
		}
		again, err := s.Recheck(t.Context(), ref("prod", "sg-2"), "hash")
		must(t, err)
		all["recheck"] = again
		return all
	}
	before := everything(s)
	must(t, s.Close())
	intoVersion1(t, path)

	first := storePath(t) // what version 1 was, in truth
	db, err := sql.Open("sqlite", "file:"+first)
	must(t, err)
	migrations, err := goose.NewProvider(goose.DialectSQLite3, db, os.DirFS("migrations/sqlite"),
		goose.WithTableName("store_versions"), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	must(t, err)
	_, err = migrations.UpTo(t.Context(), 1)
	must(t, err)
	must(t, db.Close())
	same(t, "the schema of version 1", objects(t, first), objects(t, path))

	_, err = store.Open(t.Context(), store.Options{Path: path, Now: c.now, ReadOnly: true})
	wantError(t, err, "is of version 1, and this binary reads version 3: start `egress-janitor run` of this version once")
	s = openAt(t, path, c)
	same(t, "what the store has after migrating", before, everything(s))
	if v := got[*store.Verification](t)(s.Verify(t.Context())); v.Broken != "" {
		t.Errorf("the store is broken after migrating: %s", v.Broken)
	}
	must(t, s.SaveFeedCopy(t.Context(), feed("x", c.tick())))
	must(t, s.UseSets(t.Context(), []store.SetUse{setUse("a", 10)}))
	must(t, s.RecordPolicies(t.Context(), "hash", []store.PolicyFile{policyFile("p.yaml", "version: 1\n")}))
	if v := got[*store.Verification](t)(s.Verify(t.Context())); v.Broken != "" {
		t.Errorf("the store is broken after it was used: %s", v.Broken)
	}
}
