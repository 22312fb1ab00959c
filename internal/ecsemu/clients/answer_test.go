//go:build clients

package clients_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
)

// complete reads what the client left as text, and names everything as the API does.
func (a *answer) complete() error {
	if a.Data == nil && a.Raw != "" {
		data, err := parse(a.Raw)
		if err != nil {
			return err
		}
		a.Data = data
	}
	a.Data = capitalized(a.Data)
	if !a.OK && a.Code == "" {
		// This client leaves errors to its caller, at least those in XML.
		a.Code, a.Message, a.RequestID = text(a.Data, "Code"), text(a.Data, "Message"), text(a.Data, "RequestId")
	}
	return nil
}

func parse(raw string) (any, error) {
	var data any
	if !strings.HasPrefix(strings.TrimSpace(raw), "<") {
		err := json.Unmarshal([]byte(raw), &data)
		return data, err
	}
	var root element
	if err := xml.Unmarshal([]byte(raw), &root); err != nil {
		return nil, fmt.Errorf("reading %q: %w", raw, err)
	}
	return root.value(), nil
}

// element is any element of XML.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Elements []element `xml:",any"`
}

// value gives a text, or a map in which elements of one name are a list.
func (e *element) value() any {
	if len(e.Elements) == 0 {
		return e.Text
	}
	fields := map[string]any{}
	for i := range e.Elements {
		child := &e.Elements[i]
		value, name := child.value(), child.XMLName.Local
		switch before := fields[name].(type) {
		case nil:
			fields[name] = value
		case []any:
			fields[name] = append(before, value)
		default:
			fields[name] = []any{before, value}
		}
	}
	return fields
}

// capitalized names fields as the API does; some SDKs begin them with a small letter.
func capitalized(value any) any {
	switch value := value.(type) {
	case map[string]any:
		fields := make(map[string]any, len(value))
		for name, field := range value {
			fields[strings.ToUpper(name[:1])+name[1:]] = capitalized(field)
		}
		return fields
	case []any:
		list := make([]any, 0, len(value))
		for _, element := range value {
			list = append(list, capitalized(element))
		}
		return list
	}
	return value
}

// text gives a field as text, whatever the SDK made of it. The path leads through structs: Credentials.SecurityToken.
func text(data any, path string) string {
	for name := range strings.SplitSeq(path, ".") {
		fields, _ := data.(map[string]any)
		data = fields[name]
	}
	switch data := data.(type) {
	case nil:
		return ""
	case float64:
		return fmt.Sprintf("%.0f", data)
	}
	return fmt.Sprint(data)
}

// items gives the elements of a list, which some SDKs show with its wrapper and some without. Of XML, one element
// looks like no list.
func items(data any, outer, inner string) []any {
	fields, _ := data.(map[string]any)
	list := fields[outer]
	if wrapper, ok := list.(map[string]any); ok {
		list = wrapper[inner]
	}
	switch list := list.(type) {
	case []any:
		return list
	case map[string]any:
		return []any{list}
	}
	return nil
}
