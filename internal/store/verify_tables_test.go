package store_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// storied records something of every kind: a confirmed, an amended and an open revocation, calls with and without an
// answer, an ended and an open restore, a sweep that was given up and a pause. It has texts that are no UTF-8.
func storied(t *testing.T, s twin, c *clock) {
	t.Helper()
	two(t, s, c)
	must(t, s.Record(t.Context(), call("c1", c.tick(), ref("prod", "sg-1"), "s-r1")))
	must(t, s.Answer(t.Context(), "c1", revoker.Answer{
		State: revoker.CallSucceeded, Class: sg.ClassOK, RequestID: "<R&1>", Detail: "bytes \xff\xfe and \u2028", At: c.tick(),
	}))
	must(t, s.Record(t.Context(), call("c2", c.tick(), ref("prod", "sg-2"), "s-r2", "s-r3")))
	must(t, s.Finish(t.Context(), []revoker.Ending{
		ending("s-r1", revoker.Confirmed, c.tick()), ending("s-r2", revoker.Withdrawn, c.now()),
	}))
	must(t, s.Amend(t.Context(), ending("s-r2", revoker.Confirmed, c.tick())))
	u := restore("u1", "s-r1", c.tick())
	must(t, s.AddRestores(t.Context(), []revoker.Restore{u}))
	u.Outcome, u.RuleID, u.Ended = revoker.Restored, "sgr-9", c.tick()
	must(t, s.FinishRestore(t.Context(), &u))
	must(t, s.AddRestores(t.Context(), []revoker.Restore{restore("u2", "s-r1", c.tick())}))
	_, err := s.Start(t.Context(), one("s9", c.tick()).start())
	must(t, err)
	got[int](t)(s.Interrupted(t.Context(), "prod"))
	must(t, s.Pause(t.Context(), "bob", "incident 7"))
}

func TestVerifyComparesTheRecordsWithTheLog(t *testing.T) {
	for _, test := range []struct {
		name  string
		forge string
		seq   int64 // of the entry that is contradicted
		want  string
	}{
		{"nothing", ``, 0, ""},
		{
			"an outcome", `UPDATE revocations SET outcome = 'withdrawn' WHERE id = 's-r1'`, 11,
			`the audit log is intact, but the record of revocation s-r1 says outcome "withdrawn" where the log (entry 11) says "confirmed"`,
		},
		{
			"an amendment undone", `UPDATE revocations SET outcome = 'withdrawn' WHERE id = 's-r2'`, 13,
			`revocation s-r2 says outcome "withdrawn" where the log (entry 13) says "confirmed"`,
		},
		{
			"an open revocation closed", `UPDATE revocations SET outcome = 'failed' WHERE id = 's-r3'`, 7,
			`revocation s-r3 says outcome "failed" where the log (entry 7) says nothing`,
		},
		{
			"a confirmed revocation opened", `UPDATE revocations SET outcome = '' WHERE id = 's-r1'`, 11,
			`revocation s-r1 says outcome nothing where the log (entry 11) says "confirmed"`,
		},
		{
			"an outcome of another type", `UPDATE revocations SET outcome = CAST('confirmed' AS BLOB) WHERE id = 's-r1'`, 11,
			`revocation s-r1 says outcome "[]uint8(`,
		},
		{"an attribution", `UPDATE revocations SET attribution = 'presumed' WHERE id = 's-r1'`, 11, `attribution "presumed"`},
		{"why it ended", `UPDATE revocations SET detail = 'x' WHERE id = 's-r1'`, 11, `detail "x"`},
		{"the rule", `UPDATE revocations SET rule = replace(rule, '22/22', '23/23') WHERE id = 's-r1'`, 5, `s-r1 says rule "`},
		{"the rule's ID", `UPDATE revocations SET rule_id = 'x' WHERE id = 's-r1'`, 5, `rule_id "x"`},
		{"the content", `UPDATE revocations SET content_key = 'x' WHERE id = 's-r1'`, 5, `content_key "x"`},
		{"the group", `UPDATE revocations SET group_id = 'x' WHERE id = 's-r1'`, 5, `group_id "x" where the log (entry 5) says "sg-1"`},
		{"a revocation deleted", `DELETE FROM revocations WHERE id = 's-r2'`, 6, `the record of revocation s-r2 is missing`},
		{"all revocations deleted", `DELETE FROM revocations`, 5, `revocation s-r1 is missing (records that are wrong: 3)`},
		{"a revocation renamed", `UPDATE revocations SET id = 'x' WHERE id = 's-r2'`, 6, `s-r2 is missing (records that are wrong: 2)`},
		{
			"a revocation made up", `INSERT INTO revocations (id, sweep, account, region, group_id, group_name, rule_id, rule_key,
				content_key, rule, protocol, destination, origin, actor, created) SELECT 'x', sweep, account, region, group_id, group_name,
				rule_id, rule_key, content_key, rule, protocol, destination, origin, actor, created FROM revocations WHERE id = 's-r1'`, 0,
			`there is a record of revocation x, which no entry announces`,
		},
		{"the policy", `UPDATE revocation_policies SET policy = 'x' WHERE revocation = 's-r1'`, 5, `policy of revocation s-r1/0 says policy "x"`},
		{"no policy", `DELETE FROM revocation_policies WHERE revocation = 's-r1'`, 5, `policy of revocation s-r1/0 is missing`},
		{"one more policy", `INSERT INTO revocation_policies VALUES ('s-r1', 1, 'x', 'x')`, 0, `policy of revocation s-r1/1, which no`},
		{"a call deleted", `DELETE FROM calls WHERE id = 'c1'`, 8, `the record of call c1 is missing`},
		{"the token", `UPDATE calls SET token = 'x' WHERE id = 'c1'`, 8, `call c1 says token "x"`},
		{"the parameters", `UPDATE calls SET parameters = '[]' WHERE id = 'c1'`, 8, `call c1 says parameters "[]"`},
		{"the deadline", `UPDATE calls SET deadline = 7 WHERE id = 'c1'`, 8, `call c1 says deadline "7"`},
		{"an answer", `UPDATE calls SET state = 'unsent' WHERE id = 'c1'`, 9, `state "unsent" where the log (entry 9) says "succeeded"`},
		{"an answer that never came", `UPDATE calls SET state = 'refused' WHERE id = 'c2'`, 10, `says "recorded"`},
		{"what is carried", `UPDATE call_items SET item = 's-r9' WHERE call = 'c2' AND position = 1`, 10, `call c2/1 says item "s-r9"`},
		{"carried no more", `DELETE FROM call_items WHERE call = 'c2' AND position = 1`, 10, `item of call c2/1 is missing`},
		{"how a restore ended", `UPDATE restores SET outcome = 'failed' WHERE id = 'u1'`, 15, `restore u1 says outcome "failed"`},
		{"an open restore ended", `UPDATE restores SET outcome = 'failed' WHERE id = 'u2'`, 16, `restore u2 says outcome "failed"`},
		{"how long a restore holds", `UPDATE restores SET hold_until = 0 WHERE id = 'u1'`, 14, `restore u1 says hold_until "0"`},
		{
			"what a removal does", `UPDATE revocations SET effect_class = 'none' WHERE id = 's-r1'`, 5,
			`revocation s-r1 says effect_class "none"`,
		},
		{"a restore deleted", `DELETE FROM restores WHERE id = 'u2'`, 16, `the record of restore u2 is missing`},
		{"a report made whole", `UPDATE sweeps SET complete = 0 WHERE id = 's'`, 4, `sweep s says complete "0"`},
		{"a given up sweep finished", `UPDATE sweeps SET finished = 1 WHERE id = 's9'`, 18, `sweep s9 says finished <> 0 "1"`},
		{"a sweep deleted", `DELETE FROM sweeps WHERE id = 's9'`, 17, `the record of sweep s9 is missing`},
		{"a pause ended", `UPDATE switches SET paused = 0`, 19, `state of switch 1 says paused "0" where the log (entry 19) says "1"`},
		{"the switches deleted", `DELETE FROM switches`, 0, `state of switch 1 is missing`},
		{
			"several things", `UPDATE sweeps SET interrupted = 0 WHERE id = 's9'; DELETE FROM calls WHERE id = 'c1'`, 8,
			`the record of call c1 is missing (records that are wrong: 2)`,
		},
		{
			"a row twice", `CREATE TABLE x AS SELECT * FROM revocation_policies; DROP TABLE revocation_policies;
				ALTER TABLE x RENAME TO revocation_policies;
				INSERT INTO revocation_policies SELECT * FROM revocation_policies WHERE revocation = 's-r1'`, 5,
			`there are several records of policy of revocation s-r1/0`,
		},
		{"a trigger dropped", `DROP TRIGGER audit_no_delete`, 0, `audit_no_delete, by which the database refuses changes, was dropped`},
		{"another trigger dropped", `DROP TRIGGER audit_no_update`, 0, `audit_no_update, by which`},
		{"the order's trigger dropped", `DROP TRIGGER audit_in_order`, 0, `audit_in_order, by which`},
		{"the index of open revocations dropped", `DROP INDEX revocations_open`, 0, `revocations_open, by which`},
		{"the index of open restores dropped", `DROP INDEX restores_open`, 0, `restores_open, by which`},
		{
			"a trigger without teeth", `DROP TRIGGER audit_no_delete; CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT 1; END`,
			0, `trigger audit_no_delete of the database is not one that this program made`,
		},
		{
			"a trigger that lets outcomes vanish",
			`CREATE TRIGGER x BEFORE UPDATE ON revocations BEGIN SELECT RAISE(IGNORE); END`,
			0, `trigger x of the database is not one that this program made`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, c := storePath(t), newClock()
			s := openAt(t, path, c)
			must(t, s.Resume(t.Context(), "ann", "start"))
			storied(t, s, c)
			forge(t, path, test.forge)
			v := got[*store.Verification](t)(s.Verify(t.Context()))
			if v.BrokenSeq != test.seq || !strings.Contains(v.Broken, test.want) || (v.Broken == "") != (test.want == "") {
				t.Errorf("got entry %d: %s\nwant entry %d: %s", v.BrokenSeq, v.Broken, test.seq, test.want)
			}
			if v.Entries != 19 || v.Head == "" {
				t.Errorf("verified %d entries with the head %q, want all 19", v.Entries, v.Head)
			}
		})
	}
}

// forge changes the database behind the store's back.
func forge(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	must(t, err)
	defer func() { must(t, db.Close()) }()
	exec(t, db, query) // foreign keys are off on this connection
}

// The pause of a store that was never armed says nothing about arming.
func TestVerifyKnowsHowArmedAStoreIs(t *testing.T) {
	path, c := storePath(t), newClock()
	s := openAt(t, path, c)
	check := func(when, want string) {
		t.Helper()
		v := got[*store.Verification](t)(s.Verify(t.Context()))
		if !strings.Contains(v.Broken, want) || (v.Broken == "") != (want == "") {
			t.Errorf("%s: got %q, want %q", when, v.Broken, want)
		}
	}
	check("new", "")
	forge(t, path, `UPDATE switches SET armed = 1`)
	check("new and forged", `armed "1" where the log says "0"`)
	forge(t, path, `UPDATE switches SET armed = 0`)
	must(t, s.Pause(t.Context(), "ann", "why"))
	check("paused", "")
	must(t, s.Resume(t.Context(), "ann", "why"))
	check("resumed", "")
	must(t, s.Pause(t.Context(), "ann", "why"))
	check("paused while armed", "")
	forge(t, path, `UPDATE switches SET armed = 0`)
	check("paused while armed, and forged", `armed "0" where the log (entry 4) says "1"`)
}

func TestVerifyComparesEveryPageOfTheLog(t *testing.T) {
	path, c := storePath(t), newClock()
	s := openAt(t, path, c)
	must(t, s.Resume(t.Context(), "ann", "start"))
	r := one("s", c.tick())
	for i := range 1200 {
		r.rules["sg-1"] = append(r.rules["sg-1"], rule(fmt.Sprintf("sgr-x%d", i), "22/22"))
	}
	r.do(t, s)
	if v := got[*store.Verification](t)(s.Verify(t.Context())); v.Broken != "" {
		t.Errorf("an honest store is broken: %s", v.Broken)
	}
	forge(t, path, `UPDATE revocations SET outcome = 'failed' WHERE id = 's-r1201'`)
	v := got[*store.Verification](t)(s.Verify(t.Context()))
	if v.BrokenSeq != 1205 || !strings.Contains(v.Broken, "revocation s-r1201 says outcome") {
		t.Errorf("got entry %d: %s", v.BrokenSeq, v.Broken)
	}
}
