package decision

import "fmt"

// percentFrom is the number of rules from which on an account has the limit of [Limits.Percent]: a share of a few rules
// says nothing. From here on, every percent is at least one rule.
const percentFrom = 100

// scope is what a limit counts over. Region, group and policy are empty where they do not matter to the limit.
type scope struct {
	reason    string
	region    string
	group     string
	policy    string
	most      int // that may be revoked
	elsewhere int // revocations that count beside the charged findings
}

// limit withholds every scope that is over its limit. What is charged depends on no limit, and a limit takes nothing
// from what another one counts: otherwise a smaller limit could bring a scope below a larger one.
func (d *decider) limit() {
	charged := d.charged()
	counts := map[scope]int{}
	for _, i := range charged {
		for _, s := range d.scopes(i, len(charged)) {
			counts[s]++
		}
	}
	for _, i := range charged {
		for _, s := range d.scopes(i, len(charged)) {
			if count := counts[s] + s.elsewhere; count > s.most {
				d.Findings[i].Decision.Verdict = Verdict{Action: Hold, Reason: s.reason, Detail: d.exceeded(s, count)}
				break
			}
		}
	}
}

// charged are the findings that count: those to be revoked without an open revocation, or, when open revocations are
// checked again, those that have one.
func (d *decider) charged() []int {
	var charged []int
	for i := range d.Findings {
		open := d.state != nil && d.open[i]
		if d.Findings[i].Decision.Action == Revoke && open == (d.Again != nil) {
			charged = append(charged, i)
		}
	}
	return charged
}

// scopes are those that a finding belongs to, in the order in which they are named should several be over. charged is
// how many findings count in all.
func (d *decider) scopes(i, charged int) []scope {
	f := &d.Findings[i]
	region, group := f.Group.Region, f.Group.ID
	elsewhere, byPolicy := 0, map[string]int(nil)
	if d.Again != nil {
		elsewhere, byPolicy = d.Again.Elsewhere, d.Again.ElsewhereByPolicy
	}
	scopes := []scope{
		{reason: ReasonLimitPerGroup, region: region, group: group, most: d.Limits.PerGroup},
		{reason: ReasonLimitPerSweep, most: d.Limits.PerSweep, elsewhere: elsewhere},
	}
	if d.Rules >= percentFrom {
		scopes = append(scopes, scope{
			reason: ReasonLimitPercent, most: d.Rules * d.Limits.Percent / 100, elsewhere: elsewhere,
		})
	}
	if d.state != nil {
		scopes = append(scopes, scope{reason: ReasonLimitPerWindow, most: d.Limits.PerWindow, elsewhere: d.window(charged)})
	}
	for p, verdict := range f.Decision.Policies {
		if verdict.Action != Candidate {
			continue
		}
		name, limits := f.Violations[p].Policy.Name, f.Violations[p].Policy.Limits
		if limits.PerGroup > 0 {
			scopes = append(scopes, scope{
				reason: ReasonLimitPolicyPerGroup, region: region, group: group, policy: name, most: limits.PerGroup,
			})
		}
		if limits.PerSweep > 0 {
			scopes = append(scopes, scope{
				reason: ReasonLimitPolicyPerSweep, policy: name, most: limits.PerSweep, elsewhere: byPolicy[name],
			})
		}
	}
	return scopes
}

// window is what counts for the window beside the charged findings. When these are checked again, the store has
// counted them already.
func (d *decider) window(charged int) int {
	if d.Again != nil {
		return d.state.Window - charged
	}
	return d.state.Window
}

// exceeded says by how much a scope is over its limit, and what to do.
func (d *decider) exceeded(s scope, count int) string {
	what, key := "rules of the group", "limits.per-group in the config"
	switch s.reason {
	case ReasonLimitPerSweep:
		what, key = "rules of the sweep", "limits.per-sweep in the config"
	case ReasonLimitPercent:
		what, key = fmt.Sprintf("of the account's %d rules", d.Rules), "limits.percent in the config"
	case ReasonLimitPerWindow:
		what = fmt.Sprintf("rules of all accounts within %s", span(Window))
		key = "limits.per-window in the config, or wait until earlier revocations are older than that"
	case ReasonLimitPolicyPerGroup:
		what, key = "rules of the group by policy "+s.policy, "limits.per-group in the policy"
	case ReasonLimitPolicyPerSweep:
		what, key = "rules of the sweep by policy "+s.policy, "limits.per-sweep in the policy"
	}
	return fmt.Sprintf("%d %s would be revoked, more than the %d that may be; if all of them are meant, raise %s",
		count, what, s.most, key)
}
