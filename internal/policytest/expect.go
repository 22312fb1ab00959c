package policytest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

// exempt is the decision about a rule that an exception covers; the exception's name follows.
const exempt = string(decision.Exempt) + ": "

// ofPolicies are what one policy alone can say, beside exemptions, of which there are as many as exceptions.
func ofPolicies() []decision.Verdict {
	return []decision.Verdict{
		{Action: decision.Hold, Reason: decision.ReasonExceptionUnknown},
		{Action: decision.Report, Reason: decision.ReasonPolicy},
		{Action: decision.Report, Reason: decision.ReasonInvalidExpiry},
		{Action: decision.Hold, Reason: decision.ReasonStaleSet},
		{Action: decision.Hold, Reason: decision.ReasonDropRule},
		{Action: decision.Hold, Reason: decision.ReasonCollateral},
		{Action: decision.Report, Reason: decision.ReasonNoEffect},
		{Action: decision.Hold, Reason: decision.ReasonEffectUnknown},
		{Action: decision.Report, Reason: decision.ReasonBaseline},
	}
}

// ofRules are the decisions that come of the rule and its group, whatever the policies say.
func ofRules() []decision.Verdict {
	return []decision.Verdict{
		{Action: decision.Skip, Reason: decision.ReasonManaged},
		{Action: decision.Skip, Reason: decision.ReasonProtected},
		{Action: decision.Skip, Reason: decision.ReasonIncomplete},
		{Action: decision.Hold, Reason: decision.ReasonNoRuleID},
		{Action: decision.Hold, Reason: decision.ReasonNotRestorable},
		{Action: decision.Revoke},
	}
}

// notInTests says of words of reports why no test can see them; nothing of other words.
func notInTests(word string) string {
	switch {
	case strings.HasPrefix(word, "hold: limit "):
		return "a test has no limits, since it is about one rule"
	case word == "skip: unreadable":
		return "a rule that cannot be read is a mistake in a test"
	case slices.Contains([]string{
		"pending: grace", "hold: restored", "hold: recurring", "hold: new-policy", "hold: shrunken-inventory",
		"hold: breaker", "hold: freeze", "hold: hours", "hold: paused", "hold: approval",
	}, word):
		return "a test has no store and no config, so grace counts as over; say what is decided after that"
	}
	return ""
}

func spelt(verdicts []decision.Verdict) []string {
	words := make([]string, len(verdicts))
	for i, v := range verdicts {
		words[i] = v.String()
	}
	return words
}

// decisionOf reads a decision about a rule, verdictOf that of one policy.
func (r *fileReader) decisionOf(v strictyaml.Value) string {
	return r.word(v, "decision", slices.Concat([]string{None}, spelt(ofRules()), spelt(ofPolicies())))
}

func (r *fileReader) verdictOf(v strictyaml.Value) string {
	return r.word(v, "verdict of a policy", slices.Concat([]string{string(decision.Candidate)}, spelt(ofPolicies())))
}

func (r *fileReader) word(v strictyaml.Value, what string, known []string) string {
	if v.IsMap() {
		v.Problem(CodeDecision, "expected a %s as reports print it, in quotes: \"hold: collateral\"", what)
		return ""
	}
	text, ok := v.Text()
	if !ok {
		return ""
	}
	if name, is := strings.CutPrefix(text, exempt); is {
		r.checkException(v, name)
		return text
	}
	switch {
	case slices.Contains(known, text):
	case notInTests(text) != "":
		v.Problem(CodeDecision, "%q cannot come of a test: %s", text, notInTests(text))
	case text == string(decision.Revoke):
		v.Problem(CodeDecision, "one policy alone revokes nothing; the verdict that may come to it is %q", decision.Candidate)
	default:
		v.Problem(CodeDecision, "%q is no %s%s known are: %s, exempt: NAME", text, what,
			hint(strictyaml.Suggest(text, known)), strings.Join(known, ", "))
	}
	return text
}

func hint(suggestion string) string {
	if suggestion == "" {
		return ";"
	}
	return suggestion
}

func (r *fileReader) checkException(v strictyaml.Value, name string) {
	if r.set == nil {
		return
	}
	var known []string
	for _, x := range r.set.Exceptions {
		known = append(known, x.Name)
	}
	if !slices.Contains(known, name) {
		v.Problem(CodeDecision, "the policies of this file have no exception %q%s", name, strictyaml.Suggest(name, known))
	}
}

// expectation reads the keys of a test that say what is wanted.
func (r *fileReader) expectation(m strictyaml.Map) expectation {
	var want expectation
	if v, ok := m.Get("expect"); ok {
		want.decision = r.decisionOf(v)
	}
	if v, ok := m.Get("because"); ok {
		want.because, _ = v.Strings()
	}
	if !m.Has("policies") {
		return want
	}
	want.policies = map[string]string{}
	var known []string
	if r.set != nil {
		for _, p := range r.set.Policies {
			known = append(known, p.Name)
		}
	}
	eachOf(m, "policies", func(name, v strictyaml.Value, key string) {
		if r.set != nil && !slices.Contains(known, key) {
			name.Problem(CodePolicy, "this file tests no policy %q%s", key, strictyaml.Suggest(key, known))
		}
		want.policies[key] = r.verdictOf(v)
	})
	return want
}

// unquoted notes decisions without quotes, of which YAML would say no more than that they are wrong.
func (l *loader) unquoted(name string, data []byte) bool {
	pattern := regexp.MustCompile(`^(\s*(?:- )?expect:\s+)((?:exempt|report|hold|skip|pending): [^#\s]+)\s*(?:#.*)?$`)
	found, number := false, 0
	for line := range strings.Lines(string(data)) {
		number++
		if m := pattern.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			found = true
			l.problems.Add(strictyaml.Pos{File: name, Line: number, Column: 1 + len(m[1])}, CodeDecision,
				"a decision with a colon needs quotes: write expect: %q", m[2])
		}
	}
	return found
}
