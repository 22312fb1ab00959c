package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/snapshot"
	"github.com/egress-janitor/egress-janitor/scanner"
)

// findRule gets the rule from where the flags say.
func (s system) findRule(
	ctx context.Context, flags *explainFlags, ground *explainGround, id string,
) (*ruleSubject, error) {
	switch {
	case flags.ruleJSON != "":
		return s.givenRule(flags)
	case flags.snapshot != "":
		return findInSnapshot(flags, id)
	}
	return s.findInCloud(ctx, flags, ground, id)
}

// ruleNamed finds a rule by its ID, or by the name that reports give to one without.
func ruleNamed(rules []sg.Rule, id string) (*sg.Rule, bool) {
	for i := range rules {
		if r := &rules[i]; r.ID == id || r.ID == "" && r.Key() == id {
			return r, true
		}
	}
	return nil, false
}

// findInSnapshot looks for a rule in a snapshot, which is read to its end: what is cut must not be believed.
func findInSnapshot(flags *explainFlags, id string) (subject *ruleSubject, err error) {
	file, err := os.Open(flags.snapshot)
	if err != nil {
		return nil, fmt.Errorf("reading the snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	groups := map[string]bool{} // by region and ID
	header, scan, err := snapshot.Read(file, func(v *snapshot.Visit) error {
		groups[v.Group.Region+" "+v.Group.ID] = true
		elsewhere := flags.region != "" && flags.region != v.Group.Region || flags.group != "" && flags.group != v.Group.ID
		if r, there := ruleNamed(v.Rules, id); there && !elsewhere {
			subject = &ruleSubject{group: v.Group, rule: *r, incomplete: v.Incomplete}
			subject.effect = removeAlone(&v.Group, v.Rules, r, v.Incomplete)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the snapshot %s: %w", flags.snapshot, err)
	case flags.account != "" && flags.account != header.Account.Name:
		return nil, usageError{fmt.Errorf("--account is %q, and the snapshot is of %q", flags.account, header.Account.Name)}
	case subject == nil:
		return nil, fmt.Errorf("no rule %q is in the snapshot %s, which has %s; see what narrows the search: --region, --group",
			id, flags.snapshot, count(len(groups), "group", "groups"))
	}
	subject.peerGone = peerOf(subject, header.Account.ID) && !groups[subject.group.Region+" "+subject.rule.Destination.Text] &&
		slices.ContainsFunc(scan.Regions, func(r snapshot.Region) bool { return r.ID == subject.group.Region && r.Error == "" })
	subject.account = header.Account.Name
	subject.origin = fmt.Sprintf("in the snapshot %s of %s", flags.snapshot, header.Started.Format(timeForm))
	return subject, nil
}

// peerOf tells whether the destination of a rule is a group of the rule's own account, which an account's listing shows.
func peerOf(s *ruleSubject, account string) bool {
	d := &s.rule.Destination
	return d.Kind == sg.PeerGroup && (d.Owner == "" || d.Owner == account)
}

// timeForm is how times are written for people here.
const timeForm = "2006-01-02 15:04:05 MST"

// ruleSearch looks for a rule in the cloud.
type ruleSearch struct {
	system

	id     string
	flags  *explainFlags
	found  *ruleSubject
	groups int      // that were read
	rules  int      // that were read
	missed []string // what was not read, and why
}

// findInCloud looks for a rule in the accounts of the config, one after another.
func (s system) findInCloud(
	ctx context.Context, flags *explainFlags, ground *explainGround, id string,
) (*ruleSubject, error) {
	var names []string
	if flags.account != "" {
		names = []string{flags.account}
	}
	accounts, err := selectAccounts(ground.reading.config, names)
	if err != nil {
		return nil, err
	}
	e, err := s.newEngine(ground.reading.config, ground.policies, accounts, s.fromEnv())
	if err != nil {
		return nil, err
	}
	defer e.close()
	search := &ruleSearch{system: s, id: id, flags: flags}
	for _, w := range e.workers {
		if err := search.account(ctx, w); err != nil {
			return nil, err
		}
		if search.found != nil {
			if err := search.lookForPeer(ctx, w); err != nil {
				return nil, err
			}
			search.found.origin = "read from the cloud at " + s.now().Format(timeForm)
			return search.found, nil
		}
	}
	return nil, search.notFound()
}

func (s *ruleSearch) notFound() error {
	text := fmt.Sprintf("no rule %q was found; %s with %s were read", s.id,
		count(s.groups, "group", "groups"), count(s.rules, "rule", "rules"))
	if len(s.missed) == 0 {
		return errors.New(text + ", and that is all: it may have been revoked (see egress-janitor history show), " +
			"or it is an ingress rule")
	}
	const most = 10
	if more := len(s.missed) - most; more > 0 {
		s.missed = append(s.missed[:most], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%s; not read:\n  %s", text, strings.Join(s.missed, "\n  "))
}

func (s *ruleSearch) miss(what string, err error) {
	s.missed = append(s.missed, report.Clean(what+": "+err.Error()))
}

// account searches an account. The error is for what ends the command; what cannot be read is noted.
func (s *ruleSearch) account(ctx context.Context, w *worker) error {
	identity, err := w.client.Identity(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		s.miss("account "+w.account.Name, fmt.Errorf("asking whose credentials these are: %w", err))
		return nil
	case identity.AccountID != w.account.ID:
		s.miss("account "+w.account.Name, fmt.Errorf("the credentials belong to %s, not to %s", identity.AccountID, w.account.ID))
		return nil
	case s.flags.group != "":
		return s.oneGroup(ctx, w)
	}
	return s.allGroups(ctx, w)
}

// oneGroup looks for the group in each region, and reads it.
func (s *ruleSearch) oneGroup(ctx context.Context, w *worker) error {
	regions, err := s.regions(ctx, w)
	if err != nil {
		s.miss("regions of account "+w.account.Name, err)
	}
	for _, region := range regions {
		group, _, err := scanner.ReadGroup(ctx, scanner.Options{Groups: w.client, Rules: w.client}, region, s.flags.group)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			s.miss("account "+w.account.Name, err)
		case group != nil:
			s.look(w, group)
			return nil
		}
	}
	return nil
}

// regions are those in which the rule may be.
func (s *ruleSearch) regions(ctx context.Context, w *worker) ([]sg.Region, error) {
	names := w.account.Regions
	if s.flags.region != "" {
		names = []string{s.flags.region}
	}
	if names[0] == scanner.AllRegions {
		return w.client.Regions(ctx)
	}
	regions := make([]sg.Region, len(names))
	for i, name := range names {
		regions[i] = sg.Region{ID: name}
	}
	return regions, nil
}

// errFound ends a scan that has found what it was for.
var errFound = errors.New("found")

// allGroups scans until the rule is found.
func (s *ruleSearch) allGroups(ctx context.Context, w *worker) error {
	regions := w.account.Regions
	if s.flags.region != "" {
		regions = []string{s.flags.region}
	}
	progress := newProgress(s.err, w.account.Name)
	result, err := scanner.Scan(ctx, scanner.Options{
		Groups: w.client, Rules: w.client, Regions: regions, Progress: progress.show,
	}, func(g *scanner.Group) error {
		if s.look(w, g); s.found != nil {
			return errFound
		}
		return nil
	})
	progress.clear()
	switch {
	case errors.Is(err, errFound):
		return nil
	case err != nil:
		return err
	}
	for _, p := range result.Problems {
		where := strings.Fields(strings.Join([]string{"account", w.account.Name, p.Region, p.Group, p.List}, " "))
		s.miss(strings.Join(where, " "), p.Err)
	}
	return nil
}

// lookForPeer finds out whether the destination group of the rule is there, as a sweep does.
func (s *ruleSearch) lookForPeer(ctx context.Context, w *worker) error {
	if !peerOf(s.found, w.account.ID) {
		return nil
	}
	region := sg.Region{ID: s.found.group.Region}
	if regions, err := s.regions(ctx, w); err == nil {
		if i := slices.IndexFunc(regions, func(r sg.Region) bool { return r.ID == region.ID }); i >= 0 {
			region = regions[i]
		}
	}
	_, there, err := w.client.Group(ctx, region, s.found.rule.Destination.Text)
	if err != nil {
		return fmt.Errorf("looking for the destination group of rule %s: %w", s.id, err)
	}
	s.found.peerGone = !there
	return nil
}

func (s *ruleSearch) look(w *worker, g *scanner.Group) {
	s.groups++
	s.rules += len(g.Rules)
	if r, there := ruleNamed(g.Rules, s.id); there {
		s.found = &ruleSubject{account: w.account.Name, group: *g.Clone(), rule: *r, incomplete: g.Incomplete}
		s.found.effect = removeAlone(&g.Group, g.Rules, r, g.Incomplete)
	}
}
