package sweep

import (
	"context"
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// onePage is how many rules a listing of one page can have. A longer one may miss a rule while it shifts, so it proves
// nothing by itself.
const onePage = 1_000

// doubt reads which revocations were given up though a call of theirs may have taken effect.
func (s *sweep) doubt(ctx context.Context) error {
	list, err := s.Doubts.Doubtful(ctx, s.Account.Name)
	if err != nil {
		return fmt.Errorf("reading doubtful revocations of account %s: %w", s.Account.Name, err)
	}
	for i := range list {
		key := groupKey{list[i].Ref.Region, list[i].Ref.Group}
		s.doubts[key] = append(s.doubts[key], list[i])
	}
	return nil
}

// recognise notes which of the doubtful revocations of a group are not shown to be carried out by it.
func (s *sweep) recognise(doubts []revoker.Revocation, g *scanner.Group) {
	for i := range doubts {
		rule := &doubts[i].Rule
		s.there[doubts[i].ID] = len(g.Rules) > onePage ||
			slices.ContainsFunc(g.Rules, func(r sg.Rule) bool { return sameInstance(&r, rule) })
	}
}

// amend corrects the record of revocations whose rules turn out to be gone. Only what was read whole says so: of a group
// that was not visited nothing is known but that it may be gone.
func (s *sweep) amend(ctx context.Context) error {
	for key, doubts := range s.doubts {
		if _, visited := s.groups[key]; !visited || s.broken(key) {
			continue
		}
		for i := range doubts {
			if s.there[doubts[i].ID] {
				continue
			}
			err := s.Doubts.Amend(ctx, revoker.Ending{
				Revocation: doubts[i].ID, Outcome: revoker.Confirmed, Attribution: revoker.Presumed, At: s.Now(),
				Detail: fmt.Sprintf("it had ended as %s, but a call was sent and sweep %s found the rule gone",
					doubts[i].Outcome, s.ID),
			})
			if err != nil {
				return fmt.Errorf("amending revocation %s: %w", doubts[i].ID, err)
			}
		}
	}
	return nil
}

// broken tells whether a problem names the group.
func (s *sweep) broken(key groupKey) bool {
	return slices.ContainsFunc(s.result.Problems, func(p scanner.Problem) bool {
		return p.Region == key.region && p.Group == key.id
	})
}

// sameInstance tells whether two listings show one rule. One of the time before IDs may have got another description, or
// an ID, since.
func sameInstance(listed, rule *sg.Rule) bool {
	if rule.ID != "" {
		return listed.ID == rule.ID
	}
	return listed.ContentKey() == rule.ContentKey() && listed.Raw.Created == rule.Raw.Created
}
