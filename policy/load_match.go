package policy

import (
	"regexp"
	"regexp/syntax"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// matchReader compiles one `match`.
type matchReader struct {
	*policyFile

	exception bool
	revokes   bool      // checkRuleClauses will ask for more
	sources   []*Source // of the sets that are used
}

// root reads the whole `match`; action is what `rule-action` is when it is not given.
func (r *matchReader) root(v strictyaml.Value, action string) matcher {
	before := r.problems.Len()
	m, ok := v.Map(r.grammar.match.strict())
	if !ok {
		return matcher{op: opAny} // never true
	}
	at, implied := m.Pos(), true
	if v, given := m.Get("rule-action"); given {
		action, _ = v.OneOf("accept", "drop", "any")
		at, implied = m.Key("rule-action").Pos(), false
	}
	result := r.mapping(m)
	if action == "accept" || action == "drop" {
		result.children = slices.Insert(result.children, 0, leaf(at, &actionClause{action: sg.Action(action), implied: implied}))
	}
	if len(result.children) == 0 && r.problems.Len() == before && !r.revokes {
		m.Problem(CodeNoRuleClause, "the match says nothing about the rule; if it is about every rule, write `every-rule: true`")
	}
	return result
}

func leaf(pos strictyaml.Pos, c clause) matcher { return matcher{op: opLeaf, pos: pos, clause: c} }

// nested reads a `match` inside `any`, `all` or `not`.
func (r *matchReader) nested(v strictyaml.Value) matcher {
	m, ok := v.Map(r.grammar.match.strict())
	if !ok {
		return matcher{op: opAny}
	}
	if m.Has("rule-action") {
		m.Key("rule-action").Problem(CodePlace, "\"rule-action\" is allowed only at the top of \"match\"")
	}
	return r.mapping(m)
}

// mapping reads the keys of a `match`, all of which must hold.
func (r *matchReader) mapping(m strictyaml.Map) matcher {
	result := matcher{op: opAll, pos: m.Pos()}
	for key, v := range m.All() {
		switch key {
		case "rule-action":
		case "any", "all":
			result.children = append(result.children, r.several(key, v))
		case "not":
			result.children = append(result.children, matcher{op: opNot, pos: v.Pos(), children: []matcher{r.nested(v)}})
		case "destination", "source", "protocol", "ports", "source-ports", "priority":
			result.children = append(result.children, r.relations(key, v)...)
		default:
			if c := r.single(key, v); c != nil {
				result.children = append(result.children, leaf(m.Key(key).Pos(), c))
			}
		}
	}
	return result
}

func (r *matchReader) several(key string, v strictyaml.Value) matcher {
	result := matcher{op: opAll, pos: v.Pos()}
	if key == "any" {
		result.op = opAny
	}
	list, _ := v.List()
	for _, element := range list {
		result.children = append(result.children, r.nested(element))
	}
	return result
}

// relations reads a key such as `destination`: a list, or relations with a list each.
func (r *matchReader) relations(key string, v strictyaml.Value) []matcher {
	if v.IsList() {
		if r.exception {
			v.Problem(CodeBareList, "in an exception a bare list is refused, since it means `overlaps` and would exempt "+
				"wider rules too; write {within: [...]}, or {overlaps: [...]} if that is meant")
		}
		return r.relation(key, overlaps, v)
	}
	if !v.IsMap() {
		v.Expected("a list, or relations such as {within: [...]}")
		return nil
	}
	m, ok := v.Map(r.grammar.relations.strict())
	if !ok {
		return nil
	}
	var clauses []matcher
	for i, name := range relationNames() {
		if list, ok := m.Get(name); ok {
			clauses = append(clauses, r.relation(key, relation(i), list)...)
		}
	}
	return clauses
}

func (r *matchReader) relation(key string, rel relation, v strictyaml.Value) []matcher {
	list, ok := v.List()
	if !ok {
		return nil
	}
	texts := make([]string, 0, len(list))
	for _, element := range list {
		if text, ok := element.Text(); ok {
			texts = append(texts, text)
		}
	}
	text := shortList(texts)
	switch key {
	case "destination":
		return r.addresses(&addressClause{side: destinationSide, relation: rel}, text, v, list)
	case "source":
		return r.addresses(&addressClause{side: sourceSide, relation: rel}, text, v, list)
	case "ports", "source-ports":
		c := &portsClause{relation: rel, list: newNumberList(text, parseAll(list, CodePort, parsePorts))}
		if key == "source-ports" {
			c.side = sourceSide
		}
		return []matcher{leaf(v.Pos(), c)}
	case "priority":
		priorities := newNumberList(text, parseAll(list, CodePriority, parsePriority))
		return []matcher{leaf(v.Pos(), &priorityClause{relation: rel, list: priorities})}
	default:
		elements := parseAll(list, CodeProtocol, sg.ParseProtocol)
		return []matcher{leaf(v.Pos(), newProtocolClause(rel, text, elements))}
	}
}

func parseAll[T any](list []strictyaml.Value, code string, parse func(string) (T, error)) []T {
	parsed := make([]T, 0, len(list))
	for _, element := range list {
		text, ok := element.Text()
		if !ok {
			continue
		}
		one, err := parse(text)
		if err != nil {
			element.Problem(code, "%s", err)
			continue
		}
		parsed = append(parsed, one)
	}
	return parsed
}

// addresses fills the list of an address clause in.
func (r *matchReader) addresses(c *addressClause, text string, v strictyaml.Value, list []strictyaml.Value) []matcher {
	var elements []element
	unread := false
	for _, item := range list {
		text, ok := item.Text()
		if !ok {
			continue
		}
		if name, isSet := cutSet(text); isSet {
			if s := r.setByName(item, name); s != nil {
				elements = append(elements, s.elements...)
				unread = unread || s.unread()
			}
			continue
		}
		e, err := parseElement(text)
		if err != nil {
			item.Problem(CodeAddress, "%s", err)
			continue
		}
		elements = append(elements, e)
	}
	l := r.list(text, elements, unread)
	if c.relation == covers {
		l.prepareElements()
	}
	if c.relation == outside && !unread && l.speaksOf(ipv4) != l.speaksOf(ipv6) {
		said, missing := ipv4, ipv6
		if !l.speaksOf(ipv4) {
			said, missing = ipv6, ipv4
		}
		r.warn(v, CodeOneFamily, "this allow-list has %s addresses only, so it says nothing about %s rules; add %s addresses, "+
			"or a policy of its own for them", said, missing, missing)
	}
	c.list = l
	return []matcher{leaf(v.Pos(), c)}
}

func cutSet(text string) (string, bool) {
	if len(text) > 0 && text[0] == '$' {
		return text[1:], true
	}
	return "", false
}

func (r *matchReader) setByName(v strictyaml.Value, name string) *namedSet {
	s, ok := r.sets[name]
	if !ok {
		known := make([]string, 0, len(r.sets))
		for name := range r.sets {
			known = append(known, name)
		}
		slices.Sort(known)
		v.Problem(CodeSet, "this file has no set %q%s", name, strictyaml.Suggest(name, known))
		return nil
	}
	s.used = true
	if s.source != nil {
		r.sources = append(r.sources, s.source)
	}
	return s
}

// single reads the keys that make one clause each. Nil means a mistake, which was reported.
func (r *matchReader) single(key string, v strictyaml.Value) clause {
	switch key {
	case "destination-kind":
		return destinationKinds(v)
	case "destination-group":
		return names(v, sg.PeerGroup)
	case "prefix-list":
		return names(v, sg.FromList)
	case "wider-than":
		return r.widerThan(v)
	case "older-than":
		return olderThan(v)
	case "description":
		return r.description(v)
	case "expired":
		return r.expired(v)
	case "expression":
		if c := r.expression(v); c != nil {
			return c
		}
	case "every-rule":
		if on, ok := v.Bool(); ok && !on {
			v.Problem(strictyaml.CodeType, "\"every-rule\" can only be true; leave it out otherwise")
		}
		return everyClause{}
	}
	return nil
}

func destinationKinds(v strictyaml.Value) clause {
	list, _ := v.List()
	c := &kindClause{}
	for _, element := range list {
		word, ok := element.OneOf(string(sg.CIDR4), string(sg.CIDR6), string(sg.PeerGroup), string(sg.FromList))
		if ok {
			c.kinds = append(c.kinds, sg.DestinationKind(word))
		}
	}
	return c
}

func names(v strictyaml.Value, kind sg.DestinationKind) clause {
	texts, _ := v.Strings()
	c := &nameClause{kind: kind, text: shortList(texts)}
	for _, text := range texts {
		c.globs = append(c.globs, sg.Glob(text))
	}
	return c
}

func (r *matchReader) widerThan(v strictyaml.Value) clause {
	m, ok := v.Map(r.grammar.inner.wider.strict())
	if !ok {
		return nil
	}
	c := &widerClause{}
	if v, ok := m.Get("ipv4"); ok {
		c.limit[ipv4], _ = v.Int(1, 32)
	}
	if v, ok := m.Get("ipv6"); ok {
		c.limit[ipv6], _ = v.Int(1, 128)
	}
	return c
}

func olderThan(v strictyaml.Value) clause {
	text, ok := v.Text()
	if !ok {
		return nil
	}
	age, err := parseAge(text)
	if err != nil {
		v.Problem(CodeDuration, "%s", err)
		return nil
	}
	return &olderClause{age: age, text: text}
}

func (r *matchReader) description(v strictyaml.Value) clause {
	m, ok := v.Map(r.grammar.inner.described.strict())
	if !ok {
		return nil
	}
	if m.Has("matches") && m.Has("empty") {
		m.Problem(strictyaml.CodeType, "\"description\" has either \"matches\" or \"empty\"")
		return nil
	}
	if v, ok := m.Get("empty"); ok {
		if on, ok := v.Bool(); ok && !on {
			v.Problem(strictyaml.CodeType, "\"empty\" can only be true; use `not` for the opposite")
		}
		return &descriptionClause{}
	}
	if v, ok := m.Get("matches"); ok {
		pattern := expression(v)
		switch {
		case pattern == nil:
		case fitsAll(pattern):
			v.Problem(CodeExpression, "the expression fits every description; if every rule is meant, write `every-rule: true`")
		default:
			return &descriptionClause{matches: pattern}
		}
	}
	return nil
}

func expression(v strictyaml.Value) *regexp.Regexp {
	text, ok := v.String()
	if !ok {
		return nil
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		v.Problem(CodeExpression, "%q is no RE2 expression: %s", text, err)
		return nil
	}
	// What a look at a description costs grows with this number, and there may be a million descriptions.
	if program, err := syntax.Compile(parsed.Simplify()); err != nil || len(program.Inst) > maxPattern {
		v.Problem(CodeExpression, "the RE2 expression is too large: it may come to %d instructions, "+
			"about one a character", maxPattern)
		return nil
	}
	return regexp.MustCompile(text)
}

// fitsAll tells whether an expression finds something in every text, as far as it can be told from odd ones.
func fitsAll(pattern *regexp.Regexp) bool {
	for _, odd := range []string{"", "\x01", "\uFFFD~\u2603 0aZ\n"} {
		if !pattern.MatchString(odd) {
			return false
		}
	}
	return true
}

func (r *matchReader) expired(v strictyaml.Value) clause {
	m, ok := v.Map(r.grammar.inner.expired.strict())
	if !ok {
		return nil
	}
	v, ok = m.Get("description")
	if !ok {
		return nil
	}
	pattern := expression(v)
	if pattern == nil {
		return nil
	}
	if n := pattern.NumSubexp(); n != 1 {
		v.Problem(CodeExpression, "the expression must have exactly one capture group, around the date; it has %d", n)
		return nil
	}
	return &expiredClause{pattern: pattern, zone: r.zone}
}

// checkRuleClauses reports every branch of a revoking policy on which nothing positive is said about the rule: such a
// branch revokes whatever it meets.
func (r *matchReader) checkRuleClauses(v strictyaml.Value) {
	positive := r.grammar.positive()
	if !saysOfRule(v, positive) {
		v.Problem(CodeNoRuleClause, "a policy with `action: revoke` must say on every branch which rules it is about, "+
			"by one of %s (`rule-action`, `priority`, `destination-kind`, `not` and `expression` alone do not count); "+
			"if it is about every rule, write `every-rule: true`", shortList(positive))
	}
}

func saysOfRule(v strictyaml.Value, positive []string) bool {
	if !v.IsMap() {
		return true // reported as the wrong type
	}
	says := func(branch strictyaml.Value) bool { return saysOfRule(branch, positive) }
	if slices.ContainsFunc(positive, v.HasKey) {
		return true
	}
	if all, ok := v.Child("all"); ok && slices.ContainsFunc(all.Children(), says) {
		return true
	}
	branches, ok := v.Child("any")
	if !ok {
		return false
	}
	return !slices.ContainsFunc(branches.Children(), func(b strictyaml.Value) bool { return !says(b) })
}
