package main

import (
	"encoding/json"
	"fmt"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/reach"
	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// What an effect of an explanation is of, in JSON.
const (
	effectAlone    = "rule alone, within its group" // the group was read
	effectReported = "report"                       // the rule is a finding of a report, beside others
)

// removeAlone is what removing a rule alone does within its group.
func removeAlone(group *sg.Group, rules []sg.Rule, rule *sg.Rule, incomplete string) *reach.Effect {
	for i := range rules {
		if &rules[i] == rule {
			return reach.Compile(group, rules, reach.Options{Only: []int{i}, Incomplete: incomplete}).Effect(nil, []int{i})
		}
	}
	return nil
}

// reportedEffect is the effect of a finding of a report. It cannot be worked out again: a finding does not have the other
// rules of its group.
type reportedEffect struct {
	raw                                  json.RawMessage
	scope, class, sentence, warning, why string
}

// UnmarshalJSON takes what a report says, and keeps all of it. A report of another version may say more.
func (e *reportedEffect) UnmarshalJSON(text []byte) error {
	var form struct{ Scope, Class, Sentence, Warning, Why string }
	if err := json.Unmarshal(text, &form); err != nil {
		return fmt.Errorf("effect: %w", err)
	}
	*e = reportedEffect{
		raw: json.RawMessage(string(text)), scope: form.Scope, class: form.Class, sentence: form.Sentence, warning: form.Warning,
		why: form.Why,
	}
	return nil
}

// known tells whether the report has an effect that somebody worked out.
func (e *reportedEffect) known() bool { return e != nil && e.sentence != "" }

// reach is what decisions about the rule go by; nil if nobody knows.
func (r *ruleSubject) reach() decision.Reach {
	switch {
	case r.effect != nil:
		return onlyEffect{r.effect}
	case r.recorded.known():
		return onlyEffect{&reach.Effect{
			Scope: reach.Scope(r.recorded.scope), Class: reach.Class(r.recorded.class), Why: r.recorded.why,
		}}
	}
	return nil
}

// explain gives the report's own words as the details of verdicts that go by its effect.
func (e *reportedEffect) explain(d *decision.Decision) {
	if !e.known() {
		return
	}
	for _, v := range append([]*decision.Verdict{&d.Verdict}, pointers(d.Policies)...) {
		if v.Reason == decision.ReasonNoEffect || v.Reason == decision.ReasonEffectUnknown {
			v.Detail = e.sentence
		}
	}
}

func pointers(verdicts []decision.Verdict) []*decision.Verdict {
	list := make([]*decision.Verdict, len(verdicts))
	for i := range verdicts {
		list[i] = &verdicts[i]
	}
	return list
}

// onlyEffect is the effect of the one finding there is. It implements [decision.Reach].
type onlyEffect struct{ effect *reach.Effect }

// Effects implements [decision.Reach].
func (o onlyEffect) Effects(findings []decision.Finding, batch []bool) ([]*reach.Effect, []decision.Batch) {
	if !batch[0] {
		return []*reach.Effect{o.effect}, nil
	}
	return []*reach.Effect{o.effect}, []decision.Batch{{Group: findings[0].Group, Effect: o.effect}}
}

// effect says what removing the rule does: alone, if its group was read, and otherwise what the report said.
func (t *explainText) effect(d *explained) {
	switch s := d.subject; {
	case s.effect != nil:
		t.say("effect    of removing it alone: %s", s.effect.Sentence())
		t.loud(s.effect.Warning())
		for _, line := range report.EffectDetails(s.effect) {
			t.say("            %s", line)
		}
		if d.interfaces {
			t.say("          the config's scope is interface: what it comes to on interfaces is in the report of an audit")
		}
	case s.recorded.known():
		t.say("effect    by the report, beside what else was to be removed: %s", s.recorded.sentence)
		t.loud(s.recorded.warning)
	}
}

// loud says what must not be overlooked.
func (t *explainText) loud(text string) {
	switch {
	case text == "":
	case t.colored:
		t.out.WriteString("          \x1b[31m" + report.Clean(text) + "\x1b[0m\n")
	default:
		t.say("          %s", text)
	}
}
