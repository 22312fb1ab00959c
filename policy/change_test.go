package policy_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

const changeFile = `version: 1
policies:
  - name: no-open-world
    description: Nothing reaches the whole Internet.
    severity: critical
    owner: netsec@example.com
    groups: all
    match: {destination: {covers: [0.0.0.0/0]}}
    action: report
    grace: 72h
    limits: {per-sweep: 5}
exceptions:
  - name: mail
    policies: [no-open-world]
    groups: all
    match: {ports: {within: [25]}}
    reason: The relay.
    owner: mail@example.com
    expires: 2026-12-31
`

// changed loads the file with one text replaced by another.
func changed(t *testing.T, old, replacement string) *policy.Set {
	t.Helper()
	text := strings.Replace(changeFile, old, replacement, 1)
	if text == changeFile && old != replacement {
		t.Fatalf("%q is not in the file", old)
	}
	set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(text)}}, []string{"p.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func changeTime() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }

// vanished is the file's only exception, with all that belongs to it.
func vanished() string {
	_, rest, _ := strings.Cut(changeFile, "exceptions:")
	return "exceptions:" + rest
}

func TestAChangeIsSaidWithWhatItMeans(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, old, replacement string
		now                    time.Time
		want                   []policy.Line
	}{
		{name: "nothing", old: "x", replacement: "x"},
		{name: "a text that decides nothing", old: "The relay.", replacement: "The mail relay."},
		{
			name: "an exception that vanished", old: vanished(), replacement: "",
			want: []policy.Line{{Text: "exception mail vanished: it would have held until 2027-01-01T00:00:00Z", Wider: true}},
		},
		{
			name: "an exception that was removed after its end", old: vanished(), replacement: "",
			now:  time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC),
			want: []policy.Line{{Text: "exception mail was removed; it had expired on 2027-01-01T00:00:00Z"}},
		},
		{
			name: "an exception that ends earlier", old: "2026-12-31", replacement: "2026-12-01",
			want: []policy.Line{
				{Text: "exception mail: expires is 2026-12-02T00:00:00Z, and was 2027-01-01T00:00:00Z", Wider: true},
			},
		},
		{
			name: "an exception that ends later", old: "2026-12-31", replacement: "2027-12-31",
			want: []policy.Line{{Text: "exception mail: expires is 2028-01-01T00:00:00Z, and was 2027-01-01T00:00:00Z"}},
		},
		{
			name: "an exception that speaks of other rules", old: "[25]", replacement: "[26]",
			want: []policy.Line{{Text: "exception mail: match was changed", Wider: true}},
		},
		{
			name: "an action that is sharper", old: "action: report", replacement: "action: revoke",
			want: []policy.Line{{Text: "policy no-open-world: action is revoke, and was report", Wider: true}},
		},
		{
			name: "a shorter grace", old: "grace: 72h", replacement: "grace: 1h",
			want: []policy.Line{{Text: "policy no-open-world: grace is 1h0m0s, and was 72h0m0s", Wider: true}},
		},
		{
			name: "a longer grace", old: "grace: 72h", replacement: "grace: 100h",
			want: []policy.Line{{Text: "policy no-open-world: grace is 100h0m0s, and was 72h0m0s"}},
		},
		{
			name: "a limit that is gone", old: "    limits: {per-sweep: 5}\n", replacement: "",
			want: []policy.Line{{Text: "policy no-open-world: limits.per-sweep is none, and was 5", Wider: true}},
		},
		{
			name: "a smaller limit", old: "per-sweep: 5", replacement: "per-sweep: 4",
			want: []policy.Line{{Text: "policy no-open-world: limits.per-sweep is 4, and was 5"}},
		},
		{
			name: "collateral that is given up", old: "grace: 72h", replacement: "collateral: revoke",
			want: []policy.Line{{Text: "policy no-open-world: collateral is revoke, and was hold", Wider: true}},
		},
		{
			name: "other groups", old: "groups: all\n    match: {dest", replacement: "groups: {names: [web]}\n    match: {dest",
			want: []policy.Line{{Text: "policy no-open-world: groups was changed", Wider: true}},
		},
		{
			name: "a baseline", old: "grace: 72h", replacement: "baseline: 2026-12-01",
			want: []policy.Line{{Text: "policy no-open-world: baseline is 2026-12-01T00:00:00Z, and was none"}},
		},
		{
			name: "a name", old: "name: mail", replacement: "name: relay",
			want: []policy.Line{
				{Text: "exception mail vanished: it would have held until 2027-01-01T00:00:00Z", Wider: true},
				{Text: "exception relay was added, until 2027-01-01T00:00:00Z"},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := c.now
			if now.IsZero() {
				now = changeTime()
			}
			change := policy.Compare(changed(t, "x", "x"), changed(t, c.old, c.replacement), now)
			if diff := cmp.Diff(c.want, change.Lines()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if change.Empty() != (c.want == nil) {
				t.Errorf("empty is %t, with %d lines", change.Empty(), len(c.want))
			}
		})
	}
}

func TestAnExceptionThatWasLostStillCountsUnlessItsEndWasWritten(t *testing.T) {
	t.Parallel()
	rule := sg.NewRule(&sg.Fields{
		ID: "sgr-1", Protocol: "tcp", PortRange: "25/25", CIDR4: "0.0.0.0/0", Policy: "Accept", Priority: "1",
	})
	group := &sg.Group{Region: "cn-a", ID: "sg-1"}
	for _, c := range []struct {
		name, old, replacement string
		now                    time.Time
		want                   bool
	}{
		{name: "it is still there", old: "x", replacement: "x"},
		{name: "it vanished", old: vanished(), replacement: "", want: true},
		{name: "it vanished after its end", old: vanished(), replacement: "", now: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)},
		{name: "it was given a date in the past", old: "2026-12-31", replacement: "2026-10-31"},
		{name: "it was given a later date", old: "2026-12-31", replacement: "2027-12-31"},
		{name: "it was given an earlier date in the future", old: "2026-12-31", replacement: "2026-12-01", want: true},
		{name: "it has another name", old: "name: mail", replacement: "name: relay"},
		{name: "it exempts other rules", old: "[25]", replacement: "[26]", want: true},
		{name: "its owner is another one", old: "mail@example.com", replacement: "relay@example.com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := c.now
			if now.IsZero() {
				now = changeTime()
			}
			before, after := changed(t, "x", "x"), changed(t, c.old, c.replacement)
			missed := before.Missed(after, now)
			if missed.None() == c.want {
				t.Errorf("missed is %+v, want some: %t", missed, c.want)
			}
			x := before.Keeper(after, "prod", now).Exempting(after.Policies[0], group, &rule)
			if (x != nil) != c.want {
				t.Errorf("the earlier exception counts: %t, want %t", x != nil, c.want)
			}
		})
	}
}
