package main

import (
	"io"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/report"
	"github.com/egress-janitor/egress-janitor/internal/snapshot"
	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
	"github.com/egress-janitor/egress-janitor/policy"
)

// The JSON form of an explanation. Absent means not applicable.
type (
	jsonExplanation struct {
		Account  string                `json:"account"`
		Region   string                `json:"region"`
		Group    snapshot.Group        `json:"group"`
		Rule     snapshot.Rule         `json:"rule"`
		Now      time.Time             `json:"now"`
		Policies []jsonExplainedPolicy `json:"policies"`
		Decision *jsonExplainedVerdict `json:"decision,omitempty"`
		Effect   any                   `json:"effect,omitempty"`   // as reports have it; see EffectOf
		EffectOf string                `json:"effectOf,omitempty"` // what it is the effect of
		Reported string                `json:"reported,omitempty"` // what the report of the rule said, if it is not the decision
		Advice   []string              `json:"advice"`
	}
	jsonExplainedPolicy struct {
		Name       string                   `json:"name"`
		Place      jsonPlace                `json:"place"`
		Groups     jsonExplainedScope       `json:"groups"`
		Match      jsonNode                 `json:"match"`
		Verdict    string                   `json:"verdict,omitempty"` // absent: the policy does not object
		Detail     string                   `json:"detail,omitempty"`  // of the verdict
		Collateral []jsonExcess             `json:"collateral,omitempty"`
		Stale      string                   `json:"stale,omitempty"`
		Exceptions []jsonExplainedException `json:"exceptions,omitempty"`
	}
	jsonExplainedException struct {
		Name    string             `json:"name"`
		Place   jsonPlace          `json:"place"`
		Expires time.Time          `json:"expires"`
		Expired bool               `json:"expired"`
		Applies policy.Truth       `json:"applies"`
		Groups  jsonExplainedScope `json:"groups"`
		Match   jsonNode           `json:"match"`
	}
	jsonExplainedScope struct {
		Place jsonPlace      `json:"place"`
		Truth policy.Truth   `json:"truth"`
		Keys  []jsonScopeKey `json:"keys,omitempty"`
	}
	jsonScopeKey struct {
		Key   string       `json:"key"`
		Asks  string       `json:"asks"`
		Has   string       `json:"has,omitempty"`
		Truth policy.Truth `json:"truth"`
		Why   string       `json:"why,omitempty"`
	}
	jsonNode struct {
		Key     string       `json:"key,omitempty"` // absent: a mapping, all of which must hold
		Asks    string       `json:"asks,omitempty"`
		Has     string       `json:"has,omitempty"`
		Truth   policy.Truth `json:"truth"`
		Unknown policy.Gap   `json:"unknown,omitempty"`
		Why     string       `json:"why,omitempty"`
		Place   jsonPlace    `json:"place"`
		Parts   []jsonNode   `json:"parts,omitempty"`
	}
	jsonExcess struct {
		Text  string    `json:"text"`
		Place jsonPlace `json:"place"`
	}
	jsonPlace struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
	}
	jsonExplainedVerdict struct {
		Action string `json:"action"`
		Reason string `json:"reason,omitempty"`
		Detail string `json:"detail,omitempty"`
	}
)

// json writes the explanation for programs.
func (d *explained) json(w io.Writer) error {
	doc := jsonExplanation{
		Account: d.subject.account, Region: d.subject.group.Region, Group: snapshot.NewGroup(&d.subject.group),
		Rule: snapshot.NewRule(&d.subject.rule), Now: d.now.UTC(), Policies: []jsonExplainedPolicy{}, Advice: []string{},
	}
	switch s := d.subject; {
	case s.effect != nil:
		doc.Effect, doc.EffectOf = report.EffectJSON(s.effect), effectAlone
	case s.recorded.known():
		doc.Effect, doc.EffectOf = s.recorded.raw, effectReported
	}
	doc.Reported = d.saidOtherwise()
	doc.Advice = append(doc.Advice, d.hints...)
	for i := range d.explanation.Policies {
		if p := &d.explanation.Policies[i]; d.shows(p) {
			doc.Policies = append(doc.Policies, d.policyForm(p))
		}
	}
	if d.explanation.Finding != nil {
		doc.Decision = &jsonExplainedVerdict{
			Action: string(d.decision.Action), Reason: d.decision.Reason, Detail: d.decision.Detail,
		}
	}
	return writeJSON(w, doc)
}

func (d *explained) policyForm(p *policy.Judgement) jsonExplainedPolicy {
	form := jsonExplainedPolicy{
		Name: p.Policy.Name, Place: place(p.Policy.Pos), Groups: scopeForm(&p.Groups), Match: nodeForm(&p.Match),
	}
	for _, x := range p.Excess {
		form.Collateral = append(form.Collateral, jsonExcess{Text: x.Text, Place: place(x.Pos)})
	}
	for i := range p.Exceptions {
		x := &p.Exceptions[i]
		form.Exceptions = append(form.Exceptions, jsonExplainedException{
			Name: x.Exception.Name, Place: place(x.Exception.Pos), Expires: x.Exception.Expires, Expired: x.Expired,
			Applies: x.Applies, Groups: scopeForm(&x.Groups), Match: nodeForm(&x.Match),
		})
	}
	if p.Violation != nil {
		verdict := d.verdict(p)
		form.Verdict, form.Detail, form.Stale = verdict.String(), verdict.Detail, p.Violation.Stale
	}
	return form
}

func scopeForm(s *policy.ScopeExplanation) jsonExplainedScope {
	form := jsonExplainedScope{Place: place(s.Pos), Truth: s.In}
	for _, k := range s.Keys {
		form.Keys = append(form.Keys, jsonScopeKey(k))
	}
	return form
}

func nodeForm(n *policy.Node) jsonNode {
	form := jsonNode{
		Key: n.Key, Asks: n.Asks, Has: n.Has, Truth: n.Truth, Unknown: n.Gap, Why: n.Why, Place: place(n.Pos),
	}
	for i := range n.Children {
		form.Parts = append(form.Parts, nodeForm(&n.Children[i]))
	}
	return form
}

func place(p strictyaml.Pos) jsonPlace { return jsonPlace(p) }
