package policy

import "github.com/egress-janitor/egress-janitor/internal/strictyaml"

// grammar is what policy files may say: the loader, the JSON Schema and the reference come from it, so that none of them
// can know a key that the others do not. What a value means beyond its form is the loader's business.
type grammar struct {
	file      *mapping
	set       *mapping
	policy    *mapping
	limits    *mapping
	exception *mapping
	scope     *mapping
	match     *mapping
	relations *mapping
	inner     innerMappings
}

// mapping is one kind of mapping: its keys in the order in which people write them.
type mapping struct {
	name string // in the schema and the reference
	doc  string
	keys []key
	// oneOf are keys of which there must be exactly one.
	oneOf []string
	// needs are keys that make sense only beside one of others.
	needs map[string][]string
	// exception: a `match` in it refuses bare lists.
	exception bool
}

// key is one key of a mapping.
type key struct {
	name     string
	doc      string
	form     form
	preset   string // what holds when it is not given: the value, or words with `code` in them; empty if that is nothing
	example  string // in YAML
	unknown  string // of `match`: when it is neither true nor false
	required bool
	notYet   bool // of the design, and refused by this version
	top      bool // of `match`: not within any, all, not
	mistaken bool // indented too deep it would be taken for a tag, and lost
	// positive keys of `match` say which rules are meant: a policy that revokes needs one of them on every branch.
	positive bool
}

func newGrammar() *grammar {
	inner := newInnerMappings()
	g := &grammar{
		set: setMapping(), limits: limitsMapping(), scope: scopeMapping(inner.tag), relations: relationsMapping(), inner: inner,
		match: matchMapping(inner),
	}
	g.policy = policyMapping(g.scope, g.match, g.limits)
	g.exception = exceptionMapping(g.scope, g.match)
	g.file = fileMapping(g.set, g.policy, g.exception)
	return g
}

// all gives the mappings in the order of the reference.
func (g *grammar) all() []*mapping {
	return []*mapping{
		g.file, g.set, g.policy, g.limits, g.exception, g.scope, g.match, g.relations,
		g.inner.tag, g.inner.wider, g.inner.expired, g.inner.described,
	}
}

// strict gives the keys as the reader of the file wants them.
func (m *mapping) strict() strictyaml.Keys {
	keys := strictyaml.Keys{Required: []string{}, Optional: []string{}}
	for i := range m.keys {
		switch k := &m.keys[i]; {
		case k.notYet:
			keys.NotYet = append(keys.NotYet, k.name)
		case k.required:
			keys.Required = append(keys.Required, k.name)
		default:
			keys.Optional = append(keys.Optional, k.name)
		}
	}
	return keys
}

// positive are the keys of a `match` that say which rules are meant.
func (g *grammar) positive() []string {
	var names []string
	for i := range g.match.keys {
		if k := &g.match.keys[i]; k.positive {
			names = append(names, k.name)
		}
	}
	return names
}

// mistakenForTags are keys which, indented so deep that they look like the name of a tag, would be lost without a word:
// those with a single value that need not be given.
func (g *grammar) mistakenForTags() []string {
	var names []string
	for _, m := range []*mapping{g.policy, g.scope} {
		for i := range m.keys {
			if k := &m.keys[i]; k.mistaken {
				names = append(names, k.name)
			}
		}
	}
	return names
}
