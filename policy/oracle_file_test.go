package policy_test

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// oGroup is a group by its meaning.
type oGroup struct {
	account, region, id, name, vpc, kind, resources string
	tags                                            map[string]string
}

// oScope is a `groups`; the zero value is all.
type oScope struct {
	globs         map[string][]string // by key
	types         []string
	tags, without map[string]string
	expiredTag    string
}

// has judges a group: unknown is a date that cannot be understood and decides.
func (s *oScope) has(g *oGroup, now time.Time, zone *time.Location) truth {
	values := map[string]string{
		"accounts": g.account, "regions": g.region, "ids": g.id, "names": g.name, "vpcs": g.vpc,
		"resource-groups": g.resources,
	}
	for key, globs := range s.globs {
		if !slices.ContainsFunc(globs, func(glob string) bool { return globMatches(glob, values[key]) }) {
			return isFalse
		}
	}
	if s.types != nil && !slices.Contains(s.types, g.kind) {
		return isFalse
	}
	for key, glob := range s.tags {
		if value, ok := g.tags[key]; !ok || !globMatches(glob, value) {
			return isFalse
		}
	}
	for key, glob := range s.without {
		if value, ok := g.tags[key]; ok && globMatches(glob, value) {
			return isFalse
		}
	}
	if s.expiredTag == "" {
		return isTrue
	}
	date, ok := g.tags[s.expiredTag]
	if !ok {
		return isFalse
	}
	return passed(date, now, zone)
}

func globMatches(glob, text string) bool {
	pattern := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(glob))
	return regexp.MustCompile("^(?s:" + pattern + ")$").MatchString(text)
}

// oPolicy and oException are what the oracle judges by.
type oPolicy struct {
	name   string
	groups oScope
	match  oMatch
}

type oException struct {
	name     string
	policies []string // nil is all
	groups   oScope
	match    oMatch
	expires  string
}

// verdict is what the oracle and the package are compared in.
type verdict struct {
	Policy        string
	Collateral    bool
	InvalidExpiry bool
	Exempt        string
	Unsure        string
}

// oFile is one policy file; policies and exceptions are in the order of their names.
type oFile struct {
	zone       *time.Location
	policies   []oPolicy
	exceptions []oException
}

// verdicts are those of one rule.
func (f *oFile) verdicts(g *oGroup, r *oRule, now time.Time) []verdict {
	var list []verdict
	for i := range f.policies {
		p := &f.policies[i]
		scope := p.groups.has(g, now, f.zone)
		asIs := and(scope, (&world{rule: r, now: now, zone: f.zone}).judge(&p.match, "accept"))
		past := &world{rule: r, now: now, zone: f.zone, past: true}
		wouldBe := isFalse
		if scope != isFalse {
			wouldBe = past.judge(&p.match, "accept")
		}
		if asIs != isTrue && wouldBe != isTrue {
			continue
		}
		v := verdict{Policy: p.name, InvalidExpiry: asIs != isTrue}
		judged := &world{rule: r, now: now, zone: f.zone, past: v.InvalidExpiry}
		v.Collateral = judged.collateral(&p.match, "accept", isTrue)
		f.except(g, r, now, &v)
		list = append(list, v)
	}
	return list
}

func (f *oFile) except(g *oGroup, r *oRule, now time.Time, v *verdict) {
	for i := range f.exceptions {
		x := &f.exceptions[i]
		if x.policies != nil && !slices.Contains(x.policies, v.Policy) || passed(x.expires, now, f.zone) == isTrue {
			continue
		}
		scope := x.groups.has(g, now, f.zone)
		applies := &world{rule: r, now: now, zone: f.zone}
		value := applies.judge(&x.match, "any")
		switch {
		case scope == isTrue && value == isTrue:
			v.Exempt, v.Unsure = x.name, ""
			return
		case v.Unsure == "" && scope != isFalse && couldBeTrue(&x.match, applies):
			v.Unsure = x.name
		}
	}
}

// couldBeTrue tries all truths for what could not be read.
func couldBeTrue(m *oMatch, w *world) bool {
	gaps := w.unread
	for bits := range 1 << gaps {
		guesses := make([]truth, gaps)
		for i := range guesses {
			guesses[i] = truthOf(bits>>i&1 == 1)
		}
		if (&world{rule: w.rule, now: w.now, zone: w.zone, guesses: guesses}).judge(m, "any") == isTrue {
			return true
		}
	}
	return false
}
