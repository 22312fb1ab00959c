// Package decision turns findings into decisions: what would be done about a rule, and why.
//
// It computes as if the run were enforcing; whether anything may be executed now is a separate matter of the report.
// [Terms.Decide] decides about a whole [Subject] in five steps, none of which can take back an objection of another:
//
//  1. Every finding gets a [Verdict] for each policy that it violates. The last tests of it are the policy's baseline,
//     before which a rule must have been there to be left alone (see [FirstSeen]), and grace: for how long the policy
//     has been objecting to this content, by the clocks that the store keeps.
//  2. What a policy makes a candidate so far is the batch of its group. With [Reach] it is computed what removing the batch
//     does, and each finding beside it; a policy with `only-if: closes` leaves alone what closes nothing, and what it is
//     not known of. What it leaves alone stays in the batch that the others are computed with. Its clocks of grace run only
//     while removing the rule, beside all that is a candidate but for grace, would close something: who takes away the
//     other rule by which it had no effect gets the grace from then on.
//  3. If a policy still makes the rule a candidate, the guards that protect a rule whatever its policies say are asked in a
//     fixed order, and the first that objects decides. What nobody objects to is to be revoked.
//  4. Limits are tested on all that is to be revoked together, before any of them withholds something. So a limit
//     that is made smaller never lets a rule through. Over a limit, its whole scope is withheld.
//  5. A rule whose revocation is already open keeps its decision, is marked, and counts for no limit.
//
// Without a store ([State] is nil) grace counts as over, and what only a store knows objects to nothing.
// The package is pure: it has no clock and changes nothing but the decisions of the findings.
package decision

import (
	"fmt"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/reach"
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
	Pending   Action = "pending"
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
	ReasonStaleSet         = "stale-set"
	ReasonDropRule         = "drop-rule"
	ReasonCollateral       = "collateral"
	ReasonNoEffect         = "no-effect"
	ReasonEffectUnknown    = "effect-unknown"
	ReasonBaseline         = "baseline"
	ReasonGrace            = "grace"
	ReasonManaged          = "managed"
	ReasonProtected        = "protected"
	ReasonIncomplete       = "incomplete"
	ReasonUnreadable       = "unreadable"
	ReasonNoRuleID         = "no-rule-id"
	ReasonNotRestorable    = "not-restorable"
	ReasonRestored         = "restored"
	ReasonRecurring        = "recurring"
	ReasonNewPolicy        = "new-policy"
	ReasonPaused           = "paused"

	// The limits, of the config and of a policy. People read them as `hold: limit per-group`; see [Verdict.String].
	ReasonLimitPerGroup       = limitPrefix + "per-group"
	ReasonLimitPerSweep       = limitPrefix + "per-sweep"
	ReasonLimitPercent        = limitPrefix + "percent"
	ReasonLimitPerWindow      = limitPrefix + "per-window"
	ReasonLimitPolicyPerGroup = limitPrefix + "policy-per-group"
	ReasonLimitPolicyPerSweep = limitPrefix + "policy-per-sweep"
)

const limitPrefix = "limit-"

// AuditMode is why nothing is executed when the daemon's mode is audit.
const AuditMode = "audit-mode"

// Verdict is what one policy, or all of them together, come to for a rule.
type Verdict struct {
	Action Action
	Reason string
	Detail string // for people: what exactly the reason saw; may be empty
	// Until is when a grace or a hold after a restore ends, if nothing changes. Zero for all other reasons.
	Until time.Time
}

// String gives action and reason as reports spell them, such as `hold: limit per-group`. It leaves out [Verdict.Until],
// so that equal verdicts can be counted.
func (v Verdict) String() string {
	if v.Reason == "" {
		return string(v.Action)
	}
	if which, limit := strings.CutPrefix(v.Reason, limitPrefix); limit && v.Action == Hold {
		return fmt.Sprintf("%s: limit %s", v.Action, which)
	}
	return fmt.Sprintf("%s: %s", v.Action, v.Reason)
}

// Finding is a rule that violates at least one policy, with all that a decision about it depends on.
type Finding struct {
	Group      *sg.Group
	Rule       sg.Rule
	Place      int                // of the rule in the listing of its group, for [Reach]
	Violations []policy.Violation // at least one, sorted by the policies' names
	Incomplete string             // why the group was not read whole; empty if it was
	PeerGone   bool               // the destination group is known not to be there
	// Kept are, for each violation, the exception of an earlier set of policies that still counts; nil if there is none.
	Kept []Kept

	Decision Decision // zero before it was decided
	// Effect is what removing the rule does beside the batch of its group; see [Reach]. Nil if nobody computed it.
	Effect *reach.Effect
	// Narrowing is a proposal of rules in the place of this one. Nil: there is none. No decision goes by it.
	Narrowing *reach.Narrowing
}

// Decision is the outcome for one rule.
type Decision struct {
	Verdict

	Policies []Verdict // one for each violation, in their order
	// Batch tells whether the rule reached candidate before `only-if` was asked: it is then part of what the group's effect
	// is computed over.
	Batch bool
	// Open tells that a revocation of this rule is open, so that a decision to revoke starts no other; see
	// [AlreadyOpen].
	Open bool
}

// rank orders the verdicts of a policy by how near to revocation they are, in the order of the tests.
type rank int

const (
	rankExempt rank = iota
	rankExceptionUnknown
	rankReport
	rankInvalidExpiry
	rankStaleSet
	rankDropRule
	rankCollateral
	rankNoEffect
	rankEffectUnknown
	rankBaseline
	rankPending
	rankCandidate
)

// judge gives the verdict of one policy but for grace, and how near to revocation it is: the first test that applies
// decides. known is since when the store knows the content of the rule; zero if it does not.
func judge(v *policy.Violation, rule *sg.Rule, known time.Time) (Verdict, rank) {
	old := tolerated(v.Policy, rule, known)
	tests := [...]struct {
		applies bool
		verdict Verdict
	}{
		rankExempt: {v.Exempt != nil, Verdict{Action: Exempt, Reason: name(v.Exempt)}},
		rankExceptionUnknown: {v.Unsure != nil, Verdict{
			Action: Hold, Reason: ReasonExceptionUnknown, Detail: "exception " + name(v.Unsure) + " might apply",
		}},
		rankReport:        {v.Policy.Action == policy.Report, Verdict{Action: Report, Reason: ReasonPolicy}},
		rankInvalidExpiry: {v.InvalidExpiry, Verdict{Action: Report, Reason: ReasonInvalidExpiry}},
		rankStaleSet:      {v.Stale != "", Verdict{Action: Hold, Reason: ReasonStaleSet, Detail: v.Stale}},
		rankDropRule: {
			rule.Action == sg.Drop && !v.Policy.AllowOpening, Verdict{Action: Hold, Reason: ReasonDropRule},
		},
		rankCollateral: {v.Collateral && v.Policy.KeepCollateral, Verdict{Action: Hold, Reason: ReasonCollateral}},
		// What removing the rule does is asked later, when it is known what else would be removed.
		rankNoEffect:      {},
		rankEffectUnknown: {},
		rankBaseline:      {old != "", Verdict{Action: Report, Reason: ReasonBaseline, Detail: old}},
	}
	for i, t := range tests {
		if t.applies {
			return t.verdict, rank(i)
		}
	}
	return Verdict{Action: Candidate}, rankCandidate
}

func name(x *policy.Exception) string {
	if x == nil {
		return ""
	}
	return x.Name
}
