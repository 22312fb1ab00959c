package policy_test

import (
	"encoding/json"
	"fmt"

	"pgregory.net/rapid"
)

// renderFile writes a file; JSON is YAML.
func renderFile(t *rapid.T, f *oFile, zone string) string {
	policies := []any{map[string]any{
		"name": "uses-all-sets", "description": "d", "severity": "low", "owner": "o", "action": "report",
		"groups": map[string]any{"ids": []string{"none"}},
		"match":  map[string]any{"destination": map[string]any{"equals": []string{"$low", "$odd", "$wide"}}},
	}}
	for _, p := range f.policies {
		policies = append(policies, map[string]any{
			"name": p.name, "description": "d", "severity": "low", "owner": "o", "action": "report",
			"groups": renderScope(&p.groups), "match": renderMatch(&p.match),
		})
	}
	sets := map[string]any{}
	for name, cidrs := range oSets() {
		sets[name] = map[string]any{"cidrs": cidrs, "allow-wide": true}
	}
	file := map[string]any{"version": 1, "timezone": zone, "sets": sets, "policies": policies}
	var exceptions []any
	for _, x := range f.exceptions {
		names := x.policies
		if names == nil {
			names = []string{"*"}
		}
		exceptions = append(exceptions, map[string]any{
			"name": x.name, "policies": names, "reason": "r", "owner": "o", "expires": x.expires,
			"groups": renderScope(&x.groups), "match": renderMatch(&x.match),
		})
	}
	if exceptions != nil {
		file["exceptions"] = exceptions
	}
	data, err := json.MarshalIndent(file, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data) + "\n"
}

func renderScope(s *oScope) any {
	m := map[string]any{}
	for key, globs := range s.globs {
		m[key] = globs
	}
	if s.types != nil {
		m["types"] = s.types
	}
	if s.tags != nil {
		m["tags"] = renderTags(s.tags)
	}
	if s.without != nil {
		m["without-tags"] = renderTags(s.without)
	}
	if s.expiredTag != "" {
		m["expired-tag"] = s.expiredTag
	}
	if len(m) == 0 {
		return "all"
	}
	return m
}

// renderTags says in words where an empty value is asked for.
func renderTags(tags map[string]string) map[string]any {
	out := map[string]any{}
	for key, pattern := range tags {
		out[key] = pattern
		if pattern == "" {
			out[key] = map[string]any{"empty": true}
		}
	}
	return out
}

func renderMatch(m *oMatch) map[string]any {
	out := map[string]any{}
	relations := map[string]map[string]any{}
	for _, r := range m.relations {
		if relations[r.key] == nil {
			relations[r.key] = map[string]any{}
		}
		relations[r.key][r.relation] = r.texts
	}
	for key, byName := range relations {
		out[key] = byName
		if list, ok := byName["overlaps"]; ok && m.bare && len(byName) == 1 {
			out[key] = list
		}
	}
	set := func(given bool, key string, value any) {
		if given {
			out[key] = value
		}
	}
	set(m.action != "", "rule-action", m.action)
	set(m.kinds != nil, "destination-kind", m.kinds)
	set(m.groups != nil, "destination-group", m.groups)
	set(m.lists != nil, "prefix-list", m.lists)
	set(m.wider != nil, "wider-than", m.wider)
	set(m.older > 0, "older-than", fmt.Sprintf("%dd", m.older))
	set(m.expired, "expired", map[string]any{"description": expiryPattern})
	set(m.desc == "empty", "description", map[string]any{"empty": true})
	set(m.desc != "" && m.desc != "empty", "description", map[string]any{"matches": m.desc})
	set(m.every, "every-rule", true)
	for key, nested := range map[string][]oMatch{"any": m.any, "all": m.all} {
		var list []any
		for i := range nested {
			list = append(list, renderMatch(&nested[i]))
		}
		set(nested != nil, key, list)
	}
	if m.not != nil {
		out["not"] = renderMatch(m.not)
	}
	return out
}
