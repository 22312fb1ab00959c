package report

import (
	"bufio"
	"io"
	"time"

	"github.com/egress-janitor/egress-janitor/revoker"
)

type jsonHistoryItem struct {
	ID          string    `json:"id"`
	Sweep       string    `json:"sweep"`
	Account     string    `json:"account"`
	Region      string    `json:"region"`
	Group       string    `json:"group"`
	GroupName   string    `json:"groupName,omitempty"`
	Rule        jsonRule  `json:"rule"`
	Policies    []string  `json:"policies"`
	Outcome     string    `json:"outcome"`
	Attribution string    `json:"attribution,omitempty"`
	Detail      string    `json:"detail,omitempty"`
	Time        time.Time `json:"time"` // when it was decided on: what lists are ordered by
	Ended       time.Time `json:"ended,omitzero"`
	RestoredAs  string    `json:"restoredAs,omitempty"`
	Actor       string    `json:"actor,omitempty"`
	Origin      string    `json:"origin,omitempty"`
	RequestIDs  []string  `json:"requestIds,omitempty"`

	Effect *jsonPastEffect `json:"effect,omitempty"`
}

// jsonPastEffect is what removing the rule was going to do when that was decided.
type jsonPastEffect struct {
	Class    string `json:"class"`
	Sentence string `json:"sentence,omitempty"`
}

// jsonShownItem is an item with what a list leaves out.
type jsonShownItem struct {
	jsonHistoryItem

	Causes   []jsonCause   `json:"causes"`
	Calls    []jsonCall    `json:"calls"`
	Restores []jsonRestore `json:"restores"`
}

type jsonCause struct {
	Policy string `json:"policy"`
	Hash   string `json:"hash"`
}

type jsonCall struct {
	ID         string          `json:"id"`
	Action     string          `json:"action"`
	Parameters []jsonParameter `json:"parameters"`
	Token      string          `json:"token"`
	Carries    []string        `json:"carries"`
	Time       time.Time       `json:"time"`
	Deadline   time.Time       `json:"deadline"`
	State      string          `json:"state"`
	Answered   time.Time       `json:"answered,omitzero"`
	Class      string          `json:"class,omitempty"`
	Code       string          `json:"code,omitempty"`
	RequestID  string          `json:"requestId,omitempty"`
	Detail     string          `json:"detail,omitempty"`
}

type jsonParameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type jsonRestore struct {
	ID        string    `json:"id"`
	Outcome   string    `json:"outcome"`
	RuleID    string    `json:"ruleId,omitempty"`
	Detail    string    `json:"detail,omitempty"`
	Actor     string    `json:"actor,omitempty"`
	Time      time.Time `json:"time"`
	HoldUntil time.Time `json:"holdUntil,omitzero"`
	Ended     time.Time `json:"ended,omitzero"`
}

type jsonPastSweep struct {
	ID          string    `json:"id"`
	Account     string    `json:"account"`
	Mode        string    `json:"mode"`
	Acting      bool      `json:"acting,omitempty"`
	Origin      string    `json:"origin,omitempty"`
	Actor       string    `json:"actor,omitempty"`
	PolicyHash  string    `json:"policyHash"`
	Started     time.Time `json:"started"`
	Finished    time.Time `json:"finished,omitzero"`
	Complete    bool      `json:"complete"`
	Interrupted bool      `json:"interrupted,omitempty"`
	Problems    []string  `json:"problems,omitempty"`
}

type jsonPastFinding struct {
	Account  string        `json:"account"`
	Region   string        `json:"region"`
	Group    jsonPastGroup `json:"group"`
	Rule     jsonRule      `json:"rule"`
	Policies []jsonPolicy  `json:"policies"`
	Decision jsonDecision  `json:"decision"`
}

type jsonPastGroup struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// HistoryJSON writes revocations as one JSON array.
func HistoryJSON(w io.Writer, items []HistoryItem) error {
	out := &jsonWriter{w: bufio.NewWriter(w)}
	list(out, "", items, func(h *HistoryItem) any { return newJSONHistoryItem(h) })
	out.raw("\n")
	return out.end()
}

// ShowJSON writes one JSON document: the sweep with its findings, if it is one, and the revocations with all of their
// calls and restores.
func ShowJSON(w io.Writer, s *Shown) error {
	out := &jsonWriter{w: bufio.NewWriter(w)}
	out.raw("{\n")
	out.field("schemaVersion", SchemaVersion)
	if p := s.Sweep; p != nil {
		out.field("sweep", jsonPastSweep{
			ID: p.ID, Account: p.Account, Mode: p.Mode, Acting: p.Acting, Origin: string(p.Origin), Actor: p.Actor,
			PolicyHash: p.PolicyHash, Started: p.Started.UTC(), Finished: p.Finished.UTC(), Complete: p.Complete,
			Interrupted: p.Interrupted, Problems: p.Problems,
		})
		out.field("totals", s.jsonTotals())
		array(out, "findings", p.Findings, func(f *PastFinding) any { return newJSONPastFinding(p.Account, f) })
	}
	array(out, "revocations", s.Revocations, func(h *HistoryItem) any { return newJSONShownItem(h) })
	out.raw("\n}\n")
	return out.end()
}

func (s *Shown) jsonTotals() jsonTotals {
	t := jsonTotals{
		Groups: s.Sweep.Groups, Rules: s.Sweep.Rules, Findings: len(s.Sweep.Findings),
		ByAction: map[string]int{}, ByReason: map[string]int{},
	}
	for i := range s.Sweep.Findings {
		f := &s.Sweep.Findings[i]
		t.ByAction[f.Action]++
		if f.Reason != "" {
			t.ByReason[f.Reason]++
		}
	}
	if s.Sweep.Acting {
		t.ByOutcome = map[string]int{}
		for i := range s.Revocations {
			t.ByOutcome[outcomeName(s.Revocations[i].Outcome)]++
		}
	}
	return t
}

func newJSONPastFinding(account string, f *PastFinding) jsonPastFinding {
	finding := jsonPastFinding{
		Account: account, Region: f.Region, Group: jsonPastGroup{ID: f.Group, Name: f.GroupName},
		Rule: newJSONRule(&f.Rule), Policies: make([]jsonPolicy, len(f.Policies)),
		Decision: jsonDecision{Action: f.Action, Reason: f.Reason},
	}
	for i, v := range f.Policies {
		finding.Policies[i] = jsonPolicy{
			Name: v.Name, Severity: v.Severity, Verdict: v.Verdict, Because: notNil(v.Because),
		}
	}
	return finding
}

func newJSONHistoryItem(h *HistoryItem) jsonHistoryItem {
	return jsonHistoryItem{
		ID: h.ID, Sweep: h.Sweep, Account: h.Ref.Account, Region: h.Ref.Region, Group: h.Ref.Group,
		GroupName: h.GroupName,
		Rule:      newJSONRule(&h.Rule), Policies: h.policies(),
		Outcome: outcomeName(h.Outcome), Attribution: string(h.Attribution), Detail: h.Detail,
		Time: h.Created.UTC(), Ended: h.Ended.UTC(), RestoredAs: h.restoredAs(),
		Actor: h.Actor, Origin: string(h.Origin), RequestIDs: h.requestIDs(), Effect: newJSONPastEffect(h.Effect),
	}
}

func newJSONPastEffect(e revoker.Effect) *jsonPastEffect {
	if e == (revoker.Effect{}) {
		return nil
	}
	return &jsonPastEffect{Class: e.Class, Sentence: e.Sentence}
}

func newJSONShownItem(h *HistoryItem) jsonShownItem {
	item := jsonShownItem{
		jsonHistoryItem: newJSONHistoryItem(h),
		Causes:          make([]jsonCause, len(h.Policies)),
		Calls:           make([]jsonCall, len(h.Calls)),
		Restores:        make([]jsonRestore, len(h.Restores)),
	}
	for i, cause := range h.Policies {
		item.Causes[i] = jsonCause(cause)
	}
	for i := range h.Calls {
		item.Calls[i] = newJSONCall(&h.Calls[i])
	}
	for i := range h.Restores {
		item.Restores[i] = newJSONRestore(&h.Restores[i])
	}
	return item
}

func newJSONCall(c *revoker.Call) jsonCall {
	call := jsonCall{
		ID: c.ID, Action: c.Action, Parameters: make([]jsonParameter, len(c.Parameters)), Token: c.ClientToken(),
		Carries: notNil(c.Carries), Time: c.Recorded.UTC(), Deadline: c.Deadline.UTC(), State: string(c.State),
		Answered: c.Answer.At.UTC(), Class: string(c.Answer.Class), Code: c.Answer.Code,
		RequestID: c.Answer.RequestID, Detail: c.Answer.Detail,
	}
	for i, p := range c.Parameters {
		call.Parameters[i] = jsonParameter(p)
	}
	return call
}

func newJSONRestore(r *revoker.Restore) jsonRestore {
	outcome := string(r.Outcome)
	if outcome == "" {
		outcome = OutcomeOpen
	}
	return jsonRestore{
		ID: r.ID, Outcome: outcome, RuleID: r.RuleID, Detail: r.Detail, Actor: r.Actor,
		Time: r.Created.UTC(), HoldUntil: r.HoldUntil.UTC(), Ended: r.Ended.UTC(),
	}
}
