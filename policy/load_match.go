package policy

import (
	"regexp"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// matchReader compiles one `match`.
type matchReader struct {
	*policyFile

	exception bool
	revokes   bool // checkRuleClauses will ask for more
}

func matchKeys() strictyaml.Keys {
	return strictyaml.Keys{
		Optional: []string{
			"destination", "destination-kind", "protocol", "ports", "rule-action", "wider-than", "older-than", "expired",
			"description", "every-rule", "any", "all", "not",
		},
		NotYet: []string{"source", "source-ports", "priority", "destination-group", "prefix-list", "expression"},
	}
}

// root reads the whole `match`; action is what `rule-action` is when it is not given.
func (r *matchReader) root(v strictyaml.Value, action string) matcher {
	before := r.problems.Len()
	m, ok := v.Map(matchKeys())
	if !ok {
		return matcher{op: opAny} // never true
	}
	if v, given := m.Get("rule-action"); given {
		action, _ = v.OneOf("accept", "drop", "any")
	}
	result := r.mapping(m)
	if action == "accept" || action == "drop" {
		result.children = slices.Insert(result.children, 0, leaf(&actionClause{action: sg.Action(action)}))
	}
	if len(result.children) == 0 && r.problems.Len() == before && !r.revokes {
		m.Problem(CodeNoRuleClause, "the match says nothing about the rule; if it is about every rule, write `every-rule: true`")
	}
	return result
}

func leaf(c clause) matcher { return matcher{op: opLeaf, clause: c} }

// nested reads a `match` inside `any`, `all` or `not`.
func (r *matchReader) nested(v strictyaml.Value) matcher {
	m, ok := v.Map(matchKeys())
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
	result := matcher{op: opAll}
	for key, v := range m.All() {
		switch key {
		case "rule-action":
		case "any", "all":
			result.children = append(result.children, r.several(key, v))
		case "not":
			inner := r.nested(v)
			inner.negate()
			result.children = append(result.children, inner)
		case "destination", "protocol", "ports":
			result.children = append(result.children, r.relations(key, v)...)
		default:
			if c := r.single(key, v); c != nil {
				result.children = append(result.children, leaf(c))
			}
		}
	}
	return result
}

func (r *matchReader) several(key string, v strictyaml.Value) matcher {
	result := matcher{op: opAll}
	if key == "any" {
		result.op = opAny
	}
	list, _ := v.List()
	for _, element := range list {
		result.children = append(result.children, r.nested(element))
	}
	return result
}

// relations reads `destination`, `protocol` or `ports`: a list, or relations with a list each.
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
	m, ok := v.Map(strictyaml.Keys{Optional: relationNames()})
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
		return r.addresses(rel, text, v, list)
	case "ports":
		elements := parseAll(list, CodePort, parsePorts)
		return []matcher{leaf(newPortsClause(rel, text, elements))}
	default:
		elements := parseAll(list, CodeProtocol, sg.ParseProtocol)
		return []matcher{leaf(newProtocolClause(rel, text, elements))}
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

func (r *matchReader) addresses(rel relation, text string, v strictyaml.Value, list []strictyaml.Value) []matcher {
	var elements []element
	for _, item := range list {
		text, ok := item.Text()
		if !ok {
			continue
		}
		if name, isSet := cutSet(text); isSet {
			elements = append(elements, r.setByName(item, name)...)
			continue
		}
		e, err := parseElement(text)
		if err != nil {
			item.Problem(CodeAddress, "%s", err)
			continue
		}
		elements = append(elements, e)
	}
	l := r.list(text, elements)
	if rel == covers {
		l.prepareElements()
	}
	if rel == outside && l.speaksOf(ipv4) != l.speaksOf(ipv6) {
		said, missing := ipv4, ipv6
		if !l.speaksOf(ipv4) {
			said, missing = ipv6, ipv4
		}
		r.warn(v, CodeOneFamily, "this allow-list has %s addresses only, so it says nothing about %s rules; add %s addresses, "+
			"or a policy of its own for them", said, missing, missing)
	}
	return []matcher{leaf(&addressClause{relation: rel, list: l})}
}

func cutSet(text string) (string, bool) {
	if len(text) > 0 && text[0] == '$' {
		return text[1:], true
	}
	return "", false
}

func (r *matchReader) setByName(v strictyaml.Value, name string) []element {
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
	return s.elements
}

// single reads the keys that make one clause each. Nil means a mistake, which was reported.
func (r *matchReader) single(key string, v strictyaml.Value) clause {
	switch key {
	case "destination-kind":
		return destinationKinds(v)
	case "wider-than":
		return widerThan(v)
	case "older-than":
		return olderThan(v)
	case "description":
		return description(v)
	case "expired":
		return r.expired(v)
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

func widerThan(v strictyaml.Value) clause {
	m, ok := v.Map(strictyaml.Keys{Optional: []string{"ipv4", "ipv6"}})
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

func description(v strictyaml.Value) clause {
	m, ok := v.Map(strictyaml.Keys{Optional: []string{"matches", "empty"}})
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
		if pattern := expression(v); pattern != nil {
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
	pattern, err := regexp.Compile(text)
	if err != nil {
		v.Problem(CodeExpression, "%q is no RE2 expression: %s", text, err)
		return nil
	}
	return pattern
}

func (r *matchReader) expired(v strictyaml.Value) clause {
	m, ok := v.Map(strictyaml.Keys{Required: []string{"description"}})
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

// ruleKeys are the keys of a `match` that say something positive about the rule itself.
func ruleKeys() []string {
	return []string{"destination", "protocol", "ports", "wider-than", "older-than", "expired", "description", "every-rule"}
}

// checkRuleClauses reports every branch of a revoking policy on which nothing positive is said about the rule: such a
// branch revokes whatever it meets.
func (r *matchReader) checkRuleClauses(v strictyaml.Value) {
	if !saysOfRule(v) {
		v.Problem(CodeNoRuleClause, "a policy with `action: revoke` must say on every branch which rules it is about, "+
			"by one of %s (`rule-action`, `destination-kind` and `not` alone do not count); if it is about every rule, "+
			"write `every-rule: true`", shortList(ruleKeys()))
	}
}

func saysOfRule(v strictyaml.Value) bool {
	if !v.IsMap() {
		return true // reported as the wrong type
	}
	if slices.ContainsFunc(ruleKeys(), v.HasKey) {
		return true
	}
	if all, ok := v.Child("all"); ok && slices.ContainsFunc(all.Children(), saysOfRule) {
		return true
	}
	branches, ok := v.Child("any")
	if !ok {
		return false
	}
	return !slices.ContainsFunc(branches.Children(), func(b strictyaml.Value) bool { return !saysOfRule(b) })
}
