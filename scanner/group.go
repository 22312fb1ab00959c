package scanner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// groupReader is one worker of a region. It holds the rules of one group at a time; the index is reused.
type groupReader struct {
	*regionScan

	rules []sg.Rule
	index map[string]int // where in rules the one with an ID is
	odd   string         // the first rule that was listed twice with different contents
	pages int            // of the longest listing of rules
}

// read reads the rules of one group and has it visited, unless the group is proven to be gone or the region is given up.
// reading ends with ctx, or earlier if the region is given up: then it fails without a call.
func (r *groupReader) read(ctx, reading context.Context, group sg.Group) {
	err := r.readOrProveGone(reading, &group)
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, errGone):
		r.countGone()
		return
	case err == nil:
		r.breaker.pass()
	case !r.breaker.fail(err):
		return
	}
	if err == nil {
		err = r.conflicting()
	}
	g := &Group{Group: group, Rules: r.rules}
	if err != nil {
		err = fmt.Errorf("reading rules: %w", err)
		g.Incomplete = err.Error()
		r.out.problem(Problem{Region: r.region.ID, Group: group.ID, Rule: r.odd, Err: err})
	}
	r.lists.resolve(ctx, g.Rules)
	r.visit(ctx, g)
}

// conflicting is the error of a reading that contradicts itself; nil if it does not.
func (r *groupReader) conflicting() error {
	if r.odd == "" {
		return nil
	}
	return fmt.Errorf("rule %s: %w", r.odd, errConflict)
}

// errGone says that a group is proven to be gone, which [sg.ErrGroupGone] alone does not say.
var errGone = errors.New("group proven to be gone")

// readOrProveGone does not believe the answer that a group is gone unless the group cannot be found either. If it
// can, the rules are read once more, from the start, since pages from before may be as wrong as that answer.
func (r *groupReader) readOrProveGone(ctx context.Context, group *sg.Group) error {
	for attempt := 1; ; attempt++ {
		err := r.readRules(ctx, group)
		if !errors.Is(err, sg.ErrGroupGone) {
			return err
		}
		_, there, lookErr := r.find(ctx, group.ID)
		switch {
		case lookErr != nil:
			return fmt.Errorf("%w, and looking for the group: %w", err, lookErr)
		case !there:
			return errGone
		case attempt == 2:
			return fmt.Errorf("%w, and yet it is listed", err)
		}
	}
}

// find gives the attributes of a group, or says that it is not there. It looks twice before it says so, since one look
// may hit a replica that lags behind, and lets time pass in between, since two looks at once would hit the same moment
// of it.
func (r *groupReader) find(ctx context.Context, id string) (group sg.Group, there bool, err error) {
	for look := range 2 {
		if look > 0 {
			if err := pause(ctx, r.opts.LookAgain); err != nil {
				return sg.Group{}, false, err
			}
		}
		group, there, err = r.opts.Groups.Group(ctx, r.region, id)
		if there || err != nil {
			return group, there, err
		}
	}
	return sg.Group{}, false, nil
}

// pause lets time pass, unless ctx ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readRules reads the rules of a group into r. After an error r holds those read so far.
func (r *groupReader) readRules(ctx context.Context, group *sg.Group) error {
	r.rules, r.odd, r.pages = nil, "", 0
	clear(r.index)
	for _, nic := range nics(group) {
		pages := listing[sg.Rule]{
			maxPages: r.opts.MaxRulePages,
			maxItems: r.opts.MaxRulePages * rulesPerPage,
			fetch: func(ctx context.Context, token string) (sg.Page[sg.Rule], error) {
				return r.opts.Rules.Rules(ctx, r.region, group.ID, nic, token)
			},
			same: sameRule,
			keep: r.keep,
		}
		err := pages.read(ctx)
		r.pages = max(r.pages, pages.pages)
		switch {
		case err != nil && nic != "":
			return fmt.Errorf("%s: %w", nic, err)
		case err != nil:
			return err
		}
	}
	return nil
}

// keep adds the rules of a page, each ID once. Rules without an ID cannot be told from twins, so all of them stay.
func (r *groupReader) keep(items []sg.Rule) (fresh int, err error) {
	known := len(r.rules)
	for i := range items {
		rule := &items[i]
		if rule.ID != "" {
			if first, again := r.index[rule.ID]; again {
				if r.odd == "" && !sameRule(&r.rules[first], rule) {
					r.odd = rule.ID
				}
				continue
			}
			r.index[rule.ID] = len(r.rules)
		}
		r.rules = append(r.rules, *rule)
	}
	return len(r.rules) - known, nil
}

// nics are the listings that make up a group's rules: one call answers for one NIC type only, and for a classic
// group without a type for the Internet side alone.
// Source: DescribeSecurityGroupAttribute, parameter NicType.
func nics(g *sg.Group) []string {
	if g.Classic() {
		return []string{sg.NICInternet, sg.NICIntranet}
	}
	return []string{""}
}
