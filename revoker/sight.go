package revoker

import (
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// sight is what the latest listing shows of a group, and how often in a row rules were missing.
type sight struct {
	rules  map[string]*sg.Rule // by ID
	flat   map[flatKey]*sg.Rule
	equals map[string]int // how many rules say the same, by content
	absent map[string]int // listings in a row that lack the rule, by revocation
	proven map[string]bool
}

// flatKey recognises a rule that had no ID when it was decided on. The time of creation tells it from a twin that was
// created again. Neither the description nor an ID that the rule was given since is part of it: then it changed, but it
// is not gone.
type flatKey struct{ content, created string }

func flatKeyOf(r *sg.Rule) flatKey { return flatKey{content: r.ContentKey(), created: r.Raw.Created} }

// observe takes in a listing.
func (s *sight) observe(listing *Listing, open []Revocation) {
	if s.absent == nil {
		s.absent, s.proven = map[string]int{}, map[string]bool{}
	}
	s.rules, s.flat, s.equals = make(map[string]*sg.Rule, len(listing.Rules)), map[flatKey]*sg.Rule{}, map[string]int{}
	byFields := false // only then are contents needed, which take their time
	for i := range open {
		byFields = byFields || open[i].Rule.ID == ""
	}
	for i := range listing.Rules {
		rule := &listing.Rules[i]
		if rule.ID != "" {
			s.rules[rule.ID] = rule
		}
		if byFields {
			key := flatKeyOf(rule)
			s.flat[key] = rule
			s.equals[key.content]++
		}
	}
	for i := range open {
		v := &open[i]
		if _, ok := s.rule(v); ok {
			s.absent[v.ID], s.proven[v.ID] = 0, false
			continue
		}
		s.absent[v.ID]++
		// While rules are removed, those behind them move to earlier pages, and a listing in several parts may skip one.
		s.proven[v.ID] = listing.Gone || listing.Pages <= 1 || s.absent[v.ID] >= 2
	}
}

// rule gives the rule instance of a revocation as it was listed.
func (s *sight) rule(v *Revocation) (*sg.Rule, bool) {
	if v.Rule.ID != "" {
		rule, ok := s.rules[v.Rule.ID]
		return rule, ok
	}
	rule, ok := s.flat[flatKeyOf(&v.Rule)]
	return rule, ok
}

// unproven tells whether a rule is missing that another listing must lack, too.
func (s *sight) unproven(open []Revocation) bool {
	for i := range open {
		if s.absent[open[i].ID] > 0 && !s.proven[open[i].ID] {
			return true
		}
	}
	return false
}
