// Package wire is how the cloud's RPC APIs are spoken: the parameters of a request, and answers and refusals in JSON and
// XML. It knows no action and keeps no state.
package wire

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxBody bounds what a request body may hold, and drainedBody what is taken in of a larger one. The largest legal
// request, a hundred permissions, is far smaller.
const (
	maxBody     = 1 << 20
	drainedBody = 16 << 20
)

// Params are the parameters of a request, by name, decoded. A name may be there with an empty value.
type Params map[string]string

// Get gives the value of a parameter, empty if it is absent.
func (p Params) Get(name string) string { return p[name] }

// Request is what a request says, wherever it says it.
type Request struct {
	Query  url.Values
	Form   url.Values // Nil if the body is no form.
	Body   []byte
	Params Params // Those of the query and of the form. Of a name that is in both, the form's value counts.
}

// Read takes in a request. A name that is twice in one place is refused: what the documents are silent about, and no
// client does, shall not get by what was signed. With an error it gives what could be read.
func Read(r *http.Request) (*Request, error) {
	read := &Request{Params: Params{}}
	var err error
	if read.Query, err = read.add(r.URL.RawQuery); err != nil {
		return read, refusalOr(err, "The query of the request is malformed.")
	}
	if read.Body, err = readBody(r.Body); err != nil {
		return read, err
	}
	if !hasForm(r) {
		return read, nil
	}
	if read.Form, err = read.add(string(read.Body)); err != nil {
		return read, refusalOr(err, "The body of the request is malformed: expected a form in URL encoding.")
	}
	return read, nil
}

// add adds the pairs of a query or a form, and gives them. A semicolon is a character like others, which clients need not
// encode; the standard library refuses it, as it once parted pairs. With an error, it adds what could be read.
func (r *Request) add(text string) (url.Values, error) {
	pairs, err := url.ParseQuery(strings.ReplaceAll(text, ";", "%3B"))
	for _, name := range slices.Sorted(maps.Keys(pairs)) {
		r.Params[name] = pairs[name][0]
		if err == nil {
			err = checkPair(name, pairs[name])
		}
	}
	return pairs, err
}

// refusalOr gives an error as it is if it is a refusal, or else one with a message.
func refusalOr(err error, message string) error {
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal
	}
	return Refusef(CodeParameter, message)
}

// checkPair refuses what no text of a request may be.
func checkPair(name string, values []string) error {
	if len(values) > 1 {
		return Refusef(CodeParameter, "The parameter "+name+" is given more than once.")
	}
	for _, text := range []string{name, values[0]} {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			return Refusef(CodeParameter, "A parameter of the request is not a text in UTF-8.")
		}
	}
	return nil
}

// hasForm tells whether a body holds parameters. Not every client that posts a form says that it is one.
func hasForm(r *http.Request) bool {
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		return r.Method == http.MethodPost
	}
	kind, _, _ := strings.Cut(contentType, ";") // What follows may be malformed, and is of no matter.
	return strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded")
}

// readBody reads a body whole, or refuses it. Of one that is too large some more is taken in, as a client that is
// still writing when the connection is closed would not see the refusal.
func readBody(from io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(from, maxBody+1))
	if err != nil {
		return nil, Refusef(CodeParameter, "The body of the request cannot be read.")
	}
	if len(body) > maxBody {
		_, _ = io.Copy(io.Discard, io.LimitReader(from, drainedBody))
		return nil, &Refusal{
			Code: CodeParameter, Status: http.StatusRequestEntityTooLarge,
			Message: fmt.Sprintf("The body of the request is larger than %d bytes.", maxBody),
		}
	}
	return body, nil
}

// Int reads a number from low to high, and gives the fallback if the parameter is absent or empty.
func (p Params) Int(name string, fallback, low, high int) (int, bool) {
	text := p.Get(name)
	if text == "" {
		return fallback, true
	}
	n, ok := Decimal(text)
	return n, ok && n >= low && n <= high
}

// Decimal reads a number as clients are to write it: digits without a sign or leading zeros.
func Decimal(text string) (int, bool) {
	if !IsDigits(text) || len(text) > 1 && text[0] == '0' {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// Bool reads true or false in any case, and gives false if the parameter is absent or empty.
func (p Params) Bool(name string) (bool, error) {
	switch text := p.Get(name); {
	case text == "", strings.EqualFold(text, "false"):
		return false, nil
	case strings.EqualFold(text, "true"):
		return true, nil
	}
	return false, Refusef(CodeParameter, "The parameter "+name+" must be true or false.")
}

// Element is one member of a list: ResourceId.3, or everything under Permissions.3.
type Element struct {
	Index  int
	Fields Params
}

// BadMember gives the first name that looks like a member of a list and can be none, as its number is none from 1 on:
// Tag.0.Key, Tag.01.Key or Tag.x.Key. It is empty if there is none.
func (p Params) BadMember() string {
	for _, name := range slices.Sorted(maps.Keys(p)) {
		_, rest, dotted := strings.Cut(name, ".")
		number, _, _ := strings.Cut(rest, ".")
		if n, ok := Decimal(number); dotted && (!ok || n < 1) {
			return name
		}
	}
	return ""
}

// List reads Name.N.Field and Name.N parameters, in the order of N; the field of the latter is "". Names whose N is
// not a number from 1 on are no members of the list and ignored, as unknown parameters are.
func (p Params) List(name string) []Element {
	byIndex := map[int]Params{}
	prefix := name + "."
	for full, value := range p {
		rest, ok := strings.CutPrefix(full, prefix)
		if !ok {
			continue
		}
		number, field, _ := strings.Cut(rest, ".")
		n, ok := Decimal(number)
		if !ok || n < 1 {
			continue
		}
		if byIndex[n] == nil {
			byIndex[n] = Params{}
		}
		byIndex[n][field] = value
	}
	elements := make([]Element, 0, len(byIndex))
	for n, fields := range byIndex {
		elements = append(elements, Element{Index: n, Fields: fields})
	}
	slices.SortFunc(elements, func(a, b Element) int { return a.Index - b.Index })
	return elements
}

// Texts reads a list of plain values.
func (p Params) Texts(name string) []string {
	var texts []string
	for _, e := range p.List(name) {
		if text := e.Fields.Get(""); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// IsDigits tells whether text is one or more of 0 to 9.
func IsDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
