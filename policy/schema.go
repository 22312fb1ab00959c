package policy

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Schema gives the JSON Schema (draft-07) of policy files, for editors and validators. It comes from the table that
// [Load] goes by and says what can be told from one file alone: which mistakes it cannot see is listed with the error
// codes, see [CodeDoc].
func Schema() ([]byte, error) {
	g := newGrammar()
	s := schemas{grammar: g, definitions: map[string]any{}}
	root := s.mapping(g.file)
	root["anyOf"] = []any{required("policies"), required("exceptions")}
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "Policy file of egress-janitor"
	root["definitions"] = s.definitions
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the schema: %w", err)
	}
	return append(data, '\n'), nil
}

// schemas collects the definitions that the schema refers to.
type schemas struct {
	grammar     *grammar
	definitions map[string]any
	// exception and nested say where a `match` stands: bare lists are refused in exceptions, and `rule-action` is
	// known only at the top.
	exception bool
	nested    bool
}

func refer(name string) map[string]any { return map[string]any{"$ref": "#/definitions/" + name} }

func required(keys ...string) map[string]any { return map[string]any{"required": keys} }

// define makes a definition once and refers to it.
func (s *schemas) define(name string, schema func() any) map[string]any {
	if _, done := s.definitions[name]; !done {
		s.definitions[name] = nil // a mapping may hold itself
		s.definitions[name] = schema()
	}
	return refer(name)
}

// mapping is the schema of a mapping with exactly its keys.
func (s *schemas) mapping(m *mapping) map[string]any {
	properties, needed := map[string]any{}, []string{}
	for i := range m.keys {
		k := &m.keys[i]
		if k.notYet || k.top && s.nested {
			continue
		}
		property := s.property(k)
		if k.required {
			needed = append(needed, k.name)
		}
		properties[k.name] = property
	}
	schema := map[string]any{
		"type": "object", "minProperties": 1, "properties": properties, "additionalProperties": false, "description": plain(m.doc),
	}
	if len(needed) > 0 {
		schema["required"] = needed
	}
	if len(m.oneOf) > 0 {
		var choices []any
		for _, name := range m.oneOf {
			choices = append(choices, required(name))
		}
		schema["oneOf"] = choices
	}
	if len(m.needs) > 0 {
		needs := map[string]any{}
		for name, others := range m.needs {
			var choices []any
			for _, other := range others {
				choices = append(choices, required(other))
			}
			needs[name] = map[string]any{"anyOf": choices}
		}
		schema["dependencies"] = needs
	}
	return schema
}

// property is the schema of a key's value. What says it all with a reference has its description beside it in `allOf`,
// since draft-07 ignores what stands beside `$ref`.
func (s *schemas) property(k *key) map[string]any {
	value := s.value(&k.form)
	property := map[string]any{}
	if _, refers := value["$ref"]; refers {
		property["allOf"] = []any{value}
	} else {
		maps.Copy(property, value)
	}
	property["description"] = plain(k.doc)
	if k.preset != "" && !strings.Contains(k.preset, "`") {
		property["default"] = presetValue(&k.form, k.preset)
	}
	return property
}

func (s *schemas) value(f *form) map[string]any {
	switch {
	case f.element != nil:
		return s.relation(f.element)
	case f.sub:
		return plural(f.many, s.match(true))
	case f.of == s.grammar.match:
		return s.match(false)
	case f.of == nil:
		return f.schema
	}
	inside := *s
	inside.exception = f.of.exception
	return plural(f.many, s.define(f.of.name, func() any { return inside.mapping(f.of) }))
}

func plural(many plurality, one map[string]any) map[string]any {
	switch many {
	case listed:
		return arrayOf(one)
	case named:
		return map[string]any{
			"type": "object", "minProperties": 1, "additionalProperties": one,
			"propertyNames": map[string]any{"pattern": "^" + setNames + "$"},
		}
	case orAll:
		return map[string]any{"anyOf": []any{map[string]any{"const": "all"}, one}}
	case byTag:
		pattern := map[string]any{"type": []string{"string", "number", "boolean"}, "pattern": `\S`}
		return map[string]any{
			"type": "object", "minProperties": 1, "propertyNames": map[string]any{"pattern": `\S`},
			"additionalProperties": map[string]any{"anyOf": []any{pattern, one}},
		}
	case oneOnly:
	}
	return one
}

// match is the schema of a `match`, of which there are four: in policies and exceptions, at the top and below.
func (s *schemas) match(nested bool) map[string]any {
	name, inside := s.grammar.match.name, *s
	inside.nested = nested
	if nested {
		name = "nested-" + name
	}
	if s.exception {
		name += "-of-exception"
	}
	return s.define(name, func() any { return inside.mapping(s.grammar.match) })
}

// relation is the schema of a relation key. In an exception it is no bare list.
func (s *schemas) relation(element *form) map[string]any {
	list := arrayOf(s.define(element.name, func() any { return element.schema }))
	relations := s.define(element.name+"-relations", func() any {
		properties := map[string]any{}
		for i := range s.grammar.relations.keys {
			k := &s.grammar.relations.keys[i]
			described := maps.Clone(list)
			described["description"] = plain(k.doc)
			properties[k.name] = described
		}
		return map[string]any{
			"type": "object", "minProperties": 1, "properties": properties, "additionalProperties": false,
		}
	})
	if s.exception {
		return relations
	}
	return map[string]any{"oneOf": []any{list, relations}}
}

// presetValue gives a default as a value of the type that the schema has.
func presetValue(f *form, preset string) any {
	if kind, _ := f.schema["type"].(string); slices.Contains([]string{"integer", "boolean"}, kind) {
		return json.RawMessage(preset)
	}
	return preset
}

// plain is a text of the reference without its marks.
func plain(text string) string {
	text = strings.ReplaceAll(text, "; see [Expressions](#expressions)", "")
	return strings.ReplaceAll(text, "`", "")
}
