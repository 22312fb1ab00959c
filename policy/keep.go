package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Missed are exceptions of an earlier set that a later one has lost though they had not expired.
type Missed struct {
	Vanished []*Exception // of which the later set has none of that name
	Changed  []*Exception // of which it has one that exempts something else
}

// None tells whether nothing was lost.
func (m *Missed) None() bool { return len(m.Vanished)+len(m.Changed) == 0 }

// Missed gives the exceptions that must still count beside a later set: those that had not expired and are in the later
// set neither as they were nor with an end of their own that has passed.
//
// A file of policies that was cut between two entries is a legal file with fewer exceptions, and one that stays that way
// is a legal file for ever. Nothing in it tells a cut from the wish to end an exception, so the wish must be written: an
// exception is ended by a date in the past, which no cut can write, and removed afterwards. Until then, or until a
// person accepts the change, what the earlier one exempted is not revoked.
func (s *Set) Missed(later *Set, now time.Time) Missed {
	var m Missed
	for _, x := range s.Exceptions {
		switch {
		case !x.missed(later, now):
		case later.exception(x.Name) == nil:
			m.Vanished = append(m.Vanished, x)
		default:
			m.Changed = append(m.Changed, x)
		}
	}
	return m
}

// missed tells whether a later set has lost the exception.
func (e *Exception) missed(later *Set, now time.Time) bool {
	if e.endsWith(later, now) {
		return false
	}
	return !slices.ContainsFunc(later.Exceptions, func(y *Exception) bool {
		return !y.Expires.Before(e.Expires) && y.meaning() == e.meaning()
	})
}

// endsWith tells whether the exception has ended: by its own date, or by the one that a later set gives it.
func (e *Exception) endsWith(later *Set, now time.Time) bool {
	y := later.exception(e.Name)
	return e.Expired(now) || y != nil && y.Expired(now)
}

// meaning is equal for exceptions that exempt the same. Contents of files and URLs change by themselves, and are guarded
// in another way ([Set.Doubting]), so that of a match with such sets only the names of these count.
func (e *Exception) meaning() string {
	match := e.match.canonical()
	if len(e.sources) > 0 {
		match = ""
		for _, s := range e.sources {
			match += fmt.Sprintf("%q %q ", s.File, s.Set)
		}
	}
	return fmt.Sprintf("%q %s %s", e.policies, e.groups.canonical(), match)
}

// Keeper tells what exceptions of an earlier set still speak for. It is not safe for concurrent use.
type Keeper struct {
	evaluator *Evaluator
	missed    []*Exception
}

// Keeper makes a keeper of the set's exceptions that a later set has lost.
func (s *Set) Keeper(later *Set, account string, now time.Time) *Keeper {
	m := s.Missed(later, now)
	return &Keeper{evaluator: s.Evaluator(account, now), missed: slices.Concat(m.Vanished, m.Changed)}
}

// Exempting gives the first exception by name that exempts, or might exempt, the rule from a policy of the later set;
// nil if none does.
func (k *Keeper) Exempting(p *Policy, group *sg.Group, rule *sg.Rule) *Exception {
	if len(k.missed) == 0 {
		return nil
	}
	e := k.evaluator
	e.probe.account, e.probe.group = e.account, group
	e.probe.fill(rule)
	for _, x := range k.missed {
		if x.Covers(p) && x.groups.eval(e.account, group, e.now) != no && x.match.eval(e.probe, asRead) != no {
			return x
		}
	}
	return nil
}
