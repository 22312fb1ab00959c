package ecsapi

import (
	stdcmp "cmp"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

func TestScannerReadsTextsLikeEncodingJSON(t *testing.T) {
	tests := map[string]string{
		"a plain text":                        `"abc"`,
		"an empty text":                       `""`,
		"every short escape":                  `"\"\\\/\b\f\n\r\t"`,
		"an escaped letter":                   `"\u0041\u00e4"`,
		"a surrogate pair":                    `"\ud83d\ude00"`,
		"half a pair at the end":              `"\ud83d"`,
		"half a pair before a letter":         `"\ud83dx"`,
		"half a pair before another escape":   `"\ud83d\u0041"`,
		"the second half first":               `"\ude00\ud83d"`,
		"half a pair before a whole one":      `"\ud83d\ud83d\ude00"`,
		"bytes that are no UTF-8":             "\"a\xff\xfeb\"",
		"a cut rune before the end":           "\"a\xe4\xb8\"",
		"a cut rune before an escape":         "\"a\xe4\xb8\\u0041\"",
		"bytes that are no UTF-8 and escapes": "\"\\n\xff\"",
		"Chinese":                             `"安全组"`,
		"a text of eight bytes":               `"12345678"`,
		"a quote right after eight bytes":     `"12345678\"9"`,
		"high bytes before a backslash":       "\"ää\\nää\"",
		"delete and others that are allowed":  "\"\x7f\u2028\"",
	}
	for name, input := range tests {
		t.Run(name, func(t *testing.T) {
			var want string
			if err := json.Unmarshal([]byte(input), &want); err != nil {
				t.Fatal(err)
			}
			var got string
			s := &scanner{text: input}
			if err := s.scalar(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" || s.at != len(input) {
				t.Errorf("stopped at %d of %d, -want +got:\n%s", s.at, len(input), diff)
			}
		})
	}
}

func TestScannerRefuses(t *testing.T) {
	tests := map[string]struct {
		text string
		want error
	}{
		"nothing":                         {"", errSyntax},
		"a web page":                      {"<html></html>", errSyntax},
		"another kind of document":        {"[]", errShape},
		"null":                            {"null", errShape},
		"an object cut after its begin":   {"{", errSyntax},
		"an object cut in a key":          {`{"a`, errSyntax},
		"an object cut after a key":       {`{"a"`, errSyntax},
		"an object cut before a value":    {`{"a":`, errSyntax},
		"an object cut in a value":        {`{"a":"b`, errSyntax},
		"an object cut in an escape":      {`{"a":"\`, errSyntax},
		"an object cut in a long escape":  {`{"a":"\u00`, errSyntax},
		"an object cut after a value":     {`{"a":"b"`, errSyntax},
		"a comma at the end of an object": {`{"a":1,}`, errSyntax},
		"a comma at the end of an array":  {`{"a":[1,]}`, errSyntax},
		"no comma":                        {`{"a":1 "b":2}`, errSyntax},
		"a key without quotes":            {`{a:1}`, errSyntax},
		"an unknown escape":               {`{"a":"\x"}`, errSyntax},
		"a bad long escape":               {`{"a":"\u00g0"}`, errSyntax},
		"a signed long escape":            {`{"a":"\u+123"}`, errSyntax},
		"a line end in a text":            {"{\"a\":\"\n\"}", errSyntax},
		"a line end late in a text":       {"{\"a\":\"12345678\n\"}", errSyntax},
		"a number with a leading zero":    {`{"a":01}`, errSyntax},
		"a number that is a sign":         {`{"a":-}`, errSyntax},
		"a number that ends in a point":   {`{"a":1.}`, errSyntax},
		"a number without an exponent":    {`{"a":1e+}`, errSyntax},
		"a plus sign":                     {`{"a":+1}`, errSyntax},
		"a cut word":                      {`{"a":tru}`, errSyntax},
		"a comment":                       {`{/**/"a":1}`, errSyntax},
		"more after the end":              {`{} {}`, errTrailing},
		"a byte order mark":               {"\ufeff{}", errSyntax},
		"an object for a text":            {`{"Message":{}}`, errShape},
		"an array for a text":             {`{"Message":[]}`, errShape},
		"nesting over the bound":          {`{"a":` + strings.Repeat("[", maxDepth), errTooDeep},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var text string
			err := decodeObject(tt.text, func(s *scanner, key string) error {
				return s.fields(key, field{"Message", &text})
			})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestScannerSkipsUnknownValuesOfAnyKind(t *testing.T) {
	const text = ` { "x" : { "y":[1, -2.5e+3, true, false, null, "z\n", {}, [] ] } , "Code" : 7 , "code":"other" } `
	var code string
	err := decodeObject(text, func(s *scanner, key string) error { return s.fields(key, field{"Code", &code}) })
	if err != nil || code != "7" {
		t.Errorf("got %q, %v; want 7", code, err)
	}
}

func TestScannerNestsUpToTheBound(t *testing.T) {
	nested := strings.Repeat("[", maxDepth-1) + strings.Repeat("]", maxDepth-1)
	err := decodeObject(`{"a":`+nested+`,"b":`+nested+`}`, func(s *scanner, _ string) error { return s.skip() })
	if err != nil {
		t.Errorf("got %v, want the depth to be counted anew for each value", err)
	}
}

// reference is what encoding/json makes of a page of rules, with the same reading of the cloud's looseness.
type reference struct {
	Next, Group, Region string
	Rules               []sg.Fields
	Listed              bool
}

var errReference = errors.New("refused by the reference")

// looseText reads any scalar as a text.
func looseText(raw json.RawMessage) (string, error) {
	switch raw[0] {
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err
	case '{', '[':
		return "", errReference
	case 'n':
		return "", nil
	default:
		return string(raw), nil
	}
}

// members gives the members of an object in order, duplicates and all.
func members(raw json.RawMessage) (keys []string, values []json.RawMessage, err error) {
	if raw[0] != '{' {
		return nil, nil, errReference
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, nil, err
		}
		text, ok := key.(string)
		if !ok {
			return nil, nil, errReference
		}
		keys, values = append(keys, text), append(values, value)
	}
	return keys, values, nil
}

// depth is how deep a valid document is nested.
func depth(body string) (deepest int) {
	d := json.NewDecoder(strings.NewReader(body))
	for now := 0; ; {
		token, err := d.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			now++
			deepest = max(deepest, now)
		case json.Delim('}'), json.Delim(']'):
			now--
		}
	}
}

func decodeByReference(body string) (*reference, error) {
	if !json.Valid([]byte(body)) || depth(body) > maxDepth {
		return nil, errReference
	}
	var r reference
	keys, values, err := members(json.RawMessage(strings.TrimLeft(body, " \r\n\t")))
	for i := range keys {
		switch keys[i] {
		case "NextToken":
			r.Next, err = looseText(values[i])
		case "SecurityGroupId":
			r.Group, err = looseText(values[i])
		case "RegionId":
			r.Region, err = looseText(values[i])
		case "Permissions":
			err = r.permissions(values[i])
		}
		if err != nil {
			return nil, err
		}
	}
	return &r, err
}

func (r *reference) permissions(raw json.RawMessage) error {
	r.Listed, r.Rules = true, nil
	there := false
	keys, values, err := members(raw)
	if err != nil {
		return err
	}
	for i := range keys {
		if keys[i] != "Permission" {
			continue
		}
		there, r.Rules = true, nil
		var rules []json.RawMessage
		if err := json.Unmarshal(values[i], &rules); err != nil {
			return err
		}
		for _, rule := range rules {
			f, err := ruleByReference(rule)
			if err != nil {
				return err
			}
			r.Rules = append(r.Rules, f)
		}
	}
	if !there {
		return errReference
	}
	return nil
}

func ruleByReference(raw json.RawMessage) (f sg.Fields, err error) {
	var direction string
	into := map[string]*string{
		"SecurityGroupRuleId": &f.ID, "IpProtocol": &f.Protocol, "PortRange": &f.PortRange,
		"SourcePortRange": &f.SourcePorts, "PortRangeListId": &f.PortListID, "DestCidrIp": &f.CIDR4,
		"Ipv6DestCidrIp": &f.CIDR6, "DestGroupId": &f.GroupID, "DestGroupOwnerAccount": &f.GroupOwner,
		"DestPrefixListId": &f.PrefixListID, "SourceCidrIp": &f.SourceCIDR4, "Ipv6SourceCidrIp": &f.SourceCIDR6,
		"Policy": &f.Policy, "Priority": &f.Priority, "NicType": &f.NICType, "Description": &f.Description,
		"CreateTime": &f.Created, "Direction": &direction,
	}
	keys, values, err := members(raw)
	for i := range keys {
		var other string
		text := into[keys[i]]
		if keys[i] == "SourceGroupId" || keys[i] == "SourcePrefixListId" {
			text = &other
		}
		if text != nil {
			if *text, err = looseText(values[i]); err != nil {
				return f, err
			}
		}
		f.SourceOther = stdcmp.Or(f.SourceOther, other)
	}
	if direction != "" && !strings.EqualFold(direction, "egress") {
		return f, errReference
	}
	return f, err
}

// FuzzDecodeRules holds the decoder against encoding/json: both refuse, or both read the same.
func FuzzDecodeRules(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		want, wantErr := decodeByReference(body)
		var got reference
		p := rulesPage{
			restart: func() { got.Rules = nil },
			each:    func(f *sg.Fields) { got.Rules = append(got.Rules, *f) },
		}
		err := p.decode(body)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("decoder: %v, encoding/json: %v", err, wantErr)
		}
		if err != nil {
			return
		}
		got.Next, got.Group, got.Region, got.Listed = p.next, p.group, p.region, p.listed
		if diff := cmp.Diff(want, &got); diff != "" {
			t.Errorf("-encoding/json +decoder:\n%s", diff)
		}
	})
}

// seeds are answers, whole and broken.
func seeds(tb testing.TB) []string {
	tb.Helper()
	sample, err := os.ReadFile("testdata/rules.json")
	if err != nil {
		tb.Fatal(err)
	}
	whole := string(sample)
	return []string{
		whole, whole[:len(whole)/2], whole + "x", rulesBody(3), "", "{}", "[]", "null", " {\"Permissions\":{}} ",
		`{"Permissions":{"Permission":null}}`, `{"Permissions":{"Permission":[null]}}`, `{"Permissions":null}`,
		`{"Permissions":{"Permission":[{"Priority":1,"Priority":"2","priority":3}]}}`,
		`{"Permissions":{"Permission":[{"Priority":1}]},"Permissions":{"Permission":[{"Priority":2},{}]}}`,
		`{"Permissions":{"Permission":[{"Priority":1}],"Permission":[]}}`,
		`{"Permissions":{"Permission":[{"SourceGroupId":"","SourcePrefixListId":"pl","SourceGroupId":"sg"}]}}`,
		`{"Permissions":{"Permission":[{"Direction":"ingress"}]}}`,
		`{"Permissions":{"Permission":[{"Description":"\ud83d\ude00 \ud83d \u0000 \/"}]}}`,
		"{\"Permissions\":{\"Permission\":[{\"Description\":\"\xff\xe4\xb8\\n\xf0\"}]}}",
		`{"Permissions":{"Permission":[{"DestGroupOwnerAccount":1234567890123456789012,"Priority":-0.5e-7}]}}`,
		`{"Permissions":{"Permission":[{"Policy":true,"NicType":false,"CreateTime":null,"x":{"y":[[{}]]}}]}}`,
		`{"Permissions":{"Permission":[{"Policy":{}}]}}`, `{"Perm\u0069ssions":{"Permission":[{}]}}`,
		`{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`,
		`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`,
	}
}
