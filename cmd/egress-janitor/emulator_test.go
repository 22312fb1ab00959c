package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

func TestGeneratedEstatesDoNotDependOnTheDay(t *testing.T) {
	var flags emulatorFlags
	flags.generated.Groups, flags.generated.RulesPerGroup = 1, 1
	var estates []string
	for _, day := range []time.Time{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)} {
		options, err := system{now: func() time.Time { return day }}.emulatorOptions(flags)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(options.Estate)
		if err != nil {
			t.Fatal(err)
		}
		estates = append(estates, string(text))
	}
	if estates[0] != estates[1] {
		t.Errorf("got %s and, a year later, %s", estates[0], estates[1])
	}
}

// lastWords takes the first line and ends the emulator with it.
type lastWords struct {
	into io.Writer
	stop func()
}

func (w lastWords) Write(p []byte) (int, error) {
	w.stop()
	return w.into.Write(p)
}

func TestTheReadyLineNamesTheAccountOfTheFirstKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "estate.yaml")
	if err := os.WriteFile(file, []byte("version: 1\naccount: \"42\"\nregions: [{id: r}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		estate string
		keys   []string
		want   string
	}{
		{"no estate and no key", "", nil, "1234567890123456"},
		{"an estate", file, nil, "42"},
		{"a key without an account", file, []string{"a:s"}, "42"},
		{"a key of another account first", file, []string{"a:s:43", "b:s"}, "43"},
		{"a key of an account, without an estate", "", []string{"a:s:43"}, "43"},
		{"no key of the estate's account", file, []string{"a:s:43"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var out bytes.Buffer
			sys := system{out: lastWords{&out, stop}, now: time.Now}
			err := sys.emulator(ctx, emulatorFlags{listen: "127.0.0.1:0", estate: test.estate, keys: test.keys})
			var ready struct{ AccountID string }
			if test.want != "" {
				err = errors.Join(err, json.Unmarshal(out.Bytes(), &ready))
			}
			if (err == nil) != (test.want != "") || ready.AccountID != test.want {
				t.Errorf("got account %q and error %v, want account %q", ready.AccountID, err, test.want)
			}
		})
	}
}

func TestQuotasAreReadAsTheyAreWritten(t *testing.T) {
	got, err := parseQuotas([]string{"5", "DescribeRegions=100/m", "*=7/s"})
	want := map[string]ecsemu.Quota{
		"": {Calls: 5, Per: time.Second}, "DescribeRegions": {Calls: 100, Per: time.Minute}, "*": {Calls: 7, Per: time.Second},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, quotas (-want +got):\n%s", err, diff)
	}
	for _, bad := range []string{"", "0", "-1", "x", "1/h", "=1", "DescribeRegions=", "DescribeRegions=1.5/s"} {
		if _, err := parseQuotas([]string{bad}); err == nil {
			t.Errorf("--quota %q was taken", bad)
		}
	}
	if _, err := parseQuotas([]string{"1", "2/m"}); err == nil {
		t.Error("two quotas of all actions were taken")
	}
}
