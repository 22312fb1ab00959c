package decision_test

import (
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/policy"
)

// TestARuleIsKeptIfAnEarlierExceptionSpeaksForItUnderEveryPolicy is about exceptions that the policies have lost.
func TestARuleIsKeptIfAnEarlierExceptionSpeaksForItUnderEveryPolicy(t *testing.T) {
	mail, web := decision.Kept{Exception: "mail", Until: noon(30)}, decision.Kept{Exception: "web", Until: noon(40)}
	reporting := revoking(func(p *policy.Policy) { p.Name, p.Action = "q", policy.Report })
	second := revoking(func(p *policy.Policy) { p.Name = "q" })
	for _, c := range []struct {
		name   string
		second *policy.Policy // nil: there is one policy only
		kept   []decision.Kept
		want   string
	}{
		{"no earlier set has lost anything", nil, nil, "revoke"},
		{"the exception of the only policy is lost", nil, []decision.Kept{mail}, "hold: new-policy"},
		{"those of both policies are lost", second, []decision.Kept{mail, web}, "hold: new-policy"},
		{"that of the first policy alone is lost", second, []decision.Kept{mail, {}}, "revoke"},
		{"that of the second policy alone is lost", second, []decision.Kept{{}, web}, "revoke"},
		{"that of the only policy that revokes is lost", reporting, []decision.Kept{mail, {}}, "hold: new-policy"},
		{"that of the policy that reports is lost", reporting, []decision.Kept{{}, web}, "revoke"},
		{"less is known than there are policies", second, []decision.Kept{mail}, "revoke"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := candidate(func(f *decision.Finding) {
				f.Kept = c.kept
				if c.second != nil {
					f.Violations = append(f.Violations, policy.Violation{Policy: c.second})
				}
			})
			s := &decision.Subject{Findings: []decision.Finding{*f}, Rules: 1, Complete: true, Now: noon(0)}
			acting().Decide(s, knowing(nil))
			d := s.Findings[0].Decision
			if got := d.String(); got != c.want {
				t.Fatalf("got %s (%s), want %s", got, d.Detail, c.want)
			}
			if c.want != "revoke" && !strings.HasPrefix(d.Detail, "the exception mail, until 2027-01-31T12:00:00Z, has vanished") {
				t.Errorf("the detail does not say which exception: %q", d.Detail)
			}
		})
	}
}
