package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// scope is a compiled `groups`: which groups a policy or exception speaks of. Every key given must hold.
type scope struct {
	pos        strictyaml.Pos
	accounts   []sg.Glob
	regions    []sg.Glob
	ids        []sg.Glob
	names      []sg.Glob
	vpcs       []sg.Glob
	resources  []sg.Glob // resource groups
	types      []sg.GroupType
	tags       []tagPattern
	without    []tagPattern
	expiredTag string
	zone       *time.Location
}

type tagPattern struct {
	key   string
	value sg.Glob
}

func (t tagPattern) matches(g *sg.Group) bool {
	value, there := g.Tag(t.key)
	return there && t.value.Match(value)
}

// eval tells whether a group is in the scope: yes, no, or badExpiry when only the date in its expiry tag decides and
// cannot be understood.
func (s *scope) eval(account string, g *sg.Group, now time.Time) value {
	in := anyGlob(s.accounts, account) &&
		anyGlob(s.regions, g.Region) &&
		anyGlob(s.ids, g.ID) &&
		anyGlob(s.names, g.Name) &&
		anyGlob(s.vpcs, g.VPC) &&
		anyGlob(s.resources, g.ResourceGroup) &&
		(s.types == nil || slices.Contains(s.types, g.Type)) &&
		!slices.ContainsFunc(s.tags, func(t tagPattern) bool { return !t.matches(g) }) &&
		!slices.ContainsFunc(s.without, func(t tagPattern) bool { return t.matches(g) })
	if !in || s.expiredTag == "" {
		return truth(in)
	}
	text, there := g.Tag(s.expiredTag)
	if !there {
		return no
	}
	end, err := parseExpiry(text, s.zone)
	if err != nil {
		return badExpiry
	}
	return truth(!now.Before(end))
}

// because says what is special about a group in scope: its expiry tag.
func (s *scope) because(g *sg.Group, reasons []string) []string {
	if s.expiredTag == "" {
		return reasons
	}
	text, _ := g.Tag(s.expiredTag)
	if _, err := parseExpiry(text, s.zone); err != nil {
		return append(reasons, fmt.Sprintf("group tag %s=%q cannot be understood as a date", s.expiredTag, text))
	}
	return append(reasons, fmt.Sprintf("group tag %s=%s has passed", s.expiredTag, text))
}

func anyGlob(globs []sg.Glob, text string) bool {
	return globs == nil || slices.ContainsFunc(globs, func(g sg.Glob) bool { return g.Match(text) })
}

func (s *scope) canonical() string {
	var b strings.Builder
	for _, part := range []struct {
		key   string
		globs []sg.Glob
	}{
		{"accounts", s.accounts},
		{"regions", s.regions},
		{"ids", s.ids},
		{"names", s.names},
		{"vpcs", s.vpcs},
		{"resource-groups", s.resources},
	} {
		fmt.Fprintf(&b, "%s=%q;", part.key, slices.Sorted(slices.Values(part.globs)))
	}
	fmt.Fprintf(&b, "types=%q;", slices.Sorted(slices.Values(s.types)))
	for _, tags := range [][]tagPattern{s.tags, s.without} {
		sorted := slices.SortedFunc(slices.Values(tags), func(a, b tagPattern) int { return strings.Compare(a.key, b.key) })
		fmt.Fprintf(&b, "tags=%q;", sorted)
	}
	fmt.Fprintf(&b, "expired-tag=%q", s.expiredTag)
	if s.expiredTag != "" {
		fmt.Fprintf(&b, " in %s", s.zone)
	}
	return b.String()
}
