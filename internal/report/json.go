package report

import (
	"bufio"
	"io"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// The types below are the JSON form. Absent means not applicable; null is not used.

type jsonSweep struct {
	ID         string    `json:"id"`
	Account    string    `json:"account"`
	Mode       string    `json:"mode"`
	Acting     bool      `json:"acting,omitempty"`
	PolicyHash string    `json:"policyHash"`
	Started    time.Time `json:"started"`
	Finished   time.Time `json:"finished"`
	Complete   bool      `json:"complete"`
	Unknown    []string  `json:"unknown"`
}

type jsonScope struct {
	Regions []jsonRegion `json:"regions"`
}

type jsonRegion struct {
	ID       string `json:"id"`
	Complete bool   `json:"complete"`
	Groups   int    `json:"groups"`
	Rules    int    `json:"rules"`
	Gone     int    `json:"gone,omitempty"`
	Error    string `json:"error,omitempty"`
}

type jsonTotals struct {
	Groups     int            `json:"groups"`
	Rules      int            `json:"rules"`
	Unreadable int            `json:"unreadable,omitempty"`
	Findings   int            `json:"findings"`
	ByAction   map[string]int `json:"byAction"`
	ByReason   map[string]int `json:"byReason"`
	ByOutcome  map[string]int `json:"byOutcome,omitzero"`
	// ByEffect and ClosedPairs are of the rules to be revoked; see [Totals].
	ByEffect    map[string]int `json:"byEffect,omitzero"`
	ClosedPairs *jsonPairs     `json:"closedPairs,omitempty"`
}

type jsonFinding struct {
	Account            string          `json:"account"`
	Region             string          `json:"region"`
	Group              jsonGroup       `json:"group"`
	Rule               jsonRule        `json:"rule"`
	Policies           []jsonPolicy    `json:"policies"`
	Effect             jsonEffect      `json:"effect"`
	Narrowing          *jsonNarrowing  `json:"narrowing,omitempty"`
	Decision           jsonDecision    `json:"decision"`
	Executed           bool            `json:"executed"`
	NotExecutedBecause string          `json:"notExecutedBecause,omitempty"`
	Revocation         *jsonRevocation `json:"revocation,omitempty"`
}

type jsonRevocation struct {
	ID          string `json:"id"`
	Outcome     string `json:"outcome"`
	Attribution string `json:"attribution,omitempty"`
	Detail      string `json:"detail,omitempty"`
}

type jsonGroup struct {
	ID   string            `json:"id"`
	Name string            `json:"name"`
	Type string            `json:"type"`
	VPC  string            `json:"vpc,omitempty"`
	Tags map[string]string `json:"tags"`

	Description    string `json:"description,omitempty"`
	ResourceGroup  string `json:"resourceGroup,omitempty"`
	ServiceManaged bool   `json:"serviceManaged,omitempty"`
}

type jsonRule struct {
	ID               string `json:"id,omitempty"`
	Protocol         string `json:"protocol"`
	PortRange        string `json:"portRange,omitempty"`
	PortList         string `json:"portList,omitempty"`
	SourcePortRange  string `json:"sourcePortRange,omitempty"`
	Destination      string `json:"destination,omitempty"`
	DestinationKind  string `json:"destinationKind,omitempty"`
	DestinationOwner string `json:"destinationOwner,omitempty"`
	Source           string `json:"source,omitempty"`
	Action           string `json:"action,omitempty"`
	Priority         int    `json:"priority,omitempty"`
	NICType          string `json:"nicType,omitempty"`
	Description      string `json:"description,omitempty"`
	CreateTime       string `json:"createTime,omitempty"`
	Unreadable       string `json:"unreadable,omitempty"`
}

type jsonPolicy struct {
	Name     string   `json:"name"`
	Severity string   `json:"severity"`
	Verdict  string   `json:"verdict"`
	Because  []string `json:"because"`
}

type jsonDecision struct {
	Action string    `json:"action"`
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"`
}

type jsonBatch struct {
	Account string     `json:"account"`
	Region  string     `json:"region"`
	ID      string     `json:"id"`
	Effect  jsonEffect `json:"effect"`
}

type jsonException struct {
	Name     string    `json:"name"`
	Reason   string    `json:"reason"`
	Owner    string    `json:"owner"`
	Ticket   string    `json:"ticket,omitempty"`
	Expires  time.Time `json:"expires"`
	Exempted int       `json:"exempted"`
	Unsure   int       `json:"unsure,omitempty"`
	Notices  []string  `json:"notices"`
}

type jsonError struct {
	Account string `json:"account"`
	Region  string `json:"region,omitempty"`
	Group   string `json:"group,omitempty"`
	List    string `json:"list,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Error   string `json:"error"`
}

// JSON writes the report as one JSON document. Findings are written one by one, so that a large report costs no more
// memory than its findings.
func JSON(w io.Writer, s *Sweep) error {
	out := &jsonWriter{w: bufio.NewWriter(w)}
	out.raw("{\n")
	out.field("schemaVersion", SchemaVersion)
	out.field("sweep", jsonSweep{
		ID: s.ID, Account: s.Account, Mode: s.Mode, Acting: s.Acting, PolicyHash: s.PolicyHash,
		Started: s.Started.UTC(), Finished: s.Finished.UTC(), Complete: s.Complete, Unknown: notNil(s.Unknown),
	})
	if s.Change != nil && !s.Change.Empty() {
		out.field("policyChange", newJSONChange(s.Change))
	}
	out.field("scope", s.jsonScope())
	totals := s.Totals()
	out.field("totals", jsonTotals{
		Groups: totals.Groups, Rules: totals.Rules, Unreadable: s.Unreadable,
		Findings: totals.Findings, ByAction: totals.ByAction, ByReason: totals.ByReason,
		ByOutcome: totals.ByOutcome, ByEffect: totals.ByEffect, ClosedPairs: newJSONPairs(totals.Closed),
	})
	executions := s.executions()
	array(out, "findings", s.Findings, func(f *decision.Finding) any { return s.jsonFinding(f, executions) })
	effects := s.batches()
	array(out, "groups", s.candidates(), func(g **sg.Group) any {
		return jsonBatch{Account: s.Account, Region: (*g).Region, ID: (*g).ID, Effect: newJSONEffect(effects[keyOf(*g)].effect)}
	})
	if s.Hygiene != nil {
		array(out, "hygiene", s.Hygiene, func(h *Hygiene) any { return s.jsonHygiene(h) })
	}
	array(out, "exceptions", s.Exceptions, func(x *Exception) any { return s.jsonException(x) })
	array(out, "errors", s.Errors, func(e *Error) any {
		return jsonError{Account: s.Account, Region: e.Region, Group: e.Group, List: e.List, Rule: e.Rule, Error: e.Text}
	})
	out.raw("\n}\n")
	return out.end()
}

func (s *Sweep) jsonScope() jsonScope {
	scope := jsonScope{Regions: make([]jsonRegion, len(s.Regions))}
	for i, r := range s.Regions {
		scope.Regions[i] = jsonRegion(r)
	}
	return scope
}

func (s *Sweep) jsonFinding(f *decision.Finding, executions executions) jsonFinding {
	result := jsonFinding{
		Account:  s.Account,
		Region:   f.Group.Region,
		Group:    newJSONGroup(f.Group),
		Rule:     newJSONRule(&f.Rule),
		Policies: make([]jsonPolicy, len(f.Violations)),
		Effect:   newJSONEffect(f.Effect), Narrowing: newJSONNarrowing(f.Narrowing),
		Decision: jsonDecision{
			Action: string(f.Decision.Action), Reason: f.Decision.Reason, Until: f.Decision.Until.UTC(),
		},
		NotExecutedBecause: s.notExecuted(f, executions),
	}
	for i, v := range f.Violations {
		result.Policies[i] = jsonPolicy{
			Name: v.Policy.Name, Severity: string(v.Policy.Severity),
			Verdict: f.Decision.Policies[i].String(), Because: notNil(v.Because),
		}
	}
	if r := executions.of(f); r != nil {
		result.Executed = r.Outcome == revoker.Confirmed
		result.Revocation = &jsonRevocation{
			ID: r.ID, Outcome: outcomeName(r.Outcome), Attribution: string(r.Attribution), Detail: r.Detail,
		}
	}
	return result
}

func (s *Sweep) jsonException(x *Exception) jsonException {
	return jsonException{
		Name: x.Name, Reason: x.Reason, Owner: x.Owner, Ticket: x.Ticket,
		Expires: x.Expires.UTC(), Exempted: x.Exempted, Unsure: x.Unsure, Notices: notNil(s.notices(x)),
	}
}

// candidates are the groups with a rule that reached candidate, in the order of the findings.
func (s *Sweep) candidates() []*sg.Group {
	var groups []*sg.Group
	for i := range s.Findings {
		f := &s.Findings[i]
		if f.Decision.Batch && (len(groups) == 0 || groups[len(groups)-1] != f.Group) {
			groups = append(groups, f.Group)
		}
	}
	return groups
}

func newJSONGroup(g *sg.Group) jsonGroup {
	tags := make(map[string]string, len(g.Tags))
	for _, t := range g.Tags {
		tags[t.Key] = t.Value
	}
	return jsonGroup{
		ID: g.ID, Name: g.Name, Type: string(g.Type), VPC: g.VPC, Tags: tags,
		Description: g.Description, ResourceGroup: g.ResourceGroup, ServiceManaged: g.ServiceManaged,
	}
}

// newJSONRule gives what was understood in the product's words, and what was not as the cloud wrote it.
func newJSONRule(r *sg.Rule) jsonRule {
	rule := jsonRule{
		ID:               r.ID,
		Protocol:         protocolText(r),
		PortRange:        r.Raw.PortRange,
		PortList:         r.PortListID,
		Destination:      r.Destination.Text,
		DestinationKind:  string(r.Destination.Kind),
		DestinationOwner: r.Destination.Owner,
		Source:           r.Source.Text,
		Action:           string(r.Action),
		Priority:         r.Priority,
		NICType:          r.NICType,
		Description:      r.Description,
		CreateTime:       r.Raw.Created,
		Unreadable:       r.Unreadable,
	}
	if !r.SourcePorts.IsZero() || r.Unreadable != "" {
		rule.SourcePortRange = r.Raw.SourcePorts
	}
	if rule.Action == "" {
		rule.Action = r.Raw.Action
	}
	return rule
}

func protocolText(r *sg.Rule) string {
	if r.Protocol == sg.NoProtocol {
		return r.Raw.Protocol
	}
	return r.Protocol.String()
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
