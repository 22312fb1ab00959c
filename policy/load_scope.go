package policy

import (
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// scope reads `groups`: the word all, or a mapping.
func (f *policyFile) scope(v strictyaml.Value) scope {
	if v.IsScalar() {
		if word, ok := v.Text(); ok && word != "all" {
			v.Problem(strictyaml.CodeType, "expected `all` or a mapping, found %q", word)
		}
		return scope{pos: v.Pos()}
	}
	if !v.IsMap() {
		v.Expected("`all` or a mapping")
		return scope{}
	}
	m, ok := v.Map(f.grammar.scope.strict())
	if !ok {
		return scope{}
	}
	s := scope{
		pos:       v.Pos(),
		accounts:  globs(m, "accounts"),
		regions:   globs(m, "regions"),
		ids:       globs(m, "ids"),
		names:     globs(m, "names"),
		vpcs:      globs(m, "vpcs"),
		resources: globs(m, "resource-groups"),
		tags:      f.tags(m, "tags"),
		without:   f.tags(m, "without-tags"),
		zone:      f.zone,
	}
	if v, ok := m.Get("types"); ok {
		list, _ := v.List()
		for _, element := range list {
			if word, ok := element.OneOf(string(sg.TypeNormal), string(sg.TypeEnterprise)); ok {
				s.types = append(s.types, sg.GroupType(word))
			}
		}
	}
	s.expiredTag = text(m, "expired-tag")
	return s
}

func globs(m strictyaml.Map, key string) []sg.Glob {
	v, ok := m.Get(key)
	if !ok {
		return nil
	}
	texts, _ := v.Strings()
	list := make([]sg.Glob, len(texts))
	for i, text := range texts {
		list[i] = sg.Glob(text)
	}
	return list
}

// tags reads patterns for tags. What is empty is refused, as it mostly is a slip, and a slip in `without-tags` reaches
// further: an empty value is asked for in words.
func (f *policyFile) tags(m strictyaml.Map, key string) []tagPattern {
	v, ok := m.Get(key)
	if !ok {
		return nil
	}
	tags, ok := v.Map(strictyaml.Keys{})
	if !ok {
		return nil
	}
	var list []tagPattern
	for name, value := range tags.All() {
		f.checkTag(tags.Key(name), name)
		if pattern, ok := f.tagGlob(value); ok {
			list = append(list, tagPattern{key: name, value: pattern})
		}
	}
	return list
}

// checkTag refuses names that are mostly keys of the language in the wrong place: indented too deep, such a key would be
// lost and be taken for a tag. Quoted ones are tags.
func (f *policyFile) checkTag(key strictyaml.Value, name string) {
	switch {
	case strings.TrimSpace(name) == "":
		key.Problem(strictyaml.CodeEmpty, "the tag has no name")
	case !key.Quoted() && slices.Contains(f.grammar.mistakenForTags(), name):
		key.Problem(CodePlace, "%q is a key of the policy language that seems indented too deep; if a tag of this name is "+
			"meant, quote it", name)
	}
}

func (f *policyFile) tagGlob(v strictyaml.Value) (sg.Glob, bool) {
	if v.IsMap() {
		m, ok := v.Map(f.grammar.inner.tag.strict())
		if !ok {
			return "", false
		}
		on, ok := m.Get("empty")
		if !ok {
			return "", false
		}
		return "", isTrue(on, "; leave the tag out otherwise")
	}
	text, ok := v.Text()
	if ok && strings.TrimSpace(text) == "" {
		v.Problem(strictyaml.CodeEmpty, "the pattern is empty; for tags with an empty value write "+
			"{empty: true}, for any value \"*\"")
	}
	return sg.Glob(text), ok
}

// isTrue reads a switch that can only be on.
func isTrue(v strictyaml.Value, otherwise string) bool {
	on, ok := v.Bool()
	if ok && !on {
		v.Problem(strictyaml.CodeType, "it can only be true%s", otherwise)
	}
	return ok && on
}
