// Package sweep is the use case: read an account, find what violates its policies, decide what to do about it.
//
// A sweep of this version only reads. It is the same code that an acting one will run, stopped before it acts.
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
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
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

// Options say what to sweep, by what, and with what. All but Progress are required.
type Options struct {
	ID       string // of the sweep, unique
	Account  Account
	Identity Identifier
	Groups   scanner.GroupLister
	Rules    scanner.RuleReader
	Policies *policy.Set
	Guards   *decision.Guards
	Now      func() time.Time
	Progress func(scanner.Progress)
}

func (o *Options) validate() error {
	if o.ID == "" || o.Account.Name == "" || o.Identity == nil || o.Policies == nil || o.Guards == nil || o.Now == nil {
		return errors.New("sweep options: something required is missing")
	}
	return nil
}

// Result is what a sweep found.
type Result struct {
	ID       string
	Account  Account
	Started  time.Time
	Finished time.Time
	Regions  []scanner.Region
	// Problems are what was not read whole, the account itself included.
	Problems []scanner.Problem
	// Unreadable are rules that were read and not understood, the first [MaxUnreadable] of them by their IDs.
	Unreadable      []scanner.Problem
	UnreadableCount int
	// Findings are sorted by region, group and rule, and decided.
	Findings []decision.Finding
	// Uses are what each exception of the set came to, in the set's order.
	Uses []policy.Use
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
		result:  &Result{ID: o.ID, Account: o.Account, Started: o.Now()},
		groups:  map[groupKey]struct{}{},
	}
	s.evaluator = o.Policies.Evaluator(o.Account.Name, s.result.Started)
	if err := s.scan(ctx); err != nil {
		return nil, err
	}
	s.decide()
	s.result.Finished = o.Now()
	return s.result, nil
}

type sweep struct {
	Options

	evaluator *policy.Evaluator
	result    *Result
	groups    map[groupKey]struct{} // all that were seen, to know which destination groups are gone
}

type groupKey struct{ region, id string }

func (s *sweep) scan(ctx context.Context) error {
	if err := s.checkIdentity(ctx); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("sweeping account %s: %w", s.Account.Name, ctx.Err())
		}
		s.result.Problems = []scanner.Problem{{Err: err}}
		return nil
	}
	scan, err := scanner.Scan(ctx, scanner.Options{
		Groups: s.Groups, Rules: s.Rules, Regions: s.Account.Regions, Progress: s.Progress,
	}, s.visit)
	if err != nil {
		return fmt.Errorf("sweeping account %s: %w", s.Account.Name, err)
	}
	s.result.Regions, s.result.Problems = scan.Regions, scan.Problems
	return nil
}

// checkIdentity makes sure that the credentials belong to the account of the config. Otherwise one account's report
// would carry another's name, and one day its rules would be revoked by the wrong policies.
func (s *sweep) checkIdentity(ctx context.Context) error {
	identity, err := s.Identity.Identity(ctx)
	if err != nil {
		return fmt.Errorf("asking whose credentials these are: %w", err)
	}
	if identity.AccountID != s.Account.ID {
		return fmt.Errorf("the config says that account %q is %s, but the credentials belong to %s; "+
			"correct accounts[].id or use the credentials of that account", s.Account.Name, s.Account.ID, identity.AccountID)
	}
	return nil
}

// visit judges one group. Only what is found is kept, so memory is bounded by findings.
func (s *sweep) visit(g *scanner.Group) error {
	s.groups[groupKey{g.Region, strings.Clone(g.ID)}] = struct{}{}
	for i := range g.Rules {
		if r := &g.Rules[i]; r.Unreadable != "" {
			s.noteUnreadable(&g.Group, r)
		}
	}
	var kept *sg.Group
	for _, f := range s.evaluator.Evaluate(&g.Group, g.Rules) {
		if kept == nil {
			kept = g.Clone()
		}
		s.result.Findings = append(s.result.Findings, decision.Finding{
			Group: kept, Rule: f.Rule.Clone(), Violations: f.Violations, Incomplete: g.Incomplete,
		})
	}
	return nil
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

func (s *sweep) decide() {
	listed := map[string]bool{}
	for _, r := range s.result.Regions {
		listed[r.ID] = r.Err == nil
	}
	// Some faults of a group show only after it was visited, such as a second listing of it with other content.
	broken := map[groupKey]string{}
	for _, p := range s.result.Problems {
		broken[groupKey{p.Region, p.Group}] = p.Err.Error()
	}
	findings := s.result.Findings
	for i := range findings {
		f := &findings[i]
		f.Incomplete = cmp.Or(f.Incomplete, broken[groupKey{f.Group.Region, f.Group.ID}])
		f.PeerGone = listed[f.Group.Region] && s.peerGone(f)
		f.Decision = s.Guards.Decide(f)
	}
	slices.SortFunc(findings, compareFindings)
	s.result.Unreadable = firstUnreadable(s.result.Unreadable)
	for _, x := range s.Policies.Exceptions {
		s.result.Uses = append(s.result.Uses, s.evaluator.Use(x))
	}
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
