package ecsemu

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// object is an object of an answer that keeps the order of its members, as clients may see it.
type object struct{ members []member }

// member has one of *object, *list, string, json.Number, bool and nil, or whatever a fault puts in.
type member struct {
	name  string
	value any
}

type list struct{ elements []any }

// readTree reads an answer in JSON.
func readTree(body []byte) (*object, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	value, err := readValue(decoder)
	if err != nil {
		return nil, fmt.Errorf("reading an answer: %w", err)
	}
	top, ok := value.(*object)
	if !ok {
		return nil, fmt.Errorf("reading an answer: found %T, expected an object", value)
	}
	return top, nil
}

func readValue(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := &object{}
		for decoder.More() {
			name, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			value, err := readValue(decoder)
			if err != nil {
				return nil, err
			}
			o.members = append(o.members, member{name: fmt.Sprint(name), value: value})
		}
		_, err = decoder.Token()
		return o, err
	case json.Delim('['):
		l := &list{elements: []any{}}
		for decoder.More() {
			value, err := readValue(decoder)
			if err != nil {
				return nil, err
			}
			l.elements = append(l.elements, value)
		}
		_, err = decoder.Token()
		return l, err
	}
	return token, nil
}

// MarshalJSON writes the members in their order.
func (o *object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range o.members {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		out.Write(append(append(name, ':'), value...))
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// MarshalJSON writes the elements.
func (l *list) MarshalJSON() ([]byte, error) { return json.Marshal(l.elements) }

// set changes a member, or adds it.
func (o *object) set(name string, value any) {
	for i := range o.members {
		if o.members[i].name == name {
			o.members[i].value = value
			return
		}
	}
	o.members = append(o.members, member{name: name, value: value})
}

// get gives a member; nil if there is none.
func (o *object) get(name string) any {
	for _, m := range o.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// items gives the elements of the listing that an answer is: those of the first list that is alone in an object at the
// top. It is nil if the answer is no listing.
func (o *object) items() *list {
	for _, m := range o.members {
		wrapper, ok := m.value.(*object)
		if !ok || len(wrapper.members) != 1 {
			continue
		}
		if found, ok := wrapper.members[0].value.(*list); ok {
			return found
		}
	}
	return nil
}

// walk calls visit with every object in a value, and the name of the member that it is, or is an element of.
func walk(name string, value any, visit func(name string, o *object)) {
	switch v := value.(type) {
	case *object:
		visit(name, v)
		for _, m := range v.members {
			walk(m.name, m.value, visit)
		}
	case *list:
		for _, e := range v.elements {
			walk(name, e, visit)
		}
	}
}
