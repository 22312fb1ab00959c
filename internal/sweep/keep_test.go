package sweep_test

import (
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/policy"
)

// excepted is noBad with an exception for one address.
func excepted() string {
	return noBad("0s") + `exceptions:
  - name: partner
    policies: [no-bad]
    groups: all
    match: {destination: {within: [198.51.100.1/32]}}
    reason: The partner moves.
    owner: netsec@example.com
    expires: 2099-01-31
`
}

func TestASweepHoldsWhatAnEarlierExceptionExemptedAndNothingElse(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32", "198.51.100.2/32")
	b.earlier = []*policy.Set{load(t, excepted())}
	got := map[string]string{}
	for _, f := range b.decide().Findings {
		got[f.Rule.ID] = f.Decision.String()
	}
	if got["sgr-1"] != "hold: new-policy" || got["sgr-2"] != "revoke" {
		t.Errorf("got %v, want sgr-1 held and sgr-2 revoked", got)
	}
	b.settle()
	if left := b.cloud.rules["sg-1"]; len(left) != 1 || left[0].ID != "sgr-1" {
		t.Errorf("%d rules are left, want sgr-1 alone", len(left))
	}
}

// An exception may be cut off between the sweep and the call.
func TestTheRecheckGoesByEarlierExceptions(t *testing.T) {
	b := newBench(t)
	b.cloud.add("sg-1", nil, "198.51.100.1/32")
	b.decide()
	b.earlier = []*policy.Set{load(t, excepted())}
	b.settle()
	const want = "withdrawn: the decision is now hold: new-policy: the exception partner, until 2099-02-01T00:00:00Z, has vanished"
	if got := b.outcomes()["sgr-1"]; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
