package wire

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// Format is how an answer is written.
type Format int

// Formats. That of a request that does not say is XML in the first signature's scheme, and JSON in ACS3.
const (
	FormatXML Format = iota
	FormatJSON
)

// FormatOf gives the format that a request asks for, by its parameter or, without one, by its Accept header. What cannot
// be answered at all is refused, in the format that is given with the refusal.
func FormatOf(p Params, h http.Header, acs3 bool) (Format, error) {
	switch format := p.Get("Format"); {
	case strings.EqualFold(format, "JSON"):
		return FormatJSON, nil
	case strings.EqualFold(format, "XML"):
		return FormatXML, nil
	case format != "":
		return FormatXML, Refuse(CodeFormat)
	}
	accept := strings.ToLower(h.Get("Accept"))
	switch {
	case strings.Contains(accept, "application/json"):
		return FormatJSON, nil
	case strings.Contains(accept, "xml"):
		return FormatXML, nil
	case acs3:
		return FormatJSON, nil
	}
	return FormatXML, nil
}

// String is how a format is asked for.
func (f Format) String() string {
	if f == FormatJSON {
		return "JSON"
	}
	return "XML"
}

// ContentType is the header that goes with a format. Clients compare it to the letter.
func (f Format) ContentType() string {
	if f == FormatJSON {
		return "application/json;charset=utf-8"
	}
	return "text/xml;charset=utf-8"
}

// Encode writes a value in a format. The root is the name of the outermost element in XML. The hint is how long it may
// become.
func (f Format) Encode(root string, value any, sizeHint int) ([]byte, error) {
	body, err := encodeJSON(value, sizeHint)
	if err != nil || f == FormatJSON {
		return body, err
	}
	return toXML(root, body)
}

// encodeJSON gives a value as the cloud does: on one line, and without escapes for HTML.
func encodeJSON(value any, sizeHint int) ([]byte, error) {
	var buffer bytes.Buffer
	buffer.Grow(sizeHint)
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// toXML gives JSON as XML: a member of an object is an element of its name, and a list one such element for each of its
// members. An empty list leaves no element. The answers have lists in members of members only, so nothing is lost.
func toXML(root string, body []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var out bytes.Buffer
	out.Grow(2 * len(body))
	out.WriteString("<?xml version='1.0' encoding='UTF-8'?>")
	w := xmlWriter{decoder: decoder, out: &out}
	if err := w.value(root); err != nil {
		return nil, fmt.Errorf("writing XML: %w", err)
	}
	return out.Bytes(), nil
}

type xmlWriter struct {
	decoder *json.Decoder
	out     *bytes.Buffer
}

// value writes the next JSON value as elements of a name.
func (w xmlWriter) value(name string) error {
	token, err := w.decoder.Token()
	if err != nil {
		return err
	}
	if token == json.Delim('[') {
		for w.decoder.More() {
			if err := w.value(name); err != nil {
				return err
			}
		}
		_, err := w.decoder.Token()
		return err
	}
	w.out.WriteString("<" + name + ">")
	if token == json.Delim('{') {
		err = w.members()
	} else if token != nil {
		err = xml.EscapeText(w.out, fmt.Append(nil, token))
	}
	w.out.WriteString("</" + name + ">")
	return err
}

func (w xmlWriter) members() error {
	for w.decoder.More() {
		key, err := w.decoder.Token()
		if err != nil {
			return err
		}
		if err := w.value(fmt.Sprint(key)); err != nil {
			return err
		}
	}
	_, err := w.decoder.Token()
	return err
}
