package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// scope explains a `groups`, key by key.
func (x *explainer) scope(s *scope) ScopeExplanation {
	g := x.group
	result := ScopeExplanation{Pos: s.pos, In: True}
	for _, k := range []struct {
		name  string
		globs []sg.Glob
		has   string
	}{
		{"accounts", s.accounts, x.account},
		{"regions", s.regions, g.Region},
		{"ids", s.ids, g.ID},
		{"names", s.names, g.Name},
		{"vpcs", s.vpcs, g.VPC},
		{"resource-groups", s.resources, g.ResourceGroup},
	} {
		if k.globs != nil {
			result.add(ScopeKey{Key: k.name, Asks: joined(k.globs), Has: k.has, Truth: truthOf(truth(anyGlob(k.globs, k.has)))})
		}
	}
	if s.types != nil {
		in := slices.Contains(s.types, g.Type)
		result.add(ScopeKey{Key: "types", Asks: joined(s.types), Has: string(g.Type), Truth: truthOf(truth(in))})
	}
	for _, t := range s.tags {
		result.add(ScopeKey{Key: "tags", Asks: t.text(), Has: tagText(g, t.key), Truth: truthOf(truth(t.matches(g)))})
	}
	for _, t := range s.without {
		key := ScopeKey{Key: "without-tags", Asks: t.text(), Has: tagText(g, t.key), Truth: truthOf(truth(!t.matches(g)))}
		result.add(key)
	}
	if s.expiredTag != "" {
		result.add(s.explainExpiry(g, x.now))
	}
	return result
}

// add adds a key. One that is false decides; an expiry that cannot be understood decides where all others are true.
func (e *ScopeExplanation) add(k ScopeKey) {
	e.Keys = append(e.Keys, k)
	if k.Truth == False || k.Truth == Unknown && e.In == True {
		e.In = k.Truth
	}
}

func (s *scope) explainExpiry(g *sg.Group, now time.Time) ScopeKey {
	k := ScopeKey{Key: "expired-tag", Asks: s.expiredTag, Has: tagText(g, s.expiredTag), Truth: False}
	text, there := g.Tag(s.expiredTag)
	end, err := parseExpiry(text, s.zone)
	switch {
	case !there:
		k.Why = "only groups with this tag are meant"
	case err != nil:
		k.Truth, k.Why = Unknown, err.Error()
	default:
		k.Truth = truthOf(truth(!now.Before(end)))
		k.Why = passes(end, now, s.zone)
	}
	return k
}

// passes tells when a moment is, seen from now.
func passes(end, now time.Time, zone *time.Location) string {
	if now.Before(end) {
		return "passes " + end.In(zone).Format(time.RFC3339)
	}
	return "passed " + end.In(zone).Format(time.RFC3339)
}

func (t tagPattern) text() string { return fmt.Sprintf("%s: %q", t.key, string(t.value)) }

// tagText is a tag of a group, in a way that tells an empty value from none.
func tagText(g *sg.Group, key string) string {
	value, there := g.Tag(key)
	if !there {
		return "no tag " + key
	}
	return fmt.Sprintf("%s: %q", key, value)
}

func joined[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, one := range list {
		texts[i] = string(one)
	}
	return strings.Join(texts, ", ")
}
