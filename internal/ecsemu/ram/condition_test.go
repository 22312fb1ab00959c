package ram_test

import (
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

// holds tells whether a statement with the condition is about a request with the context.
func holds(t *testing.T, condition string, context map[string][]string) bool {
	t.Helper()
	policies := []*ram.Policy{mustParse(t, document(conditional(condition)))}
	return ram.Evaluate(policies, &ram.Request{Action: "ecs:X", Resources: []string{"*"}, Context: context}) == ram.Allowed
}

func TestOperatorsCompare(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		operator, negated string // negated is its opposite, if it has one
		wanted            string // the values of the policy, as JSON
		yes, no           []string
	}{
		"texts": {
			"StringEquals", "StringNotEquals", `"Ab*"`,
			[]string{"Ab*"},
			[]string{"ab*", "Abc", "", "Ab* "},
		},
		"texts without regard to case": {
			"StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", `["Ab", "É"]`,
			[]string{"aB", "AB", "é"},
			[]string{"a", "e", ""},
		},
		"patterns": {
			"StringLike", "StringNotLike", `["a*c?", ""]`,
			[]string{"acx", "abcé", "accc", ""},
			[]string{"ac", "Acx", "acxyz", "xacx"},
		},
		"several values": {
			"StringEquals", "StringNotEquals", `["a", "b"]`,
			[]string{"a", "b"},
			[]string{"c", "a,b"},
		},
		"numbers as numbers": {
			"NumericEquals", "NumericNotEquals", `["10", "-0.5"]`,
			[]string{"10", "10.0", "010", "+10", "-0.50"},
			[]string{"1", "0.5", "ten", "", "1e1", "0xA", " 10", "20/2"},
		},
		"numbers with all their digits": {
			"NumericEquals", "NumericNotEquals", `"9999999999999999"`,
			[]string{"9999999999999999"},
			[]string{"10000000000000000", "9999999999999998"},
		},
		"smaller numbers":           {"NumericLessThan", "", `"10"`, []string{"9", "-11", "9.999"}, []string{"10", "11", "x"}},
		"smaller numbers or equal":  {"NumericLessThanEquals", "", `"10"`, []string{"9", "10"}, []string{"10.001", "x"}},
		"greater numbers":           {"NumericGreaterThan", "", `"10"`, []string{"11", "10.001"}, []string{"10", "9", "x"}},
		"greater numbers or equal":  {"NumericGreaterThanEquals", "", `"10"`, []string{"11", "10"}, []string{"9.999", "x"}},
		"one of several thresholds": {"NumericLessThan", "", `["5", "10"]`, []string{"7"}, []string{"10"}},
		"instants, whatever their zone": {
			"DateEquals", "DateNotEquals", `"2026-01-02T15:00:00+08:00"`,
			[]string{"2026-01-02T15:00:00+08:00", "2026-01-02T07:00:00Z"},
			[]string{"2026-01-02T15:00:00Z", "2026-01-02", "", "1767337200"},
		},
		"earlier instants":          {"DateLessThan", "", `"2026-01-02T15:00:00Z"`, []string{"2026-01-02T14:59:59Z"}, []string{"2026-01-02T15:00:00Z", "x"}},
		"earlier instants or equal": {"DateLessThanEquals", "", `"2026-01-02T15:00:00Z"`, []string{"2026-01-02T15:00:00Z"}, []string{"2026-01-02T15:00:01Z", "x"}},
		"later instants":            {"DateGreaterThan", "", `"2026-01-02T15:00:00Z"`, []string{"2026-01-02T15:00:01Z"}, []string{"2026-01-02T15:00:00Z", "x"}},
		"later instants or equal":   {"DateGreaterThanEquals", "", `"2026-01-02T15:00:00Z"`, []string{"2026-01-02T15:00:00Z"}, []string{"2026-01-02T14:59:59Z", "x"}},
		"booleans":                  {"Bool", "", `"true"`, []string{"true"}, []string{"false", "True", "1", ""}},
		"addresses and blocks": {
			"IpAddress", "NotIpAddress", `["10.1.2.3/8", "192.0.2.7", "2001:db8::/32"]`,
			[]string{"10.200.0.1", "192.0.2.7", "::ffff:10.0.0.1", "2001:db8:1::1"},
			[]string{"11.0.0.1", "192.0.2.8", "2001:db9::1", "10.0.0.0/8", "", "x"},
		},
		"blocks of mapped addresses": {
			"IpAddress", "NotIpAddress", `["::ffff:10.0.0.0/104", "::ffff:192.0.2.7"]`,
			[]string{"10.0.0.1", "::ffff:10.0.0.1", "192.0.2.7"},
			[]string{"11.0.0.1", "192.0.2.8"},
		},
		"every address of a family": {
			"IpAddress", "NotIpAddress", `"0.0.0.0/0"`,
			[]string{"192.0.2.1"},
			[]string{"2001:db8::1"},
		},
		"addresses with a zone as without": {"IpAddress", "NotIpAddress", `"fe80::/10"`, []string{"fe80::1%lo"}, []string{"2001:db8::1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := func(value string, want bool) {
				context := map[string][]string{"ecs:key": {value}}
				if got := holds(t, `{"`+test.operator+`": {"ecs:key": `+test.wanted+`}}`, context); got != want {
					t.Errorf("%s %s of %q: got %t, want %t", test.operator, test.wanted, value, got, want)
				}
				if test.negated == "" {
					return
				}
				if got := holds(t, `{"`+test.negated+`": {"ecs:key": `+test.wanted+`}}`, context); got == want {
					t.Errorf("%s %s of %q: got %t, want %t", test.negated, test.wanted, value, got, !want)
				}
			}
			for _, value := range test.yes {
				check(value, true)
			}
			for _, value := range test.no {
				check(value, false)
			}
		})
	}
}

func TestConditionsCombine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		condition string
		context   map[string][]string
		want      bool
	}{
		"an absent key matches nothing":                       {`{"StringLike": {"ecs:a": "*"}}`, map[string][]string{"ecs:b": {"1"}}, false},
		"without a context no key is there":                   {`{"StringEquals": {"ecs:a": ""}}`, nil, false},
		"a key without a value is absent":                     {`{"StringEquals": {"ecs:a": ""}}`, map[string][]string{"ecs:a": {}}, false},
		"a key with an empty value is there":                  {`{"StringEquals": {"ecs:a": ""}}`, map[string][]string{"ecs:a": {""}}, true},
		"an absent key holds when negated":                    {`{"StringNotEquals": {"ecs:a": "1"}}`, nil, true},
		"an absent address is elsewhere":                      {`{"NotIpAddress": {"acs:SourceIp": "10.0.0.0/8"}}`, nil, true},
		"an absent boolean is not false":                      {`{"Bool": {"acs:SecureTransport": "false"}}`, nil, false},
		"names of keys are case-sensitive":                    {`{"StringEquals": {"ecs:tag/Team": "1"}}`, map[string][]string{"ecs:tag/team": {"1"}}, false},
		"one value of several is enough":                      {`{"StringEquals": {"ecs:a": "2"}}`, map[string][]string{"ecs:a": {"1", "2"}}, true},
		"one value of several is too many when negated":       {`{"StringNotEquals": {"ecs:a": "2"}}`, map[string][]string{"ecs:a": {"1", "2"}}, false},
		"none of the values may match when negated":           {`{"StringNotEquals": {"ecs:a": ["1", "2"]}}`, map[string][]string{"ecs:a": {"2"}}, false},
		"all keys of an operator must hold":                   {`{"StringEquals": {"ecs:a": "1", "ecs:b": "1"}}`, map[string][]string{"ecs:a": {"1"}, "ecs:b": {"2"}}, false},
		"all keys of an operator do hold":                     {`{"StringEquals": {"ecs:a": "1", "ecs:b": "2"}}`, map[string][]string{"ecs:a": {"1"}, "ecs:b": {"2"}}, true},
		"all operators must hold":                             {`{"NumericGreaterThan": {"ecs:a": "1"}, "NumericLessThan": {"ecs:a": "3"}}`, map[string][]string{"ecs:a": {"3"}}, false},
		"all operators do hold":                               {`{"NumericGreaterThan": {"ecs:a": "1"}, "NumericLessThan": {"ecs:a": "3"}}`, map[string][]string{"ecs:a": {"2"}}, true},
		"an empty condition holds":                            {`{}`, nil, true},
		"a pattern of a plain operator is but a text":         {`{"StringEquals": {"ecs:a": "*"}}`, map[string][]string{"ecs:a": {"1"}}, false},
		"a value of the request is no pattern":                {`{"StringLike": {"ecs:a": "ab"}}`, map[string][]string{"ecs:a": {"*"}}, false},
		"a number too long to be one is none, and not slow":   {`{"NumericGreaterThan": {"ecs:a": "1"}}`, map[string][]string{"ecs:a": {strings.Repeat("9", 101)}}, false},
		"a number with an exponent is none, and not gigantic": {`{"NumericGreaterThan": {"ecs:a": "1"}}`, map[string][]string{"ecs:a": {"1e999999999"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := holds(t, test.condition, test.context); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
