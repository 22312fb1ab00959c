package main

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
)

// feedSecret is in the query of the script's URLs. It must not be seen either.
const feedSecret = "canary-of-the-feed"

// cmdFeed serves a file over https, as it is whenever it is asked for, and not at all while it is not there. Commands trust
// the server.
func cmdFeed(ts *testscript.TestScript, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: feed FILE")
	}
	file := ts.MkAbs(args[0])
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := os.ReadFile(file)
		if err != nil || r.URL.Query().Get("token") != feedSecret {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	ts.Defer(server.Close)
	ca := filepath.Join(ts.MkAbs("."), "feed-ca.pem")
	ts.Check(os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600))
	ts.Setenv("SSL_CERT_FILE", ca)
	ts.Setenv("FEED", server.URL+"/list.txt?token="+feedSecret)
	ts.Setenv("FEED_PLACE", server.URL+"/list.txt?…")
}

func TestPoliciesAreMadeAgainOfTheFilesThatWereKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a/p.yaml": "version: 1\nsets:\n  s: {file: ../lists/one.yaml}\n  u: {url: \"https://feeds.example.com/l?token=" + feedSecret +
			"\"}\npolicies:\n  - {name: a, description: d, severity: low, owner: o@example.com, groups: all, " +
			"match: {destination: [$s, $u]}, action: report}\n",
		"a/x.yaml": "version: 1\nexceptions:\n  - {name: x, policies: [a], groups: all, match: {ports: {within: [22]}}, reason: r, " +
			"owner: o@example.com, expires: 2027-01-31}\n",
		"a/p_test.yaml":  "not read\n",
		"lists/one.yaml": "192.0.2.0/24\n",
	} {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Date(2027, time.January, 15, 12, 0, 0, 0, time.UTC)
	set, files, err := readPoliciesWith([]string{filepath.Join(dir, "a")}, policy.Options{Feed: func(string) policy.Feed {
		return policy.Feed{Data: []byte("198.51.100.0/24\n"), Fetched: now}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range files {
		names = append(names, files[i].Name)
	}
	slashed := filepath.ToSlash(dir)
	want := []string{
		slashed + "/a/p.yaml", slashed + "/a/x.yaml", "set " + slashed + "/lists/one.yaml",
		"set " + feedFile(&policy.Source{URL: "https://feeds.example.com/l?token=" + feedSecret, Place: "https://feeds.example.com/l?…"}),
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	again, err := policiesOf(files, now)
	if err != nil {
		t.Fatal(err)
	}
	if again.Hash() != set.Hash() {
		t.Error("they are not the same policies")
	}
	for _, source := range again.Sources() {
		if why := again.Stale(source, now); why != "" {
			t.Errorf("%s: %s", source, why)
		}
	}
}

func TestASetIsComparedWithItsLastUse(t *testing.T) {
	t.Parallel()
	source := &policy.Source{Set: "s", File: "p.yaml", SHA256: "new", Elements: 10}
	for _, test := range []struct {
		name string
		used map[string]store.SetUse
		want string
	}{
		{"never used", nil, ""},
		{"another set", map[string]store.SetUse{"other": {SHA256: "old", Elements: 1}}, ""},
		{"about as large", map[string]store.SetUse{setKey(source): {SHA256: "old", Elements: 9}}, ""},
		{"the same contents, whatever was counted", map[string]store.SetUse{setKey(source): {SHA256: "new", Elements: 1}}, ""},
		{
			"grown",
			map[string]store.SetUse{setKey(source): {SHA256: "old", Elements: 1}},
			"it has grown from 1 to 10 elements since it was last used; look at it, then run `egress-janitor policy accept-set s`",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := doubt(test.used, source); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestADoubtEndsWithoutAReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("list.txt", "192.0.2.1\n192.0.2.2\n")
	write("p.yaml", "version: 1\nsets:\n  s: {file: list.txt}\npolicies:\n  - {name: a, description: d, severity: low, "+
		"owner: o@example.com, groups: all, match: {destination: [$s]}, action: report}\n")
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "janitor.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	set, err := readPolicies([]string{filepath.Join(dir, "p.yaml")})
	if err != nil {
		t.Fatal(err)
	}
	source := set.Sources()[0]
	last := setUse(source, "somebody")
	last.SHA256, last.Elements = "of others", 1
	if err := db.UseSets(t.Context(), []store.SetUse{last}); err != nil {
		t.Fatal(err)
	}
	e := &engine{policies: set, store: db}
	stale := func() string {
		policies, err := e.trusted(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Only what is not in doubt becomes what later contents are compared with.
		if err := e.useSets(t.Context(), policies, &sweep.Result{Started: time.Now()}); err != nil {
			t.Fatal(err)
		}
		return policies.Stale(source, time.Now())
	}
	for range 2 {
		if stale() == "" {
			t.Fatal("a set that has grown is trusted")
		}
	}
	if err := db.AcceptSets(t.Context(), []store.SetUse{setUse(source, "ann")}, "ann", "looked at it"); err != nil {
		t.Fatal(err)
	}
	if got := stale(); got != "" {
		t.Errorf("an accepted set is not trusted: %s", got)
	}
}
