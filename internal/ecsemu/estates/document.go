package estates

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// documentForm is the form of a policy: its JSON as a text, or the same as YAML.
func documentForm(words string) form {
	return form{words: words, schema: documentSchema()}
}

func documentSchema() map[string]any {
	return map[string]any{"type": []string{"string", "object"}, "minLength": 1, "minProperties": 1}
}

// document is one policy.
func document[T any](key, doc string, parse func([]byte) (*ram.Policy, error), at func(*T) *string) field[T] {
	return field[T]{
		key: key, doc: doc, form: documentForm("policy: JSON as text, or YAML"),
		read:  func(v strictyaml.Value, into *T) { *at(into) = readDocument(v, parse) },
		write: func(from *T) node { return blockOf(*at(from)) },
	}
}

// documents is a list of policies.
func documents[T any](key, doc string, at func(*T) *[]string) field[T] {
	f := field[T]{
		key: key, doc: doc, form: documentForm("list of policies: JSON as text, or YAML"),
		read: func(v strictyaml.Value, into *T) {
			elements, _ := v.List()
			for _, v := range elements {
				*at(into) = append(*at(into), readDocument(v, ram.Parse))
			}
		},
		write: func(from *T) node {
			n := listOf(*at(from), func(text *string) node { return blockOf(*text) })
			n.flow = false
			return n
		},
	}
	f.form.schema = map[string]any{"type": "array", "minItems": 1, "items": documentSchema()}
	return f
}

// readDocument reads a policy and checks that it makes sense.
func readDocument(v strictyaml.Value, parse func([]byte) (*ram.Policy, error)) string {
	var text string
	if v.IsMap() {
		var b strings.Builder
		if !writeJSON(&b, v) {
			return ""
		}
		text = b.String()
	} else {
		read, ok := v.String()
		if !ok {
			return ""
		}
		text = read
	}
	if _, err := parse([]byte(text)); err != nil {
		v.Problem(problemPolicy, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return text
}

// writeJSON writes a value as JSON, in its order. Every single value becomes a text: policies know no others. It is false
// if there is a problem, which it then reported.
func writeJSON(b *strings.Builder, v strictyaml.Value) bool {
	switch {
	case v.IsMap():
		m, ok := v.Map(strictyaml.Keys{})
		before := ""
		b.WriteString("{")
		for key, value := range m.All() {
			b.WriteString(before)
			writeText(b, key)
			b.WriteString(":")
			ok = writeJSON(b, value) && ok
			before = ","
		}
		b.WriteString("}")
		return ok
	case v.IsList():
		elements, ok := v.List()
		before := ""
		b.WriteString("[")
		for _, value := range elements {
			b.WriteString(before)
			ok = writeJSON(b, value) && ok
			before = ","
		}
		b.WriteString("]")
		return ok
	}
	text, ok := v.Text()
	writeText(b, text)
	return ok
}

func writeText(b *strings.Builder, text string) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) //nolint:errchkjson // a text in a buffer cannot fail
	b.WriteString(strings.TrimSuffix(out.String(), "\n"))
}
