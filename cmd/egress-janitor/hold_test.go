package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/store"
)

// A call may wait for its turn for seconds after its rules were checked. Everything here happens meanwhile.
func TestACallThatWaitedForItsTurnIsHeldByWhatHappenedMeanwhile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(t *testing.T, w *worker)
		want   string // empty: it is sent
	}{
		{"nothing", func(*testing.T, *worker) {}, ""},
		{"somebody paused", func(t *testing.T, w *worker) {
			t.Helper()
			if err := w.store.Pause(t.Context(), "oncall", "incident"); err != nil {
				t.Fatal(err)
			}
		}, "paused by oncall"},
		{"the pause file was put there", func(t *testing.T, w *worker) {
			t.Helper()
			if err := os.WriteFile(w.config.Path("pause"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "the pause file"},
		{"the files of a command were changed", func(_ *testing.T, w *worker) {
			w.latest = func(w *worker) (*worker, string) { return w, "config or policies were changed" }
		}, "config or policies were changed"},
		{"the daemon has loaded anew", func(_ *testing.T, w *worker) {
			w.latest = func(*worker) (*worker, string) { return &worker{engine: w.engine}, "" }
		}, "were loaded anew"},
		{"the daemon has loaded nothing", func(_ *testing.T, w *worker) {
			w.latest = func(w *worker) (*worker, string) { return w, "" }
		}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := heldWorker(t)
			test.change(t, w)
			err := w.hold(t.Context())
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func heldWorker(t *testing.T) *worker {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{Path: filepath.Join(dir, "store.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Resume(t.Context(), "tester", "the test begins"); err != nil {
		t.Fatal(err)
	}
	return &worker{engine: &engine{store: db, config: &config.Config{Dir: dir, PauseFile: "pause"}}}
}

func TestACommandGoesByItsFilesAsLongAsTheySayTheSame(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "janitor.yaml")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const conf = "version: 1\npolicies: [p.yaml]\naccounts: [{name: prod, id: \"1\"}]\n"
	const policies = "version: 1\npolicies:\n  - {name: a, description: d, severity: low, owner: o@example.com, groups: all, " +
		"match: {every-rule: true}, action: report}\n"
	write("janitor.yaml", conf)
	write("p.yaml", policies)
	began, err := system{}.read(file)
	if err != nil {
		t.Fatal(err)
	}
	check := (&feedReader{}).unchanged(file, began)
	w := &worker{}
	if now, stop := check(w); now != w || stop != "" {
		t.Errorf("nothing was changed: got %q", stop)
	}
	write("p.yaml", strings.Replace(policies, "severity: low", "severity: high", 1))
	if _, stop := check(w); !strings.Contains(stop, "run it again") {
		t.Errorf("a policy was changed: got %q", stop)
	}
	write("p.yaml", policies)
	write("janitor.yaml", conf+"mode: manual\n")
	if _, stop := check(w); !strings.Contains(stop, "run it again") {
		t.Errorf("the config was changed: got %q", stop)
	}
	write("janitor.yaml", conf[:20])
	if _, stop := check(w); !strings.Contains(stop, "cannot be read any more") {
		t.Errorf("the config is torn: got %q", stop)
	}
}
