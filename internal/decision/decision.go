// Package decision turns findings into decisions: what would be done about a rule, and why.
//
// It computes as if the run were enforcing; whether anything may be executed now is a separate matter of the report.
// A finding gets a [Verdict] for every policy that it violates. If one of these is a candidate for revocation, the
// guards that protect a rule whatever the policy says are asked in a fixed order, and the first that objects decides.
// The package is pure.
package decision

import (
	"fmt"
	"slices"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/policy"
)

// Action is what a decision comes to.
type Action string

// Actions, from harmless to final. Candidate occurs only as the verdict of one policy.
const (
	Exempt    Action = "exempt"
	Report    Action = "report"
	Hold      Action = "hold"
	Skip      Action = "skip"
	Candidate Action = "candidate"
	Revoke    Action = "revoke"
)

// Reasons of decisions, as reports spell them. The reason of an exemption is the exception's name, a revocation has
// none.
const (
	ReasonExceptionUnknown = "exception-unknown"
	ReasonPolicy           = "policy"
	ReasonInvalidExpiry    = "invalid-expiry"
	ReasonDropRule         = "drop-rule"
	ReasonCollateral       = "collateral"
	ReasonManaged          = "managed"
	ReasonProtected        = "protected"
	ReasonIncomplete       = "incomplete"
	ReasonUnreadable       = "unreadable"
	ReasonNoRuleID         = "no-rule-id"
	ReasonNotRestorable    = "not-restorable"
)

// AuditMode is why nothing is executed when the daemon's mode is audit.
const AuditMode = "audit-mode"

// Verdict is what one policy, or all of them together, come to for a rule.
type Verdict struct {
	Action Action
	Reason string
	Detail string // for people: what exactly the reason saw; may be empty
}

func (v Verdict) String() string {
	if v.Reason == "" {
		return string(v.Action)
	}
	return fmt.Sprintf("%s: %s", v.Action, v.Reason)
}

// Finding is a rule that violates at least one policy, with all that a decision about it depends on.
type Finding struct {
	Group      *sg.Group
	Rule       sg.Rule
	Violations []policy.Violation // at least one, sorted by the policies' names
	Incomplete string             // why the group was not read whole; empty if it was
	PeerGone   bool               // the destination group is known not to be there

	Decision Decision // zero before it was decided
}

// Decision is the outcome for one rule.
type Decision struct {
	Verdict

	Policies []Verdict // one for each violation, in their order
	// Batch tells whether the rule reached candidate: it is then part of what the group's effect is computed over.
	Batch bool
}

// Decide decides about one rule.
func (g *Guards) Decide(f *Finding) Decision {
	d := Decision{Policies: make([]Verdict, len(f.Violations))}
	nearest := -1
	for i := range f.Violations {
		verdict, rank := judge(&f.Violations[i], &f.Rule)
		d.Policies[i] = verdict
		d.Batch = d.Batch || verdict.Action == Candidate
		if rank > nearest {
			nearest, d.Verdict = rank, verdict
		}
	}
	if d.Batch {
		d.Verdict = g.object(f)
	}
	return d
}

// judge gives the verdict of one policy and how near to revocation it is: the first test that applies decides.
func judge(v *policy.Violation, rule *sg.Rule) (verdict Verdict, rank int) {
	tests := []struct {
		applies bool
		verdict Verdict
	}{
		{v.Exempt != nil, Verdict{Action: Exempt, Reason: name(v.Exempt)}},
		{v.Unsure != nil, Verdict{
			Action: Hold, Reason: ReasonExceptionUnknown, Detail: "exception " + name(v.Unsure) + " might apply",
		}},
		{v.Policy.Action == policy.Report, Verdict{Action: Report, Reason: ReasonPolicy}},
		{v.InvalidExpiry, Verdict{Action: Report, Reason: ReasonInvalidExpiry}},
		{rule.Action == sg.Drop && !v.Policy.AllowOpening, Verdict{Action: Hold, Reason: ReasonDropRule}},
		{v.Collateral && v.Policy.KeepCollateral, Verdict{Action: Hold, Reason: ReasonCollateral}},
	}
	for rank, t := range tests {
		if t.applies {
			return t.verdict, rank
		}
	}
	return Verdict{Action: Candidate}, len(tests)
}

func name(x *policy.Exception) string {
	if x == nil {
		return ""
	}
	return x.Name
}

// NeverTag is the tag that protects a group by default, with the value [NeverValue].
const (
	NeverTag   = "egress-janitor"
	NeverValue = "never"
)

// Guards protect rules whatever the policies say. The zero value has the guards that are always on.
type Guards struct {
	ProtectedGroups []sg.Glob
	ProtectedNames  []sg.Glob
	ProtectedTags   map[string]sg.Glob
}

// object asks the guards in their order.
func (g *Guards) object(f *Finding) Verdict {
	guards := []struct {
		action Action
		reason string
		detail string
	}{
		{Skip, ReasonManaged, managed(f.Group)},
		{Skip, ReasonProtected, g.protected(f.Group)},
		{Skip, ReasonIncomplete, incomplete(f)},
		{Skip, ReasonUnreadable, f.Rule.Unreadable},
		{Hold, ReasonNoRuleID, withoutID(&f.Rule)},
		{Hold, ReasonNotRestorable, notRestorable(f)},
	}
	for _, guard := range guards {
		if guard.detail != "" {
			return Verdict{Action: guard.action, Reason: guard.reason, Detail: guard.detail}
		}
	}
	return Verdict{Action: Revoke}
}

func managed(g *sg.Group) string {
	if g.ServiceManaged {
		return "the group belongs to a cloud service"
	}
	return ""
}

// protected says by what a group is protected, or nothing.
func (g *Guards) protected(group *sg.Group) string {
	matches := func(text string) func(sg.Glob) bool {
		return func(glob sg.Glob) bool { return glob.Match(text) }
	}
	switch {
	case slices.ContainsFunc(g.ProtectedGroups, matches(group.ID)):
		return "the config protects the group by its ID"
	case slices.ContainsFunc(g.ProtectedNames, matches(group.Name)):
		return "the config protects the group by its name"
	}
	for _, tag := range group.Tags {
		if tag.Key == NeverTag && tag.Value == NeverValue {
			return fmt.Sprintf("the group has the tag %s: %s", tag.Key, tag.Value)
		}
		if glob, named := g.ProtectedTags[tag.Key]; named && glob.Match(tag.Value) {
			return fmt.Sprintf("the config protects groups with the tag %s: %s", tag.Key, glob)
		}
	}
	return ""
}

// incomplete says what of the rule, or of what it depends on, was not read whole.
func incomplete(f *Finding) string {
	switch {
	case f.Incomplete != "":
		return f.Incomplete
	case f.Rule.Destination.Kind == sg.FromList && f.Rule.Destination.List == nil:
		return fmt.Sprintf("the prefix list %s was not read", f.Rule.Destination.Text)
	case f.Rule.PortListID != "":
		return fmt.Sprintf("the port list %s was not read", f.Rule.PortListID)
	}
	return ""
}

func withoutID(r *sg.Rule) string {
	if r.ID == "" {
		return "the cloud gave no rule ID, and only an ID names a rule beyond doubt"
	}
	return ""
}

// maxPriority is the last priority that the API lets a rule be created with.
// Source: AuthorizeSecurityGroupEgress, parameter Priority.
const maxPriority = 100

// notRestorable says why the rule could not be created again, should its revocation have been wrong.
func notRestorable(f *Finding) string {
	switch {
	case f.Rule.Priority > maxPriority:
		return fmt.Sprintf("priority %d is over %d, with which no rule can be created today", f.Rule.Priority, maxPriority)
	case f.Rule.Destination.Kind == sg.PeerGroup && f.Group.Type == sg.TypeEnterprise:
		return "no rule with a destination group can be created in an advanced group today"
	case f.Rule.Destination.Kind == sg.PeerGroup && f.Rule.Destination.Text == f.Group.ID && f.Rule.Destination.Owner == "":
		return "no rule can be created today whose destination is its own group"
	case f.PeerGone:
		return fmt.Sprintf("the destination group %s does not exist any more", f.Rule.Destination.Text)
	}
	return ""
}
