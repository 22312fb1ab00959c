package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Change is what differs between two sets of policies. All lists are sorted by name.
type Change struct {
	// ExceptionsRemoved are those that are not there any more and had not expired: what a file that was cut, or a slip,
	// looks like.
	ExceptionsRemoved []ExceptionChange
	ExceptionsEnded   []ExceptionChange // not there any more, and expired
	ExceptionsChanged []ExceptionChange
	ExceptionsAdded   []ExceptionChange
	PoliciesAdded     []ChangedPolicy
	PoliciesRemoved   []ChangedPolicy
	PoliciesChanged   []ChangedPolicy
	SetsChanged       []SetChange
}

// ExceptionChange is one exception of a [Change].
type ExceptionChange struct {
	Name    string
	Owner   string
	Ticket  string
	Expires time.Time     // as it is now, or was last
	Fields  []FieldChange // of one that was changed
}

// ChangedPolicy is one policy of a [Change].
type ChangedPolicy struct {
	Name   string
	Action Action        // as it is now, or was last
	Fields []FieldChange // of one that was changed
}

// FieldChange is one key of a policy or exception whose meaning was changed.
type FieldChange struct {
	Key string
	// Before and After are its values; both are empty for keys that are too long to show.
	Before string
	After  string
	// Wider says that more may be revoked for it than before. Of `match` and `groups` nobody can tell, so it is said.
	Wider bool
}

// SetChange is a set from a file or URL whose contents have another size.
type SetChange struct {
	Set    string
	File   string // the policy file
	Before int    // elements
	After  int
}

// Compare tells what was changed from one set to another. The moment decides which exceptions had expired.
func Compare(before, after *Set, now time.Time) *Change {
	c := &Change{}
	c.exceptions(before, after, now)
	c.policies(before, after)
	c.sets(before, after)
	return c
}

func (c *Change) exceptions(before, after *Set, now time.Time) {
	for _, x := range before.Exceptions {
		y := after.exception(x.Name)
		switch {
		case y != nil:
			if fields := x.changed(y); fields != nil {
				c.ExceptionsChanged = append(c.ExceptionsChanged, y.change(fields))
			}
		case x.Expired(now):
			c.ExceptionsEnded = append(c.ExceptionsEnded, x.change(nil))
		default:
			c.ExceptionsRemoved = append(c.ExceptionsRemoved, x.change(nil))
		}
	}
	for _, y := range after.Exceptions {
		if before.exception(y.Name) == nil {
			c.ExceptionsAdded = append(c.ExceptionsAdded, y.change(nil))
		}
	}
}

func (c *Change) policies(before, after *Set) {
	for _, p := range before.Policies {
		q := after.policy(p.Name)
		if q == nil {
			c.PoliciesRemoved = append(c.PoliciesRemoved, ChangedPolicy{Name: p.Name, Action: p.Action})
			continue
		}
		if fields := p.changed(q); fields != nil {
			c.PoliciesChanged = append(c.PoliciesChanged, ChangedPolicy{Name: q.Name, Action: q.Action, Fields: fields})
		}
	}
	for _, q := range after.Policies {
		if before.policy(q.Name) == nil {
			c.PoliciesAdded = append(c.PoliciesAdded, ChangedPolicy{Name: q.Name, Action: q.Action})
		}
	}
}

func (c *Change) sets(before, after *Set) {
	for _, s := range before.Sources() {
		i := slices.IndexFunc(after.Sources(), func(t *Source) bool { return t.Set == s.Set && t.File == s.File })
		if i < 0 {
			continue
		}
		if t := after.Sources()[i]; t.Elements != s.Elements {
			c.SetsChanged = append(c.SetsChanged, SetChange{Set: s.Set, File: s.File, Before: s.Elements, After: t.Elements})
		}
	}
}

// Empty tells whether nothing was changed.
func (c *Change) Empty() bool {
	return len(c.ExceptionsRemoved)+len(c.ExceptionsEnded)+len(c.ExceptionsChanged)+len(c.ExceptionsAdded)+
		len(c.PoliciesAdded)+len(c.PoliciesRemoved)+len(c.PoliciesChanged)+len(c.SetsChanged) == 0
}

// Line is one change in words.
type Line struct {
	Text string
	// Wider says that more may be revoked for it than before.
	Wider bool
}

// Lines say what was changed, what matters most first: the exceptions that vanished.
func (c *Change) Lines() []Line {
	var lines []Line
	add := func(wider bool, format string, args ...any) {
		lines = append(lines, Line{Text: fmt.Sprintf(format, args...), Wider: wider})
	}
	for _, x := range c.ExceptionsRemoved {
		add(true, "exception %s vanished: it would have held until %s", x.Name, stamp(x.Expires))
	}
	for _, x := range c.ExceptionsChanged {
		for _, f := range x.Fields {
			add(f.Wider, "exception %s: %s", x.Name, f.text())
		}
	}
	for _, p := range c.PoliciesChanged {
		for _, f := range p.Fields {
			add(f.Wider, "policy %s: %s", p.Name, f.text())
		}
	}
	for _, p := range c.PoliciesAdded {
		add(true, "policy %s was added, with action %s", p.Name, p.Action)
	}
	for _, s := range c.SetsChanged {
		add(true, "set %s of %s has %d elements, and had %d", s.Set, s.File, s.After, s.Before)
	}
	for _, p := range c.PoliciesRemoved {
		add(false, "policy %s was removed", p.Name)
	}
	for _, x := range c.ExceptionsAdded {
		add(false, "exception %s was added, until %s", x.Name, stamp(x.Expires))
	}
	for _, x := range c.ExceptionsEnded {
		add(false, "exception %s was removed; it had expired on %s", x.Name, stamp(x.Expires))
	}
	return lines
}

func (f *FieldChange) text() string {
	if f.Before == "" && f.After == "" {
		return f.Key + " was changed"
	}
	return fmt.Sprintf("%s is %s, and was %s", f.Key, f.After, f.Before)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (s *Set) policy(name string) *Policy {
	for _, p := range s.Policies {
		if p.Name == name {
			return p
		}
	}
	return nil
}

func (s *Set) exception(name string) *Exception {
	for _, x := range s.Exceptions {
		if x.Name == name {
			return x
		}
	}
	return nil
}

func (e *Exception) change(fields []FieldChange) ExceptionChange {
	return ExceptionChange{Name: e.Name, Owner: e.Owner, Ticket: e.Ticket, Expires: e.Expires, Fields: fields}
}

// differences collects fields.
type differences []FieldChange

func (d *differences) add(key, before, after string, wider bool) {
	if before != after {
		*d = append(*d, FieldChange{Key: key, Before: before, After: after, Wider: wider})
	}
}

// hidden compares texts that nobody would read.
func (d *differences) hidden(key, before, after string) {
	if before != after {
		*d = append(*d, FieldChange{Key: key, Wider: true})
	}
}

// changed gives the keys by which another exception of the same name differs.
func (e *Exception) changed(other *Exception) []FieldChange {
	var d differences
	d.add("expires", stamp(e.Expires), stamp(other.Expires), other.Expires.Before(e.Expires))
	d.hidden("policies", fmt.Sprintf("%q", e.policies), fmt.Sprintf("%q", other.policies))
	d.hidden("groups", e.groups.canonical(), other.groups.canonical())
	d.hidden("match", e.match.canonical(), other.match.canonical())
	return d
}

// changed gives the keys by which another policy of the same name differs.
func (p *Policy) changed(other *Policy) []FieldChange {
	var d differences
	d.add("action", string(p.Action), string(other.Action), other.Action == Revoke)
	d.hidden("match", p.match.canonical(), other.match.canonical())
	d.hidden("groups", p.groups.canonical(), other.groups.canonical())
	d.add("collateral", collateralText(p), collateralText(other), !other.KeepCollateral)
	d.add("allow-opening", strconv.FormatBool(p.AllowOpening), strconv.FormatBool(other.AllowOpening), other.AllowOpening)
	d.add("only-if", onlyIfText(p), onlyIfText(other), !other.OnlyIfCloses)
	d.add("grace", p.Grace.String(), other.Grace.String(), other.Grace < p.Grace)
	d.add("baseline", baselineText(p), baselineText(other), other.Baseline.Before(p.Baseline))
	d.add("limits.per-sweep", limitText(p.Limits.PerSweep), limitText(other.Limits.PerSweep),
		unlimited(other.Limits.PerSweep) > unlimited(p.Limits.PerSweep))
	d.add("limits.per-group", limitText(p.Limits.PerGroup), limitText(other.Limits.PerGroup),
		unlimited(other.Limits.PerGroup) > unlimited(p.Limits.PerGroup))
	d.add("severity", string(p.Severity), string(other.Severity), false)
	return d
}

func collateralText(p *Policy) string {
	if p.KeepCollateral {
		return "hold"
	}
	return "revoke"
}

func onlyIfText(p *Policy) string {
	if p.OnlyIfCloses {
		return "closes"
	}
	return "any"
}

func baselineText(p *Policy) string {
	if p.Baseline.IsZero() {
		return "none"
	}
	return stamp(p.Baseline)
}

func limitText(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n)
}

// unlimited is a limit as a number to compare: none is the largest.
func unlimited(n int) int { return cmp.Or(n, int(^uint(0)>>1)) }
