package estates

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// needed makes a field a required one.
func needed[T any](f field[T]) field[T] {
	f.required = true
	return f
}

// id is a text that must not be empty, nor look like something other than a text.
func id[T any](key, doc string, at func(*T) *string) field[T] {
	return field[T]{
		key: key, doc: doc, required: true,
		form:  form{words: "text, not empty", schema: map[string]any{"type": "string", "pattern": `\S`}},
		read:  func(v strictyaml.Value, into *T) { *at(into), _ = v.String() },
		write: func(from *T) node { return stringOf(*at(from)) },
	}
}

// anyScalar is the schema of a text that need not be quoted if it looks like a number or a boolean.
func anyScalar() map[string]any {
	return map[string]any{"type": []string{"string", "number", "boolean"}}
}

// text is any text. An empty one is as good as none.
func text[T any](key, doc string, at func(*T) *string) field[T] {
	return field[T]{
		key: key, doc: doc, form: form{words: "text", schema: anyScalar()},
		read: func(v strictyaml.Value, into *T) { *at(into), _ = v.Text() },
		write: func(from *T) node {
			if *at(from) == "" {
				return node{}
			}
			return scalarOf(*at(from))
		},
	}
}

// preset is a text with a default.
func preset[T any](key, doc, value string, at func(*T) *string) field[T] {
	f := text(key, doc, at)
	f.form.preset = value
	return withDefault(f, value, at)
}

func withDefault[T any](f field[T], value string, at func(*T) *string) field[T] {
	read := f.read
	f.absent = func(into *T) { *at(into) = value }
	f.read = func(v strictyaml.Value, into *T) {
		if read(v, into); *at(into) == "" {
			*at(into) = value
		}
	}
	f.write = func(from *T) node {
		if at := *at(from); at != "" && at != value {
			return scalarOf(at)
		}
		return node{}
	}
	return f
}

// word is one of some words. The default is empty if what it is depends on something else.
func word[T any](key, doc, value string, at func(*T) *string, words ...string) field[T] {
	f := text(key, doc, at)
	f.form = form{
		words: "`" + strings.Join(words, "` or `") + "`", preset: value, schema: map[string]any{"enum": words},
	}
	f.read = func(v strictyaml.Value, into *T) { *at(into), _ = v.OneOf(words...) }
	if value != "" {
		return withDefault(f, value, at)
	}
	return f
}

// number is a positive number. The default is 0 if what it is depends on something else.
func number[T any](key, doc string, value int, at func(*T) *int) field[T] {
	f := field[T]{
		key: key, doc: doc,
		form:   form{words: "number from 1", schema: map[string]any{"type": "integer", "minimum": 1, "maximum": math.MaxInt32}},
		absent: func(into *T) { *at(into) = value },
		read:   func(v strictyaml.Value, into *T) { *at(into), _ = v.Int(1, math.MaxInt32) },
		write: func(from *T) node {
			if n := *at(from); n != 0 && n != value {
				return node{kind: scalar, text: fmt.Sprint(n)}
			}
			return node{}
		},
	}
	if value != 0 {
		f.form.preset = fmt.Sprint(value)
	}
	return f
}

func boolean[T any](key, doc string, at func(*T) *bool) field[T] {
	return field[T]{
		key: key, doc: doc,
		form: form{words: "`true` or `false`", preset: "false", schema: map[string]any{"type": "boolean"}},
		read: func(v strictyaml.Value, into *T) { *at(into), _ = v.Bool() },
		write: func(from *T) node {
			if *at(from) {
				return node{kind: scalar, text: "true"}
			}
			return node{}
		},
	}
}

// duration is a positive time of whole seconds. The default is told in words; the value is then 0.
func duration[T any](key, doc, preset string, at func(*T) *time.Duration) field[T] {
	return field[T]{
		key: key, doc: doc,
		form: form{
			words: "duration, such as `2h` or `90m`", preset: preset,
			schema: map[string]any{"type": "string", "pattern": `^[0-9.]+(h|m|s)([0-9.]+(m|s))*$`},
		},
		read: func(v strictyaml.Value, into *T) {
			text, _ := v.String()
			d, err := time.ParseDuration(text)
			if err != nil || d <= 0 || d%time.Second != 0 {
				v.Expected("a duration of whole seconds, such as 2h or 90m")
				return
			}
			*at(into) = d
		},
		write: func(from *T) node {
			if *at(from) == 0 {
				return node{}
			}
			words := at(from).String()
			if strings.HasSuffix(words, "m0s") {
				words = strings.TrimSuffix(words, "0s")
			}
			if strings.HasSuffix(words, "h0m") {
				words = strings.TrimSuffix(words, "0m")
			}
			return node{kind: scalar, text: words}
		},
	}
}

// texts is a list of texts that are not empty.
func texts[T any](key, doc string, at func(*T) *[]string) field[T] {
	item := map[string]any{"type": "string", "pattern": `\S`}
	return field[T]{
		key: key, doc: doc,
		form: form{words: "list of texts", schema: map[string]any{"type": "array", "minItems": 1, "items": item}},
		read: func(v strictyaml.Value, into *T) { *at(into), _ = v.Strings() },
		write: func(from *T) node {
			return listOf(*at(from), func(text *string) node { return stringOf(*text) })
		},
	}
}

// tags are pairs of texts, in no order.
func tags[T any](doc string, at func(*T) *map[string]string) field[T] {
	return field[T]{
		key: "tags", doc: doc,
		form: form{
			words:  "mapping of texts",
			schema: map[string]any{"type": "object", "minProperties": 1, "additionalProperties": anyScalar()},
		},
		read: func(v strictyaml.Value, into *T) {
			m, ok := v.Map(strictyaml.Keys{})
			if !ok {
				return
			}
			read := map[string]string{}
			for key, value := range m.All() {
				read[key], _ = value.Text()
			}
			*at(into) = read
		},
		write: func(from *T) node {
			held := *at(from)
			if len(held) == 0 {
				return node{}
			}
			n := node{kind: mapping, flow: true}
			for _, key := range slices.Sorted(maps.Keys(held)) {
				n.pairs = append(n.pairs, pair{key: key, value: scalarOf(held[key])})
			}
			return n
		},
	}
}

// list is a list of mappings.
func list[T, E any](key, doc string, of *shape[E], at func(*T) *[]E) field[T] {
	return field[T]{
		key: key, doc: doc,
		form: form{
			words: "list of", of: of.outline(),
			schema: map[string]any{"type": "array", "minItems": 1, "items": reference(of.name)},
		},
		read: func(v strictyaml.Value, into *T) {
			elements, _ := v.List()
			seen := unique{}
			for _, v := range elements {
				var e E
				of.read(v, &e)
				*at(into) = append(*at(into), e)
				if of.identity != "" {
					seen.addChild(v, of.identity, identityWords(of.identity))
				}
			}
		},
		write: func(from *T) node { return listOf(*at(from), of.write) },
	}
}

func identityWords(key string) string {
	if key == "id" {
		return "ID"
	}
	return key
}

func listOf[E any](elements []E, write func(*E) node) node {
	if len(elements) == 0 {
		return node{}
	}
	n := node{kind: sequence, items: make([]node, len(elements))}
	for i := range elements {
		n.items[i] = write(&elements[i])
	}
	n.flow = n.isShort()
	return n
}
