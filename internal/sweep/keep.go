package sweep

import (
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// keepers tell which exceptions of earlier sets of policies still count; see [policy.Set.Missed].
type keepers []*policy.Keeper

func newKeepers(earlier []*policy.Set, policies *policy.Set, account string, now time.Time) keepers {
	var list keepers
	for _, set := range earlier {
		list = append(list, set.Keeper(policies, account, now))
	}
	return list
}

// kept gives, for each violation of a finding, the exception of an earlier set that exempts the rule from the policy;
// nil if there is none at all.
func (k keepers) kept(group *sg.Group, f *policy.Finding) []decision.Kept {
	var kept []decision.Kept
	for i := range f.Violations {
		for _, keeper := range k {
			x := keeper.Exempting(f.Violations[i].Policy, group, f.Rule)
			if x == nil {
				continue
			}
			if kept == nil {
				kept = make([]decision.Kept, len(f.Violations))
			}
			kept[i] = decision.Kept{Exception: x.Name, Until: x.Expires}
			break
		}
	}
	return kept
}
