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

// maxBody bounds what a request body may hold, and drainedBody what is taken in of a larger one. The largest legal
// request, a hundred permissions, is far smaller.
const (
	maxBody     = 1 << 20
	drainedBody = 16 << 20
)

// parameters are those of a request, by name, decoded. A name may be there with an empty value.
type parameters map[string]string

func (p parameters) get(name string) string { return p[name] }

// readParameters takes them from the query and from a form body. Of a name that is in both, the body's value counts;
// of a name that is twice in one place, the first. With an error it gives those that could be read.
func readParameters(r *http.Request) (parameters, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refusef(codeParameter, "The query of the request is malformed.")
	}
	params := make(parameters, len(query))
	for name, values := range query {
		params[name] = values[0]
	}
	if !hasForm(r) {
		return params, nil
	}
	body, err := readBody(r.Body)
	if err != nil {
		return params, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return params, refusef(codeParameter, "The body of the request is malformed: expected a form in URL encoding.")
	}
	for name, values := range form {
		params[name] = values[0]
	}
	return params, nil
}

// hasForm tells whether a body holds parameters. Not every client that posts a form says that it is one.
func hasForm(r *http.Request) bool {
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		return r.Method == http.MethodPost
	}
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// readBody reads a body whole, or refuses it. Of one that is too large some more is taken in, as a client that is
// still writing when the connection is closed would not see the refusal.
func readBody(from io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(from, maxBody+1))
	if err != nil {
		return nil, refusef(codeParameter, "The body of the request cannot be read.")
	}
	if len(body) > maxBody {
		_, _ = io.Copy(io.Discard, io.LimitReader(from, drainedBody))
		return nil, &refusal{
			code: codeParameter, status: http.StatusRequestEntityTooLarge,
			message: fmt.Sprintf("The body of the request is larger than %d bytes.", maxBody),
		}
	}
	return body, nil
}

// integer reads a number from low to high, and gives the fallback if the parameter is absent or empty.
func (p parameters) integer(name string, fallback, low, high int) (int, bool) {
	text := p.get(name)
	if text == "" {
		return fallback, true
	}
	n, ok := decimal(text)
	return n, ok && n >= low && n <= high
}

// decimal reads a number as clients are to write it: digits without a sign or leading zeros.
func decimal(text string) (int, bool) {
	if !isDigits(text) || len(text) > 1 && text[0] == '0' {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// boolean reads true or false in any case, and gives false if the parameter is absent or empty.
func (p parameters) boolean(name string) (bool, error) {
	switch text := p.get(name); {
	case text == "", strings.EqualFold(text, "false"):
		return false, nil
	case strings.EqualFold(text, "true"):
		return true, nil
	}
	return false, refusef(codeParameter, "The parameter "+name+" must be true or false.")
}

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
		n, ok := decimal(number)
		if !ok || n < 1 {
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
