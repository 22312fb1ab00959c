package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/policy"
)

func TestGraceAndLimitsOfAPolicy(t *testing.T) {
	t.Parallel()
	type values struct {
		Grace  time.Duration
		Limits policy.Limits
	}
	const day = 24 * time.Hour
	for _, test := range []struct {
		name, lines string
		want        values
	}{
		{"nothing is said", "", values{Grace: policy.DefaultGrace}},
		{"no grace, written out", "    grace: 0s\n", values{}},
		{"no grace, in days", "    grace: 0d\n", values{}},
		{"hours", "    grace: 12h\n", values{Grace: 12 * time.Hour}},
		{"days", "    grace: 3d\n", values{Grace: 3 * day}},
		{"days and hours", "    grace: 1d12h\n", values{Grace: 36 * time.Hour}},
		{"a century", "    grace: 36500d\n", values{Grace: 36500 * day}},
		{"one limit", "    limits: {per-group: 1}\n", values{policy.DefaultGrace, policy.Limits{PerGroup: 1}}},
		{
			"both limits", "    limits: {per-sweep: 15, per-group: 5}\n",
			values{policy.DefaultGrace, policy.Limits{PerSweep: 15, PerGroup: 5}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := load(t, policyWith("{ports: [22]}")+test.lines).Policies[0]
			if diff := cmp.Diff(test.want, values{p.Grace, p.Limits}); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

// A grace that is mistaken must never be read as none.
func TestWhatIsNoGraceIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"0", "00", `""`, `" "`, "-1s", "+1h", "1d-2h", "1d+2h", "-0s", "1", "1w", "d", "1d0", "36501d", "876001h", "99999999h", "1e9d",
		"0x10h", "forever", "[1h]", "{hours: 1}",
	} {
		message := loadError(t, map[string]string{"p.yaml": policyWith("{ports: [22]}") + "    grace: " + text + "\n"}, "p.yaml")
		if !strings.HasPrefix(message, "p.yaml:10:12: ") || strings.Contains(message, "\n") {
			t.Errorf("grace %s: got %q, want one mistake at its place", text, message)
		}
	}
}
