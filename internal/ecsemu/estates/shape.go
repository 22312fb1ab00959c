package estates

import (
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// shape is one kind of mapping in an estate file: its keys, what they mean, and where their values are kept.
type shape[T any] struct {
	name     string // In the schema and the reference.
	doc      string
	flow     bool   // It is written on one line.
	short    bool   // A single value stands for a mapping with the first key only.
	identity string // The key by which the members of a list are told apart; empty if they need not be.
	fields   []field[T]
	check    func(m strictyaml.Map, read *T) // What concerns several keys; may be nil.

	keys strictyaml.Keys
}

// field is one key of a mapping.
type field[T any] struct {
	key      string
	doc      string
	required bool
	form     form
	absent   func(into *T) // Sets the default; may be nil.
	read     func(v strictyaml.Value, into *T)
	write    func(from *T) node // Nothing is written for an absent node.
}

// form is what a value looks like, for people and for validators.
type form struct {
	words  string
	preset string // The default in words; empty if there is none.
	schema map[string]any
	of     *outline // The mapping that it is, or is a list of; nil if it is neither.
}

// outline is a shape without its type.
type outline struct {
	name  string
	doc   string
	short *form // What may stand for the mapping.
	rows  []row
}

type row struct {
	key      string
	doc      string
	required bool
	form     form
}

// closed completes a shape once its fields are known.
func (s shape[T]) closed() *shape[T] {
	s.keys = strictyaml.Keys{Required: []string{}, Optional: []string{}}
	for i := range s.fields {
		if s.fields[i].required {
			s.keys.Required = append(s.keys.Required, s.fields[i].key)
		} else {
			s.keys.Optional = append(s.keys.Optional, s.fields[i].key)
		}
	}
	return &s
}

func (s *shape[T]) outline() *outline {
	o := &outline{name: s.name, doc: s.doc}
	for i := range s.fields {
		f := &s.fields[i]
		o.rows = append(o.rows, row{key: f.key, doc: f.doc, required: f.required, form: f.form})
	}
	if s.short {
		o.short = &s.fields[0].form
	}
	return o
}

// read reads a mapping, and goes on after every mistake.
func (s *shape[T]) read(v strictyaml.Value, into *T) {
	if s.short && !v.IsMap() {
		s.fields[0].read(v, into)
		return
	}
	m, ok := v.Map(s.keys)
	if !ok {
		return
	}
	for i := range s.fields {
		f := &s.fields[i]
		if v, there := m.Get(f.key); there {
			f.read(v, into)
		} else if f.absent != nil {
			f.absent(into)
		}
	}
	if s.check != nil {
		s.check(m, into)
	}
}

// write gives what read reads back to the same value. What is not written is the default.
func (s *shape[T]) write(from *T) node {
	n := node{kind: mapping, flow: s.flow}
	for i := range s.fields {
		f := &s.fields[i]
		value := f.write(from)
		if value.kind == absent && f.required {
			value = scalarOf("")
		}
		if value.kind != absent {
			n.pairs = append(n.pairs, pair{key: f.key, value: value})
		}
	}
	if s.short && len(n.pairs) == 1 {
		return n.pairs[0].value
	}
	return n
}

// unique knows what stood where.
type unique map[string]int

// add reports what stands there a second time. What names the kind of thing: "ID".
func (u unique) add(v strictyaml.Value, what, text string) {
	if line, twice := u[text]; twice {
		v.Problem(problemDuplicate, "the %s %q stands here a second time; the first is at line %d", what, text, line)
		return
	}
	u[text] = v.Pos().Line
}

// addChild adds the value of a key of a mapping, if it is there and not empty.
func (u unique) addChild(v strictyaml.Value, key, what string) {
	if child, there := v.Child(key); there && child.IsScalar() {
		if text, ok := child.Text(); ok && text != "" {
			u.add(child, what, text)
		}
	}
}
