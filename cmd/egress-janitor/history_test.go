package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/egress-janitor/egress-janitor/internal/store"
)

// cmdRemember sets variables of a script to values of a JSON document.
func cmdRemember(ts *testscript.TestScript, args []string) {
	if len(args) < 3 || len(args)%2 == 0 {
		ts.Fatalf("usage: remember FILE PATH NAME...")
	}
	docs, err := documents(ts.ReadFile(args[0]))
	ts.Check(err)
	if len(docs) != 1 {
		ts.Fatalf("%s holds %d documents", args[0], len(docs))
	}
	for i := 1; i < len(args); i += 2 {
		value, err := lookUp(docs[0], args[i])
		ts.Check(err)
		ts.Setenv(args[i+1], value)
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("Asia/Shanghai", 8*3600))
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", "0001-01-01T00:00:00Z"},
		{"days", "30d", "2026-10-24T04:00:00Z"},
		{"no days", "0d", "2026-11-23T04:00:00Z"},
		{"hours", "72h", "2026-11-20T04:00:00Z"},
		{"hours and minutes", "1h30m", "2026-11-23T02:30:00Z"},
		{"a date is in UTC", "2026-11-01", "2026-11-01T00:00:00Z"},
		{"a time", "2026-11-01T08:00:00+08:00", "2026-11-01T00:00:00Z"},
		{"a time to come", "2027-01-01", "2027-01-01T00:00:00Z"},
		{"the longest", "100000d", "1753-02-07T04:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := moment(test.text, now)
			if err != nil {
				t.Fatal(err)
			}
			if got.Format(time.RFC3339) != test.want {
				t.Errorf("got %s, want %s", got.Format(time.RFC3339), test.want)
			}
		})
	}
	for _, text := range []string{
		"d", "1.5d", "-1d", "-5h", "30", "30 d", "yesterday", "2026-13-01", "2026-11-01T08:00", "100001d", "99999999999999999999d",
	} {
		if got, err := moment(text, now); err == nil {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}

// Whatever was done to the audit log, verify ends with 5 and says what is wrong with which entry.
func TestHistoryVerifyOfABrokenLog(t *testing.T) {
	whole := historyStore(t)
	for _, test := range []struct {
		name       string
		statements []string
		remove     string
		want       string
	}{
		{
			name:       "an entry was changed",
			statements: []string{"DROP TRIGGER audit_no_update", "UPDATE audit SET actor = 'nobody' WHERE seq = 2"},
			want:       "BROKEN   at entry 2: ",
		},
		{
			name:       "an entry is missing",
			statements: []string{"DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE seq = 2"},
			want:       "BROKEN   at entry 2: ",
		},
		{
			name: "the end is missing",
			statements: []string{
				"DROP TRIGGER audit_no_delete", "DELETE FROM audit WHERE seq = (SELECT MAX(seq) FROM audit)",
			},
			want: "the rest is missing",
		},
		{name: "the checkpoint is missing", remove: "janitor.db.checkpoint", want: "is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			spoil(t, dir, test.statements)
			if test.remove != "" {
				if err := os.Remove(filepath.Join(dir, test.remove)); err != nil {
					t.Fatal(err)
				}
			}
			checkBroken(t, filepath.Join(dir, "egress-janitor.yaml"), test.want)
		})
	}
}

func checkBroken(t *testing.T, config, want string) {
	t.Helper()
	code, out, messages := history(t, "verify", "-c", config)
	if code != exitBroken || !strings.HasPrefix(out, "entries  ") || !strings.Contains(out, want) {
		t.Errorf("got exit code %d, want %d with %q in\n%s%s", code, exitBroken, want, out, messages)
	}
	if !strings.Contains(messages, "is not as it was written; keep the store") {
		t.Errorf("the messages do not say what to do:\n%s", messages)
	}
	code, out, _ = history(t, "verify", "-c", config, "--output", "json")
	if code != exitBroken || !strings.Contains(out, `"intact": false`) {
		t.Errorf("as JSON: got exit code %d with\n%s", code, out)
	}
	if code, _, _ = history(t, "verify", "-c", config, "--output-file", "/dev/full"); code != exitBroken {
		t.Errorf("with no room for the output: got exit code %d, want %d", code, exitBroken)
	}
}

// historyStore makes a directory with a store that has a few entries in its log, and a config that names it.
func historyStore(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	historyConfig(t, dir)
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "janitor.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range []string{"one", "two", "three"} {
		if err := s.Pause(t.Context(), "ann", reason); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// spoil does to the store what nobody should.
func spoil(t *testing.T, dir string, statements []string) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "janitor.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range statements {
		if _, err := s.DB().ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func historyConfig(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "egress-janitor.yaml")
	text := "version: 1\npolicies: [absent]\nstore: sqlite:janitor.db\naccounts:\n  - {name: prod, id: \"1234567890123456\"}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func history(t *testing.T, args ...string) (code int, out, messages string) {
	t.Helper()
	var o, m bytes.Buffer
	sys := system{out: &o, err: &m, getenv: func(string) string { return "" }, now: time.Now}
	return run(t.Context(), append([]string{"history"}, args...), sys), o.String(), m.String()
}

func TestHistoryOfAStoreThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	config := historyConfig(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "janitor.db"), []byte(strings.Repeat("no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"verify"}, {"list"}, {"show", "sgr-1"}} {
		code, out, messages := history(t, append(command, "-c", config)...)
		if code != exitError || out != "" || !strings.Contains(messages, "put it back from a copy") {
			t.Errorf("%s: got exit code %d and output %q, want %d, nothing, and advice in:\n%s", command[0], code, out,
				exitError, messages)
		}
	}
}

// Looking changes nothing: neither the store nor what lies beside it.
func TestHistoryLeavesTheStoreAlone(t *testing.T) {
	dir := historyStore(t)
	files := func() map[string]string {
		found := map[string]string{}
		for _, name := range []string{"janitor.db", "janitor.db.checkpoint"} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			found[name] = string(data)
		}
		return found
	}
	before := files()
	for _, command := range [][]string{{"verify"}, {"list"}, {"show", "absent"}} {
		history(t, append(command, "-c", filepath.Join(dir, "egress-janitor.yaml"))...)
	}
	if diff := cmp.Diff(before, files()); diff != "" {
		t.Error("looking changed the store")
	}
}
