package ram

import (
	"slices"
	"strings"
)

// anything is the pattern that matches all, and the resource of an action that cannot be scoped.
const anything = "*"

// glob is a pattern in which `*` stands for any run of characters, also none, and `?` for exactly one.
type glob []rune

// match tells whether the pattern fits the whole text, in time proportional to both lengths at worst.
func (g glob) match(s string) bool {
	rest := []rune(s)
	at, pos := 0, 0
	retry, taken := -1, 0 // the last star, and up to where it has taken the text
	for pos < len(rest) {
		if at < len(g) && g[at] == '*' {
			retry, taken = at, pos
			at++
			continue
		}
		if at < len(g) && (g[at] == '?' || g[at] == rest[pos]) {
			at++
			pos++
			continue
		}
		if retry < 0 {
			return false
		}
		taken++
		at, pos = retry+1, taken
	}
	return g[at:].isStars()
}

// isStars tells whether the pattern is stars only, or empty.
func (g glob) isStars() bool {
	return !slices.ContainsFunc(g, func(r rune) bool { return r != '*' })
}

// actionSet is an element Action or NotAction. The zero value has no action.
type actionSet struct {
	globs []glob // in lower case
	not   bool
}

func newActionSet(patterns []string, not bool) actionSet {
	s := actionSet{not: not}
	for _, pattern := range patterns {
		s.globs = append(s.globs, glob(strings.ToLower(pattern)))
	}
	return s
}

// has tells whether the statement is about an action.
func (s *actionSet) has(action string) bool {
	action = strings.ToLower(action)
	return slices.ContainsFunc(s.globs, func(g glob) bool { return g.match(action) }) != s.not
}

// arnFields is how many fields an ARN has: acs, service, region, account, relative ID. Only the last may hold colons.
const arnFields = 5

// splitARN gives the fields of an ARN. The second result is false for text that is none.
func splitARN(arn string) ([]string, bool) {
	fields := strings.SplitN(arn, ":", arnFields)
	return fields, len(fields) == arnFields && fields[0] == "acs"
}

// arnPattern is one text of Resource or NotResource. Without fields it is the pattern "*".
type arnPattern struct {
	fields []glob // those after acs
}

func newARNPattern(pattern string) arnPattern {
	if pattern == anything {
		return arnPattern{}
	}
	var p arnPattern
	fields, _ := splitARN(pattern)
	for _, field := range fields[1:] {
		p.fields = append(p.fields, glob(field))
	}
	return p
}

// matchesAll tells whether the pattern leaves no resource out: "*" and "acs:*:*:*:*" do not.
func (p arnPattern) matchesAll() bool {
	return !slices.ContainsFunc(p.fields, func(g glob) bool { return len(g) == 0 || !g.isStars() })
}

func (p arnPattern) match(arn string) bool {
	if p.matchesAll() {
		return true
	}
	fields, ok := splitARN(arn)
	if !ok {
		return false
	}
	for i, g := range p.fields {
		if !g.match(fields[i+1]) {
			return false
		}
	}
	return true
}

// resourceSet is an element Resource or NotResource. The zero value has no resource, as in a trust policy.
type resourceSet struct {
	patterns []arnPattern
	not      bool
}

func newResourceSet(patterns []string, not bool) resourceSet {
	s := resourceSet{not: not}
	for _, pattern := range patterns {
		s.patterns = append(s.patterns, newARNPattern(pattern))
	}
	return s
}

// has tells whether a statement is about a resource. For the resource of an action that cannot be scoped it depends on
// what the statement does: see the comment of the package.
func (s *resourceSet) has(resource string, deny bool) bool {
	if resource != anything {
		return slices.ContainsFunc(s.patterns, func(p arnPattern) bool { return p.match(resource) }) != s.not
	}
	all := slices.ContainsFunc(s.patterns, arnPattern.matchesAll)
	if s.not {
		return deny && !all
	}
	return all
}
