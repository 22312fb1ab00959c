package estates

import (
	"encoding/json"
	"fmt"
	"maps"
)

// Schema gives the JSON Schema (draft-07) of estate files. It says what an editor can tell from the text alone: that IDs
// are different, policies make sense and the users of keys exist is only checked by [Load].
func Schema() ([]byte, error) {
	root := fileShape().outline()
	definitions := map[string]any{}
	for _, o := range root.all() {
		if o != root {
			definitions[o.name] = o.schema()
		}
	}
	schema := root.schema()
	schema["$schema"] = "http://json-schema.org/draft-07/schema#"
	schema["title"] = "Estate of the emulator of egress-janitor"
	schema["definitions"] = definitions
	data, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding the schema: %w", err)
	}
	return append(data, '\n'), nil
}

func reference(name string) map[string]any { return map[string]any{"$ref": "#/definitions/" + name} }

// all gives an outline and those that it uses, each once, in the order of the keys.
func (o *outline) all() []*outline {
	outlines, seen := []*outline{o}, map[string]bool{o.name: true}
	for i := 0; i < len(outlines); i++ {
		for _, r := range outlines[i].rows {
			if of := r.form.of; of != nil && !seen[of.name] {
				seen[of.name] = true
				outlines = append(outlines, of)
			}
		}
	}
	return outlines
}

func (o *outline) schema() map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, r := range o.rows {
		property := map[string]any{"description": r.doc}
		maps.Copy(property, r.form.schema)
		if r.form.preset != "" {
			property["default"] = r.form.presetValue()
		}
		properties[r.key] = property
		if r.required {
			required = append(required, r.key)
		}
	}
	schema := map[string]any{
		"type": "object", "minProperties": 1, "properties": properties, "additionalProperties": false,
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	if o.short != nil {
		schema = map[string]any{"anyOf": []any{o.short.schema, schema}}
	}
	schema["description"] = o.doc
	return schema
}

// presetValue gives the default as a value of the type that the schema has.
func (f *form) presetValue() any {
	if kind := f.schema["type"]; kind == "integer" || kind == "boolean" {
		return json.RawMessage(f.preset)
	}
	return f.preset
}
