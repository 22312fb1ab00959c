// Package sweep is the use case: read an account, find what violates its policies, decide what to do about it, and do
// it.
//
// [Run] reads and decides. With a [Ledger] it records what it found and, if it may act, which rules are to be revoked;
// without one it is an audit, which is the same code stopped early. [Settle] then works off what is open, straight
// from the store: it checks every group again, has the revoker remove what still stands, and proves it by reading.
// [Restore] creates revoked rules again. What these need of store and cloud they declare; see [Ledger] and [Worklist].
package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// Identifier tells whose credentials are in use.
type Identifier interface {
	Identity(ctx context.Context) (sg.Identity, error)
}

// Account is the account to sweep.
type Account struct {
	Name    string
	ID      string
	Regions []string
}

// Options say what to sweep, by what, and with what. All but Ledger and Progress are required.
type Options struct {
	Order

	Identity Identifier
	Groups   scanner.GroupLister
	Rules    scanner.RuleReader
	Policies *policy.Set
	Terms    *decision.Terms
	Now      func() time.Time
	NewID    func() string // of revocations; needed with a ledger only

	Ledger Ledger // nil: an audit, of which nothing is kept
	Doubts Doubts // needed with a ledger only
	// Only tells which of the rules that are decided to be revoked may be: a filter, never a licence. Nil: all of them.
	Only     func(f *decision.Finding) bool
	Progress func(scanner.Progress)
	// Visited is told of every group as it was scanned, before it is judged. It must keep nothing of it, and its error
	// ends the sweep. Nil: nobody is told.
	Visited func(*scanner.Group) error
	// Combined is told of the combinations of groups on a region's interfaces, before its groups are visited; at
	// [reach.ScopeInterface] only. Nil: nobody is told.
	Combined func(region string, combinations []scanner.Combination)
	// Recorded stands in the place of the account: it hands combinations and groups to the sweep as [scanner.Scan] does,
	// from what an earlier scan has kept, and says how far that came. Identity, Groups and Rules are not used then. Without
	// a ledger only.
	Recorded func(visit func(*scanner.Group) error, combined func(string, []scanner.Combination)) (*scanner.Result, error)
	// Scope is what effects are to speak of; empty is [reach.ScopeGroup].
	Scope reach.Scope
	// Interfaces lists interfaces; needed for [reach.ScopeInterface] only, unless Recorded is set.
	Interfaces scanner.InterfaceLister
	// Hygiene asks for what is odd about the rules of every group.
	Hygiene bool
	// Earlier are sets of policies whose exceptions still count; see [policy.Set.Missed]. Nil: none.
	Earlier []*policy.Set
}

// Order is what a sweep was started for. It is part of its result.
type Order struct {
	ID      string // of the sweep, unique
	Account Account
	Origin  revoker.Origin
	Actor   string // who ran the command, or the daemon
	Mode    string // of the config: audit, manual or enforce
	// NotExecuted is why decisions to revoke are not carried out. Empty: they are.
	NotExecuted string
	GuardsHash  string // see [Start]
}

// Acting tells whether decisions to revoke are to be carried out.
func (o *Order) Acting() bool { return o.NotExecuted == "" }

func (o *Options) validate() error {
	switch {
	case o.ID == "" || o.Account.Name == "" || o.Policies == nil || o.Terms == nil || o.Now == nil:
		return errors.New("sweep options: something required is missing")
	case o.Identity == nil && o.Recorded == nil:
		return errors.New("sweep options: nothing to read is given")
	case o.Ledger != nil && o.Recorded != nil:
		return errors.New("sweep options: what was recorded earlier must not be taken for what is there now")
	case o.Scope == reach.ScopeInterface && o.Interfaces == nil && o.Recorded == nil:
		return errors.New("sweep options: nobody can be asked for interfaces")
	case o.Ledger == nil && o.Acting():
		return errors.New("sweep options: nothing can be carried out without a ledger")
	case o.Ledger != nil && (o.NewID == nil || o.Doubts == nil):
		return errors.New("sweep options: something required with a ledger is missing")
	}
	return nil
}

// Result is what a sweep found.
type Result struct {
	Order

	PolicyHash string
	Started    time.Time
	Finished   time.Time
	Regions    []scanner.Region
	// Problems are what was not read whole, the account itself included.
	Problems []scanner.Problem
	// Unreadable are rules that were read and not understood, the first [MaxUnreadable] of them by their IDs.
	Unreadable      []scanner.Problem
	UnreadableCount int
	// Findings are sorted by region, group and rule, and decided.
	Findings []decision.Finding
	// Batches are the groups with rules that reached candidate, in the same order, and what removing these does.
	Batches []decision.Batch
	// Hygiene is what is odd about the rules of groups, sorted by region and group. Nil if nobody asked.
	Hygiene []Hygiene
	// Closing is what the recorded revocations close, over all groups; zero for a sweep that may not act.
	Closing reach.Pairs
	// Uses are what each exception of the set came to, in the set's order.
	Uses []policy.Use
	// Revocations are those that the sweep recorded to be carried out.
	Revocations []revoker.Revocation
	// Change is what differs from the policies of the last sweep. Nil if nothing does, or nothing is known of it. It is
	// filled in by the caller of [Run].
	Change *policy.Change
}

// RuleCount is how many rules were read.
func (r *Result) RuleCount() int {
	n := 0
	for i := range r.Regions {
		n += r.Regions[i].Rules
	}
	return n
}

// MaxUnreadable bounds how many rules that were not understood are named one by one.
const MaxUnreadable = 100

// Complete tells whether everything in scope was read whole.
func (r *Result) Complete() bool { return len(r.Problems) == 0 && len(r.Regions) > 0 }

// Run sweeps one account. Faults of the cloud are part of the result; the error is for a sweep that could not take
// place at all, or was cancelled.
func Run(ctx context.Context, o Options) (*Result, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := &sweep{
		Options: o,
		result:  &Result{Order: o.Order, PolicyHash: o.Policies.Hash(), Started: o.Now()},
		groups:  map[groupKey]struct{}{},
		effects: newEffects(o.Scope),
		watched: map[groupKey][]decision.ContentRef{},
		present: map[decision.ContentRef]bool{},
		doubts:  map[groupKey][]revoker.Revocation{},
		there:   map[string]bool{},
	}
	if o.Hygiene {
		s.result.Hygiene = []Hygiene{}
	}
	s.evaluator = o.Policies.Evaluator(o.Account.Name, s.result.Started)
	s.keepers = newKeepers(o.Earlier, o.Policies, o.Account.Name, s.result.Started)
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	if err := s.scan(ctx); err != nil {
		return nil, err
	}
	s.complete()
	if err := s.commit(ctx); err != nil {
		return nil, err
	}
	if err := s.amend(ctx); err != nil {
		return nil, err
	}
	return s.result, nil
}

type sweep struct {
	Options

	evaluator *policy.Evaluator
	keepers   keepers
	result    *Result
	effects   *effects
	groups    map[groupKey]struct{} // all that were seen, to know which destination groups are gone
	watched   map[groupKey][]decision.ContentRef
	present   map[decision.ContentRef]bool // of the watched contents, those that were seen
	doubts    map[groupKey][]revoker.Revocation
	there     map[string]bool // of the doubtful revocations, those whose rule was not shown to be gone
}

type groupKey struct{ region, id string }

// start records that the sweep began.
func (s *sweep) start(ctx context.Context) error {
	if s.Ledger == nil {
		return nil
	}
	watched, err := s.Ledger.Start(ctx, &Start{
		ID: s.ID, Account: s.Account, Origin: s.Origin, Actor: s.Actor, Mode: s.Mode, Acting: s.Acting(),
		PolicyHash: s.result.PolicyHash, GuardsHash: s.GuardsHash, At: s.result.Started,
	})
	if err != nil {
		return fmt.Errorf("recording the start of a sweep of account %s: %w", s.Account.Name, err)
	}
	for _, ref := range watched {
		key := groupKey{ref.Region, ref.Group}
		s.watched[key] = append(s.watched[key], ref)
	}
	return s.doubt(ctx)
}

// commit decides, with what the store knows if there is one, and records.
func (s *sweep) commit(ctx context.Context) error {
	if s.Ledger == nil {
		s.decide(nil)
		return nil
	}
	err := s.Ledger.Commit(ctx, s.result, func(state *decision.State) (*Commit, error) {
		clocks := s.decide(state)
		s.result.Revocations = s.revocations()
		first := decision.FirstSeen(s.result.Findings, state)
		return &Commit{Clocks: clocks, FirstSeen: first, Revocations: s.result.Revocations}, nil
	})
	if err != nil {
		return fmt.Errorf("recording the sweep of account %s: %w", s.Account.Name, err)
	}
	return nil
}

// revocations are the intents that follow from the decisions, if this run may act.
func (s *sweep) revocations() []revoker.Revocation {
	if !s.Acting() {
		return nil
	}
	var list []revoker.Revocation
	var chosen []*decision.Finding
	taken := map[decision.RuleRef]bool{} // without IDs, two listed rules may be one to all that is known of them
	for i := range s.result.Findings {
		f := &s.result.Findings[i]
		ref := decision.RuleRef{Region: f.Group.Region, Group: f.Group.ID, Key: f.Rule.Key()}
		if f.Decision.Action != decision.Revoke || f.Decision.Open || taken[ref] || s.Only != nil && !s.Only(f) {
			continue
		}
		taken[ref] = true
		list = append(list, revoker.Revocation{
			ID: s.NewID(), Sweep: s.ID, Ref: sg.GroupRef{Account: s.Account.Name, Region: f.Group.Region, Group: f.Group.ID},
			Rule: f.Rule, Policies: causes(f), Origin: s.Origin, Actor: s.Actor, Created: s.result.Finished,
			Effect: recorded(f.Effect),
		})
		chosen = append(chosen, f)
	}
	s.result.Closing = s.effects.closing(chosen)
	return list
}

// causes are the policies that made a finding a candidate.
func causes(f *decision.Finding) []revoker.Cause {
	var list []revoker.Cause
	for i, verdict := range f.Decision.Policies {
		if verdict.Action == decision.Candidate {
			p := f.Violations[i].Policy
			list = append(list, revoker.Cause{Policy: p.Name, Hash: p.Hash})
		}
	}
	return list
}

func (s *sweep) scan(ctx context.Context) error {
	if s.Recorded != nil {
		scan, err := s.Recorded(s.visit, s.combined)
		if err != nil {
			return fmt.Errorf("sweeping what was recorded of account %s: %w", s.Account.Name, err)
		}
		s.result.Regions, s.result.Problems = scan.Regions, scan.Problems
		return ctx.Err()
	}
	if err := checkIdentity(ctx, s.Identity, &s.Account); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("sweeping account %s: %w", s.Account.Name, ctx.Err())
		}
		s.result.Problems = []scanner.Problem{{Err: err}}
		return nil
	}
	scan, err := scanner.Scan(ctx, scanner.Options{
		Groups: s.Groups, Rules: s.Rules, Regions: s.Account.Regions, Progress: s.Progress,
		Interfaces: s.interfaces(), Combined: s.combined,
	}, s.visit)
	if err != nil {
		return fmt.Errorf("sweeping account %s: %w", s.Account.Name, err)
	}
	s.result.Regions, s.result.Problems = scan.Regions, scan.Problems
	return nil
}

// interfaces are what is asked for interfaces; nil if nobody needs to be.
func (s *sweep) interfaces() scanner.InterfaceLister {
	if s.Scope != reach.ScopeInterface {
		return nil
	}
	return s.Interfaces
}

// combined takes the combinations of groups of a region's interfaces, and hands them on.
func (s *sweep) combined(region string, combinations []scanner.Combination) {
	s.effects.combined(region, combinations)
	if s.Combined != nil {
		s.Combined(region, combinations)
	}
}

// checkIdentity makes sure that the credentials belong to the account of the config. Otherwise one account's report
// would carry another's name, and one day its rules would be revoked by the wrong policies.
func checkIdentity(ctx context.Context, identifier Identifier, account *Account) error {
	identity, err := identifier.Identity(ctx)
	if err != nil {
		return fmt.Errorf("asking whose credentials these are: %w", err)
	}
	if identity.AccountID != account.ID {
		return fmt.Errorf("the config says that account %q is %s, but the credentials belong to %s; "+
			"correct accounts[].id or use the credentials of that account", account.Name, account.ID, identity.AccountID)
	}
	return nil
}

// visit judges one group. Only what is found is kept, so memory is bounded by findings.
func (s *sweep) visit(g *scanner.Group) error {
	if s.Visited != nil {
		if err := s.Visited(g); err != nil {
			return err
		}
	}
	key := groupKey{g.Region, strings.Clone(g.ID)}
	s.groups[key] = struct{}{}
	s.look(s.watched[key], g)
	s.recognise(s.doubts[key], g)
	for i := range g.Rules {
		if r := &g.Rules[i]; r.Unreadable != "" {
			s.noteUnreadable(&g.Group, r)
		}
	}
	findings := s.evaluator.Evaluate(&g.Group, g.Rules)
	places := placesOf(findings, g.Rules)
	s.effects.keep(g, places)
	s.inspect(g)
	if len(findings) == 0 {
		return nil
	}
	kept := g.Clone()
	for i := range findings {
		f := &findings[i]
		s.result.Findings = append(s.result.Findings, decision.Finding{
			Group: kept, Rule: f.Rule.Clone(), Place: places[i], Violations: f.Violations, Incomplete: g.Incomplete,
			Kept: s.keepers.kept(&g.Group, f),
		})
	}
	return nil
}

// placesOf gives where in a group's listing the rules of findings are, which come in the order of the listing.
func placesOf(findings []policy.Finding, rules []sg.Rule) []int {
	places := make([]int, 0, len(findings))
	at := 0
	for i := range findings {
		for &rules[at] != findings[i].Rule {
			at++
		}
		places = append(places, at)
	}
	return places
}

// look notes which of the watched contents of a group are there. What was not read whole is left out: that no policy
// objects to it says nothing.
func (s *sweep) look(watched []decision.ContentRef, g *scanner.Group) {
	if len(watched) == 0 || g.Incomplete != "" {
		return
	}
	there := make(map[string]bool, len(g.Rules))
	for i := range g.Rules {
		if r := &g.Rules[i]; unresolved(r) == "" {
			there[r.ContentKey()] = true
		}
	}
	for _, ref := range watched {
		if there[ref.Key] {
			s.present[ref] = true
		}
	}
}

func (s *sweep) noteUnreadable(g *sg.Group, r *sg.Rule) {
	s.result.UnreadableCount++
	s.result.Unreadable = append(s.result.Unreadable, scanner.Problem{
		Region: g.Region, Group: strings.Clone(g.ID), Rule: strings.Clone(r.ID),
		Err: fmt.Errorf("rule not understood, so it is left alone: %s", strings.Clone(r.Unreadable)),
	})
	if len(s.result.Unreadable) >= 2*MaxUnreadable {
		s.result.Unreadable = firstUnreadable(s.result.Unreadable)
	}
}

// firstUnreadable keeps the first rules by region, group and ID: groups are visited in any order, but two sweeps of one
// estate must name the same rules.
func firstUnreadable(problems []scanner.Problem) []scanner.Problem {
	slices.SortFunc(problems, func(a, b scanner.Problem) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Err.Error(), b.Err.Error()))
	})
	return problems[:min(len(problems), MaxUnreadable)]
}

// complete adds to the findings what only the whole scan tells, and brings them into their order.
func (s *sweep) complete() {
	listed := map[string]bool{}
	for _, r := range s.result.Regions {
		listed[r.ID] = r.Err == nil
	}
	// Some faults of a group show only after it was visited, such as a second listing of it with other content.
	broken := map[groupKey]string{}
	for _, p := range s.result.Problems {
		broken[groupKey{p.Region, p.Group}] = p.Err.Error()
	}
	s.effects.broken = broken
	findings := s.result.Findings
	for i := range findings {
		f := &findings[i]
		f.Incomplete = cmp.Or(f.Incomplete, broken[groupKey{f.Group.Region, f.Group.ID}])
		f.PeerGone = listed[f.Group.Region] && s.peerGone(f)
	}
	slices.SortFunc(findings, compareFindings)
	slices.SortFunc(s.result.Hygiene, func(a, b Hygiene) int {
		return cmp.Or(cmp.Compare(a.Group.Region, b.Group.Region), cmp.Compare(a.Group.ID, b.Group.ID))
	})
	s.result.Unreadable = firstUnreadable(s.result.Unreadable)
	for _, x := range s.Policies.Exceptions {
		s.result.Uses = append(s.result.Uses, s.evaluator.Use(x))
	}
	s.result.Finished = s.Now()
}

// decide decides about all findings, by what the store knows or, with nil, without one.
func (s *sweep) decide(state *decision.State) map[decision.ClockKey]decision.Clock {
	subject := &decision.Subject{
		Findings: s.result.Findings,
		Rules:    s.result.RuleCount(),
		Complete: s.result.Complete(),
		Now:      s.result.Finished,
		Present:  s.present,
		Reach:    s.effects,
	}
	clocks := s.Terms.Decide(subject, state)
	s.result.Batches = subject.Batches
	s.effects.narrow(s.result.Findings)
	return clocks
}

// peerGone tells whether the destination group of a rule is one of this account and was not listed.
func (s *sweep) peerGone(f *decision.Finding) bool {
	d := &f.Rule.Destination
	if d.Kind != sg.PeerGroup || d.Owner != "" && d.Owner != s.Account.ID {
		return false
	}
	_, there := s.groups[groupKey{f.Group.Region, d.Text}]
	return !there
}

// compareFindings orders findings whatever order the cloud answered in. Rules without an ID go by their content.
func compareFindings(a, b decision.Finding) int {
	return cmp.Or(
		cmp.Compare(a.Group.Region, b.Group.Region),
		cmp.Compare(a.Group.ID, b.Group.ID),
		cmp.Compare(a.Rule.ID, b.Rule.ID),
		cmp.Compare(a.Rule.Destination.Text, b.Rule.Destination.Text),
		cmp.Compare(a.Rule.Raw.Protocol, b.Rule.Raw.Protocol),
		cmp.Compare(a.Rule.Raw.PortRange, b.Rule.Raw.PortRange),
		cmp.Compare(a.Rule.Raw.Priority, b.Rule.Raw.Priority),
		cmp.Compare(a.Rule.Raw.Action, b.Rule.Raw.Action),
		cmp.Compare(a.Rule.NICType, b.Rule.NICType),
		cmp.Compare(a.Rule.Source.Text, b.Rule.Source.Text),
		cmp.Compare(a.Rule.Raw.SourcePorts, b.Rule.Raw.SourcePorts),
		cmp.Compare(a.Rule.Description, b.Rule.Description),
	)
}
