package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	// Zones must not depend on the machine.
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Each file in testdata/err holds one mistake, but for those that show that all are told at once.
func TestParseTellsMistakesExactly(t *testing.T) {
	files := corpus(t, "err")
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			want := read(t, strings.TrimSuffix(file, ".yaml")+".out")
			got, err := config.Parse(name, []byte(read(t, file)))
			if err == nil {
				t.Fatalf("it was taken: %+v", got)
			}
			if got != nil {
				t.Errorf("there is a configuration besides the error: %+v", got)
			}
			if diff := cmp.Diff(want, err.Error()+"\n"); diff != "" {
				t.Errorf("message (-want +got):\n%s", diff)
			}
		})
	}
	if len(files) < 25 {
		t.Errorf("only %d mistakes are tested", len(files))
	}
}

func TestParseTakesWhatIsRight(t *testing.T) {
	for _, file := range corpus(t, "ok") {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			if _, err := config.Load(file); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLoadReadsEveryKey(t *testing.T) {
	dir := filepath.Join("testdata", "ok")
	got, err := config.Load(filepath.Join(dir, "everything.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Mode:     config.ModeEnforce,
		Schedule: "CRON_TZ=Asia/Shanghai 0 */2 * * *",
		Policies: []string{"policies/", "extra.yaml"},
		Accounts: []config.Account{
			{
				Name: "prod", ID: "1234567890123456", Regions: []string{"*"},
				Endpoint: "http://127.0.0.1:8080", CAFile: "ca.pem",
				Quotas: map[string]float64{
					"DescribeSecurityGroupAttribute": 10, "RevokeSecurityGroupEgress": 0.5, "AuthorizeSecurityGroupEgress": 2,
				},
				RevokeWithoutRuleID: true,
			},
			{
				Name: "test-2", ID: "6543210987654321", Regions: []string{"cn-hangzhou", "us-east-1", "cn-zhengzhou-jva"},
				Endpoint: "https://ecs.example.com:8443",
			},
		},
		Protected: config.Protected{
			Groups: []sg.Glob{"sg-bp1example"},
			Tags:   map[string]sg.Glob{"tier": "core", "Team Name": "*"},
			Names:  []sg.Glob{"bastion-*"},
		},
		Limits:    config.Limits{PerGroup: 1, PerSweep: 2, Percent: 3, PerWindow: 4},
		Store:     "sqlite:state/janitor.db",
		PauseFile: "state/pause",
		HTTP:      config.HTTP{Metrics: "0.0.0.0:9465"},
		Reach:     config.Reach{Scope: config.ScopeInterface},
		Hygiene:   true,
		Dir:       dir,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestWhatIsLeftOutIsSafe(t *testing.T) {
	got, err := config.Load(filepath.Join("testdata", "ok", "smallest.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		Mode:     config.ModeAudit,
		Policies: []string{"policies/"},
		Accounts: []config.Account{{Name: "prod", ID: "1234567890123456", Regions: []string{"*"}}},
		Limits:   config.Limits{PerGroup: 10, PerSweep: 20, Percent: 10, PerWindow: 50},
		Store:    "sqlite:egress-janitor.db",
		HTTP:     config.HTTP{Metrics: "127.0.0.1:9464"},
		Reach:    config.Reach{Scope: config.ScopeGroup},
		Dir:      filepath.Join("testdata", "ok"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestALimitThatIsLeftOutKeepsItsDefault(t *testing.T) {
	got, err := config.Load(filepath.Join("testdata", "ok", "limits-one-of-them.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default().Limits
	want.PerSweep = 5
	if got.Limits != want {
		t.Errorf("limits: got %+v, want %+v", got.Limits, want)
	}
}

func TestTheStoreIsAPathFromTheFile(t *testing.T) {
	dir := filepath.Join("etc", "janitor")
	for store, want := range map[string]string{
		config.Default().Store:        filepath.Join(dir, "egress-janitor.db"),
		"sqlite:state/janitor.db":     filepath.Join(dir, "state", "janitor.db"),
		"sqlite:/var/lib/janitor.db":  "/var/lib/janitor.db",
		"sqlite:with:colon/sqlite:db": filepath.Join(dir, "with:colon", "sqlite:db"),
	} {
		c := config.Config{Dir: dir, Store: store}
		if got := c.StorePath(); got != want {
			t.Errorf("%s: got %s, want %s", store, got, want)
		}
	}
}

func TestPathsStartFromTheFile(t *testing.T) {
	c := config.Config{Dir: filepath.Join("etc", "janitor")}
	if got, want := c.Path("ca.pem"), filepath.Join("etc", "janitor", "ca.pem"); got != want {
		t.Errorf("relative path: got %s, want %s", got, want)
	}
	absolute := filepath.Join(t.TempDir(), "ca.pem")
	if got := c.Path(absolute); got != absolute {
		t.Errorf("absolute path: got %s, want %s", got, absolute)
	}
}

func TestLoadTellsWhyAFileCannotBeRead(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "missing.yaml"))
	if err == nil || !strings.HasPrefix(err.Error(), "reading configuration: open ") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	large := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(large, []byte(strings.Repeat("# padding\n", 200_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(large); err == nil || !strings.HasSuffix(err.Error(), "[too-large]") {
		t.Errorf("a file of 2 MB: %v", err)
	}
}

// No part of an endpoint that may be a password is repeated.
func TestEndpointsKeepTheirSecrets(t *testing.T) {
	for _, file := range corpus(t, "err") {
		_, err := config.Parse(file, []byte(read(t, file)))
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the message repeats the password: %v", file, err)
		}
	}
}

// FuzzParse proves that no file makes the reader, or the cron library behind it, panic or hang, and that what is
// refused has a place.
func FuzzParse(f *testing.F) {
	for _, kind := range []string{"ok", "err"} {
		for _, file := range corpus(f, kind) {
			f.Add([]byte(read(f, file)))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := config.Parse("c.yaml", data)
		if (got == nil) == (err == nil) {
			t.Fatalf("got %+v and error %v", got, err)
		}
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if strings.HasPrefix(line, "c.yaml:") {
					return
				}
			}
			t.Fatalf("no line of the error has a place: %v", err)
		}
		if got.Mode == "" || got.Store == "" || got.HTTP.Metrics == "" || len(got.Policies) == 0 || len(got.Accounts) == 0 {
			t.Fatalf("taken, but not usable: %+v", got)
		}
	})
}

func corpus(tb testing.TB, kind string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", kind, "*.yaml"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no files in testdata/%s: %v", kind, err)
	}
	return files
}

func read(tb testing.TB, file string) string {
	tb.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}
