package ecsemu

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxBody bounds what is read of a request body. The largest legal request, a hundred permissions, is far smaller.
const maxBody = 1 << 20

// parameters are those of a request, by name, decoded. A name may be there with an empty value.
type parameters map[string]string

func (p parameters) get(name string) string { return p[name] }

// readParameters takes them from the query and from a form body. Of a name that is in both, the body's value counts;
// of a name that is twice in one place, the first.
func readParameters(w http.ResponseWriter, r *http.Request) (parameters, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refusef(codeParameter, "The query of the request is malformed.")
	}
	params := make(parameters, len(query))
	for name, values := range query {
		params[name] = values[0]
	}
	if !isForm(r.Header.Get("Content-Type")) {
		return params, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, refusef(codeParameter, "The body of the request cannot be read or is too large.")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, refusef(codeParameter, "The body of the request is malformed.")
	}
	for name, values := range form {
		params[name] = values[0]
	}
	return params, nil
}

// isForm tells whether a body holds parameters.
func isForm(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// integer reads a number from low to high, and gives the fallback if the parameter is absent or empty.
func (p parameters) integer(name string, fallback, low, high int) (int, bool) {
	text := p.get(name)
	if text == "" {
		return fallback, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= low && n <= high
}

// boolean reads true or false in any case; absent is false.
func (p parameters) boolean(name string) bool { return strings.EqualFold(p.get(name), "true") }

// element is one member of a list: ResourceId.3, or everything under Permissions.3.
type element struct {
	index  int
	fields parameters
}

// list reads Name.N.Field and Name.N parameters, in the order of N; the field of the latter is "". Names whose N is
// not a number from 1 on are no members of the list and ignored, as unknown parameters are.
func (p parameters) list(name string) []element {
	byIndex := map[int]parameters{}
	prefix := name + "."
	for full, value := range p {
		rest, ok := strings.CutPrefix(full, prefix)
		if !ok {
			continue
		}
		number, field, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 {
			continue
		}
		if byIndex[n] == nil {
			byIndex[n] = parameters{}
		}
		byIndex[n][field] = value
	}
	elements := make([]element, 0, len(byIndex))
	for n, fields := range byIndex {
		elements = append(elements, element{index: n, fields: fields})
	}
	slices.SortFunc(elements, func(a, b element) int { return a.index - b.index })
	return elements
}

// texts reads a list of plain values.
func (p parameters) texts(name string) []string {
	var texts []string
	for _, e := range p.list(name) {
		if text := e.fields.get(""); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// tag is a tag as a request names it.
type tag struct {
	key      string
	value    string
	anyValue bool // The request gave no value.
}

// tags reads Tag.N.Key and Tag.N.Value, or their older spelling with small letters.
func (p parameters) tags() []tag {
	var tags []tag
	for _, e := range p.list("Tag") {
		t := tag{key: e.fields.get("Key"), anyValue: true}
		if t.key == "" {
			t.key = e.fields.get("key")
		}
		for _, name := range []string{"value", "Value"} {
			if value, there := e.fields[name]; there {
				t.value, t.anyValue = value, false
			}
		}
		tags = append(tags, t)
	}
	return tags
}

// format refuses what cannot be answered yet, before anything else is looked at: the answer would have no form.
func (p parameters) format(accept string) error {
	format := p.get("Format")
	switch {
	case strings.EqualFold(format, "JSON"):
		return nil
	case format == "" && strings.Contains(accept, "application/json"):
		return nil
	}
	return refusef(codeFormat, fmt.Sprintf("The format %q is not supported by this emulator yet (an absent one is XML); "+
		"give Format=JSON.", format))
}
