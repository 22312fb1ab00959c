package ram_test

import (
	"slices"
	"strconv"
	"strings"

	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/ram"
)

// modelStatement is a statement as it is written. The oracle evaluates it by the letter of the documentation, slowly.
type modelStatement struct {
	Effect      string
	Action      []string                       `json:",omitempty"`
	NotAction   []string                       `json:",omitempty"`
	Resource    []string                       `json:",omitempty"`
	NotResource []string                       `json:",omitempty"`
	Condition   map[string]map[string][]string `json:",omitempty"`
}

// Small worlds, in which statements and requests meet often.
var (
	modelActions         = []string{"ecs:A", "ecs:AB", "ECS:b", "vpc:A"}
	modelActionPatterns  = []string{"*", "ecs:*", "ecs:a", "ECS:A?", "*:A", "ecs:*b", "vpc:?"}
	modelResources       = []string{"acs:ecs:r:1:a", "acs:ecs:r:1:a/b", "acs:ecs:s:2:a", "acs:vpc:r::A", "*"}
	modelARNPatterns     = []string{"*", "acs:*:*:*:*", "acs:ecs:*:*:*", "acs:ecs:?:1:a*", "acs:ecs:s:*:a", "acs:*:r:*:?", "acs:vpc:r::A"}
	modelTexts           = []string{"a", "A", "ab", "*", ""}
	modelNumbers         = []string{"1", "2", "-3", "x"}
	modelAddresses       = []string{"10.0.0.1", "192.0.2.1", "x"}
	modelOperators       = []string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"}
	modelNumberOperators = []string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"}
)

func statementGen() *rapid.Generator[modelStatement] {
	some := func(from []string) *rapid.Generator[[]string] { return rapid.SliceOfN(rapid.SampledFrom(from), 1, 2) }
	return rapid.Custom(func(t *rapid.T) modelStatement {
		s := modelStatement{Effect: rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect")}
		if rapid.IntRange(0, 3).Draw(t, "not action") == 0 {
			s.NotAction = some(modelActionPatterns).Draw(t, "actions")
		} else {
			s.Action = some(modelActionPatterns).Draw(t, "actions")
		}
		if rapid.IntRange(0, 3).Draw(t, "not resource") == 0 {
			s.NotResource = some(modelARNPatterns).Draw(t, "resources")
		} else {
			s.Resource = some(modelARNPatterns).Draw(t, "resources")
		}
		s.Condition = make(map[string]map[string][]string)
		for range rapid.IntRange(0, 2).Draw(t, "conditions") {
			switch rapid.IntRange(0, 2).Draw(t, "type") {
			case 0:
				key := rapid.SampledFrom([]string{"ecs:text", "ecs:other"}).Draw(t, "key")
				s.Condition[rapid.SampledFrom(modelOperators).Draw(t, "operator")] = map[string][]string{key: some(modelTexts).Draw(t, "values")}
			case 1:
				s.Condition[rapid.SampledFrom(modelNumberOperators).Draw(t, "operator")] = map[string][]string{"ecs:number": some(modelNumbers[:3]).Draw(t, "values")}
			default:
				s.Condition[rapid.SampledFrom([]string{"IpAddress", "NotIpAddress"}).Draw(t, "operator")] = map[string][]string{"acs:SourceIp": {"10.0.0.0/8"}}
			}
		}
		return s
	})
}

func requestGen() *rapid.Generator[ram.Request] {
	return rapid.Custom(func(t *rapid.T) ram.Request {
		context := make(map[string][]string)
		draw := func(key string, values []string) {
			drawn := rapid.SliceOfN(rapid.SampledFrom(values), -1, 2).Draw(t, key)
			if len(drawn) > 0 || rapid.Bool().Draw(t, key+" is there") {
				context[key] = drawn
			}
		}
		draw("ecs:text", modelTexts)
		draw("ecs:number", modelNumbers)
		draw("acs:SourceIp", modelAddresses)
		return ram.Request{
			Action:    rapid.SampledFrom(modelActions).Draw(t, "action"),
			Resources: rapid.SliceOfN(rapid.SampledFrom(modelResources), -1, 2).Draw(t, "resources"),
			Context:   context,
		}
	})
}

// oracle tells the verdict resource by resource.
func oracle(statements []modelStatement, request *ram.Request) ram.Verdict {
	resources := request.Resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	denied, allowed := false, 0
	for _, resource := range resources {
		allows := false
		for _, s := range statements {
			if s.matches(request, resource) {
				denied = denied || s.Effect == "Deny"
				allows = allows || s.Effect == "Allow"
			}
		}
		if allows {
			allowed++
		}
	}
	switch {
	case denied:
		return ram.Explicit
	case allowed == len(resources):
		return ram.Allowed
	}
	return ram.Implicit
}

func (s *modelStatement) matches(request *ram.Request, resource string) bool {
	named := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			return like(strings.ToLower(p), strings.ToLower(request.Action))
		})
	}
	if s.Action != nil && !named(s.Action) || s.NotAction != nil && named(s.NotAction) {
		return false
	}
	covered := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return likeARN(p, resource) })
	}
	if s.Resource != nil && !covered(s.Resource) || s.NotResource != nil && covered(s.NotResource) {
		return false
	}
	if s.NotResource != nil && resource == "*" && s.Effect == "Allow" {
		return false
	}
	for operator, keys := range s.Condition {
		for key, wanted := range keys {
			if !modelHolds(operator, wanted, request.Context[key]) {
				return false
			}
		}
	}
	return true
}

// like matches by trying everything.
func like(pattern, text string) bool {
	switch {
	case pattern == "":
		return text == ""
	case pattern[0] == '*':
		return like(pattern[1:], text) || text != "" && like(pattern, text[1:])
	}
	return text != "" && (pattern[0] == '?' || pattern[0] == text[0]) && like(pattern[1:], text[1:])
}

func likeARN(pattern, arn string) bool {
	if pattern == "*" || pattern == "acs:*:*:*:*" {
		return true
	}
	patterns, fields := strings.Split(pattern, ":"), strings.Split(arn, ":")
	for i := range patterns {
		if len(fields) != len(patterns) || !like(patterns[i], fields[i]) {
			return false
		}
	}
	return true
}

func modelHolds(operator string, wanted, got []string) bool {
	if positive := strings.Replace(operator, "Not", "", 1); positive != operator {
		return !modelHolds(positive, wanted, got)
	}
	for _, w := range wanted {
		for _, g := range got {
			if modelCompares(operator, w, g) {
				return true
			}
		}
	}
	return false
}

func modelCompares(operator, want, got string) bool {
	switch operator {
	case "StringEquals":
		return got == want
	case "StringEqualsIgnoreCase":
		return strings.EqualFold(got, want)
	case "StringLike":
		return like(want, got)
	case "IpAddress": // of 10.0.0.0/8
		return strings.HasPrefix(got, "10.")
	}
	w, wantErr := strconv.Atoi(want)
	g, gotErr := strconv.Atoi(got)
	if wantErr != nil || gotErr != nil {
		return false
	}
	return strings.HasSuffix(operator, "Equals") && g == w ||
		strings.HasPrefix(operator, "NumericLess") && g < w || strings.HasPrefix(operator, "NumericGreater") && g > w
}
