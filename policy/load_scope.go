package policy

import (
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// scope reads `groups`: the word all, or a mapping.
func (f *policyFile) scope(v strictyaml.Value) scope {
	if v.IsScalar() {
		if word, ok := v.Text(); ok && word != "all" {
			v.Problem(strictyaml.CodeType, "expected `all` or a mapping, found %q", word)
		}
		return scope{}
	}
	if !v.IsMap() {
		v.Expected("`all` or a mapping")
		return scope{}
	}
	m, ok := v.Map(strictyaml.Keys{
		Optional: []string{"accounts", "regions", "ids", "names", "vpcs", "types", "tags", "without-tags", "expired-tag"},
		NotYet:   []string{"resource-groups"},
	})
	if !ok {
		return scope{}
	}
	s := scope{
		accounts: globs(m, "accounts"),
		regions:  globs(m, "regions"),
		ids:      globs(m, "ids"),
		names:    globs(m, "names"),
		vpcs:     globs(m, "vpcs"),
		tags:     tagPatterns(m, "tags"),
		without:  tagPatterns(m, "without-tags"),
		zone:     f.zone,
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

func tagPatterns(m strictyaml.Map, key string) []tagPattern {
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
		pattern, ok := value.Text() // an empty text asks for an empty value
		if ok {
			list = append(list, tagPattern{key: name, value: sg.Glob(pattern)})
		}
	}
	return list
}
