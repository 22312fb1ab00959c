package sweep

import (
	"context"
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// Modes of the config, as far as they bound what may be carried out.
const (
	modeManual  = "manual"
	modeEnforce = "enforce"
)

// checker reads a group again and decides again, by what policies, mode, guards and clock say now.
type checker struct {
	*SettleOptions

	endpoints map[string]sg.Region // by ID, where all regions are looked after
}

// newChecker makes sure that the credentials are of the account, and learns where its regions answer.
func newChecker(ctx context.Context, o *SettleOptions) (*checker, error) {
	if err := checkIdentity(ctx, o.Identity, &o.Account); err != nil {
		return nil, err
	}
	c := &checker{SettleOptions: o, endpoints: map[string]sg.Region{}}
	if len(o.Account.Regions) != 1 || o.Account.Regions[0] != scanner.AllRegions {
		return c, nil
	}
	regions, err := o.Groups.Regions(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing regions: %w", err)
	}
	for _, region := range regions {
		c.endpoints[region.ID] = region
	}
	return c, nil
}

func (c *checker) region(id string) sg.Region {
	if region, known := c.endpoints[id]; known {
		return region
	}
	return sg.Region{ID: id}
}

// read reads a group whole. Nil says that it is proven not to exist.
func (c *checker) read(ctx context.Context, ref sg.GroupRef) (*scanner.Group, *revoker.Listing, error) {
	listing := &revoker.Listing{At: c.Now()}
	g, pages, err := scanner.ReadGroup(ctx, scanner.Options{
		Groups: c.Groups, Rules: c.Rules, Regions: []string{ref.Region}, LookAgain: c.LookAgain,
	}, c.region(ref.Region), ref.Group)
	if err != nil {
		return nil, nil, fmt.Errorf("reading group %s again: %w", ref.Group, err)
	}
	if listing.Gone = g == nil; listing.Gone {
		return nil, listing, nil
	}
	listing.Rules, listing.Pages = g.Rules, pages
	return g, listing, nil
}

// readTagsAgain reads the attributes of a group once more, after its rules: a tag is how people object, and one that was
// set while the rules were read must count. A group that is gone by now is left to the next listing.
func (c *checker) readTagsAgain(ctx context.Context, ref sg.GroupRef, group *sg.Group) error {
	latest, there, err := c.Groups.Group(ctx, c.region(ref.Region), ref.Group)
	if err != nil {
		return fmt.Errorf("reading group %s again: %w", ref.Group, err)
	}
	if there {
		latest.Region = group.Region
		*group = latest
	}
	return nil
}

// List implements [revoker.Checker].
func (c *checker) List(ctx context.Context, ref sg.GroupRef) (*revoker.Listing, error) {
	_, listing, err := c.read(ctx, ref)
	return listing, err
}

// Check implements [revoker.Checker]: all of a decision is made again, not some of it.
func (c *checker) Check(ctx context.Context, work *revoker.Work) (*revoker.Check, error) {
	group, listing, err := c.read(ctx, work.Ref)
	if err != nil {
		return nil, err
	}
	check := &revoker.Check{Listing: *listing, Withdrawn: map[string]string{}, ReadAt: c.Now()}
	present := c.Present()
	known, err := c.Worklist.Recheck(ctx, work.Ref, present.Policies.Hash())
	if err != nil {
		return nil, fmt.Errorf("checking group %s again: %w", work.Ref.Group, err)
	}
	if err := c.sameAccount(work, known); err != nil {
		return nil, err
	}
	if group == nil {
		return check, nil
	}
	if err := c.readTagsAgain(ctx, work.Ref, &group.Group); err != nil {
		return nil, err
	}
	check.ReadAt = c.Now()
	findings, err := c.findings(ctx, &present, group)
	if err != nil {
		return nil, err
	}
	effects, err := c.effects(ctx, &present, group, findings)
	if err != nil {
		return nil, err
	}
	decided := map[string]map[string]decision.Decision{} // by sweep, then by rule
	for id, share := range known.Sweeps {
		decided[id] = c.decide(present.Terms, &decision.Subject{
			Findings: slices.Clone(findings), Rules: share.Rules, Complete: true, Now: c.Now(), Again: &share.Again,
			Reach: effects,
		}, onlyOpenOf(id, work, known.State))
	}
	for i := range work.Revocations {
		r := &work.Revocations[i]
		if why := objection(r, &present, decided[r.Sweep]); why != "" {
			check.Withdrawn[r.ID] = why + unreadList(r, group.Rules)
		}
	}
	return check, nil
}

// onlyOpenOf gives the state with the open revocations of one sweep alone: its limits are not charged for what another
// sweep decided in the same group.
func onlyOpenOf(sweep string, work *revoker.Work, state *decision.State) *decision.State {
	mine := *state
	mine.Open = map[decision.RuleRef]bool{}
	for i := range work.Revocations {
		if r := &work.Revocations[i]; r.Sweep == sweep {
			mine.Open[decision.RuleRef{Region: work.Ref.Region, Group: work.Ref.Group, Key: r.Rule.Key()}] = true
		}
	}
	return &mine
}

// findings evaluates the group.
func (c *checker) findings(ctx context.Context, present *Present, group *scanner.Group) ([]decision.Finding, error) {
	var findings []decision.Finding
	now := c.Now()
	keepers := newKeepers(present.Earlier, present.Policies, c.Account.Name, now)
	found := present.Policies.Evaluator(c.Account.Name, now).Evaluate(&group.Group, group.Rules)
	places := placesOf(found, group.Rules)
	for i := range found {
		f := &found[i]
		gone, err := c.peerGone(ctx, &group.Group, f.Rule)
		if err != nil {
			return nil, err
		}
		findings = append(findings, decision.Finding{
			Group: &group.Group, Rule: f.Rule.Clone(), Place: places[i], Violations: f.Violations, PeerGone: gone,
			Kept: keepers.kept(&group.Group, f),
		})
	}
	return findings, nil
}

// effects are what removing rules of the group does now. At scope interface the cloud is asked for interfaces and for the
// other groups on them, if a policy goes by effects at all.
func (c *checker) effects(
	ctx context.Context, present *Present, group *scanner.Group, findings []decision.Finding,
) (*effects, error) {
	e := newEffects(present.Scope)
	if present.Scope != reach.ScopeInterface || !goesByEffects(findings) {
		e.scope = reach.ScopeGroup
		e.keep(group, placesIn(findings))
		return e, nil
	}
	region := c.region(group.Region)
	combinations, err := scanner.ReadInterfaces(ctx, scanner.Options{Interfaces: c.Interfaces}, region)
	if err != nil {
		return nil, fmt.Errorf("looking for the interfaces of group %s: %w", group.ID, err)
	}
	e.combined(group.Region, combinations)
	e.keep(group, placesIn(findings))
	read := map[string]bool{group.ID: true}
	for _, combination := range e.having(groupKey{group.Region, group.ID}) {
		for _, id := range combination.Groups {
			if read[id] {
				continue
			}
			read[id] = true
			sibling, _, err := c.read(ctx, sg.GroupRef{Account: c.Account.Name, Region: group.Region, Group: id})
			if err != nil {
				return nil, err
			}
			if sibling != nil {
				e.keep(sibling, nil)
			}
		}
	}
	return e, nil
}

// goesByEffects tells whether a policy asks for them.
func goesByEffects(findings []decision.Finding) bool {
	for i := range findings {
		for k := range findings[i].Violations {
			if findings[i].Violations[k].Policy.OnlyIfCloses {
				return true
			}
		}
	}
	return false
}

func placesIn(findings []decision.Finding) []int {
	places := make([]int, len(findings))
	for i := range findings {
		places[i] = findings[i].Place
	}
	return places
}

// peerGone tells whether the destination group of a rule is one of this account and is not there any more.
func (c *checker) peerGone(ctx context.Context, group *sg.Group, rule *sg.Rule) (bool, error) {
	d := &rule.Destination
	if d.Kind != sg.PeerGroup || d.Owner != "" && d.Owner != c.Account.ID {
		return false, nil
	}
	_, there, err := c.Groups.Group(ctx, c.region(group.Region), d.Text)
	if err != nil {
		return false, fmt.Errorf("looking for the destination group of rule %s: %w", rule.ID, err)
	}
	return !there, nil
}

// decide decides about a group's findings as the sweep did that the revocations come from. It gives the decisions by
// the keys of the rules.
func (c *checker) decide(
	terms *decision.Terms, subject *decision.Subject, state *decision.State,
) map[string]decision.Decision {
	terms.Decide(subject, state)
	decisions := make(map[string]decision.Decision, len(subject.Findings))
	for i := range subject.Findings {
		decisions[subject.Findings[i].Rule.Key()] = subject.Findings[i].Decision
	}
	return decisions
}

// sameAccount refuses what was decided when the name meant another account: its groups are not gone, but out of sight.
func (c *checker) sameAccount(work *revoker.Work, known *Recheck) error {
	for id, share := range known.Sweeps {
		if share.AccountID != c.Account.ID {
			return fmt.Errorf("group %s was swept (%s) when account %s was %s, which is %s now: correct accounts[].id, "+
				"or give the other account a name of its own", work.Ref.Group, id, c.Account.Name, share.AccountID, c.Account.ID)
		}
	}
	return nil
}

// unreadList says that what a rule leads to could not be read, by which any decision falls.
func unreadList(r *revoker.Revocation, rules []sg.Rule) string {
	for i := range rules {
		if what := unresolved(&rules[i]); what != "" && rules[i].Key() == r.Rule.Key() {
			return fmt.Sprintf(" (the %s could not be read)", what)
		}
	}
	return ""
}

// unresolved names a list that a rule refers to and that could not be read, or nothing.
func unresolved(r *sg.Rule) string {
	switch {
	case r.Destination.Kind == sg.FromList && r.Destination.List == nil:
		return "prefix list " + r.Destination.Text
	case r.PortListID != "" && r.PortList == nil:
		return "port list " + r.PortListID
	}
	return ""
}

// objection says why a revocation does not stand any more, or nothing if it does. A rule that is gone or was changed is
// not its business, but the revoker's: no decision is found for these.
func objection(r *revoker.Revocation, present *Present, decided map[string]decision.Decision) string {
	mode := present.Mode
	switch {
	case present.Stop != "":
		return present.Stop
	case decided == nil:
		return "the sweep that decided it is not on record"
	case !slices.Contains(present.Regions, r.Ref.Region) && !slices.Contains(present.Regions, scanner.AllRegions):
		return "the config does not have the region any more"
	case mode != modeEnforce && (mode != modeManual || r.Origin != revoker.ByCommand):
		return fmt.Sprintf("the mode is %s now, which carries out nothing that was decided by %s", mode, r.Origin)
	}
	d, found := decided[r.Rule.Key()]
	switch {
	case !found:
		return "no policy objects to the rule any more"
	case d.Action == decision.Revoke:
		return ""
	case d.Detail == "":
		return "the decision is now " + d.String()
	}
	return fmt.Sprintf("the decision is now %s: %s", d.Verdict, d.Detail)
}
