package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/policy"
)

// advise says what would have to change for another decision: what each policy's verdict depends on, and then what keeps
// the rule whatever the policies say.
func (d *explained) advise() []string {
	if d.explanation.Finding == nil {
		return nil
	}
	var hints []string
	for i := range d.explanation.Finding.Violations {
		verdict := d.decision.Policies[i]
		// Beside a policy that would have the rule revoked, those that only might do not matter.
		if d.decision.Batch == (verdict.Action == decision.Candidate) {
			hints = append(hints, adviseOn(&d.explanation.Finding.Violations[i], verdict)...)
		}
	}
	if d.decision.Batch {
		hints = append(hints, adviseOnGuard(&d.decision)...)
	}
	return unique(hints)
}

// unique leaves out what was said before: several policies may depend on one exception.
func unique(lines []string) []string {
	var list []string
	for _, line := range lines {
		if !slices.Contains(list, line) {
			list = append(list, line)
		}
	}
	return list
}

// adviseOn is about the verdict of one policy.
func adviseOn(v *policy.Violation, verdict decision.Verdict) []string {
	p := v.Policy
	at := fmt.Sprintf("policy %s (%s)", p.Name, p.Pos)
	switch {
	case verdict.Action == decision.Exempt:
		return []string{fmt.Sprintf("exception %s (%s) takes the rule out of %s until %s; without it %s objects",
			v.Exempt.Name, v.Exempt.Pos, p.Name, v.Exempt.Expires.Format(timeForm), p.Name)}
	case verdict.Action == decision.Candidate && p.Grace > 0:
		return []string{fmt.Sprintf("%s waits for its grace, which counts as over here: a recorded sweep holds the rule until "+
			"the policy has objected for %s", at, strings.TrimSuffix(strings.TrimSuffix(p.Grace.String(), "0s"), "0m"))}
	}
	switch verdict.Reason {
	case decision.ReasonExceptionUnknown:
		return []string{fmt.Sprintf("let what exception %s (%s) asks for be read, or narrow the exception",
			v.Unsure.Name, v.Unsure.Pos)}
	case decision.ReasonPolicy:
		return []string{at + " only reports: `action: revoke` would make the rule a candidate"}
	case decision.ReasonInvalidExpiry:
		return []string{"correct the expiry date that cannot be understood: the policy objects once the date has passed"}
	case decision.ReasonStaleSet:
		return []string{"the contents of a set are not to be trusted: " + v.Stale + "; mend it, or, if they are as they should " +
			"be, say so by egress-janitor policy accept-set"}
	case decision.ReasonNoEffect:
		return []string{at + " leaves alone what closes nothing (`only-if: closes`): without that key the rule would be a " +
			"candidate, though what it permits stays as it is"}
	case decision.ReasonEffectUnknown:
		return []string{at + " asks for what closes something (`only-if: closes`), and here nobody can tell: " +
			"give the rule as it is in the cloud or in a snapshot, or see why something could not be read"}
	case decision.ReasonBaseline:
		return []string{at + " leaves alone what was there before its `baseline`, and what nobody knows to be newer: " +
			"an earlier one, or none, would object"}
	case decision.ReasonDropRule:
		return []string{"the rule drops traffic, so revoking it may open some: " + at + " must say `allow-opening: true`"}
	case decision.ReasonCollateral:
		return []string{
			"narrow the rule to what is permitted beyond, so that nothing is left to object to",
			"or say `collateral: revoke` in " + at + ", if all that the rule permits may go",
		}
	}
	return nil
}

// adviseOnGuard is about a rule that at least one policy would have revoked.
func adviseOnGuard(d *decision.Decision) []string {
	switch d.Reason {
	case "":
		return []string{
			"to keep the rule, narrow it until no policy objects, or write an exception for it with an end",
		}
	case decision.ReasonManaged:
		return []string{"the rule is its cloud service's business: nobody else can change it"}
	case decision.ReasonProtected:
		return []string{"take the protection away, if the group is to be looked after again"}
	case decision.ReasonIncomplete:
		return []string{"see why it could not be read: rights of the scanning role, or an API that fails"}
	case decision.ReasonUnreadable:
		return []string{"a rule that is not understood is left to people: look at it in the console"}
	case decision.ReasonNoRuleID:
		return []string{"say `revoke-without-rule-id: true` for the account, or revoke the rule by hand"}
	case decision.ReasonNotRestorable:
		return []string{"revoke the rule by hand, if it is not needed: it could not be restored"}
	}
	return nil
}
